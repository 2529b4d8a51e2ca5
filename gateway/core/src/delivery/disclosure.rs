//! The ledger of disclosures and what follows from it: who was told what, who has to be told more, who confirmed.
//!
//! Rows only; not here: consent itself (`consent`). INVARIANT: nothing here names a person; a subject is a keyed
//! pseudonym of the agency's own reference, good for finding and for nothing else.

use serde::{Deserialize, Serialize};

use crate::delivery::keeping::SubjectTag;
use crate::ids::{
    AgencyId, CaseId, Category, ConsentId, CountryCode, Digest, MessageId, MessageType, NoticeId, Purpose,
    Role,
};

/// A consent record as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// Which.
    pub consent: ConsentId,
    /// The agency that collected it.
    pub agency: AgencyId,
    /// SHA-256 of the signed form.
    pub digest: Digest,
    /// Whose key seals it: the person's who is asked; not read back.
    pub subject: Option<SubjectTag>,
    /// The signed form (*at rest*).
    pub record: Vec<u8>,
    /// When it was stored.
    pub at_ms: i64,
}

/// A status event as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentEventRow {
    /// Of which consent.
    pub consent: ConsentId,
    /// Its place, from 1.
    pub number: u32,
    /// SHA-256 of the signed form.
    pub digest: Digest,
    /// Whose key seals it: that of the record; not read back.
    pub subject: Option<SubjectTag>,
    /// The signed form (*at rest*).
    pub event: Vec<u8>,
    /// When it was stored.
    pub at_ms: i64,
}

/// One line of the ledger: a message about a person was released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosureRow {
    /// The message.
    pub message: MessageId,
    /// The agency that disclosed.
    pub agency: AgencyId,
    /// Its role.
    pub role: Role,
    /// The country that was told.
    pub country: CountryCode,
    /// The role that was told.
    pub to_role: Role,
    /// The agency that was told, where one was named.
    pub to_agency: Option<AgencyId>,
    /// Message type.
    pub message_type: MessageType,
    /// Purpose.
    pub purpose: Purpose,
    /// Legal-basis code.
    pub basis: String,
    /// Categories that were released.
    pub categories: Vec<Category>,
    /// The consent it rested on.
    pub consent: Option<ConsentId>,
    /// When that consent ends at the latest, milliseconds.
    pub not_after_ms: Option<i64>,
    /// Keyed pseudonym of the agency's reference for the person.
    #[serde(skip)]
    pub subject: Option<String>,
    /// The thread that the message belongs to.
    pub case: CaseId,
    /// When.
    pub at_ms: i64,
}

/// What a recipient has to be told after the fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The consent covers less, or nothing any more.
    Withdrawal,
    /// What was told is wrong.
    Correction,
    /// What was told is to be erased.
    Erasure,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Withdrawal, Self::Correction, Self::Erasure];

    /// The kind as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Withdrawal => "withdrawal",
            Self::Correction => "correction",
            Self::Erasure => "erasure",
        }
    }
}

/// Where a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// The recipient has not answered.
    Open,
    /// Nor within the deadline: alarmed.
    Overdue,
    /// The recipient uses it no longer.
    Stopped,
    /// The recipient has mended it.
    Corrected,
    /// The recipient has deleted it.
    Deleted,
    /// The recipient keeps it, and says on what ground.
    Kept,
}

impl NoticeState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Overdue, Self::Stopped, Self::Corrected, Self::Deleted, Self::Kept];

    /// Whether the recipient has yet to answer.
    #[must_use]
    pub const fn is_unresolved(self) -> bool {
        matches!(self, Self::Open | Self::Overdue)
    }

    /// The state as it is stored, shown and answered by a recipient.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Stopped => "stopped",
            Self::Corrected => "corrected",
            Self::Deleted => "deleted",
            Self::Kept => "kept",
        }
    }

    /// What a recipient's status word says; `None` when it is no answer to a notice.
    #[must_use]
    pub fn answered(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word && !state.is_unresolved())
    }
}

/// One recipient that has to be told something, until it confirms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRow {
    /// Names it.
    pub notice: NoticeId,
    /// What it is about.
    pub kind: NoticeKind,
    /// The consent, for a withdrawal.
    pub consent: Option<ConsentId>,
    /// The message that carries it; none when a rule kept it from leaving, which `code` says.
    pub message: Option<MessageId>,
    /// The agency that tells.
    pub agency: AgencyId,
    /// Its role.
    pub role: Role,
    /// The country to be told.
    pub country: CountryCode,
    /// The role to be told.
    pub to_role: Role,
    /// The agency to be told, where one was named.
    pub to_agency: Option<AgencyId>,
    /// When it was opened.
    pub opened_ms: i64,
    /// When the answer is due.
    pub due_ms: i64,
    /// Where it stands.
    pub state: NoticeState,
    /// The ground on which it is kept, or the rule that kept the notice here.
    pub code: Option<String>,
    /// The recipient's signed answer.
    pub reply: Option<MessageId>,
    /// When it was answered.
    pub closed_ms: Option<i64>,
}

/// Whose processing stops until people decide: since a question was asked, until it is answered otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestrictionRow {
    /// The question that restricts.
    pub question: MessageId,
    /// Keyed pseudonym of the person, as the side that keeps the row finds her.
    pub key: String,
    /// When.
    pub at_ms: i64,
}

/// What a peer's notice said that a consent still covers; nothing when it was withdrawn as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalRow {
    /// The country that collected the consent.
    pub peer: CountryCode,
    /// Which consent.
    pub consent: ConsentId,
    /// The notice.
    pub message: MessageId,
    /// Purposes that are left.
    pub purposes: Vec<Purpose>,
    /// Categories that are left.
    pub categories: Vec<Category>,
    /// When it came.
    pub at_ms: i64,
}
