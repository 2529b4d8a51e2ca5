//! What is recorded beside a message: receipts, decisions, leaves, events and idempotent answers.
//!
//! Not here: messages and approvals. Invariant: nothing recorded is ever changed, but for a receipt's
//! mark that it was sent.

use puente_core::delivery::{DecisionRow, Event, IdempotentAnswer, LeafRow, ReceiptRow};
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::column;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::read;
use crate::store::sqlite::seal::Place;

/// Keeps a receipt; a second one of the same message, release and state is ignored.
pub(super) fn receipt(ledger: Ledger<'_>, row: &ReceiptRow) -> Result<(), Failure> {
    ledger.run(
        "INSERT INTO receipt (message, release, state, direction, peer, code, at_ms, receipt, to_send)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        params![
            row.message.0.as_bytes(),
            row.release.0,
            row.state,
            column::direction(row.direction),
            row.peer.as_str(),
            row.code,
            row.at_ms,
            row.receipt,
            row.to_send,
        ],
    )?;
    Ok(())
}

/// Marks receipts as sent; keys that are gone or marked are no error.
pub(super) fn receipts_sent(ledger: Ledger<'_>, keys: &[i64]) -> Result<(), Failure> {
    let mut mark = ledger.statement("UPDATE receipt SET to_send = 0 WHERE key = ?1 AND to_send = 1")?;
    for key in keys {
        mark.execute([key])?;
    }
    Ok(())
}

/// Records a decision with the facts it was made on.
pub(super) fn decision(ledger: Ledger<'_>, row: &DecisionRow) -> Result<(), Failure> {
    let facts =
        ledger.seal(row.subject, Place { table: "decision", key: row.decision.0.as_bytes() }, &row.facts)?;
    ledger.run(
        "INSERT INTO decision (decision, message, outcome, rule, spoke, policy, sealed, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            row.decision.0.as_bytes(),
            row.message.as_ref().map(|message| message.0.as_bytes()),
            row.outcome,
            row.rule,
            column::list(&row.spoke)?,
            row.policy.0,
            facts,
            row.at_ms,
        ],
    )?;
    Ok(())
}

/// Keeps a leaf for the sequencer.
pub(super) fn leaf(ledger: Ledger<'_>, row: &LeafRow) -> Result<(), Failure> {
    let record = ledger.seal(row.subject, Place { table: "leaf", key: &row.leaf.0 }, &row.record)?;
    let (key, salt) = match row.subject {
        None => (None, row.salt.clone()),
        Some(subject) => {
            let key = ledger.subject_key(subject)?;
            (Some(key.id().0), key.seal(Place { table: "leaf_salt", key: &row.leaf.0 }, &row.salt)?)
        }
    };
    ledger.run(
        "INSERT INTO leaf (leaf, salt, sealed, subject_key, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![row.leaf.0, salt, record, key, row.at_ms],
    )?;
    Ok(())
}

/// Appends an event; its place in the order of commits is the cursor.
pub(super) fn event(ledger: Ledger<'_>, event: &Event) -> Result<(), Failure> {
    ledger.run(
        "INSERT INTO event (kind, agency, role, message, approval, message_type, state, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            event.kind.as_str(),
            event.agency.as_ref().map_or("", |agency| agency.as_str()),
            event.role.as_str(),
            event.message.as_ref().map(|message| message.0.as_bytes()),
            event.approval.as_ref().map(|approval| approval.0.as_bytes()),
            event.message_type.as_ref().map(|kind| kind.as_str()),
            event.state,
            event.at_ms,
        ],
    )?;
    Ok(())
}

/// Keeps the answer to an idempotency key; sealed, because a warning may quote the head of a column.
pub(super) fn idempotent(ledger: Ledger<'_>, answer: &IdempotentAnswer) -> Result<(), Failure> {
    let body = ledger.seal(None, read::answer_place(&answer.request), &answer.body)?;
    let added = ledger.run(
        "INSERT INTO idempotent (agency, key, request, status, body, keep_until_ms, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1) ON CONFLICT DO NOTHING",
        params![
            answer.agency.as_str(),
            answer.key,
            answer.request.0,
            answer.status,
            body,
            answer.keep_until_ms,
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}
