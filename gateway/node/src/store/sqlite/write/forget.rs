//! Lets go what was only kept for a time.
//!
//! Not here: retention of messages, which is a rule about people, not about repetition.

use rusqlite::params;

use crate::store::sqlite::ledger::{Failure, Ledger};

/// Rows of each kind that one call drops at most: it shares the writer with traffic, so some milliseconds.
const MAX_FORGOTTEN: u32 = 2_000;

/// Drops idempotent answers and inbound ids past their keeping; answers how many went.
pub(in crate::store::sqlite) fn forget(ledger: Ledger<'_>, now_ms: i64) -> Result<u64, Failure> {
    let answers = ledger.run(
        "DELETE FROM idempotent WHERE rowid IN
             (SELECT rowid FROM idempotent WHERE keep_until_ms < ?1 ORDER BY keep_until_ms LIMIT ?2)",
        params![now_ms, MAX_FORGOTTEN],
    )?;
    let ids = ledger.run(
        "DELETE FROM inbound_id WHERE message IN
             (SELECT message FROM inbound_id WHERE keep_until_ms < ?1 ORDER BY keep_until_ms LIMIT ?2)",
        params![now_ms, MAX_FORGOTTEN],
    )?;
    Ok(u64::try_from(answers.saturating_add(ids)).unwrap_or(u64::MAX))
}
