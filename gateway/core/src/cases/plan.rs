//! The terms of a case, read from `policies/deadlines.json`.
//!
//! Not here: what falls due (`clocks`). INVARIANT: a file without a term that a case needs does not load: a clock that
//! nobody set would never ring.

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::cases::step::StepKind;
use crate::ids::CountryCode;

/// The file of the policies that says the terms.
pub const FILE: &str = "deadlines.json";

/// Longest answer that is counted, working days: a year of them.
const MAX_WORKING_DAYS: u16 = 250;

/// Why the terms cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file is absent.
    #[error("policies have no `{FILE}`")]
    Absent,
    /// A term is absent or of another form.
    #[error("`{FILE}` has no usable term for `{0}`")]
    Term(&'static str),
    /// A country's time zone is not one of the IANA data base.
    #[error("`{FILE}` names an unknown time zone for `{0}`")]
    Zone(CountryCode),
}

/// By when what is owed in a case.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The receiver answers an offer within so many working days of its country.
    pub answer_working_days: u16,
    /// The child is handed over at most so long after the stated hour, seconds.
    pub window_s: i64,
    /// The longest way: a hand-over is expected at most so long after the departure, seconds.
    pub travel_s: i64,
    /// The sender signs the hand-over at most so long after the receiver has recorded the child, seconds.
    pub countersign_s: i64,
    /// The receiver records the child at most so long after the hand-over, seconds.
    pub reception_s: i64,
    /// Follow-ups are due so many days after the reception.
    pub follow_up_days: Vec<u16>,
    zones: BTreeMap<CountryCode, TimeZone>,
}

#[derive(Deserialize)]
struct Answer {
    reply_working_days: AnyDays,
}

#[derive(Deserialize)]
struct AnyDays {
    any: u16,
}

#[derive(Deserialize)]
struct HandOver {
    window_minutes: u32,
    travel_minutes: u32,
    countersign_minutes: u32,
}

#[derive(Deserialize)]
struct After {
    after_event_minutes: u32,
}

#[derive(Deserialize)]
struct Due {
    due_after_days: Vec<u16>,
}

#[derive(Deserialize)]
struct National {
    zone: Option<String>,
}

impl Plan {
    /// Reads the terms from the files of a set of policies.
    ///
    /// # Errors
    /// `PlanError` when the file or a term is absent or wrong.
    pub fn load(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, PlanError> {
        let (_, bytes) = files.into_iter().find(|(path, _)| path == FILE).ok_or(PlanError::Absent)?;
        let terms: BTreeMap<String, Value> =
            serde_json::from_slice(&bytes).map_err(|_| PlanError::Term("any type"))?;
        let answer: Answer = term(&terms, StepKind::Offer)?;
        let hand_over: HandOver = term(&terms, StepKind::HandOver)?;
        let reception: After = term(&terms, StepKind::Received)?;
        let follow_up: Due = term(&terms, StepKind::FollowUp)?;
        if answer.reply_working_days.any > MAX_WORKING_DAYS {
            return Err(PlanError::Term(StepKind::Offer.type_name()));
        }
        let seconds = |minutes: u32| i64::from(minutes) * 60;
        Ok(Self {
            answer_working_days: answer.reply_working_days.any,
            window_s: seconds(hand_over.window_minutes),
            travel_s: seconds(hand_over.travel_minutes),
            countersign_s: seconds(hand_over.countersign_minutes),
            reception_s: seconds(reception.after_event_minutes),
            follow_up_days: follow_up.due_after_days,
            zones: zones(&terms)?,
        })
    }

    /// The instant so many working days after another, at the same local hour of a country; Saturdays and Sundays do not
    /// count, and a country without a zone counts in UTC. Seconds.
    #[must_use]
    pub fn after_working_days(&self, from_s: i64, country: &CountryCode) -> i64 {
        let zone = self.zones.get(country).cloned().unwrap_or(TimeZone::UTC);
        let Ok(from) = Timestamp::from_second(from_s) else { return from_s };
        let mut at = from.to_zoned(zone);
        let mut left = self.answer_working_days;
        while left > 0 {
            let Ok(next) = at.checked_add(Span::new().days(1)) else { break };
            at = next;
            if !matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) {
                left -= 1;
            }
        }
        at.timestamp().as_second()
    }
}

fn term<T: for<'de> Deserialize<'de>>(terms: &BTreeMap<String, Value>, of: StepKind) -> Result<T, PlanError> {
    let missing = || PlanError::Term(of.type_name());
    let value = terms.get(of.type_name()).ok_or_else(missing)?;
    T::deserialize(value).map_err(|_| missing())
}

fn zones(terms: &BTreeMap<String, Value>) -> Result<BTreeMap<CountryCode, TimeZone>, PlanError> {
    let national = terms.get("national").ok_or(PlanError::Term("national"))?;
    let national: BTreeMap<CountryCode, National> =
        BTreeMap::deserialize(national).map_err(|_| PlanError::Term("national"))?;
    let mut zones = BTreeMap::new();
    for (country, rules) in national {
        if let Some(name) = rules.zone {
            let zone = TimeZone::get(&name).map_err(|_| PlanError::Zone(country.clone()))?;
            zones.insert(country, zone);
        }
    }
    Ok(zones)
}
