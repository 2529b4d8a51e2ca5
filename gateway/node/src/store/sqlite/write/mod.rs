//! What each `Write` of core does to the tables; one file per family of rows.
//!
//! Not here: savepoints and groups (`writer`). Invariant: a guard is checked by the same statement that
//! changes the row, or in the same transaction before it.

mod approval;
mod authority;
mod cases;
mod chunk;
mod consent;
mod determination;
mod disclosure;
mod duty;
mod erase;
mod forget;
mod lapsed;
mod message;
mod operation;
mod protection;
mod question;
mod record;
mod webhook;

use std::collections::BTreeSet;

use puente_core::delivery::{SubjectTag, Write};

use super::ledger::{Failure, Ledger};

pub(super) use chunk::put as put_chunk;
pub(super) use erase::condemn;
pub(super) use forget::forget;

/// Applies one write.
pub(super) fn apply(ledger: Ledger<'_>, write: &Write) -> Result<(), Failure> {
    match write {
        Write::Outbound(row) => message::outbound(ledger, row),
        Write::Inbound(row) => message::inbound(ledger, row),
        Write::Never(row) => message::never(ledger, row),
        Write::OutboundState { message, release, state, code, due_ms, attempts } => {
            let step =
                message::Step { state: *state, code: code.as_deref(), due_ms: *due_ms, attempts: *attempts };
            message::advance(ledger, *message, *release, &step)
        }
        Write::Erased { message } => erase::erase(ledger, *message),
        Write::RetentionAnnounced { message } => erase::announced(ledger, *message),
        Write::ErasuresSettled { erasures } => erase::settled(ledger, erasures),
        Write::LegalHold { subject, change } => erase::hold(ledger, *subject, *change),
        Write::Receipt(row) => record::receipt(ledger, row),
        Write::ReceiptsSent { keys } => record::receipts_sent(ledger, keys),
        Write::Decision(row) => record::decision(ledger, row),
        Write::Leaf(row) => record::leaf(ledger, row),
        Write::Event(event) => record::event(ledger, event),
        Write::Idempotent(answer) => record::idempotent(ledger, answer),
        Write::Approval(row) => approval::open(ledger, row),
        Write::StatementsSeen { approval, count } => approval::statements_seen(ledger, *approval, *count),
        Write::Statement(row) => question::HELD_ROW.speak(ledger, row),
        Write::ApprovalState { approval, state, at_ms } => {
            question::HELD_ROW.close(ledger, *approval, *state, *at_ms)
        }
        Write::Act(row) => authority::act(ledger, row),
        Write::ActEnded { act, statement, at_ms } => authority::end(ledger, *act, statement, *at_ms),
        Write::ActsEnded { peer, case, at_ms } => authority::end_of_peer(ledger, peer, *case, *at_ms),
        Write::ActTried { act } => authority::tried(ledger, *act),
        Write::RestsOn { message, acts } => authority::rests_on(ledger, *message, acts),
        Write::Determination(row) => determination::determination(ledger, row),
        Write::DeterminationEnded { act, statement, at_ms } => {
            determination::end(ledger, *act, statement, *at_ms)
        }
        Write::RestsOnDetermined { message, acts } => determination::rests_on(ledger, *message, acts),
        Write::Hold(row) => protection::place(ledger, row),
        Write::HoldChanged(row) => protection::change_hold(ledger, row),
        Write::Stop(row) => protection::stop(ledger, row),
        Write::StopChanged(row) => protection::change_stop(ledger, row),
        Write::Watch(row) => duty::watch(ledger, row),
        Write::WatchChanged(row) => duty::change_watch(ledger, row),
        Write::WatchLook { message, at_ms } => duty::look(ledger, *message, *at_ms),
        Write::Summons(row) => duty::summons(ledger, row),
        Write::SummonsChanged(row) => duty::change_summons(ledger, row),
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
        Write::Restrict(row) => disclosure::restrict(ledger, row),
        Write::Unrestrict { question, at_ms } => disclosure::unrestrict(ledger, *question, *at_ms),
        Write::Withdrawal(row) => disclosure::withdrawal(ledger, row),
        Write::Received { message, peer, subject_ref } => {
            disclosure::received(ledger, *message, peer, subject_ref)
        }
        Write::CaseTold(row) => cases::told(ledger, row),
        Write::Suspend(row) => operation::suspend(ledger, row),
        Write::Lift { target, at_ms } => operation::lift(ledger, target, *at_ms),
        Write::WakeHeld { at_ms } => message::wake_held(ledger, *at_ms),
        Write::PolicyChange(row) => operation::policy_change(ledger, row),
        Write::PolicyStatement(row) => question::POLICY_CHANGE.speak(ledger, row),
        Write::PolicyChangeState { change, state, at_ms } => {
            question::POLICY_CHANGE.close(ledger, *change, *state, *at_ms)
        }
        Write::Webhook(row) => webhook::register(ledger, row),
        Write::WebhookChanged(row) => webhook::change(ledger, row),
        Write::WebhookRemoved { webhook } => webhook::remove(ledger, *webhook),
        Write::DeadLetter(row) => webhook::dead_letter(ledger, row),
        Write::DeadLetterSettled { webhook, event } => webhook::settle(ledger, *webhook, *event),
    }
}

