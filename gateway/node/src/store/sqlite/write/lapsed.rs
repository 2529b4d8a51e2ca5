//! Records go after their years, and drafts after their days: what was only kept for a time.
//!
//! Not here: content of messages (`erase`). INVARIANT: a message whose content is still kept, or that waits to be
//! sent, keeps its records; leaves stay, for the log is whole for ever.

use rusqlite::params;

use crate::store::sqlite::ledger::{Failure, Ledger};

/// Rows of each kind that one call looks at: the oldest, in the order in which they came, so that nothing is searched.
const OLDEST: u32 = 500;

/// One kind of record; `?1` is the instant before which it goes, `?2` how many are looked at.
const RECORDS: [&str; 12] = [
    "DELETE FROM receipt WHERE at_ms < ?1 AND key IN (SELECT key FROM receipt ORDER BY key LIMIT ?2)",
    "DELETE FROM decision WHERE at_ms < ?1 AND seq IN (SELECT seq FROM decision ORDER BY seq LIMIT ?2)",
    "DELETE FROM event WHERE at_ms < ?1 AND seq IN (SELECT seq FROM event ORDER BY seq LIMIT ?2)",
    "DELETE FROM statement WHERE at_ms < ?1 AND seq IN (SELECT seq FROM statement ORDER BY seq LIMIT ?2)",
    "DELETE FROM approval WHERE closed_ms < ?1 AND seq IN (SELECT seq FROM approval ORDER BY seq LIMIT ?2)
     AND NOT EXISTS (SELECT 1 FROM statement s WHERE s.approval = approval.approval)",
    "DELETE FROM stop WHERE opened_ms < ?1 AND unanswered = 0 AND unreviewed = 0
     AND seq IN (SELECT seq FROM stop ORDER BY seq LIMIT ?2)",
    "DELETE FROM hold WHERE ended_ms < ?1 AND seq IN (SELECT seq FROM hold ORDER BY seq LIMIT ?2)",
    "DELETE FROM watch WHERE answer_ms < ?1 AND settled = 1 AND seq IN (SELECT seq FROM watch ORDER BY seq LIMIT ?2)",
    "DELETE FROM summons WHERE due_ms IS NULL AND seq IN (SELECT seq FROM summons ORDER BY seq LIMIT ?2)
     AND ?1 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM watch w WHERE w.message = summons.message)",
    "DELETE FROM notice WHERE closed_ms < ?1 AND seq IN (SELECT seq FROM notice ORDER BY seq LIMIT ?2)",
    "DELETE FROM withdrawal WHERE at_ms < ?1 AND rowid IN (SELECT rowid FROM withdrawal ORDER BY rowid LIMIT ?2)",
    "DELETE FROM message WHERE created_ms < ?1 AND keep_until_ms IS NULL
     AND state <> 'queued' AND state <> 'unconfirmed'
     AND seq IN (SELECT seq FROM message ORDER BY seq LIMIT ?2)",
];

/// Drops records older than `records_ms` and the drafts of approvals closed, and of settled stops opened,
/// before `drafts_ms`; answers how many.
pub(super) fn lapsed(ledger: Ledger<'_>, records_ms: i64, drafts_ms: i64) -> Result<usize, Failure> {
    let mut gone = ledger.run(
        "UPDATE approval SET sealed = x'', draft_kept = 0 WHERE seq IN
             (SELECT seq FROM approval WHERE closed_ms IS NOT NULL AND draft_kept = 1 AND closed_ms < ?1
              ORDER BY closed_ms LIMIT ?2)",
        params![drafts_ms, OLDEST],
    )?;
    gone = gone.saturating_add(ledger.run(
        "UPDATE stop SET draft = NULL WHERE seq IN
             (SELECT seq FROM stop WHERE draft IS NOT NULL AND unanswered = 0 AND unreviewed = 0 AND opened_ms < ?1
              ORDER BY opened_ms LIMIT ?2)",
        params![drafts_ms, OLDEST],
    )?);
    for record in RECORDS {
        gone = gone.saturating_add(ledger.run(record, params![records_ms, OLDEST])?);
    }
    Ok(gone)
}
