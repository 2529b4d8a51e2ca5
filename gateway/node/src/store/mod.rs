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

use puente_core::catalogue::Lane;
use puente_core::delivery::{
    ApprovalRow, CommitId, Committed, ConsentEventRow, ConsentRow, DecisionRow, DisclosureRow, Event,
    HistoryEntry, IdempotentAnswer, MessageRow, NoticeRow, QueueDepth, Queued, ReceiptRow, StatementRow,
    WithdrawalRow, Write,
};
use puente_core::ids::{
    AgencyId, ApprovalId, ConsentId, CountryCode, Digest, MessageId, OperationId, Realm, ReleaseId, Role,
};

pub use error::{Guard, OpenError, StoreError};
pub use key::StoreKey;
pub use query::{
    ApprovalFilter, Disclosed, KnownInbound, MAX_PAGE, MessageFilter, NoticeFilter, Position, Wire,
};
pub use sqlite::SqliteStore;

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

    /// Queued rows toward a peer that are due, oldest release first. In the bulk lane never a row whose
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
    /// Receipts of ours still to be sent to a peer, with their keys, oldest first.
    fn receipts_due(&self, peer: CountryCode, limit: u32) -> Answer<'_, Vec<(i64, ReceiptRow)>>;
    /// The latest decision recorded for a message.
    fn decision(&self, message: MessageId) -> Answer<'_, Option<DecisionRow>>;

    /// Approvals in the order they were opened, without their drafts.
    fn approvals(&self, filter: ApprovalFilter, limit: u32) -> Answer<'_, Vec<ApprovalRow>>;
    /// One approval with its draft, and the statements on it.
    fn approval(&self, approval: ApprovalId) -> Answer<'_, Option<(ApprovalRow, Vec<StatementRow>)>>;
    /// Open approvals past their lapse, longest first, without their drafts.
    fn approvals_lapsing(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<ApprovalRow>>;

    /// One consent with every event on it, in their order.
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

    /// Stores one chunk of an attachment, durable when answered; the same bytes again are no change.
    fn put_chunk(&self, root: Digest, index: u32, bytes: Vec<u8>) -> Answer<'_, ()>;
    /// One chunk.
    fn chunk(&self, root: Digest, index: u32) -> Answer<'_, Option<Vec<u8>>>;
    /// Which chunks under a root are stored, in order.
    fn chunk_indexes(&self, root: Digest) -> Answer<'_, Vec<u32>>;

    /// Drops idempotent answers and inbound ids past their keeping; bounded, answers how many went.
    /// Repeat until 0. Messages and receipts stay: their retention is another rule.
    fn forget(&self, now_ms: i64) -> Answer<'_, u64>;
}
