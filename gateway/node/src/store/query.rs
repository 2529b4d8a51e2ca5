//! What is asked of a store and what comes back that is not a row of core.
//!
//! Not here: the rows themselves (`puente_core::delivery`).

use puente_core::delivery::{ApprovalState, Direction, MessageRow, SubjectTag};
use puente_core::ids::{
    ActId, AgencyId, ApprovalId, CaseId, ConsentId, CountryCode, Digest, MessageId, OperationId, ReleaseId,
    Role, StopId, WebhookId,
};

/// Most rows that one read gives, whatever limit is asked: a page of this many full wires stays in memory.
///
/// A page may be shorter than its limit; only an empty one is the end.
pub const MAX_PAGE: u32 = 1_000;

/// What is kept of an inbound message to answer its repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownInbound {
    /// The unit of effect.
    pub message: MessageId,
    /// Whose message it is.
    pub peer: CountryCode,
    /// The first release, the one that took effect.
    pub release: ReleaseId,
    /// Digest of the issuer JWT: another one under this id is a conflict. `None`: we have signed that we never
    /// accepted it and never will.
    pub issuer_digest: Option<Digest>,
    /// Our first receipt for that release, as JSON; empty if there is none yet.
    pub receipt: Vec<u8>,
}

/// Whose a chunk is: who put it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkOwner {
    /// An agency of this country, for a message of its own.
    Agency(AgencyId),
    /// Another member's gateway, for a message that it delivers.
    Peer(CountryCode),
}

/// One chunk of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkPlace {
    /// Whose it is.
    pub owner: ChunkOwner,
    /// Root of its attachment.
    pub root: Digest,
    /// Its number, from 0.
    pub index: u32,
}

/// The state of a message whose content went.
pub const ERASED: &str = "erased";

/// The instants before which things are past their keeping, milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Now: idempotent answers and inbound ids say themselves until when they are kept.
    pub now_ms: i64,
    /// For chunks: since when no message has named them.
    pub chunks_ms: i64,
    /// For drafts: when their approval was closed.
    pub drafts_ms: i64,
    /// For the metadata, receipts, decisions, approvals and events of messages without content.
    pub records_ms: i64,
}

/// What is to be marked erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueErasures {
    /// Erasures that are not settled: for `Write::ErasuresSettled`, once no message is left.
    pub erasures: Vec<i64>,
    /// Their messages, metadata only; fewer than asked for when these are the last.
    pub messages: Vec<MessageRow>,
}

/// A place in a listing by (created, id): the last row that the caller has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// `created_ms` of that row.
    pub created_ms: i64,
    /// Its id.
    pub message: MessageId,
}

/// Whether wire bytes are read and decrypted along with the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// With the bytes.
    Read,
    /// `wire` stays empty.
    Left,
}

/// The operator's choice of messages; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// Direction.
    pub direction: Option<Direction>,
    /// The other country.
    pub peer: Option<CountryCode>,
    /// State text.
    pub state: Option<String>,
    /// Only what is older than this message.
    pub after: Option<MessageId>,
}

/// The officer's choice of approvals; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct ApprovalFilter {
    /// Where it stands.
    pub state: Option<ApprovalState>,
    /// The submitting agency.
    pub agency: Option<AgencyId>,
    /// The thread.
    pub case: Option<CaseId>,
    /// Only what was opened after this approval.
    pub after: Option<ApprovalId>,
}

/// Whose operations, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComingFilter {
    /// The agency.
    pub agency: AgencyId,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Only what came in since then, milliseconds.
    pub since_ms: i64,
}

/// A return operation, by what came in of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// Names it.
    pub operation: OperationId,
    /// The country that sends.
    pub peer: CountryCode,
    /// When the first message of it came, milliseconds.
    pub first_ms: i64,
    /// When the last one did.
    pub last_ms: i64,
    /// Rows of its list so far.
    pub rows: u32,
    /// The latest notice of it.
    pub notice: Option<MessageId>,
    /// The latest of its rows.
    pub row: Option<MessageId>,
}

impl Coming {
    /// Adds what came of the same operation for another role.
    pub(super) fn join(&mut self, other: &Self) {
        self.first_ms = self.first_ms.min(other.first_ms);
        self.last_ms = self.last_ms.max(other.last_ms);
        self.rows = self.rows.saturating_add(other.rows);
        self.notice = self.notice.max(other.notice);
        self.row = self.row.max(other.row);
    }
}

/// Whose clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchFilter {
    /// The agency.
    pub agency: AgencyId,
    /// Its roles.
    pub roles: Vec<Role>,
}

/// Which acts of authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActFilter {
    /// Those in this thread.
    InCase(CaseId),
    /// Those that this message rests on.
    Under(MessageId),
    /// Those of this authority, after one of them.
    Of {
        /// The authority.
        agency: AgencyId,
        /// Only what came after this act.
        after: Option<ActId>,
    },
    /// The one.
    One(ActId),
    /// Those since whose coming no held row of their thread was tried.
    Untried,
}

/// Which determinations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeterminationFilter {
    /// Those about this person.
    About(SubjectTag),
    /// Those about the facts and the person that this message rests on, whenever they were made.
    Under(MessageId),
    /// Those of this authority, after one of them.
    Of {
        /// The authority.
        agency: AgencyId,
        /// Only what came after this one.
        after: Option<ActId>,
    },
    /// The one.
    One(ActId),
}

/// One side's choice of stopped rows.
#[derive(Debug, Clone)]
pub enum StopFilter {
    /// Those that this sender has not answered.
    Unanswered {
        /// The sending agency.
        agency: AgencyId,
        /// Only what was stopped after this one.
        after: Option<StopId>,
    },
    /// Those that this authority has not reviewed.
    Unreviewed {
        /// The authority.
        authority: AgencyId,
        /// Only what was stopped after this one.
        after: Option<StopId>,
    },
    /// All that was referred to this authority.
    Referred {
        /// The authority.
        authority: AgencyId,
        /// Only what was stopped after this one.
        after: Option<StopId>,
    },
}

/// Which transfers of children's cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferFilter {
    /// Those of this thread, in the order in which their first steps came.
    InCase(CaseId),
    /// Those of which there may be something to tell, longest first.
    ToLookAt {
        /// Now.
        now_ms: i64,
    },
    /// Those of which something runs out, or ran out, the earliest first.
    RunningOut {
        /// By this instant.
        by_ms: i64,
        /// Only what comes after this one.
        after: Option<MessageId>,
    },
}

/// Which lines of the ledger of disclosures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disclosed {
    /// Those that rested on this consent.
    Under(ConsentId),
    /// Those about the person with this pseudonym.
    About(String),
    /// Those in this thread.
    InCase(CaseId),
    /// The one of this message.
    In(MessageId),
}

/// Which notices to recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeFilter {
    /// Those of this agency.
    Of(AgencyId),
    /// The one that this message carries.
    Carried(MessageId),
    /// Those that no recipient has answered.
    Unresolved,
}

/// Which dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterFilter {
    /// All.
    All,
    /// Those of this webhook.
    Of(WebhookId),
    /// Those of this webhook that are to be sent once more.
    Resend(WebhookId),
}
