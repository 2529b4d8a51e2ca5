//! A person as keyed tags: enough to say "the same" or "alike", too little to say who.
//!
//! Not here: the comparison (`likeness`). Names are folded as everywhere (`matching`), then blinded under the node's
//! key. INVARIANT: no letter of a name and no digit of a number is in a `Marks`; `Debug` shows nothing.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::matching::{Candidate, Given, Surnames, significant};

/// Years by which an estimated age may be off.
const ESTIMATE_YEARS: i16 = 2;
/// Years by which a stated age may be off: a birthday between two lists.
const STATED_YEARS: i16 = 1;

/// A keyed 64-bit digest: 100,000 holds and a row meet by chance once in 10^11 rows, and one tag alone stops nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(pub u64);

/// Makes tags under the node's key.
pub trait Blind: Send + Sync {
    /// The tag of these bytes.
    fn tag(&self, bytes: &[u8]) -> Tag;
}

/// When somebody was born, as far as it is known; both ends included, one day when it is known exactly.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    pub(super) from: Date,
    pub(super) to: Date,
}

/// The heard words of one part of a name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Word {
    pub(super) heard: Tag,
    pub(super) initial: Tag,
    /// The word is nothing but an initial.
    pub(super) short: bool,
}

/// One person, blinded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The tag of a fixed text: marks made under another key are not comparable, and say so.
    key: Tag,
    /// The whole name as written, case and spacing aside.
    pub(super) written: Option<Tag>,
    /// All heard words in order of the alphabet.
    pub(super) whole: Option<Tag>,
    pub(super) given: Vec<Word>,
    pub(super) surnames: Vec<Word>,
    pub(super) born: Option<Span>,
    pub(super) numbers: Vec<Tag>,
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[marks]")
    }
}

impl Marks {
    /// Blinds a person; `on` is the date at which a stated age is true.
    #[must_use]
    pub fn of(person: &Candidate, on: Option<Date>, blind: &dyn Blind) -> Self {
        let second = person.second_surname.as_ref().map_or("", |name| name.reveal());
        let given = Given::parse(person.given_names.reveal());
        let surnames = Surnames::parse(person.first_surname.reveal(), second);
        let mut all: Vec<&str> = given.sounds().iter().chain(surnames.sounds()).map(String::as_str).collect();
        all.sort_unstable();
        let written = [person.given_names.reveal().as_str(), person.first_surname.reveal(), second];
        let born = match (&person.birth_date, person.age, on) {
            (Some(date), _, _) => Some(Span::day(*date.reveal())),
            (None, Some(age), Some(on)) => Span::of_age(age, person.age_estimated, on),
            _ => None,
        };
        let mut numbers: Vec<Tag> = person
            .numbers
            .iter()
            .filter_map(significant)
            // A file is shared by families and proves nothing.
            .filter(|(_, kind, _)| *kind != "file")
            .map(|(country, _, value)| blind.tag(format!("n {country} {value}").as_bytes()))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        Self {
            key: blind.tag(KEY_TEXT),
            written: (!all.is_empty()).then(|| blind.tag(format!("f {}", as_written(written)).as_bytes())),
            whole: (!all.is_empty()).then(|| blind.tag(format!("w {}", all.join(" ")).as_bytes())),
            given: words(given.sounds(), blind),
            surnames: words(surnames.sounds(), blind),
            born,
            numbers,
        }
    }

    /// The same person, born between these years.
    #[must_use]
    pub(super) fn born_between(mut self, (from, to): (i16, i16)) -> Self {
        self.born = Span::years(from, to);
        self
    }

    /// Whether these marks were made under this key; others compare with nothing.
    #[must_use]
    pub fn are_of(&self, blind: &dyn Blind) -> bool {
        self.key == blind.tag(KEY_TEXT)
    }

    /// Whether there is anything to compare: a name or a number.
    #[must_use]
    pub const fn say_something(&self) -> bool {
        self.whole.is_some() || !self.numbers.is_empty()
    }

