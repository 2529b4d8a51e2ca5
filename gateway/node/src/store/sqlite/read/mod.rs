//! What is read from the tables; one file per family of rows.
//!
//! Not here: threads and transactions (`reader`). Invariant: every read is bounded and walks an index.

mod approval;
mod authority;
mod cases;
mod chunk;
mod coming;
mod consent;
mod determination;
mod disclosure;
mod duty;
mod erase;
mod message;
mod operation;
mod outbox;
mod protection;
mod question;
mod record;
mod webhook;

pub(super) use approval::{approval, approvals, approvals_lapsing};
pub(super) use authority::acts;
pub(super) use cases::{steps, transfers};
pub(super) use chunk::{chunk, chunk_key, chunk_leaves, chunk_place, naming, owner_text};
pub(super) use coming::coming;
pub(super) use consent::{consent, consent_event_key, consent_event_place, consent_place};
pub(super) use determination::{determination_place, determinations};
pub(super) use disclosure::{disclosures, notices, received, received_about, restrictions, withdrawals};
pub(super) use duty::{summonses, summonses_due, watch, watches, watches_due};
pub(super) use erase::{erasures_due, retention_due, unsettled};
pub(super) use message::{history, known_inbound, message, messages, operation, replies, withheld};
pub(super) use operation::{policy_change, policy_changes, policy_in_force, suspensions};
pub(super) use outbox::{expired_queued, next_due, outbound_due, queue_depth};
pub(super) use protection::{hold, holds, stop, stops, stops_alarming};
pub(super) use record::{answer_place, decision, decisions, events, idempotent, receipts, receipts_due};
pub(super) use webhook::{dead_letters, last_event, webhook, webhook_place, webhooks};
