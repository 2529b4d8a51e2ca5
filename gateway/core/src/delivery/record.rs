//! The rows a node keeps: what they say, not how they are stored.
//!
//! Instants are milliseconds since the Unix epoch, UTC. Fields of type `Vec<u8>` marked *at rest* hold
//! bytes that a store encrypts: under the key of the subject that the row names, under its own where it names
//! none. Everything else is metadata without personal data.

use serde::{Deserialize, Serialize};

use crate::cases::Mark;
use crate::catalogue::Lane;
use crate::delivery::keeping::{Keeping, SubjectTag};
use crate::envelope::Randomness;
use crate::evidence::{Leaf, LeafRecord};
use crate::ids::{
    AgencyId, ApprovalId, CaseId, ConsentId, CountryCode, DecisionId, Digest, MessageId, MessageType,
    OfficerId, OperationId, PersonId, ReleaseId, Role,
};

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From this country to another.
    Out,
    /// From another country to this one.
    In,
}

/// Where an outbound message stands toward the peer's gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboundState {
    /// Waits for its turn or its next attempt.
    Queued,
    /// The peer's receipt says accepted: final for the gateways, later receipts may follow.
    Accepted,
    /// The peer's receipt says refused: final.
    Refused,
    /// Past its expiry, and the peer has answered that it never accepted it: final.
    Expired,
    /// Past its expiry and the peer has not answered the status question: alarmed.
    Unconfirmed,
    /// Taken back before it was ever sent: final.
    Cancelled,
}

impl OutboundState {
    /// Whether nothing more happens to the row.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Accepted | Self::Refused | Self::Expired | Self::Cancelled)
    }

    /// The state as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Unconfirmed => "unconfirmed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What both directions of a message have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Direction.
    pub direction: Direction,
    /// The unit of effect.
    pub message: MessageId,
    /// The release that took effect, or waits to.
    pub release: ReleaseId,
    /// The other country.
    pub peer: CountryCode,
    /// Lane.
    pub lane: Lane,
    /// Type.
    pub message_type: MessageType,
    /// Version of the type.
    pub version: u32,
    /// This country's agency, when one is named: the sender (out) or the addressee (in).
    pub agency: Option<AgencyId>,
    /// The role of this country's side.
    pub role: Role,
    /// The thread.
    pub case: CaseId,
    /// The return operation, when it belongs to one.
    pub operation: Option<OperationId>,
    /// The row of the sender's list; only ever known to the sender's node.
    pub row: Option<u32>,
    /// The message that this one answers.
    pub in_reply_to: Option<MessageId>,
    /// What it says as a step of a child's case (*at rest*), when it is one.
    #[serde(skip)]
    pub step: Option<Mark>,
    /// When it was released (out) or accepted (in).
    pub created_ms: i64,
    /// When it expires.
    pub expires_ms: i64,
    /// State: an `OutboundState` text, `accepted` / `refused` for inbound, or `erased`.
    pub state: String,
    /// Stable problem code, when there is one.
    pub code: Option<String>,
    /// Released categories, sorted.
    pub categories: Vec<String>,
    /// The exact wire bytes (*at rest*); empty once erased.
    #[serde(skip)]
    pub wire: Vec<u8>,
}

/// A message on its way out.
#[derive(Debug, Clone)]
pub struct OutboundRow {
    /// Common part; `state` is `queued`.
    pub message: MessageRow,
    /// Under whose key and until when its content is kept.
    pub keeping: Keeping,
    /// When to send first.
    pub due_ms: i64,
    /// What was withheld, sealed for the sending role (*at rest*), if anything was.
    pub withheld: Vec<u8>,
    /// Whom it names, blinded (`protection::Named` as JSON, *at rest*): compared with the holds again before it leaves.
    pub named: Vec<u8>,
    /// What the decision to release it rests on.
    pub ground: Ground,
}

/// What a decision rests on beside the facts that were stated: while it is the same, so is the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground {
    /// Digest of policies, agreements and membership in force.
    pub digest: Digest,
    /// From when on it has to be decided again all the same, milliseconds; `None` for never.
    pub lapses_ms: Option<i64>,
}

impl Ground {
    /// Whether what was decided on this ground stands on what is in force now.
    #[must_use]
    pub fn holds(&self, in_force: Digest, now_ms: i64) -> bool {
        self.digest == in_force && self.lapses_ms.is_none_or(|lapses_ms| now_ms < lapses_ms)
    }
}

/// A message that came in.
#[derive(Debug, Clone)]
pub struct InboundRow {
    /// Common part; `state` is `accepted` or `refused`.
    pub message: MessageRow,
    /// Under whose key and until when its content is kept; `None` keeps the metadata only.
    pub keeping: Option<Keeping>,
    /// Digest of the issuer JWT: another JWT under the same id is a conflict.
    pub issuer_digest: Digest,
    /// Ids are kept until then.
    pub keep_until_ms: i64,
}