    /// Tags under which a hold is filed: its pairs in each year of birth, or in none, and once without; its whole name and
    /// numbers.
    pub(super) fn filed_under(&self) -> Vec<Tag> {
        let mut tags = Vec::new();
        for pair in self.pairs() {
            match self.years() {
                Some(years) => tags.extend(years.map(|year| pair.in_year(year))),
                None => tags.push(pair.in_year(NO_YEAR)),
            }
            tags.push(pair);
        }
        tags.extend(self.certain());
        tags
    }

    /// Tags under which a row is looked for: its pairs in its own years and where no year is filed, or in all years when it
    /// states none; its whole name and numbers.
    pub(super) fn looked_for_under(&self) -> Vec<Tag> {
        let mut tags = Vec::new();
        for pair in self.pairs() {
            match self.years() {
                Some(years) => tags.extend(years.chain([NO_YEAR]).map(|year| pair.in_year(year))),
                None => tags.push(pair),
            }
        }
        tags.extend(self.certain());
        tags
    }

    /// Each surname with each initial: sums of keyed digests, as hard to aim at as the digests are.
    fn pairs(&self) -> impl Iterator<Item = Tag> + '_ {
        self.surnames.iter().flat_map(|surname| {
            self.given
                .iter()
                .map(move |given| Tag(surname.heard.0.wrapping_add(given.initial.0.rotate_left(17))))
        })
    }

    /// What meets whatever the births are: all words, each number.
    fn certain(&self) -> impl Iterator<Item = Tag> + '_ {
        self.whole.into_iter().chain(self.numbers.iter().copied())
    }

    /// The years of birth, when they are few enough to file by.
    fn years(&self) -> Option<std::ops::RangeInclusive<i16>> {
        let (from, to) = self.born.map(|born| (born.from.year(), born.to.year()))?;
        (to.saturating_sub(from) < FILED_YEARS).then_some(from..=to)
    }
}

impl Tag {
    /// The tag within one year: neighbours of a common name are few among those of one year.
    fn in_year(self, year: i16) -> Self {
        // An odd factor spreads neighbouring years over all bits.
        Self(self.0 ^ u64::from(year.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1)
    }
}

/// Years of an estimate that are filed one by one; a wider one is filed as no year.
const FILED_YEARS: i16 = 10;
/// Where holds without years stand.
const NO_YEAR: i16 = 0;

const KEY_TEXT: &[u8] = b"k";

fn words(sounds: &[String], blind: &dyn Blind) -> Vec<Word> {
    let word = |sound: &String| {
        let initial: String = sound.chars().take(1).collect();
        Word {
            heard: blind.tag(format!("s {sound}").as_bytes()),
            initial: blind.tag(format!("i {initial}").as_bytes()),
            short: sound.len() == 1,
        }
    };
    sounds.iter().map(word).collect()
}

/// The name in capitals with single spaces; diacritics and particles stay, for "as written" means so.
fn as_written([given, first, second]: [&str; 3]) -> String {
    let spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
    let surnames = [spaced(first), spaced(second)].join(" ");
    format!("{}|{}", spaced(given), surnames.trim())
}

impl Span {
    const fn day(date: Date) -> Self {
        Self { from: date, to: date }
    }

    fn years(from: i16, to: i16) -> Option<Self> {
        Some(Self { from: Date::new(from, 1, 1).ok()?, to: Date::new(to, 12, 31).ok()? })
    }

    fn of_age(age: u8, estimated: bool, on: Date) -> Option<Self> {
        let off = if estimated { ESTIMATE_YEARS } else { STATED_YEARS };
        let latest = on.year().checked_sub(i16::from(age))?;
        Self::years(latest.checked_sub(1 + off)?, latest.checked_add(off)?)
    }

    /// The day of birth, when it is known.
    pub(super) fn exact(&self) -> Option<Date> {
        (self.from == self.to).then_some(self.from)
    }
}
