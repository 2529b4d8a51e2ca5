//! One signed step of a case: which, of which transfer, by whom, and the hours that its clocks need.
//!
//! Not here: whether it counts (`state`). INVARIANT: a step is made of what its header says and what the store knows of
//! its delivery; never of sealed content, which the node of an authority that holds its own key cannot read.

use serde::{Deserialize, Serialize};

use crate::delivery::{Direction, MessageRow, OutboundState};
use crate::envelope::Header;
use crate::ids::{CountryCode, MessageId, MessageType};

/// The steps of a transfer. Their order is their rank in its life, which is the order in which they are folded: what
/// happened to the child comes before what the sender takes back, and the closing comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The sender offers the case.
    Offer,
    /// The receiver does not take it.
    Reject,
    /// The receiver takes it.
    Accept,
    /// The child has left.
    Departure,
    /// The sender's escort has handed the child over.
    HandOver,
    /// The child is with the receiver.
    Received,
    /// The sender takes the offer back.
    Revoke,
    /// How the child is, some days after.
    FollowUp,
    /// The case ends.
    Closure,
}

impl StepKind {
    /// Every step, in the order of the life of a case.
    pub const ALL: [Self; 9] = [
        Self::Offer,
        Self::Reject,
        Self::Accept,
        Self::Departure,
        Self::HandOver,
        Self::Received,
        Self::Revoke,
        Self::FollowUp,
        Self::Closure,
    ];

    /// The catalogue's name of the message that carries it.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Offer => "child.case.transfer",
            Self::Reject => "child.case.transfer.reject",
            Self::Accept => "child.case.transfer.accept",
            Self::Departure => "child.case.transfer.departure",
            Self::HandOver => "child.case.transfer.handover",
            Self::Received => "child.case.transfer.complete",
            Self::Revoke => "child.case.transfer.revoke",
            Self::FollowUp => "child.followup.report",
            Self::Closure => "child.case.closure",
        }
    }

    /// The step that a message of this type is; `None` for a type that is no step of a case.
    #[must_use]
    pub fn of(message_type: &MessageType) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_name() == message_type.as_str())
    }
}

/// What a message says as a step, beside its type: kept with its row. Instants are seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The transfer: the message id of its offer.
    pub transfer: MessageId,
    /// When it was signed.
    pub issued_s: i64,
    /// When it happened, as stated.
    pub at_s: Option<i64>,
    /// By when the child is expected to be handed over, as stated.
    pub by_s: Option<i64>,
    /// Which follow-up it is: so many days after the reception.
    pub day: Option<u16>,
}

impl Mark {
    /// What a header says; `None` when the message is no step of a transfer.
    #[must_use]
    pub fn of(header: &Header, message: MessageId, issued_s: i64) -> Option<Self> {
        let transfer = match StepKind::of(&header.message_type)? {
            StepKind::Offer => message,
            _ => header.in_reply_to?,
        };
        let stated = header.step.unwrap_or_default();
        Some(Self { transfer, issued_s, at_s: stated.at, by_s: stated.by, day: stated.day })
    }
}

/// One step as a node holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The message that carries it.
    pub message: MessageId,
    /// Which.
    pub kind: StepKind,
    /// Its transfer and its hours.
    pub mark: Mark,
    /// The country that signed it.
    pub author: CountryCode,
    /// The country that it is for.
    pub to: CountryCode,
    /// Whether it has its effect: one that was refused or called off has none.
    pub taken: bool,
}

impl Step {
    /// The step that a stored message of the country `us` is; `None` when it is none.
    #[must_use]
    pub fn of(row: &MessageRow, us: &CountryCode) -> Option<Self> {
        let (author, to) = match row.direction {
            Direction::Out => (us.clone(), row.peer.clone()),
            Direction::In => (row.peer.clone(), us.clone()),
        };
        let untaken = [OutboundState::Refused, OutboundState::Expired, OutboundState::Cancelled];
        Some(Self {
            message: row.message,
            kind: StepKind::of(&row.message_type)?,
            mark: row.step.clone()?,
            author,
            to,
            taken: !untaken.iter().any(|state| state.as_str() == row.state),
        })
    }

    /// When it happened: as stated, but never after it was signed.
    #[must_use]
    pub fn happened_s(&self) -> i64 {
        self.mark.at_s.map_or(self.mark.issued_s, |at| at.min(self.mark.issued_s))
    }

    /// Where it stands in the order of the fold.
    pub(super) fn rank(&self) -> (StepKind, Option<u16>, i64, MessageId) {
        (self.kind, self.mark.day, self.mark.issued_s, self.message)
    }
}
