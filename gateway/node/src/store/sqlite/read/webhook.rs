//! Webhooks and dead letters read back.
//!
//! Not here: who may see them. INVARIANT: a listing is in the order in which its rows came.

use puente_core::delivery::{DeadLetterRow, WebhookRow};
use puente_core::ids::WebhookId;
use rusqlite::params;

use crate::store::query::DeadLetterFilter;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

/// Where a webhook stands.
pub(in crate::store::sqlite) fn webhook_place(webhook: &WebhookId) -> Place<'_> {
    Place { table: "webhook", key: webhook.0.as_bytes() }
}

fn webhook_row(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<WebhookRow, Failure> {
    let mut columns = Columns::of(row, "webhook");
    let webhook = columns.id(WebhookId)?;
    let (revision, agency, created_ms) = (columns.plain()?, columns.name()?, columns.plain()?);
    let sealed = columns.sealed(ledger.sealer, webhook_place(&webhook))?;
    let (target, progress) = serde_json::from_slice(&sealed).map_err(|_| Failure::Damaged("webhook"))?;
    Ok(WebhookRow { webhook, revision, agency, target, progress, created_ms })
}

/// One webhook.
pub(in crate::store::sqlite) fn webhook(
    ledger: Ledger<'_>,
    webhook: WebhookId,
) -> Result<Option<WebhookRow>, Failure> {
    ledger.one(
        "SELECT webhook, revision, agency, created_ms, sealed FROM webhook WHERE webhook = ?1",
        params![webhook.0.as_bytes()],
        |row| webhook_row(ledger, row),
    )
}

/// Every webhook, in the order they were registered.
pub(in crate::store::sqlite) fn webhooks(ledger: Ledger<'_>, limit: u32) -> Result<Vec<WebhookRow>, Failure> {
    ledger.all(
        "SELECT webhook, revision, agency, created_ms, sealed FROM webhook ORDER BY rowid LIMIT ?1",
        params![page(limit)],
        |row| webhook_row(ledger, row),
    )
}

/// Dead letters after a place, oldest first.
pub(in crate::store::sqlite) fn dead_letters(
    ledger: Ledger<'_>,
    filter: DeadLetterFilter,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, DeadLetterRow)>, Failure> {
    let letter = |row: &rusqlite::Row<'_>| {
        let mut columns = Columns::of(row, "dead_letter");
        let place = columns.plain()?;
        let letter = DeadLetterRow {
            webhook: columns.id(WebhookId)?,
            event: columns.plain()?,
            code: columns.plain()?,
            at_ms: columns.plain()?,
            resend: columns.plain()?,
        };
        Ok((place, letter))
    };
    match filter {
        DeadLetterFilter::All => ledger.all(
            "SELECT seq, webhook, event, code, at_ms, resend FROM dead_letter
             WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            params![after, page(limit)],
            letter,
        ),
        DeadLetterFilter::Of(webhook) => ledger.all(
            "SELECT seq, webhook, event, code, at_ms, resend FROM dead_letter
             WHERE webhook = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2",
            params![after, page(limit), webhook.0.as_bytes()],
            letter,
        ),
        DeadLetterFilter::Resend(webhook) => ledger.all(
            "SELECT seq, webhook, event, code, at_ms, resend FROM dead_letter
             WHERE webhook = ?3 AND resend = 1 AND seq > ?1 ORDER BY seq LIMIT ?2",
            params![after, page(limit), webhook.0.as_bytes()],
            letter,
        ),
    }
}

/// The cursor of the last event there is, for whomever; 0 without one.
pub(in crate::store::sqlite) fn last_event(ledger: Ledger<'_>) -> Result<i64, Failure> {
    let last = ledger.one("SELECT COALESCE(MAX(seq), 0) FROM event", [], |row| Ok(row.get(0)?))?;
    Ok(last.unwrap_or(0))
}
