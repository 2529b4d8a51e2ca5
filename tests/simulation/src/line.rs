//! What travels: the routing header of a message, as core reads it, with what names it; no content, no cryptography.

use puente_core::cases::Mark;
use puente_core::catalogue::Lane;
use puente_core::delivery::{Direction, MessageRow, OutboundState};
use puente_core::envelope::{BasisRef, Handling, Header, RecipientRef, SenderRef, StepRef};
use puente_core::ids::{AgencyId, CaseId, CountryCode, Digest, MessageId, MessageType, Role};
use serde::{Deserialize, Serialize};

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id.
    pub message: MessageId,
    /// When it was signed, seconds.
    pub issued_s: i64,
    /// Its routing header.
    pub header: Header,
}

/// What a message is to say.
pub struct Draft {
    pub message: MessageId,
    pub from: CountryCode,
    pub to: CountryCode,
    pub message_type: &'static str,
    pub case: CaseId,
    pub in_reply_to: Option<MessageId>,
    pub step: Option<StepRef>,
    pub issued_s: i64,
}

/// A name that is written in this crate.
#[expect(clippy::expect_used, reason = "every name stands in this crate")]
pub fn named<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("a name of the vocabulary")
}

impl Line {
    /// The line of a draft.
    pub fn of(draft: Draft) -> Self {
        let header = Header {
            message_type: named::<MessageType>(draft.message_type),
            version: 1,
            sender: SenderRef { country: draft.from, agency: agency(), role: role() },
            recipient: RecipientRef { country: draft.to, role: role(), agency: None },
            case: draft.case,
            operation: None,
            after: None,
            in_reply_to: draft.in_reply_to,
            replaces: None,
            step: draft.step,
            subject_ref: None,
            purpose: named("child_protection"),
            legal_basis: BasisRef { kind: "best_interests".to_owned(), agreement: None },
            handling: Handling { onward: "none".to_owned(), retention_days: 365 },
            attachments: Vec::new(),
        };
        Self { message: draft.message, issued_s: draft.issued_s, header }
    }

    /// The row of it on one side.
    pub fn row(&self, direction: Direction, now_ms: i64, state: &str) -> MessageRow {
        let wire = serde_json::to_vec(self).unwrap_or_default();
        let alert = self.header.message_type.as_str() == ALERT;
        MessageRow {
            direction,
            message: self.message,
            release: Digest::of(&wire),
            peer: match direction {
                Direction::Out => self.header.recipient.country.clone(),
                Direction::In => self.header.sender.country.clone(),
            },
            lane: if alert { Lane::Alert } else { Lane::Bulk },
            message_type: self.header.message_type.clone(),
            version: self.header.version,
            agency: Some(agency()),
            role: role(),
            case: self.header.case,
            operation: None,
            row: None,
            in_reply_to: self.header.in_reply_to,
            step: Mark::of(&self.header, self.message, self.issued_s),
            created_ms: now_ms,
            expires_ms: i64::MAX,
            state: state.to_owned(),
            code: None,
            categories: Vec::new(),
            wire,
        }
    }

    /// The state in which it waits to be sent.
    pub const QUEUED: &'static str = OutboundState::Queued.as_str();
}

/// The type of an alert.
pub const ALERT: &str = "child.alert";
/// The type by which an officer's answer to one travels.
pub const ALERT_ACK: &str = "child.alert.ack";

/// The one agency of every country.
pub fn agency() -> AgencyId {
    named("NNA")
}

/// Its role.
pub fn role() -> Role {
    named("child_protection")
}
