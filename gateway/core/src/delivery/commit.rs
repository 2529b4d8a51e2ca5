//! One atomic step of a node: what it writes, and what may happen only once that is durable.
//!
//! INVARIANT: `then` is unreachable without a `Committed` token for the same commit, and only a store
//! that has made the writes durable makes such a token. So an acknowledgement cannot overtake its fsync.

use crate::authority::{ActRow, DeterminationRow};
use crate::cases::ToldRow;
use crate::delivery::disclosure::{
    ConsentEventRow, ConsentRow, DisclosureRow, NoticeRow, NoticeState, RestrictionRow, WithdrawalRow,
};
use crate::delivery::keeping::SubjectTag;
use crate::delivery::operation::{PolicyChangeRow, SuspensionRow};
use crate::delivery::record::{
    ApprovalRow, ApprovalState, DecisionRow, Event, IdempotentAnswer, InboundRow, LeafRow, NeverRow,
    OutboundRow, OutboundState, ReceiptRow, StatementRow,
};
use crate::delivery::webhook::{DeadLetterRow, WebhookRow};
use crate::duty::{Summons, WatchRow};
use crate::ids::{ActId, ApprovalId, CaseId, CountryCode, MessageId, NoticeId, ReleaseId, WebhookId};
use crate::protection::{HoldRow, StopRow};
use crate::suspension::Target;

