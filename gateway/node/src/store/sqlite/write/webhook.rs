//! Webhooks and their dead letters: a webhook is changed only by who has seen its last state.
//!
//! Not here: what a call's outcome means. INVARIANT: a dead letter never outlives its webhook.

use puente_core::delivery::{DeadLetterRow, WebhookRow};
use puente_core::ids::WebhookId;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::read::webhook_place;

fn sealed(ledger: Ledger<'_>, row: &WebhookRow) -> Result<Vec<u8>, Failure> {
    let record =
        serde_json::to_vec(&(&row.target, &row.progress)).map_err(|_| Failure::Damaged("webhook"))?;
    ledger.seal(None, webhook_place(&row.webhook), &record)
}

/// A webhook is registered.
pub(super) fn register(ledger: Ledger<'_>, row: &WebhookRow) -> Result<(), Failure> {
    let added = ledger.run(
        "INSERT INTO webhook (webhook, revision, agency, created_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
        params![
            row.webhook.0.as_bytes(),
            row.revision,
            row.agency.as_str(),
            row.created_ms,
            sealed(ledger, row)?
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// A webhook changes.
pub(super) fn change(ledger: Ledger<'_>, row: &WebhookRow) -> Result<(), Failure> {
    let changed = ledger.run(
        "UPDATE webhook SET revision = ?2, sealed = ?3 WHERE webhook = ?1 AND revision = ?2 - 1",
        params![row.webhook.0.as_bytes(), row.revision, sealed(ledger, row)?],
    )?;
    if changed == 1 { Ok(()) } else { Err(Guard::Changed.into()) }
}

/// A webhook goes, with its dead letters.
pub(super) fn remove(ledger: Ledger<'_>, webhook: WebhookId) -> Result<(), Failure> {
    let key = webhook.0.as_bytes();
    ledger.run("DELETE FROM dead_letter WHERE webhook = ?1", [key])?;
    let removed = ledger.run("DELETE FROM webhook WHERE webhook = ?1", [key])?;
    if removed == 1 { Ok(()) } else { Err(Guard::Absent.into()) }
}

/// An event was given up, or what is known of that changes; its place among the dead letters stays.
pub(super) fn dead_letter(ledger: Ledger<'_>, row: &DeadLetterRow) -> Result<(), Failure> {
    let kept = ledger.run(
        "INSERT INTO dead_letter (webhook, event, code, at_ms, resend)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM webhook WHERE webhook = ?1)
         ON CONFLICT (webhook, event) DO UPDATE SET code = ?3, at_ms = ?4, resend = ?5",
        params![row.webhook.0.as_bytes(), row.event, row.code, row.at_ms, row.resend],
    )?;
    if kept == 1 { Ok(()) } else { Err(Guard::Absent.into()) }
}

/// A dead letter was taken after all.
pub(super) fn settle(ledger: Ledger<'_>, webhook: WebhookId, event: i64) -> Result<(), Failure> {
    let settled = ledger.run(
        "DELETE FROM dead_letter WHERE webhook = ?1 AND event = ?2",
        params![webhook.0.as_bytes(), event],
    )?;
    if settled == 1 { Ok(()) } else { Err(Guard::Absent.into()) }
}
