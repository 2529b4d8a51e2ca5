//! What is read from the tables; one file per family of rows.
//!
//! Not here: threads and transactions (`reader`). Invariant: every read is bounded and walks an index.

mod approval;
mod chunk;
mod consent;
mod disclosure;
mod message;
mod outbox;
mod record;

pub(super) use approval::{approval, approvals, approvals_lapsing};
pub(super) use chunk::{chunk, chunk_indexes, chunk_key, chunk_place};
pub(super) use consent::{consent, consent_event_key, consent_event_place, consent_place};
pub(super) use disclosure::{disclosures, notices, received, withdrawals};
pub(super) use message::{history, known_inbound, message, messages, operation, replies, withheld};
pub(super) use outbox::{expired_queued, next_due, outbound_due, queue_depth};
pub(super) use record::{decision, events, idempotent, receipts, receipts_due};
