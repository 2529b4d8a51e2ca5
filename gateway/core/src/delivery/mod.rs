//! What a node owes and what happens next to each message: records, writes and retry.
//!
//! Every step is per item (one message, one approval): loaded, stepped, stored. What a node owes is a
//! query, never a structure in memory. A step returns a `Commit`; what it lets happen afterwards can
//! only be taken by presenting the `Committed` token of that very commit.
//!
//! Not here: the store itself (`puente-node::store`).

mod cloud_event;
mod commit;
mod disclosure;
mod keeping;
mod operation;
mod record;
mod retry;
mod side;
mod webhook;

pub use cloud_event::{CLOUD_EVENT_MEDIA, CloudEvent};
pub use commit::{Commit, CommitId, Committed, HoldChange, Pending, Write};
pub use disclosure::{
    ConsentEventRow, ConsentRow, DisclosureRow, NoticeKind, NoticeRow, NoticeState, RestrictionRow,
    WithdrawalRow,
};
pub use keeping::{Keeping, RetentionStep, SubjectTag};
pub use operation::{PolicyChangeRow, Proposer, SuspensionRow};
pub use record::{
    ApprovalRow, ApprovalState, DecisionRow, Direction, Event, EventKind, Ground, HistoryEntry,
    IdempotentAnswer, InboundRow, LeafRow, MessageRow, NeverRow, OutboundRow, OutboundState, QueueDepth,
    Queued, ReceiptRow, StatementRow,
};
pub use retry::{RetrySchedule, next_attempt};
pub use side::Side;
pub use webhook::{
    AfterCall, CallOutcome, DeadLetterRow, MAX_DEAD_LETTERS, MAX_WEBHOOKS, Patience, WebhookProgress,
    WebhookRow, WebhookTarget,
};
