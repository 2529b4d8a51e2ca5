//! Possible duplicates within one operation: who may stand on the list twice, and why it looks so.
//!
//! Not here: merging, which only people do, and any search across operations, which nobody does.
//! Invariants: every finding carries its reasons; the work grows with the number of rows, never with its square.

mod birth;
mod blocks;
mod name;
mod reason;

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;

use crate::ids::CountryCode;
use crate::personal::Personal;

pub use birth::Birth;
pub(crate) use name::Given;
pub use name::{Surnames, fold};
pub use reason::Reason;

use blocks::Blocks;
use name::{GivenAgreement, SurnameAgreement};

/// Most findings reported for one list; a list with more is wrong as a whole, and its first ones show how.
pub const MAX_PAIRS: usize = 10_000;

/// Most candidates offered for one unlisted arrival: what one person can compare at a counter.
pub const MAX_OFFERED: usize = 10;

/// Most numbers compared per person: more are not found on one person, and comparison is by pair.
const MAX_NUMBERS: usize = 8;

/// Sex as a travel document states it (ICAO 9303 part 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// F.
    Female,
    /// M.
    Male,
    /// X, or `<` in the machine-readable zone.
    Unspecified,
}

/// A number that somebody gave a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Number {
    /// The country that issued it.
    pub country: CountryCode,
    /// Its kind, as in `id.numbers`; `file` is shared by families and proves nothing alone.
    pub kind: String,
    /// The number in any punctuation.
    pub value: Personal<String>,
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Number").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// One person of one operation, as far as comparison needs to know.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The row as people see it on the sheet; for an unlisted person, 0.
    pub row: u32,
    /// Given names as written.
    pub given_names: Personal<String>,
    /// First surname as written; may hold both.
    pub first_surname: Personal<String>,
    /// Second surname as written, if any.
    pub second_surname: Option<Personal<String>>,
    /// Date of birth, if known.
    pub birth_date: Option<Personal<Date>>,
    /// Age in years at the operation's local date, stated or reckoned, if known.
    pub age: Option<u8>,
    /// Whether the age is somebody's estimate.
    pub age_estimated: bool,
    /// Sex, if stated.
    pub sex: Option<Sex>,
    /// Numbers of identity, travel documents and files.
    pub numbers: Vec<Number>,
}

/// Two rows that may be one person; `a` is the earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PossibleDuplicate {
    /// The earlier row.
    pub a: u32,
    /// The later row.
    pub b: u32,
    /// Why they look alike, the strongest first.
    pub reasons: Vec<Reason>,
}

/// A candidate with its texts folded once.
struct Folded<'a> {
    given: Given,
    surnames: Surnames,
    birth: Birth,
    sex: Option<Sex>,
    numbers: Vec<(&'a CountryCode, &'a str, String)>,
}

impl<'a> Folded<'a> {
    fn of(candidate: &'a Candidate) -> Self {
        let second = candidate.second_surname.as_ref().map_or("", |text| text.reveal());
        Self {
            given: Given::parse(candidate.given_names.reveal()),
            surnames: Surnames::parse(candidate.first_surname.reveal(), second),
            birth: Birth::of(candidate),
            sex: candidate.sex,
            numbers: candidate.numbers.iter().take(MAX_NUMBERS).filter_map(significant).collect(),
        }
    }
}

/// The number without punctuation; one too short to tell people apart does not count.
pub(crate) fn significant(number: &Number) -> Option<(&CountryCode, &str, String)> {
    const SHORTEST: usize = 5;
    let value: String =
        number.value.reveal().chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    (value.len() >= SHORTEST).then_some((&number.country, number.kind.as_str(), value))
}

/// How much must agree before two rows are shown to somebody.
#[derive(Clone, Copy)]
enum Threshold {
    /// Two rows of one list: names and birth must both speak for it.
    Listed,
    /// An unlisted person at the counter: the names alone are worth a look.
    Offered,
}

