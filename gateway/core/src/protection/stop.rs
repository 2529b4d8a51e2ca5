//! A row that a hold stopped: to its sender a refusal to be answered, to the authority a referral to be reviewed.
//!
//! Not here: who is told (`puente-node`). INVARIANT: each side has one clock of its own; silence past it alarms once,
//! and no act of one side ends the other's.

use serde::{Deserialize, Serialize};

use super::hold::Authority;
use crate::ids::{AgencyId, CountryCode, MessageId, MessageType, OperationId, Role, StopId};
use crate::problem::{self, Problem};

/// The one rule that a submitter is told, whatever the hold and whatever its reason.
pub const NEUTRAL_RULE: &str = "R-HLD-01";

/// The neutral text in Spanish and English; it names the authority to turn to and nothing else.
#[must_use]
pub fn neutral(authority: &AgencyId) -> (String, String) {
    (
        format!("Alto: remita a la autoridad {authority}. Hasta su respuesta el renglón no sale."),
        format!("Stop: refer to authority {authority}. Until it answers the row does not leave."),
    )
}

/// How a row came to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// It is the person: it does not go.
    Refused,
    /// It may be the person: it waits for the authority.
    Held,
    /// Somebody asked what would happen: nothing was to go, and the authority learns that it was asked.
    Probed,
}

/// What the sender has said of a row that did not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderSide {
    /// Nothing is asked: nothing was to go, or it went after all.
    NotAsked,
    /// Nothing yet.
    Silent,
    /// The person was taken off the transport.
    TakenOff,
    /// The person travels nevertheless, by the decision of a named officer.
    Travels,
}

/// What the authority has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reviewed {
    /// Nothing yet.
    Silent,
    /// It is the person, or the stop stands for another reason.
    Confirmed,
    /// It is somebody else: the row may go as policy decides.
    Released,
}

/// What an officer of the sender says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// The person was taken off.
    TakenOff,
    /// The person travels nevertheless, and the signer decided it.
    TravelsNevertheless,
}

/// The sender's signed answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// On which stop.
    pub stop: StopId,
    /// What became of the person.
    pub answer: Answered,
    /// Why, as a code of the deployment; no personal data.
    pub reason: String,
}

/// The authority's signed word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// On which stop.
    pub stop: StopId,
    /// `confirmed` or `released`.
    pub review: Reviewed,
    /// Why, as a code of the deployment; no personal data.
    pub reason: String,
}

/// How long each side has; data of the deployment, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopSchedule {
    /// The authority reviews within this.
    pub review_ms: i64,
    /// The sender answers at the latest this long before departure.
    pub before_departure_ms: i64,
    /// The sender answers within this where no departure is known.
    pub without_departure_ms: i64,
}

/// Whose silence, or whose word, alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// The sender has not answered in time.
    SenderSilent,
    /// The authority has not reviewed in time.
    AuthoritySilent,
    /// The sender says that the person travels nevertheless.
    Travels,
}

impl Alarm {
    /// The alarm as a metric label and as an event's state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SenderSilent => "sender_silent",
            Self::AuthoritySilent => "authority_silent",
            Self::Travels => "travels",
        }
    }
}

/// One stopped row. Instants are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Names it.
    pub stop: StopId,
    /// How it came about.
    pub kind: StopKind,
    /// The sending agency.
    pub agency: AgencyId,
    /// Its role.
    pub role: Role,
    /// Whom it is referred to.
    pub authority: Authority,
    /// Message type.
    pub message_type: MessageType,
    /// Destination.
    pub peer: CountryCode,
    /// The operation, when it belongs to one.
    pub operation: Option<OperationId>,
    /// The row of the sender's list.
    pub row: Option<u32>,
    /// The queued message that was stopped, or the one that came of a release.
    pub message: Option<MessageId>,
    /// When it stopped.
    pub opened_ms: i64,
    /// When the transport leaves or arrives, as the sender stated it.
    pub departs_ms: Option<i64>,
    /// When the sender's silence alarms.
    pub answer_by_ms: i64,
    /// When the authority's silence alarms.
    pub review_by_ms: i64,
    /// The sender's side.
    pub sender: SenderSide,
    /// The authority's side.
    pub reviewed: Reviewed,
    /// The sender's silence has alarmed.
    pub sender_alarmed: bool,
    /// The authority's silence has alarmed.
    pub authority_alarmed: bool,
}

