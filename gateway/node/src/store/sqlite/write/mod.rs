//! What each `Write` of core does to the tables; one file per family of rows.
//!
//! Not here: savepoints and groups (`writer`). Invariant: a guard is checked by the same statement that
//! changes the row, or in the same transaction before it.

mod approval;
mod chunk;
mod consent;
mod disclosure;
mod forget;
mod message;
mod record;

use puente_core::delivery::Write;

use super::ledger::{Failure, Ledger};

pub(super) use chunk::put as put_chunk;
pub(super) use forget::forget;

/// Applies one write.
pub(super) fn apply(ledger: Ledger<'_>, write: &Write) -> Result<(), Failure> {
    match write {
        Write::Outbound(row) => message::outbound(ledger, row),
        Write::Inbound(row) => message::inbound(ledger, row),
        Write::OutboundState { message, release, state, code, due_ms, attempts } => {
            let step =
                message::Step { state: *state, code: code.as_deref(), due_ms: *due_ms, attempts: *attempts };
            message::advance(ledger, *message, *release, &step)
        }
        Write::Receipt(row) => record::receipt(ledger, row),
        Write::ReceiptsSent { keys } => record::receipts_sent(ledger, keys),
        Write::Decision(row) => record::decision(ledger, row),
        Write::Leaf(row) => record::leaf(ledger, row),
        Write::Event(event) => record::event(ledger, event),
        Write::Idempotent(answer) => record::idempotent(ledger, answer),
        Write::Approval(row) => approval::open(ledger, row),
        Write::Statement(row) => approval::statement(ledger, row),
        Write::ApprovalState { approval, state, at_ms } => approval::close(ledger, *approval, *state, *at_ms),
        Write::Consent(row) => consent::record(ledger, row),
        Write::ConsentEvent(row) => consent::event(ledger, row),
        Write::Disclosure(row) => disclosure::disclosure(ledger, row),
        Write::Notice(row) => disclosure::notice(ledger, row),
        Write::NoticeState { notice, state, code, reply, at_ms } => {
            let to =
                disclosure::Answered { state: *state, code: code.as_deref(), reply: *reply, at_ms: *at_ms };
            disclosure::answer(ledger, *notice, &to)
        }
        Write::NoticeMessage { notice, message } => disclosure::resend(ledger, *notice, *message),
        Write::Withdrawal(row) => disclosure::withdrawal(ledger, row),
        Write::Received { message, peer, subject_ref } => {
            disclosure::received(ledger, *message, peer, subject_ref)
        }
        Write::EraseReceived { peer, subject_ref } => disclosure::erase_received(ledger, peer, subject_ref),
    }
}

/// Bytes that a write brings, about: its large fields and a row's worth.
pub(super) fn bytes(write: &Write) -> usize {
    /// What the narrow columns and index entries of a row come to.
    const ROW: usize = 256;
    ROW + match write {
        Write::Outbound(row) => row.message.wire.len() + row.withheld.len(),
        Write::Inbound(row) => row.message.wire.len(),
        Write::Receipt(row) => row.receipt.len(),
        Write::Decision(row) => row.facts.len(),
        Write::Leaf(row) => row.record.len(),
        Write::Idempotent(answer) => answer.body.len(),
        Write::Approval(row) => row.draft.len(),
        Write::Statement(row) => row.statement.len(),
        Write::ReceiptsSent { keys } => keys.len() * size_of::<i64>(),
        Write::Consent(row) => row.record.len(),
        Write::ConsentEvent(row) => row.event.len(),
        Write::OutboundState { .. }
        | Write::Event(_)
        | Write::ApprovalState { .. }
        | Write::Disclosure(_)
        | Write::Notice(_)
        | Write::NoticeState { .. }
        | Write::NoticeMessage { .. }
        | Write::Withdrawal(_)
        | Write::Received { .. }
        | Write::EraseReceived { .. } => 0,
    }
}
