//! The store of a node: one coarse trait of one-transaction methods, and its SQLite form.
//!
//! Not here: what the rows mean (`puente_core::delivery`) or who may read them. Invariants: `commit` is
//! all or nothing and answers only once its writes survive a crash; a read sees every commit answered
//! before it began; no personal data lies on the medium in the clear.

mod error;
mod key;
mod query;
mod sqlite;
#[cfg(test)]
mod suite;

use std::future::Future;
use std::pin::Pin;

use puente_core::authority::{ActRow, DeterminationRow};
use puente_core::cases::TransferRow;
use puente_core::catalogue::Lane;
use puente_core::delivery::{
    ApprovalRow, CommitId, Committed, ConsentEventRow, ConsentRow, DeadLetterRow, DecisionRow, DisclosureRow,
    Event, HistoryEntry, IdempotentAnswer, MessageRow, NoticeRow, PolicyChangeRow, QueueDepth, Queued,
    ReceiptRow, RestrictionRow, RetentionStep, StatementRow, SubjectTag, SuspensionRow, WebhookRow,
    WithdrawalRow, Write,
};
use puente_core::duty::{Summons, WatchRow};
use puente_core::ids::{
    AgencyId, ApprovalId, ConsentId, CountryCode, Digest, HoldId, MessageId, OperationId, Realm, ReleaseId,
    Role, StopId, WebhookId,
};
use puente_core::protection::{HoldRow, StopRow};

pub use error::{Guard, OpenError, StoreError};
pub use key::{StoreKey, SubjectsKey};
pub use query::{
    ActFilter, ApprovalFilter, ChunkOwner, ChunkPlace, Coming, ComingFilter, DeadLetterFilter,
    DeterminationFilter, Disclosed, DueErasures, ERASED, KnownInbound, MAX_PAGE, MessageFilter, NoticeFilter,
    Past, Position, StopFilter, TransferFilter, WatchFilter, Wire,
};
pub use sqlite::{SqliteStore, SubjectKeyFile};

/// What a store answers, when it has.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Whose store it is; a store of another country or realm is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOwner {
    /// The country.
    pub country: CountryCode,
    /// The realm.
    pub realm: Realm,
}

/// Is told of every group commit that became durable; must not block.
pub trait CommitObserver: Send + Sync + 'static {
    /// `commits` commits with `writes` writes became durable in one fsync, `micros` microseconds after
    /// the group was begun.
    fn committed(&self, commits: usize, writes: usize, micros: u64);
}