impl Stop {
    /// Sets both clocks from the instant of the stop.
    #[must_use]
    pub fn scheduled(mut self, schedule: StopSchedule) -> Self {
        self.review_by_ms = self.opened_ms.saturating_add(schedule.review_ms);
        self.answer_by_ms = match self.departs_ms {
            Some(departs) => departs.saturating_sub(schedule.before_departure_ms).max(self.opened_ms),
            None => self.opened_ms.saturating_add(schedule.without_departure_ms),
        };
        self
    }

    /// When the next silence alarms; `None` when nobody is waited for.
    #[must_use]
    pub fn alarm_at(&self) -> Option<i64> {
        let sender = (self.sender == SenderSide::Silent && !self.sender_alarmed).then_some(self.answer_by_ms);
        let asked = self.kind != StopKind::Probed && self.reviewed == Reviewed::Silent;
        let authority = (asked && !self.authority_alarmed).then_some(self.review_by_ms);
        sender.into_iter().chain(authority).min()
    }

    /// The silences that have lasted until now; each is told once.
    pub fn handle_time(&mut self, now_ms: i64) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        if self.sender == SenderSide::Silent && !self.sender_alarmed && self.answer_by_ms <= now_ms {
            self.sender_alarmed = true;
            alarms.push(Alarm::SenderSilent);
        }
        let asked = self.kind != StopKind::Probed && self.reviewed == Reviewed::Silent;
        if asked && !self.authority_alarmed && self.review_by_ms <= now_ms {
            self.authority_alarmed = true;
            alarms.push(Alarm::AuthoritySilent);
        }
        alarms
    }

    /// The sender answers, once; "travels" may still become "taken off".
    ///
    /// # Errors
    /// `refusal.closed` when nothing is asked or it was answered, `not_found` when the answer is on another stop.
    pub fn handle_answer(&mut self, answer: &Answer) -> Result<Option<Alarm>, Problem> {
        if answer.stop != self.stop {
            return Err(Problem::new(&problem::NOT_FOUND));
        }
        match (self.sender, answer.answer) {
            (SenderSide::Silent | SenderSide::Travels, Answered::TakenOff) => {
                self.sender = SenderSide::TakenOff;
                Ok(None)
            }
            (SenderSide::Silent, Answered::TravelsNevertheless) => {
                self.sender = SenderSide::Travels;
                Ok(Some(Alarm::Travels))
            }
            _ => Err(Problem::new(&problem::REFUSAL_CLOSED)),
        }
    }

    /// The authority reviews, once. Only a row that waits can be released; one that was refused ends by lifting the hold.
    ///
    /// # Errors
    /// `refusal.closed` when it was reviewed or cannot be released, `not_found` when the review is of another stop.
    pub fn handle_review(&mut self, review: &Review) -> Result<(), Problem> {
        if review.stop != self.stop {
            return Err(Problem::new(&problem::NOT_FOUND));
        }
        let open = self.reviewed == Reviewed::Silent && self.kind != StopKind::Probed;
        let says = match review.review {
            Reviewed::Confirmed => open,
            Reviewed::Released => open && self.kind == StopKind::Held,
            Reviewed::Silent => false,
        };
        if !says {
            return Err(Problem::new(&problem::REFUSAL_CLOSED));
        }
        self.reviewed = review.review;
        if review.review == Reviewed::Released && self.sender == SenderSide::Silent {
            self.sender = SenderSide::NotAsked;
        }
        Ok(())
    }
}