/// Every pair of rows that may be one person, by row; at most [`MAX_PAIRS`].
#[must_use]
pub fn pairs(rows: &[Candidate]) -> Vec<PossibleDuplicate> {
    let folded: Vec<Folded<'_>> = rows.iter().map(Folded::of).collect();
    let mut found: BTreeMap<(u32, u32), Vec<Reason>> = BTreeMap::new();
    for (left, right) in Blocks::of(&folded).neighbours() {
        let (Some(one), Some(other)) = (folded.get(left), folded.get(right)) else { continue };
        let (Some(a), Some(b)) = (rows.get(left), rows.get(right)) else { continue };
        if let Some(reasons) = compare(one, other, Threshold::Listed) {
            found.insert((a.row.min(b.row), a.row.max(b.row)), reasons);
        }
        if found.len() >= MAX_PAIRS {
            break;
        }
    }
    found.into_iter().map(|((a, b), reasons)| PossibleDuplicate { a, b, reasons }).collect()
}

/// The rows of this operation that an unlisted person may be, the likeliest first; at most [`MAX_OFFERED`].
#[must_use]
pub fn candidates_for(unlisted: &Candidate, rows: &[Candidate]) -> Vec<(u32, Vec<Reason>)> {
    let person = Folded::of(unlisted);
    let mut offered: Vec<(u32, Vec<Reason>)> = rows
        .iter()
        .filter_map(|row| Some((row.row, compare(&person, &Folded::of(row), Threshold::Offered)?)))
        .collect();
    offered.sort_by_key(|(row, reasons)| (std::cmp::Reverse(reason::weight(reasons)), *row));
    offered.truncate(MAX_OFFERED);
    offered
}

/// The reasons to show two people together, or `None` when there is not enough.
fn compare(one: &Folded<'_>, other: &Folded<'_>, threshold: Threshold) -> Option<Vec<Reason>> {
    let mut reasons = Vec::new();
    let number = shared_number(one, other);
    let names = names_agree(one, other, &mut reasons);
    let birth = one.birth.agreement(&other.birth);
    let enough = match number {
        Some(Reason::SameNumber) => true,
        _ if !names => false,
        _ => match threshold {
            Threshold::Listed => birth.is_some(),
            Threshold::Offered => true,
        },
    };
    if !enough {
        return None;
    }
    reasons.extend(number);
    reasons.extend(birth);
    if let (Some(a), Some(b)) = (one.sex, other.sex)
        && a != b
    {
        reasons.push(Reason::SexDiffers);
    }
    reasons.sort_unstable();
    reasons.dedup();
    Some(reasons)
}

fn shared_number(one: &Folded<'_>, other: &Folded<'_>) -> Option<Reason> {
    let shared = one.numbers.iter().filter(|number| other.numbers.contains(number));
    shared.map(|(_, kind, _)| if *kind == "file" { Reason::SameFile } else { Reason::SameNumber }).min()
}

/// Whether the names may be one person's; pushes what was seen.
fn names_agree(one: &Folded<'_>, other: &Folded<'_>, reasons: &mut Vec<Reason>) -> bool {
    let given = one.given.agreement(&other.given);
    let surnames = one.surnames.agreement(&other.surnames);
    if let (Some(given), Some(surnames)) = (given, surnames) {
        reasons.push(match given {
            GivenAgreement::Same => Reason::SameGivenNames,
            GivenAgreement::Shortened => Reason::GivenNamesShortened,
            GivenAgreement::Sound => Reason::SimilarSpelling,
        });
        reasons.push(match surnames {
            SurnameAgreement::Same => Reason::SameSurnames,
            SurnameAgreement::Swapped => Reason::SurnamesSwapped,
            SurnameAgreement::SecondMissing => Reason::SecondSurnameMissing,
            SurnameAgreement::Sound => Reason::SimilarSpelling,
        });
        return true;
    }
    let reordered = name::same_words(&one.given, &one.surnames, &other.given, &other.surnames);
    if reordered {
        reasons.push(Reason::NamesInOtherOrder);
    }
    reordered
}

#[cfg(test)]
mod tests;
