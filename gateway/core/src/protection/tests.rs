//! What holds make of rows: likeness by marks, the neutral ruling, and both clocks of a stop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clocks;
mod matches;
mod rulings;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use uuid::Uuid;

use super::hold::{Born, Described, HeldNumber, Name};
use super::*;
use crate::ids::{Digest, HoldId};
use crate::matching::{Candidate, Number};
use crate::personal::Personal;

/// Tags of a test: SHA-256 cut short, without a key.
struct Plain;

impl Blind for Plain {
    fn tag(&self, bytes: &[u8]) -> Tag {
        let digest = Digest::of(bytes);
        Tag(u64::from_be_bytes(*digest.0.first_chunk::<8>().unwrap()))
    }
}

fn now() -> Timestamp {
    "2026-11-25T15:00:00Z".parse().unwrap()
}

fn today() -> Option<Date> {
    Some(date(2026, 11, 25))
}

fn name(given: &str, first: &str, second: Option<&str>) -> Name {
    Name {
        given_names: Personal::new(given.to_owned()),
        first_surname: Personal::new(first.to_owned()),
        second_surname: second.map(|text| Personal::new(text.to_owned())),
    }
}

/// María del Carmen Güinac Núñez, born 4 March 1994, of Guatemala, held against no further country.
fn hold() -> Hold {
    Hold {
        role: "asylum".parse().unwrap(),
        person: Described {
            names: vec![name("María del Carmen", "Güinac", Some("Núñez"))],
            born: Born::On(Personal::new(date(1994, 3, 4))),
            sex: None,
            nationalities: BTreeSet::from(["GT".parse().unwrap()]),
            residence: None,
            numbers: vec![HeldNumber {
                country: "GT".parse().unwrap(),
                kind: "dpi".to_owned(),
                value: Personal::new("2345 67890 0101".to_owned()),
            }],
        },
        against: Against::Countries(BTreeSet::new()),
        reason: HoldReason::Asylum,
        flags: BTreeMap::new(),
        until: None,
    }
}

fn authority() -> Authority {
    Authority { agency: "COMAR".parse().unwrap(), role: "asylum".parse().unwrap() }
}

fn id(number: u128) -> HoldId {
    HoldId(Uuid::from_u128(number))
}

fn index_of(hold: Hold) -> HoldIndex {
    let mut index = HoldIndex::default();
    let marks = hold.person.marks(&Plain);
    index.place(id(1), authority(), hold, marks);
    index
}

/// A row with this name; born on the day of the hold.
fn row(given: &str, first: &str, second: Option<&str>) -> Candidate {
    Candidate {
        row: 1,
        given_names: Personal::new(given.to_owned()),
        first_surname: Personal::new(first.to_owned()),
        second_surname: second.map(|text| Personal::new(text.to_owned())),
        birth_date: Some(Personal::new(date(1994, 3, 4))),
        age: None,
        age_estimated: false,
        sex: None,
        numbers: Vec::new(),
    }
}

fn numbered(mut row: Candidate, kind: &str, value: &str) -> Candidate {
    row.numbers.push(Number {
        country: "GT".parse().unwrap(),
        kind: kind.to_owned(),
        value: Personal::new(value.to_owned()),
    });
    row
}

fn met(index: &HoldIndex, row: &Candidate) -> Option<Likeness> {
    let found = index.find(&Marks::of(row, today(), &Plain), now()).unwrap();
    found.first().map(|found| found.likeness)
}