/// Subjects whose keys these writes seal under, each once.
pub(super) fn subjects(writes: &[Write]) -> Vec<SubjectTag> {
    let subjects: BTreeSet<SubjectTag> = writes
        .iter()
        .filter_map(|write| match write {
            Write::Outbound(row) => Some(row.keeping.subject),
            Write::Inbound(row) => row.keeping.as_ref().map(|keeping| keeping.subject),
            Write::Decision(row) => row.subject,
            Write::Leaf(row) => row.subject,
            Write::Approval(row) => row.subject,
            Write::Stop(row) => row.draft.as_ref().and_then(|draft| draft.subject),
            Write::Consent(row) => row.subject,
            Write::ConsentEvent(row) => row.subject,
            Write::Determination(row) => Some(row.subject),
            Write::LegalHold { subject, .. } => Some(*subject),
            _ => None,
        })
        .collect();
    subjects.into_iter().collect()
}

/// Bytes that a write brings, about: its large fields and a row's worth.
pub(super) fn bytes(write: &Write) -> usize {
    /// What the narrow columns and index entries of a row come to.
    const ROW: usize = 256;
    ROW + match write {
        Write::Outbound(row) => row.message.wire.len() + row.withheld.len() + row.named.len(),
        Write::Inbound(row) => row.message.wire.len(),
        Write::Receipt(row) => row.receipt.len(),
        Write::Decision(row) => row.facts.len(),
        Write::Leaf(row) => row.record.len(),
        Write::Determination(row) => row.statement.reveal().len(),
        Write::Idempotent(answer) => answer.body.len(),
        Write::Approval(row) => row.draft.len(),
        Write::Hold(row) | Write::HoldChanged(row) => row.record.len(),
        Write::Stop(row) | Write::StopChanged(row) => {
            row.record.len() + row.draft.as_ref().map_or(0, |draft| draft.bytes.len())
        }
        Write::Watch(row) | Write::WatchChanged(row) => row.statements.iter().map(String::len).sum(),
        Write::Statement(row) | Write::PolicyStatement(row) => row.statement.len(),
        Write::PolicyChange(row) => row.files.len() + row.summary.len() + row.proposal.len(),
        Write::ReceiptsSent { keys } => keys.len() * size_of::<i64>(),
        Write::Consent(row) => row.record.len(),
        Write::ConsentEvent(row) => row.event.len(),
        Write::ErasuresSettled { erasures } => erasures.len() * size_of::<i64>(),
        Write::Webhook(row) | Write::WebhookChanged(row) => {
            row.target.url.len() + row.target.authority.as_ref().map_or(0, String::len)
        }
        Write::OutboundState { .. }
        | Write::Never(_)
        | Write::Act(_)
        | Write::ActEnded { .. }
        | Write::ActsEnded { .. }
        | Write::ActTried { .. }
        | Write::RestsOn { .. }
        | Write::DeterminationEnded { .. }
        | Write::RestsOnDetermined { .. }
        | Write::Event(_)
        | Write::StatementsSeen { .. }
        | Write::ApprovalState { .. }
        | Write::Erased { .. }
        | Write::RetentionAnnounced { .. }
        | Write::LegalHold { .. }
        | Write::CaseTold(_)
        | Write::Suspend(_)
        | Write::Lift { .. }
        | Write::Summons(_)
        | Write::SummonsChanged(_)
        | Write::WakeHeld { .. }
        | Write::WatchLook { .. }
        | Write::PolicyChangeState { .. }
        | Write::Disclosure(_)
        | Write::Notice(_)
        | Write::NoticeState { .. }
        | Write::NoticeMessage { .. }
        | Write::Restrict(_)
        | Write::Unrestrict { .. }
        | Write::Withdrawal(_)
        | Write::Received { .. }
        | Write::WebhookRemoved { .. }
        | Write::DeadLetter(_)
        | Write::DeadLetterSettled { .. } => 0,
    }
}
