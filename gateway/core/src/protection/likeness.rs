//! Whether a row may be the person of a hold, by their marks alone.
//!
//! Not `matching::pairs`, which asks whether two rows of a list repeat one another: here a miss can kill and a false
//! alarm costs an officer a minute, so less must agree. INVARIANT: whatever is unknown speaks for a match, never against.

use super::marks::{Marks, Span, Word};

/// Words that must be shared before a name that lacks some is alike, when given names and surnames were divided otherwise.
const SHARED_WORDS: usize = 3;

/// How a row and a hold agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// May be the person: an officer of the authority has to look.
    Near,
    /// The name as written and the same day of birth, or the same number of a paper and a name that is alike.
    Exact,
}

/// How two names agree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Written,
    /// All words, in whatever order, spelling or division.
    Whole,
    /// One lacks words that the other has, or has initials for them.
    Shortened,
    Other,
}

/// How two births agree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Births {
    SameDay,
    /// Estimates that meet, a day and month swapped, or nothing known.
    Possible,
    /// Two days of which two of year, month and day agree: a slip of the pen.
    Slip,
    Other,
}

/// What these two have in common; `None` when they are two people.
pub(super) fn likeness(hold: &Marks, row: &Marks) -> Option<Likeness> {
    let number = hold.numbers.iter().any(|number| row.numbers.contains(number));
    let births = births(hold.born, row.born);
    // Cheap first: nearly every neighbour of a common name was born at another time.
    if !number && births == Births::Other {
        return None;
    }
    let names = names(hold, row);
    match (number, names, births) {
        (true, Names::Written | Names::Whole | Names::Shortened, _) | (true, _, Births::SameDay) => {
            Some(Likeness::Exact)
        }
        (false, Names::Written, Births::SameDay) => Some(Likeness::Exact),
        (true, Names::Other, _)
        | (false, Names::Written | Names::Whole, _)
        | (false, Names::Shortened, Births::SameDay | Births::Possible) => Some(Likeness::Near),
        (false, Names::Shortened, Births::Slip | Births::Other) | (false, Names::Other, _) => None,
    }
}

fn births(one: Option<Span>, other: Option<Span>) -> Births {
    let (Some(one), Some(other)) = (one, other) else { return Births::Possible };
    let (Some(a), Some(b)) = (one.exact(), other.exact()) else {
        let meet = one.from <= other.to && other.from <= one.to;
        return if meet { Births::Possible } else { Births::Other };
    };
    let swapped = a.year() == b.year() && a.day() == b.month() && a.month() == b.day();
    let same = [a.year() == b.year(), a.month() == b.month(), a.day() == b.day()];
    match same.iter().filter(|part| **part).count() {
        3 => Births::SameDay,
        _ if swapped => Births::Possible,
        2 => Births::Slip,
        _ => Births::Other,
    }
}

fn names(hold: &Marks, row: &Marks) -> Names {
    if hold.whole.is_none() || row.whole.is_none() {
        return Names::Other;
    }
    if hold.written == row.written {
        return Names::Written;
    }
    if hold.whole == row.whole {
        return Names::Whole;
    }
    let given = covers(&hold.given, &row.given);
    let surnames = covers(&hold.surnames, &row.surnames);
    if given.is_some() && surnames.is_some() && !hold.surnames.is_empty() && !row.surnames.is_empty() {
        let all = |one: &Marks, other: &Marks| {
            one.given.len() == other.given.len() && one.surnames.len() == other.surnames.len()
        };
        return if all(hold, row) && given == Some(hold.given.len()) {
            Names::Whole
        } else {
            Names::Shortened
        };
    }
    let words = |marks: &Marks| [marks.given.as_slice(), marks.surnames.as_slice()].concat();
    match covers(&words(hold), &words(row)) {
        Some(shared) if shared >= SHARED_WORDS => Names::Shortened,
        _ => Names::Other,
    }
}

/// How many whole words are shared when every word of the shorter is found in the longer, itself or its initial;
/// `None` when one is not, or when nothing but initials is shared.
fn covers(one: &[Word], other: &[Word]) -> Option<usize> {
    let (shorter, longer) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let mut free: Vec<&Word> = longer.iter().collect();
    let mut shared = 0;
    for word in shorter {
        let whole = free.iter().position(|candidate| candidate.heard == word.heard);
        let initial = || {
            free.iter()
                .position(|candidate| (candidate.short || word.short) && candidate.initial == word.initial)
        };
        shared += usize::from(whole.is_some());
        free.remove(whole.or_else(initial)?);
    }
    (shared > 0).then_some(shared)
}