/// An id under which nothing is ever accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeverRow {
    /// Which message.
    pub message: MessageId,
    /// The peer that was told so.
    pub peer: CountryCode,
    /// The release that it asked about.
    pub release: ReleaseId,
    /// The id is kept until then.
    pub keep_until_ms: i64,
}

/// One outbox row that is due.
#[derive(Debug, Clone)]
pub struct Queued {
    /// Which message.
    pub message: MessageId,
    /// Which release.
    pub release: ReleaseId,
    /// The thread: order is kept within it.
    pub case: CaseId,
    /// Type, for metrics by family.
    pub message_type: MessageType,
    /// The agency that sent it.
    pub agency: Option<AgencyId>,
    /// Its role.
    pub role: Role,
    /// The consent it rests on, when it rests on one.
    pub consent: Option<ConsentId>,
    /// Released categories, sorted.
    pub categories: Vec<String>,
    /// The exact bytes to send.
    pub wire: Vec<u8>,
    /// Whom it names, blinded (`protection::Named` as JSON); empty where nothing was kept.
    pub named: Vec<u8>,
    /// What the decision to release it rests on; `None` for one released before that was kept.
    pub ground: Option<Ground>,
    /// Attempts made so far.
    pub attempts: u32,
    /// When it was released.
    pub created_ms: i64,
    /// When it expires.
    pub expires_ms: i64,
}

/// How long the queue toward one peer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDepth {
    /// The other country.
    pub peer: CountryCode,
    /// Lane.
    pub lane: Lane,
    /// Rows that wait.
    pub waiting: u64,
    /// Release instant of the oldest.
    pub oldest_ms: Option<i64>,
}

/// A signed receipt for one message, ours to give or a peer's that we keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptRow {
    /// `Out`: we received this receipt for a message of ours. `In`: we made it for a message of theirs.
    pub direction: Direction,
    /// Whom it comes from or goes to.
    pub peer: CountryCode,
    /// Which message.
    pub message: MessageId,
    /// Which release.
    pub release: ReleaseId,
    /// State text, as in the entry.
    pub state: String,
    /// Problem code, if the state has one.
    pub code: Option<String>,
    /// When the state was reached.
    pub at_ms: i64,
    /// The whole receipt as JSON: entry, inclusion path, signed root; verifiable alone.
    pub receipt: Vec<u8>,
    /// Whether it still has to be sent to the peer (later states; first ones travel in the response).
    pub to_send: bool,
}

/// What the policy engine decided, and on what.
#[derive(Debug, Clone)]
pub struct DecisionRow {
    /// Names it.
    pub decision: DecisionId,
    /// The message, when one came of it.
    pub message: Option<MessageId>,
    /// Outcome text: permit, permit_redacted, needs_approval, deny.
    pub outcome: String,
    /// The determining rule.
    pub rule: String,
    /// Every rule that spoke.
    pub spoke: Vec<String>,
    /// Digest of the policies in force.
    pub policy: Digest,
    /// Whose key seals the facts; not read back.
    pub subject: Option<SubjectTag>,
    /// The facts as JSON (*at rest*), so that the decision can be replayed; empty once the subject is erased.
    pub facts: Vec<u8>,
    /// When.
    pub at_ms: i64,
}

/// A leaf of this node's evidence log: `H(salt || record)`; sequenced later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRow {
    /// The leaf hash.
    pub leaf: Digest,
    /// Whose key seals salt and record, when they stand for a person's data: with it they are gone.
    pub subject: Option<SubjectTag>,
    /// 128 bits or more (*at rest*); erasing it unlinks the leaf.
    pub salt: Vec<u8>,
    /// What was recorded, as canonical JSON (*at rest*).
    pub record: Vec<u8>,
    /// When.
    pub at_ms: i64,
}

impl LeafRow {
    /// The leaf of a record under a fresh salt; salt and record lie under the key of `subject`.
    ///
    /// # Errors
    /// When the record cannot be serialised.
    pub fn of(
        record: &LeafRecord<'_>,
        subject: Option<SubjectTag>,
        random: &dyn Randomness,
    ) -> Result<Self, serde_json::Error> {
        let leaf = Leaf::new(record, random)?;
        Ok(Self { leaf: leaf.hash, subject, salt: leaf.salt, record: leaf.record, at_ms: record.at_ms })
    }
}

