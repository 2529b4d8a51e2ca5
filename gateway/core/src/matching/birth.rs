//! What two rows say about birth, and whether it may be the same birth.
//!
//! Not here: reckoning an age from a date, which needs the operation's local date. Invariant: two dates that
//! differ are two people, unless day and month are swapped; only estimates may be off.

use jiff::civil::Date;

use super::{Candidate, Reason};

/// Years by which an estimate may be off: what a person sees in a face.
const ESTIMATE_YEARS: u8 = 2;

/// Years by which a stated age may be off: a birthday between two lists.
const STATED_YEARS: u8 = 1;

/// Date of birth and age as one row states them.
#[derive(Clone, Copy)]
pub struct Birth {
    date: Option<Date>,
    age: Option<u8>,
    estimated: bool,
}

impl Birth {
    /// The birth of a candidate.
    #[must_use]
    pub fn of(candidate: &Candidate) -> Self {
        Self {
            date: candidate.birth_date.as_ref().map(|date| *date.reveal()),
            age: candidate.age,
            estimated: candidate.age_estimated,
        }
    }

    /// What speaks for the same birth; `None` when the two contradict each other.
    #[must_use]
    pub fn agreement(&self, other: &Self) -> Option<Reason> {
        if let (Some(one), Some(two)) = (self.date, other.date) {
            if one == two {
                return Some(Reason::SameBirthDate);
            }
            let swapped = one.year() == two.year() && one.day() == two.month() && one.month() == two.day();
            return swapped.then_some(Reason::DayAndMonthSwapped);
        }
        let (Some(one), Some(two)) = (self.age, other.age) else { return Some(Reason::BirthUnknown) };
        let tolerance = if self.estimated || other.estimated { ESTIMATE_YEARS } else { STATED_YEARS };
        (one.abs_diff(two) <= tolerance).then_some(Reason::AgesClose)
    }

    /// A value that sorts equal births together.
    pub(super) fn sort_key(&self) -> (Option<Date>, Option<u8>) {
        (self.date, self.age)
    }
}
