//! Lets go what was only kept for a time.
//!
//! Not here: retention of messages' content, which is a rule about people (`erase`).

use rusqlite::params;

use super::lapsed::lapsed;
use crate::store::query::Past;
use crate::store::sqlite::ledger::{Failure, Ledger};

/// Rows of each kind that one call drops at most: it shares the writer with traffic, so some milliseconds.
const MAX_FORGOTTEN: u32 = 2_000;

/// Chunks that one call drops at most: a megabyte each, overwritten on the medium.
const MAX_CHUNKS: u32 = 8;

/// Drops what is past its keeping; answers how many rows went.
pub(in crate::store::sqlite) fn forget(ledger: Ledger<'_>, past: &Past) -> Result<u64, Failure> {
    let answers = ledger.run(
        "DELETE FROM idempotent WHERE rowid IN
             (SELECT rowid FROM idempotent WHERE keep_until_ms < ?1 ORDER BY keep_until_ms LIMIT ?2)",
        params![past.now_ms, MAX_FORGOTTEN],
    )?;
    let ids = ledger.run(
        "DELETE FROM inbound_id WHERE message IN
             (SELECT message FROM inbound_id WHERE keep_until_ms < ?1 ORDER BY keep_until_ms LIMIT ?2)",
        params![past.now_ms, MAX_FORGOTTEN],
    )?;
    let chunks = ledger.run(
        "DELETE FROM chunk WHERE rowid IN
             (SELECT rowid FROM chunk WHERE unnamed_ms IS NOT NULL AND unnamed_ms < ?1
              ORDER BY unnamed_ms LIMIT ?2)",
        params![past.chunks_ms, MAX_CHUNKS],
    )?;
    let acts = ledger.run(
        "DELETE FROM authority_act WHERE seq IN
             (SELECT seq FROM authority_act a WHERE until_ms < ?1
              AND NOT EXISTS (SELECT 1 FROM rests_on r WHERE r.act = a.act) ORDER BY until_ms LIMIT ?2)",
        params![past.records_ms, MAX_FORGOTTEN],
    )?;
    let determinations = ledger.run(
        "DELETE FROM determination WHERE seq IN
             (SELECT seq FROM determination d WHERE until_ms < ?1
              AND NOT EXISTS (SELECT 1 FROM rests_on_determination r WHERE r.act = d.act)
              ORDER BY until_ms LIMIT ?2)",
        params![past.records_ms, MAX_FORGOTTEN],
    )?;
    let records = lapsed(ledger, past.records_ms, past.drafts_ms)?;
    let gone =
        [answers, ids, chunks, acts, determinations, records].into_iter().fold(0, usize::saturating_add);
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}