/// A durable store. Limits are clamped to `MAX_PAGE`; instants are milliseconds since the epoch.
///
/// Every method is one transaction. Errors are those of `StoreError`; `Conflict` only from `commit` and
/// `put_chunk`.
pub trait Store: Send + Sync + 'static {
    /// Makes all writes durable, or none: the token is the proof. Dropping the future does not undo it.
    fn commit(&self, id: CommitId, writes: Vec<Write>) -> Answer<'_, Committed>;

    /// Queued rows toward a peer that are due and not past their expiry, oldest release first. In the bulk lane never a row whose
    /// case has an earlier one that is queued but not due (PROTOCOL.md 1, order and lanes).
    fn outbound_due(&self, peer: CountryCode, lane: Lane, now_ms: i64, limit: u32)
    -> Answer<'_, Vec<Queued>>;
    /// The earliest instant at which a queued row toward the peer is due; `None` if none waits.
    fn next_due(&self, peer: CountryCode, lane: Lane) -> Answer<'_, Option<i64>>;
    /// Queued rows past their expiry, longest first.
    fn expired_queued(&self, now_ms: i64, limit: u32)
    -> Answer<'_, Vec<(MessageId, ReleaseId, CountryCode)>>;
    /// How many rows wait per peer and lane; a pair that was ever used stays, with 0.
    fn queue_depth(&self) -> Answer<'_, Vec<QueueDepth>>;

    /// One message with its wire bytes.
    fn message(&self, message: MessageId) -> Answer<'_, Option<MessageRow>>;
    /// What was withheld from an outbound message, sealed for the sending role.
    fn withheld(&self, message: MessageId) -> Answer<'_, Option<Vec<u8>>>;
    /// Those of the ids that came in before and are not yet forgotten.
    fn known_inbound(&self, messages: Vec<MessageId>) -> Answer<'_, Vec<KnownInbound>>;
    /// What became of a message: its release, its receipts, and states that no receipt tells, in time.
    fn history(&self, message: MessageId) -> Answer<'_, Vec<HistoryEntry>>;
    /// Messages of an operation by (created, id), after a position.
    fn operation(
        &self,
        operation: OperationId,
        after: Option<Position>,
        limit: u32,
        wire: Wire,
    ) -> Answer<'_, Vec<MessageRow>>;
    /// Return operations of which something came in for an agency, the one with the latest news first.
    fn coming(&self, filter: ComingFilter, limit: u32) -> Answer<'_, Vec<Coming>>;
    /// Messages that answer this one, oldest first, with wire bytes.
    fn replies(&self, message: MessageId) -> Answer<'_, Vec<MessageRow>>;
    /// The operator's listing, newest first, metadata only.
    fn messages(&self, filter: MessageFilter, limit: u32) -> Answer<'_, Vec<MessageRow>>;

    /// Events after a cursor for an agency that holds these roles: those that name it, and those that
    /// name a role only. An event for a role that is not listed is never given, whomever it names.
    fn events(
        &self,
        agency: AgencyId,
        roles: Vec<Role>,
        after: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(i64, Event)>>;
    /// The stored answer to an idempotency key.
    fn idempotent(&self, agency: AgencyId, key: String) -> Answer<'_, Option<IdempotentAnswer>>;
    /// Every receipt for a message, in the order they were stored.
    fn receipts(&self, message: MessageId) -> Answer<'_, Vec<ReceiptRow>>;
    /// Receipts of ours still to be sent to a peer, with their keys, oldest first, after a key.
    fn receipts_due(&self, peer: CountryCode, after: i64, limit: u32) -> Answer<'_, Vec<(i64, ReceiptRow)>>;
    /// The latest decision recorded for a message.
    fn decision(&self, message: MessageId) -> Answer<'_, Option<DecisionRow>>;

    /// Decisions with their facts and their places, newest first, from before a place on.
    fn decisions(&self, before: Option<i64>, limit: u32) -> Answer<'_, Vec<(i64, DecisionRow)>>;

    /// Approvals in the order they were opened, without their drafts.
    fn approvals(&self, filter: ApprovalFilter, limit: u32) -> Answer<'_, Vec<ApprovalRow>>;
    /// One approval with its draft, and the statements on it.
    fn approval(&self, approval: ApprovalId) -> Answer<'_, Option<(ApprovalRow, Vec<StatementRow>)>>;
    /// Open approvals past their lapse, longest first, without their drafts.
    fn approvals_lapsing(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<ApprovalRow>>;

    /// Authorities' acts in the order they came.
    fn acts(&self, filter: ActFilter, limit: u32) -> Answer<'_, Vec<ActRow>>;

    /// Determinations in the order they came; of an erased person without the statement.
    fn determinations(&self, filter: DeterminationFilter, limit: u32) -> Answer<'_, Vec<DeterminationRow>>;

    /// One consent with every event on it, in their order; `StoreError::Erased` when the person was.
    fn consent(&self, consent: ConsentId) -> Answer<'_, Option<(ConsentRow, Vec<ConsentEventRow>)>>;
    /// Lines of the ledger of disclosures after a cursor, oldest first, each with its message's state.
    fn disclosures(
        &self,
        of: Disclosed,
        after: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(i64, DisclosureRow, String)>>;
    /// Notices to recipients after a cursor, oldest first.
    fn notices(&self, filter: NoticeFilter, after: i64, limit: u32) -> Answer<'_, Vec<(i64, NoticeRow)>>;
    /// Restrictions that stand, by question after one.
    fn restrictions(&self, after: Option<MessageId>, limit: u32) -> Answer<'_, Vec<RestrictionRow>>;
    /// What a peer has said is left of a consent that it collected, in the order it was said.
    fn withdrawals(&self, peer: CountryCode, consent: ConsentId) -> Answer<'_, Vec<WithdrawalRow>>;

    /// Messages that a country sent about a person, by its pseudonym, after a cursor, oldest first.
    fn received(
        &self,
        peer: CountryCode,
        subject_ref: String,
        after: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(i64, MessageId)>>;
    /// The sender's pseudonym for whom a message that came in is about, also once its content was erased.
    fn received_about(&self, message: MessageId) -> Answer<'_, Option<String>>;

    /// Suspensions, those in force first, each kind latest first.
    fn suspensions(&self, limit: u32) -> Answer<'_, Vec<SuspensionRow>>;
    /// Proposed sets of policies, latest first, without their files.
    fn policy_changes(&self, limit: u32) -> Answer<'_, Vec<PolicyChangeRow>>;
    /// One proposed set with its files, and the statements on it.
    fn policy_change(&self, change: ApprovalId) -> Answer<'_, Option<(PolicyChangeRow, Vec<StatementRow>)>>;
    /// The set of policies that was put in force last, with its files.
    fn policy_in_force(&self) -> Answer<'_, Option<PolicyChangeRow>>;

    /// One hold with its record.
    fn hold(&self, hold: HoldId) -> Answer<'_, Option<HoldRow>>;
    /// Standing holds with their records in the order they were placed: for the index, at the node's start.
    fn holds(&self, after: Option<HoldId>, limit: u32) -> Answer<'_, Vec<HoldRow>>;
    /// One stopped row with its record.
    fn stop(&self, stop: StopId) -> Answer<'_, Option<StopRow>>;
    /// Stopped rows of one side in the order they were stopped, without their records.
    fn stops(&self, filter: StopFilter, limit: u32) -> Answer<'_, Vec<StopRow>>;
    /// Stopped rows whose next alarm is due, longest first, with their records.
    fn stops_alarming(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<StopRow>>;

    /// The clock of one alert with what officers signed about it.
    fn watch(&self, message: MessageId) -> Answer<'_, Option<WatchRow>>;
    /// Clocks that somebody still has to stop, the most urgent first, without what was signed.
    fn watches(&self, filter: WatchFilter, limit: u32) -> Answer<'_, Vec<WatchRow>>;
    /// Clocks at which something is due, longest first, with what was signed.
    fn watches_due(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<WatchRow>>;
    /// Everybody called over one alert, in the order they were called.
    fn summonses(&self, message: MessageId, limit: u32) -> Answer<'_, Vec<Summons>>;
    /// Calls that are to be tried, longest due first.
    fn summonses_due(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<Summons>>;
    /// One webhook.
    fn webhook(&self, webhook: WebhookId) -> Answer<'_, Option<WebhookRow>>;
    /// Every webhook, in the order they were registered.
    fn webhooks(&self, limit: u32) -> Answer<'_, Vec<WebhookRow>>;
    /// Events that a webhook did not take, after a place, oldest first.
    fn dead_letters(
        &self,
        filter: DeadLetterFilter,
        after: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(i64, DeadLetterRow)>>;
    /// The cursor of the last event there is, whomever it is for; 0 without one.
    fn last_event(&self) -> Answer<'_, i64>;

    /// The steps of a transfer, metadata only, in the order in which they came; at most `MAX_PAGE`.
    fn case_steps(&self, transfer: MessageId) -> Answer<'_, Vec<MessageRow>>;
    /// Transfers of children's cases with what was told of them.
    fn transfers(&self, filter: TransferFilter, limit: u32) -> Answer<'_, Vec<TransferRow>>;

    /// Stores one chunk of an attachment, durable when answered; the same bytes again only keep it longer. `OverQuota`
    /// when its owner would then have more than `quota` bytes that no message names.
    fn put_chunk(&self, place: ChunkPlace, bytes: Vec<u8>, quota: u64, now_ms: i64) -> Answer<'_, ()>;
    /// One chunk.
    fn chunk(&self, place: ChunkPlace) -> Answer<'_, Option<Vec<u8>>>;
    /// The RFC 6962 leaf hashes of the chunks that an owner has under a root, with their numbers, in order.
    fn chunk_leaves(&self, owner: ChunkOwner, root: Digest) -> Answer<'_, Vec<(u32, Digest)>>;
    /// Messages that name an attachment and whose content is kept, metadata only.
    fn naming(&self, root: Digest, limit: u32) -> Answer<'_, Vec<MessageRow>>;

    /// Drops what is past its keeping, as `Past` says; bounded, answers how many rows went. Repeat until 0.
    fn forget(&self, past: Past) -> Answer<'_, u64>;

    /// Destroys the key of a subject: when answered, what was sealed under it is unreadable here and in every copy of
    /// the store. The messages are still to be marked: `erasures_due`. A subject without a key is no error; what
    /// comes of it later gets another key. `Conflict` with `LegalHold` while one stands.
    fn erase_subject(&self, subject: SubjectTag, at_ms: i64) -> Answer<'_, ()>;
    /// What is still to be marked erased because its key was destroyed, here or before this store was restored.
    fn erasures_due(&self, limit: u32) -> Answer<'_, DueErasures>;
    /// Messages whose agency is to be told that the end of their keeping is near, or whose content is to go by now;
    /// longest first, metadata only; none under a legal hold.
    fn retention_due(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<(RetentionStep, MessageRow)>>;
}