/// One row-level change. A guard that does not hold fails the whole commit.
#[derive(Debug, Clone)]
pub enum Write {
    /// A released message enters the outbox. Guard: its id is new.
    Outbound(OutboundRow),
    /// An accepted or refused message from a peer. Guard: its id is new.
    Inbound(InboundRow),
    /// A message that was never accepted and never will be, as a peer was told. Guard: its id is new.
    Never(NeverRow),
    /// The outbox row moves on. Guard: the stored release is this one and the state is not final.
    OutboundState {
        /// Which message.
        message: MessageId,
        /// Which release of it.
        release: ReleaseId,
        /// What it becomes.
        state: OutboundState,
        /// The stable problem code, when the new state has one.
        code: Option<String>,
        /// When to try again (milliseconds since the epoch), for `Queued`.
        due_ms: i64,
        /// Attempts made so far.
        attempts: u32,
    },
    /// The content of a message goes, its metadata stays, and it waits to be sent no more. Guard: it is stored
    /// and was not erased before.
    Erased {
        /// Which message.
        message: MessageId,
    },
    /// The agency was told that a message's content will go. Guard: it is stored.
    RetentionAnnounced {
        /// Which message.
        message: MessageId,
    },
    /// No message is left under keys that were destroyed, as `erasures_due` gave them.
    ErasuresSettled {
        /// Numbers of the erasures.
        erasures: Vec<i64>,
    },
    /// A subject's content must not go, or may again: by an order of law.
    LegalHold {
        /// Whose.
        subject: SubjectTag,
        /// Placed or lifted.
        change: HoldChange,
    },
    /// A receipt, ours or a peer's. A second one of the same message, release and state is ignored.
    Receipt(ReceiptRow),
    /// Receipts of ours that the peer now has.
    ReceiptsSent {
        /// Keys of the rows, as `receipts_due` gave them.
        keys: Vec<i64>,
    },
    /// A recorded decision.
    Decision(DecisionRow),
    /// A leaf of the evidence log, not yet sequenced.
    Leaf(LeafRow),
    /// Something an agency will be told.
    Event(Event),
    /// The answer to a request with an idempotency key. Guard: the key is new for this agency.
    Idempotent(IdempotentAnswer),
    /// A row waits for officers. Guard: its id is new.
    Approval(ApprovalRow),
    /// Guard alone: so many statements on the approval are recorded, and no more.
    StatementsSeen {
        /// Which approval.
        approval: ApprovalId,
        /// How many the writer has seen.
        count: u32,
    },
    /// An officer's signed statement on an approval. Guard: the approval is open and this person has not spoken.
    Statement(StatementRow),
    /// The approval is closed. Guard: it is open.
    ApprovalState {
        /// Which approval.
        approval: ApprovalId,
        /// What it becomes.
        state: ApprovalState,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// An authority's act. Guard: its id is new, and its person has given no other on the row.
    Act(ActRow),
    /// An act is taken back by its authority. Guard: it was not before.
    ActEnded {
        /// Which act.
        act: ActId,
        /// The signed statement, compact JWS.
        statement: String,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// A country takes back what it approved by message in a thread; nothing when it approved nothing.
    ActsEnded {
        /// Which country.
        peer: CountryCode,
        /// The thread.
        case: CaseId,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// Every held row of the act's thread was tried again since the act came.
    ActTried {
        /// Which act.
        act: ActId,
    },
    /// A released message rests on these acts.
    RestsOn {
        /// Which message.
        message: MessageId,
        /// The acts.
        acts: Vec<ActId>,
    },
    /// An authority's determination about a person. Guard: its id is new.
    Determination(DeterminationRow),
    /// A determination is taken back by its authority. Guard: it was not before.
    DeterminationEnded {
        /// Which.
        act: ActId,
        /// The signed statement, compact JWS.
        statement: String,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// A released message rests on these determinations.
    RestsOnDetermined {
        /// Which message.
        message: MessageId,
        /// The determinations.
        acts: Vec<ActId>,
    },
    /// A hold is placed. Guard: its id is new.
    Hold(HoldRow),
    /// A hold changes: its record, or that it ended. Guard: the stored revision is the one before.
    HoldChanged(HoldRow),
    /// A row is stopped. Guard: its id is new.
    Stop(StopRow),
    /// A stopped row changes. Guard: the stored revision is the one before.
    StopChanged(StopRow),
    /// The clock of an alert begins. Guard: none runs for this message.
    Watch(WatchRow),
    /// The clock of an alert moves on. Guard: the stored revision is the one before.
    WatchChanged(WatchRow),
    /// What the clock of an alert waits for was decided: it is looked at again. Nothing when it is settled, or there is none.
    WatchLook {
        /// Which alert, or which approval.
        message: MessageId,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// Somebody is to be called. Guard: its id is new.
    Summons(Summons),
    /// A call was tried. Guard: it waits.
    SummonsChanged(Summons),
    /// A consent record. Guard: its id is new.
    Consent(ConsentRow),
    /// An event on a consent. Guard: its place is free and the one before it is taken.
    ConsentEvent(ConsentEventRow),
    /// A line of the ledger of disclosures; in the commit of the release it is about.
    Disclosure(DisclosureRow),
    /// A recipient has to be told something. Guard: its id is new.
    Notice(NoticeRow),
    /// A notice moves on. Guard: it is unresolved.
    NoticeState {
        /// Which notice.
        notice: NoticeId,
        /// What it becomes.
        state: NoticeState,
        /// The ground on which the recipient keeps the data.
        code: Option<String>,
        /// The recipient's signed answer.
        reply: Option<MessageId>,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// A notice goes out again, in another message. Guard: it is unresolved.
    NoticeMessage {
        /// Which notice.
        notice: NoticeId,
        /// The message that carries it from now on.
        message: MessageId,
    },
    /// A person is not to be told of without people; the same question again is no change.
    Restrict(RestrictionRow),
    /// A question restricts no more; nothing when it did not.
    Unrestrict {
        /// Which question.
        question: MessageId,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// A peer's notice that a consent covers less.
    Withdrawal(WithdrawalRow),
    /// A message that came in is about this person.
    Received {
        /// Which message.
        message: MessageId,
        /// The country that sent it.
        peer: CountryCode,
        /// That country's pseudonym for the person.
        subject_ref: String,
    },
    /// The side of a child's case was told. Guard: no step has come, failed or been told of since it was read.
    CaseTold(ToldRow),
    /// A target is suspended. Guard: it is not.
    Suspend(SuspensionRow),
    /// A suspension is lifted. Guard: the target is suspended.
    Lift {
        /// What was suspended.
        target: Target,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// Every queued row that a suspension holds is due again; who still meets one is held again.
    WakeHeld {
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// A set of policies is proposed, or recorded as that of the first start. Guard: its id is new.
    PolicyChange(PolicyChangeRow),
    /// An officer's signed statement on a proposed set. Guard: it is open and this person has not spoken.
    PolicyStatement(StatementRow),
    /// A proposed set is put in force, refused or lapsed. Guard: it is open.
    PolicyChangeState {
        /// Which proposal.
        change: ApprovalId,
        /// What it becomes.
        state: ApprovalState,
        /// When (milliseconds since the epoch).
        at_ms: i64,
    },
    /// A webhook is registered. Guard: its id is new.
    Webhook(WebhookRow),
    /// A webhook changes. Guard: the stored revision is the one before.
    WebhookChanged(WebhookRow),
    /// A webhook goes, with its dead letters. Guard: it is stored.
    WebhookRemoved {
        /// Which webhook.
        webhook: WebhookId,
    },
    /// A webhook gave up an event, or what is known of that changes. Guard: the webhook is stored.
    DeadLetter(DeadLetterRow),
    /// A dead letter was taken after all. Guard: it is stored.
    DeadLetterSettled {
        /// Whose.
        webhook: WebhookId,
        /// The event's cursor.
        event: i64,
    },
}

/// What becomes of a legal hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldChange {
    /// It stands from now on.
    Placed,
    /// It stands no more.
    Lifted,
}

/// Names one commit, so that a token cannot be used for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommitId(pub u64);

/// Proof that one commit is durable.
///
/// Made by a store only, after its fsync; not cloneable.
#[derive(Debug, PartialEq, Eq)]
pub struct Committed(CommitId);

impl Committed {
    /// For stores: states that every write of this commit survives a crash from now on.
    #[must_use]
    pub const fn durable(id: CommitId) -> Self {
        Self(id)
    }

    /// The commit that is durable.
    #[must_use]
    pub const fn id(&self) -> CommitId {
        self.0
    }
}

/// Writes that belong together, and what may be let go once they are durable.
#[derive(Debug)]
pub struct Commit<T> {
    id: CommitId,
    writes: Vec<Write>,
    then: T,
}

/// What is held back until the token comes.
#[derive(Debug)]
pub struct Pending<T> {
    id: CommitId,
    then: T,
}

impl<T> Commit<T> {
    /// A commit of these writes; `then` is what durability lets happen.
    #[must_use]
    pub const fn new(id: CommitId, writes: Vec<Write>, then: T) -> Self {
        Self { id, writes, then }
    }

    /// Splits into what the store takes and what waits for the store's word.
    #[must_use]
    pub fn into_parts(self) -> (CommitId, Vec<Write>, Pending<T>) {
        (self.id, self.writes, Pending { id: self.id, then: self.then })
    }
}

impl<T> Pending<T> {
    /// Lets go what waited, against the token of the same commit; another token gets nothing.
    ///
    /// # Errors
    /// Gives itself back when the token is another commit's.
    pub fn release(self, token: &Committed) -> Result<T, Self> {
        if token.0 == self.id { Ok(self.then) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_commits_token_releases_nothing() {
        let (_, _, pending) = Commit::new(CommitId(1), Vec::new(), "ack").into_parts();
        let pending = pending.release(&Committed::durable(CommitId(2))).err();
        assert_eq!(pending.and_then(|p| p.release(&Committed::durable(CommitId(1))).ok()), Some("ack"));
    }
}