/// What kind of thing an agency is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A message came for this agency's role.
    MessageReceived,
    /// A message of this agency changed its state.
    MessageState,
    /// A row of this agency waits for officers.
    ApprovalOpened,
    /// An approval was granted, refused or lapsed.
    ApprovalClosed,
    /// A row was referred to this authority, or somebody asked about one.
    ReferralOpened,
    /// A row of this agency, already queued, was stopped and has to be answered.
    RefusalOpened,
    /// The authority reviewed a stopped row of this agency, or the sender answered one referred to this authority.
    RefusalClosed,
    /// Silence about a stopped row, or a person who travels nevertheless.
    ProtectionAlarm,
    /// A hold of this authority reached its end.
    HoldEnded,
    /// A recipient confirmed what it was told after the fact, or did not in time.
    NoticeState,
    /// An alert was answered or acted on, or nobody did in time.
    AlertState,
    /// A child's case of this agency is at another stage; `message` is the offer.
    CaseState,
    /// A clock of a child's case of this agency has run out; `message` is the offer.
    CaseAlarm,
    /// A webhook of this agency was paused; told by long-poll and stream only.
    WebhookState,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::MessageReceived,
        Self::MessageState,
        Self::ApprovalOpened,
        Self::ApprovalClosed,
        Self::ReferralOpened,
        Self::RefusalOpened,
        Self::RefusalClosed,
        Self::ProtectionAlarm,
        Self::HoldEnded,
        Self::NoticeState,
        Self::AlertState,
        Self::CaseState,
        Self::CaseAlarm,
        Self::WebhookState,
    ];

    /// The kind as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageReceived => "message_received",
            Self::MessageState => "message_state",
            Self::ApprovalOpened => "approval_opened",
            Self::ApprovalClosed => "approval_closed",
            Self::ReferralOpened => "referral_opened",
            Self::RefusalOpened => "refusal_opened",
            Self::RefusalClosed => "refusal_closed",
            Self::ProtectionAlarm => "protection_alarm",
            Self::HoldEnded => "hold_ended",
            Self::NoticeState => "notice_state",
            Self::AlertState => "alert_state",
            Self::CaseState => "case_state",
            Self::CaseAlarm => "case_alarm",
            Self::WebhookState => "webhook_state",
        }
    }
}

/// A thin event for the domestic side: ids and a state, never content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Kind.
    pub kind: EventKind,
    /// The agency, when one is named.
    pub agency: Option<AgencyId>,
    /// The role it is for.
    pub role: Role,
    /// The message concerned.
    pub message: Option<MessageId>,
    /// The approval concerned.
    pub approval: Option<ApprovalId>,
    /// The message's type, when there is one.
    pub message_type: Option<MessageType>,
    /// State text.
    pub state: String,
    /// When.
    pub at_ms: i64,
}

/// The stored answer to a request with an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentAnswer {
    /// Whose key.
    pub agency: AgencyId,
    /// The key as sent.
    pub key: String,
    /// Digest of method, path and body.
    pub request: Digest,
    /// HTTP status of the answer.
    pub status: u16,
    /// Body of the answer.
    pub body: Vec<u8>,
    /// When it may be forgotten.
    pub keep_until_ms: i64,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Waits for officers.
    Open,
    /// Two officers released it.
    Granted,
    /// One officer refused it.
    Refused,
    /// Nobody decided in time.
    Lapsed,
}

impl ApprovalState {
    /// The state as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A row that waits for two officers.
#[derive(Debug, Clone)]
pub struct ApprovalRow {
    /// Names it.
    pub approval: ApprovalId,
    /// The submitting agency.
    pub agency: AgencyId,
    /// Its role.
    pub role: Role,
    /// The officer who submitted, when one did.
    pub submitter: Option<PersonId>,
    /// Message type.
    pub message_type: MessageType,
    /// Destination.
    pub peer: CountryCode,
    /// The operation, when it belongs to one.
    pub operation: Option<OperationId>,
    /// The row of the sender's list.
    pub row: Option<u32>,
    /// The rules that hold it.
    pub rules: Vec<String>,
    /// Digest of the preview that officers must have seen.
    pub preview: Digest,
    /// The thread that it will belong to; `None` for one opened before that was kept.
    pub case: Option<CaseId>,
    /// Whose key seals the draft; not read back.
    pub subject: Option<SubjectTag>,
    /// The submission as it came (*at rest*); empty once it is no longer kept.
    pub draft: Vec<u8>,
    /// When it was opened.
    pub opened_ms: i64,
    /// When it lapses.
    pub lapses_ms: i64,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was closed.
    pub closed_ms: Option<i64>,
    /// The message that came of it.
    pub message: Option<MessageId>,
}

/// An officer's signed statement on an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// On which approval.
    pub approval: ApprovalId,
    /// The officer.
    pub officer: OfficerId,
    /// The officer's agency.
    pub agency: AgencyId,
    /// The natural person, pseudonymous.
    pub person: PersonId,
    /// `grant` or `refuse`.
    pub verdict: String,
    /// The signed statement, compact JWS.
    pub statement: String,
    /// When it was recorded.
    pub at_ms: i64,
}

/// One line of a message's history, for status answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When.
    pub at_ms: i64,
    /// What it became.
    pub state: String,
    /// Problem code, if any.
    pub code: Option<String>,
    /// Whether a peer's signed receipt says so.
    pub receipted: bool,
}
