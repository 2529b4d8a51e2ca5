//! What is owed in a transfer, by whom and by when.
//!
//! Not here: telling anybody (`watch`). INVARIANT: a clock follows from the state and the terms alone, so both sides read
//! the same one; it is gone when what it waited for stands.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cases::plan::Plan;
use crate::cases::state::{CaseState, Stage};
use crate::cases::step::StepKind;
use crate::delivery::Side;

/// Seconds in a day.
const DAY_S: i64 = 86_400;

/// What is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum What {
    /// Yes or no to the offer.
    Answer,
    /// The child at the place of the hand-over.
    HandOver,
    /// The receiver's word that the child is there.
    Reception,
    /// The sender's signature under a hand-over that the receiver has recorded.
    CounterSignature,
    /// The report of this day after the reception.
    FollowUp(u16),
    /// One answer, where there are two.
    Contradiction,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => f.write_str("answer"),
            Self::HandOver => f.write_str("hand_over"),
            Self::Reception => f.write_str("reception"),
            Self::CounterSignature => f.write_str("counter_signature"),
            Self::FollowUp(day) => write!(f, "follow_up_{day}"),
            Self::Contradiction => f.write_str("contradiction"),
        }
    }
}

impl From<What> for String {
    fn from(what: What) -> Self {
        what.to_string()
    }
}

impl TryFrom<String> for What {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain =
            [Self::Answer, Self::HandOver, Self::Reception, Self::CounterSignature, Self::Contradiction];
        let numbered = || text.strip_prefix("follow_up_")?.parse().ok().map(Self::FollowUp);
        let found = plain.into_iter().find(|what| what.to_string() == text);
        found.or_else(numbered).ok_or("no clock of a case")
    }
}

/// One clock that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// What is owed.
    pub what: What,
    /// By when, seconds since the epoch.
    pub due_s: i64,
    /// Who owes it.
    pub owed_by: Side,
    /// Whom it alarms when it has run out.
    pub alarms: &'static [Side],
}

/// The clocks that run, the earliest first.
#[must_use]
pub fn clocks(state: &CaseState, plan: &Plan) -> Vec<Clock> {
    let mut clocks = Vec::new();
    let mut owe = |what, due_s, owed_by| {
        clocks.push(Clock { what, due_s, owed_by, alarms: &Side::BOTH });
    };
    if let Some(at_s) = state.contradicted_s() {
        owe(What::Contradiction, at_s, Side::Receiver);
    }
    if let Some((due_s, what, owed_by)) = next_on_the_way(state, plan) {
        owe(what, due_s, owed_by);
    }
    if let Some(received) = state.stood(StepKind::Received) {
        let received_s = received.happened_s();
        if state.lacks_hand_over() {
            owe(What::CounterSignature, received_s.saturating_add(plan.countersign_s), Side::Sender);
        }
        if state.stage() == Some(Stage::Received) {
            let reported = state.follow_ups();
            for day in plan.follow_up_days.iter().filter(|day| !reported.contains(day)) {
                let due_s = received_s.saturating_add(i64::from(*day) * DAY_S);
                owe(What::FollowUp(*day), due_s, Side::Receiver);
            }
        }
    }
    clocks.sort_by_key(|clock| (clock.due_s, clock.what));
    clocks
}

/// What has to happen before the child is with the receiver.
fn next_on_the_way(state: &CaseState, plan: &Plan) -> Option<(i64, What, Side)> {
    let offer = state.stood(StepKind::Offer)?;
    match state.stage()? {
        Stage::Offered => {
            let due_s = plan.after_working_days(offer.mark.issued_s, state.receiver()?);
            Some((due_s, What::Answer, Side::Receiver))
        }
        // Accepted, and nobody has said when: nothing is late yet.
        Stage::Accepted => {
            Some((offer.mark.by_s?.saturating_add(plan.window_s), What::HandOver, Side::Sender))
        }
        Stage::EnRoute => {
            let departure = state.stood(StepKind::Departure)?;
            let longest_s = departure.happened_s().saturating_add(plan.travel_s);
            let stated_s = departure.mark.by_s.or(offer.mark.by_s).unwrap_or(longest_s);
            Some((stated_s.min(longest_s).saturating_add(plan.window_s), What::HandOver, Side::Sender))
        }
        Stage::HandedOver => {
            let handed_s = state.stood(StepKind::HandOver)?.happened_s();
            Some((handed_s.saturating_add(plan.reception_s), What::Reception, Side::Receiver))
        }
        Stage::Received | Stage::Rejected | Stage::Revoked | Stage::Closed => None,
    }
}
