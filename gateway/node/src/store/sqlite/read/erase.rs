//! What has to be erased: under keys that were destroyed, and by the clock.
//!
//! Not here: erasing. INVARIANT: metadata only; nothing is decrypted on its way out.

use puente_core::delivery::{MessageRow, RetentionStep};
use rusqlite::params;

use super::message::{metadata, select};
use crate::store::query::DueErasures;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::subjects::{Destroyed, SubjectKeyId};

/// Destroyed keys looked at in one question.
const MAX_KEYS: u32 = 100;

/// Erasures that are not settled, with the instant, oldest first.
pub(in crate::store::sqlite) fn unsettled(ledger: Ledger<'_>) -> Result<Vec<Destroyed>, Failure> {
    ledger.all(
        "SELECT seq, key, at_ms FROM erasure WHERE settled = 0 ORDER BY seq LIMIT ?1",
        params![MAX_KEYS],
        |row| Ok(Destroyed { seq: row.get(0)?, key: SubjectKeyId(row.get(1)?), at_ms: row.get(2)? }),
    )
}

/// Messages that are still called kept though their key is on the list.
pub(in crate::store::sqlite) fn erasures_due(
    ledger: Ledger<'_>,
    unsettled: &[Destroyed],
    limit: u32,
) -> Result<DueErasures, Failure> {
    let mut due =
        DueErasures { erasures: unsettled.iter().map(|entry| entry.seq).collect(), messages: Vec::new() };
    for Destroyed { key, .. } in unsettled {
        let room = page(limit).saturating_sub(u32::try_from(due.messages.len()).unwrap_or(u32::MAX));
        due.messages.extend(ledger.all(
            select!("NULL", "WHERE m.subject_key IS NOT NULL AND m.subject_key = ?1 LIMIT ?2"),
            params![key.0, room],
            |found| metadata(ledger, found),
        )?);
    }
    Ok(due)
}

/// Messages with which retention has something to do by now, longest first.
pub(in crate::store::sqlite) fn retention_due(
    ledger: Ledger<'_>,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<(RetentionStep, MessageRow)>, Failure> {
    ledger.all(
        select!(
            "NULL, m.keep_until_ms",
            "WHERE m.act_ms IS NOT NULL AND m.act_ms <= ?1 ORDER BY m.act_ms LIMIT ?2"
        ),
        params![now_ms, page(limit)],
        |found| {
            let until_ms: i64 = found.get("keep_until_ms")?;
            let step = if until_ms <= now_ms { RetentionStep::Erase } else { RetentionStep::Announce };
            Ok((step, metadata(ledger, found)?))
        },
    )
}
