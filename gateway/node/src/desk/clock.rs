//! Time as an officer reads it: how long until a clock runs out, or since it did, and the hour at the office.
//!
//! Not here: the clock itself. INVARIANT: what has run out never reads as if there were time left.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::words::Words;

const MINUTE_MS: i64 = 60_000;
const HOUR_MINUTES: i64 = 60;
const DAY_MINUTES: i64 = 24 * HOUR_MINUTES;
/// Below this the screen says that it is urgent.
const URGENT_MINUTES: i64 = 15;

/// How a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressure {
    /// There is time.
    Calm,
    /// Little is left.
    Urgent,
    /// It has run out.
    Over,
}

impl Pressure {
    /// The class of the style sheet; the words beside it say the same.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Urgent => "urgent",
            Self::Over => "over",
        }
    }
}

/// A clock, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    /// When it runs out, milliseconds: the page's script counts on from it.
    pub(super) at_ms: i64,
    /// What has to happen until then.
    pub(super) what: &'static str,
    /// "responder en 42 min", "vencida hace 5 min".
    pub(super) text: String,
    /// How it stands.
    pub(super) pressure: Pressure,
}

impl Due {
    /// Of a clock that runs out at `at_ms`, as it stands at `now_ms`.
    pub(super) fn of(what: &'static str, at_ms: i64, now_ms: i64, words: &Words) -> Self {
        let left_ms = at_ms.saturating_sub(now_ms);
        // A minute that has begun is no longer there, and one that has passed is counted whole.
        let minutes = left_ms.abs().div_euclid(MINUTE_MS);
        let (lead, pressure) = match left_ms {
            left if left < 0 => (words.overdue, Pressure::Over),
            left if left < URGENT_MINUTES * MINUTE_MS => (what, Pressure::Urgent),
            _ => (what, Pressure::Calm),
        };
        Self { at_ms, what, text: format!("{lead} {}", span(minutes, words)), pressure }
    }
}

/// So many minutes, with hours and days where there are any.
pub(super) fn span(minutes: i64, words: &Words) -> String {
    let (days, hours) = (minutes / DAY_MINUTES, minutes % DAY_MINUTES / HOUR_MINUTES);
    let rest = minutes % HOUR_MINUTES;
    match (days, hours) {
        (0, 0) => format!("{rest} {}", words.minutes_short),
        (0, _) => format!("{hours} {} {rest} {}", words.hours_short, words.minutes_short),
        _ => format!("{days} {} {hours} {}", words.days_short, words.hours_short),
    }
}

/// The hour in this zone.
pub(super) fn hour(at_ms: i64, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::words::Language;
    use super::*;

    fn said(left_ms: i64) -> (String, Pressure) {
        let words = Language::Es.words();
        let due = Due::of(words.answer_in, 10_000_000 + left_ms, 10_000_000, words);
        (due.text, due.pressure)
    }

    #[test]
    fn a_clock_says_what_is_left_and_by_how_much_it_is_over() {
        assert_eq!(said(42 * MINUTE_MS + 30_000), ("responder en 42 min".to_owned(), Pressure::Calm));
        assert_eq!(said(14 * MINUTE_MS), ("responder en 14 min".to_owned(), Pressure::Urgent));
        assert_eq!(said(-5 * MINUTE_MS), ("vencida hace 5 min".to_owned(), Pressure::Over));
        assert_eq!(said(-1), ("vencida hace 0 min".to_owned(), Pressure::Over));
        assert_eq!(said(181 * MINUTE_MS).0, "responder en 3 h 1 min");
        assert_eq!(said(50 * 60 * MINUTE_MS).0, "responder en 2 d 2 h");
    }
}
