//! Holds and stopped rows: placed once, changed only by who has seen their last state.
//!
//! Not here: what their records say. INVARIANT: a change whose revision is not the stored one plus one changes nothing.

use puente_core::protection::{HoldRow, Reviewed, SenderSide, StopKind, StopRow};
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::seal::Place;

/// A hold is placed.
pub(super) fn place(ledger: Ledger<'_>, row: &HoldRow) -> Result<(), Failure> {
    let sealed = ledger.seal(None, Place { table: "hold", key: row.hold.0.as_bytes() }, &row.record)?;
    let added = ledger.run(
        "INSERT INTO hold (hold, revision, placed_ms, ended_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
        params![row.hold.0.as_bytes(), row.revision, row.placed_ms, row.ended_ms, sealed],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// A hold changes.
pub(super) fn change_hold(ledger: Ledger<'_>, row: &HoldRow) -> Result<(), Failure> {
    let sealed = ledger.seal(None, Place { table: "hold", key: row.hold.0.as_bytes() }, &row.record)?;
    let changed = ledger.run(
        "UPDATE hold SET revision = ?2, ended_ms = ?3, sealed = ?4 WHERE hold = ?1 AND revision = ?2 - 1",
        params![row.hold.0.as_bytes(), row.revision, row.ended_ms, sealed],
    )?;
    if changed == 1 { Ok(()) } else { Err(Guard::Changed.into()) }
}

/// A row is stopped.
pub(super) fn stop(ledger: Ledger<'_>, row: &StopRow) -> Result<(), Failure> {
    let (sealed, record) = sealed(ledger, row)?;
    let place = Place { table: "stop.draft", key: row.stop.stop.0.as_bytes() };
    let draft =
        row.draft.as_ref().map(|draft| ledger.seal(draft.subject, place, &draft.bytes)).transpose()?;
    let added = ledger.run(
        "INSERT INTO stop (stop, revision, agency, authority, unanswered, unreviewed, alarm_ms, sealed, record,
             opened_ms, draft)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        params![
            row.stop.stop.0.as_bytes(),
            row.revision,
            row.stop.agency.as_str(),
            row.stop.authority.agency.as_str(),
            unanswered(row),
            unreviewed(row),
            row.stop.alarm_at(),
            sealed,
            record,
            row.stop.opened_ms,
            draft,
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// A stopped row changes; its draft stays as it is.
pub(super) fn change_stop(ledger: Ledger<'_>, row: &StopRow) -> Result<(), Failure> {
    let (sealed, record) = sealed(ledger, row)?;
    let changed = ledger.run(
        "UPDATE stop SET revision = ?2, unanswered = ?3, unreviewed = ?4, alarm_ms = ?5, sealed = ?6, record = ?7
         WHERE stop = ?1 AND revision = ?2 - 1",
        params![
            row.stop.stop.0.as_bytes(),
            row.revision,
            unanswered(row),
            unreviewed(row),
            row.stop.alarm_at(),
            sealed,
            record,
        ],
    )?;
    if changed == 1 { Ok(()) } else { Err(Guard::Changed.into()) }
}

fn sealed(ledger: Ledger<'_>, row: &StopRow) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let key = row.stop.stop.0.as_bytes();
    let stop = serde_json::to_vec(&row.stop).map_err(|_| Failure::Damaged("stop"))?;
    let sealed = ledger.seal(None, Place { table: "stop", key }, &stop)?;
    Ok((sealed, ledger.seal(None, Place { table: "stop.record", key }, &row.record)?))
}

fn unanswered(row: &StopRow) -> bool {
    row.stop.sender == SenderSide::Silent
}

fn unreviewed(row: &StopRow) -> bool {
    row.stop.kind != StopKind::Probed && row.stop.reviewed == Reviewed::Silent
}
