//! The descriptor of one version of one message type: what it is for, who exchanges it, what it may hold.
//!
//! Not here: the form of a section (`schema`) and whether a sending is permitted (`policy`). Invariant: a
//! descriptor names no category twice and every name in it is a parsed identifier.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::labels::Label;
use crate::ids::{Category, MessageType, Purpose, Role};

/// The queue a message travels in, most urgent first (PROTOCOL.md section 1, order and lanes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Alerts: a reserved connection and the front of every queue.
    Alert,
    /// Cancellations, incidents, withdrawals: no predecessor to wait for.
    Control,
    /// Everything else, in order per case.
    Bulk,
}

impl Lane {
    /// The lane as a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Control => "control",
            Self::Bulk => "bulk",
        }
    }
}

/// What a sending rests on (DOMAIN.md 3.1, legal-basis codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The person's own, or the entitled adult's, consent.
    Consent,
    /// An agreement or statute in force.
    LegalObligation,
    /// To save life or physical integrity.
    VitalInterest,
    /// A recorded decision of a child-protection authority.
    BestInterests,
    /// The person asked for it.
    SubjectRequest,
    /// Tracing of a sought person.
    PublicInterestHumanitarian,
    /// Rights, corrections, security.
    Control,
    /// No personal data.
    NoneRequired,
}

/// How firm the type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its profile stands in `policy_matrix.json`.
    Adopted,
    /// Our narrowest reading of DOMAIN.md, until the members adopt one.
    Proposed,
}

/// How a type uses a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryUse {
    /// The sender must submit it.
    pub required: bool,
    /// Version of the shared section, unless the type has a narrower one of its own.
    #[serde(default = "first")]
    pub section: u32,
}

const fn first() -> u32 {
    1
}

/// How long before the event a message is due, by mode; absent where nothing was promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ahead {
    /// Minutes before an air arrival.
    pub air_minutes: Option<u32>,
    /// Minutes before an arrival by land.
    pub land_minutes: Option<u32>,
    /// Minutes before an arrival by sea.
    pub sea_minutes: Option<u32>,
    /// Working days before a charter.
    pub charter_working_days: Option<u32>,
}

/// The clocks of a type (DOMAIN.md 3.2 and 3.3); lateness is an alarm, never a reason to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    /// Minutes within which a person acknowledges; `None` where no term was promised.
    pub acknowledge_minutes: Option<u32>,
    /// Minutes within which somebody first acts on an alert.
    #[serde(default)]
    pub first_action_minutes: Option<u32>,
    /// How long before the event it is due.
    #[serde(default)]
    pub ahead: Ahead,
    /// Minutes after the event within which it is sent; 0 means at once.
    #[serde(default)]
    pub within_minutes: Option<u32>,
    /// Minutes before departure from which it is frozen.
    #[serde(default)]
    pub freeze_minutes: Option<u32>,
    /// Working days within which the substantive answer is due.
    #[serde(default)]
    pub answer_working_days: Option<u32>,
    /// Minutes within which the answer about a child is due.
    #[serde(default)]
    pub answer_child_minutes: Option<u32>,
}

/// One version of one message type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// The type, such as `return.manifest`.
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// Version of the type, from 1; a released version is never edited.
    pub version: u32,
    /// Name of the type for people.
    pub title: Label,
    /// What it says, in one sentence.
    pub summary: Label,
    /// The queue it travels in.
    pub lane: Lane,
    /// Whether it is about a person.
    pub personal: bool,
    /// Roles that may send it.
    pub senders: BTreeSet<Role>,
    /// Roles that may receive it.
    pub recipients: BTreeSet<Role>,
    /// The most it may carry.
    pub categories: BTreeMap<Category, CategoryUse>,
    /// Purposes it may serve.
    pub purposes: BTreeSet<Purpose>,
    /// Bases it may rest on.
    pub bases: BTreeSet<Basis>,
    /// Whether people approve every sending.
    pub approval: bool,
    /// Days the recipient may keep it.
    pub retention_days: u32,
    /// Hours after issue at which it lapses undelivered.
    pub expires_hours: u32,
    /// Its clocks.
    pub deadlines: Deadlines,
    /// Types that answer it.
    pub replies: BTreeSet<MessageType>,
    /// Types it may answer; empty for a type that opens a thread.
    pub in_reply_to: BTreeSet<MessageType>,
    /// Categories of it that may name attachments.
    pub attachments: BTreeSet<Category>,
    /// How firm it is.
    pub status: Status,
    /// Where its content comes from.
    pub source: String,
}

impl Descriptor {
    /// Whether the type answers another one and therefore must name the message it answers.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        !self.in_reply_to.is_empty()
    }
}
