//! Holds and stopped rows read back.
//!
//! Not here: who may see them. INVARIANT: a listing leaves the records sealed; one record is opened for the one asked for.

use puente_core::ids::{HoldId, StopId};
use puente_core::protection::{HoldRow, Stop, StopDraft, StopRow};
use rusqlite::params;

use crate::store::query::StopFilter;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

fn hold_row(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<HoldRow, Failure> {
    let mut columns = Columns::of(row, "hold");
    let hold = columns.id(HoldId)?;
    Ok(HoldRow {
        hold,
        revision: columns.plain()?,
        placed_ms: columns.plain()?,
        ended_ms: columns.plain()?,
        record: columns.sealed(ledger.sealer, Place { table: "hold", key: hold.0.as_bytes() })?,
    })
}

/// One hold.
pub(in crate::store::sqlite) fn hold(ledger: Ledger<'_>, hold: HoldId) -> Result<Option<HoldRow>, Failure> {
    ledger.one(
        "SELECT hold, revision, placed_ms, ended_ms, sealed FROM hold WHERE hold = ?1",
        params![hold.0.as_bytes()],
        |row| hold_row(ledger, row),
    )
}

/// Standing holds in the order they were placed.
pub(in crate::store::sqlite) fn holds(
    ledger: Ledger<'_>,
    after: Option<HoldId>,
    limit: u32,
) -> Result<Vec<HoldRow>, Failure> {
    ledger.all(
        "SELECT hold, revision, placed_ms, ended_ms, sealed FROM hold
         WHERE ended_ms IS NULL AND seq > COALESCE((SELECT seq FROM hold WHERE hold = ?1), 0) ORDER BY seq LIMIT ?2",
        params![after.as_ref().map(|hold| hold.0.as_bytes()), page(limit)],
        |row| hold_row(ledger, row),
    )
}

fn stop_row(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<StopRow, Failure> {
    let mut columns = Columns::of(row, "stop");
    let (id, revision) = (columns.id(StopId)?, columns.plain()?);
    let key = id.0.as_bytes();
    let stop = columns.sealed(ledger.sealer, Place { table: "stop", key })?;
    let stop: Stop = serde_json::from_slice(&stop).map_err(|_| Failure::Damaged("stop"))?;
    let record = columns.sealed(ledger.sealer, Place { table: "stop.record", key })?;
    let draft = match columns.sealed(ledger.sealer, Place { table: "stop.draft", key }) {
        Err(Failure::Erased) => Vec::new(),
        read => read?,
    };
    let draft = (!draft.is_empty()).then_some(StopDraft { subject: None, bytes: draft });
    Ok(StopRow { stop, revision, record, draft })
}

/// One stopped row with its record.
pub(in crate::store::sqlite) fn stop(ledger: Ledger<'_>, stop: StopId) -> Result<Option<StopRow>, Failure> {
    ledger.one(
        "SELECT stop, revision, sealed, record, draft FROM stop WHERE stop = ?1",
        params![stop.0.as_bytes()],
        |row| stop_row(ledger, row),
    )
}

/// Stopped rows of one side in the order they were stopped, without records.
pub(in crate::store::sqlite) fn stops(
    ledger: Ledger<'_>,
    filter: &StopFilter,
    limit: u32,
) -> Result<Vec<StopRow>, Failure> {
    let (agency, after, sql) = match filter {
        StopFilter::Unanswered { agency, after } => (
            agency,
            after,
            "SELECT stop, revision, sealed, NULL, NULL FROM stop WHERE unanswered = 1 AND agency = ?1
             AND seq > COALESCE((SELECT seq FROM stop WHERE stop = ?2), 0) ORDER BY seq LIMIT ?3",
        ),
        StopFilter::Unreviewed { authority, after } => (
            authority,
            after,
            "SELECT stop, revision, sealed, NULL, NULL FROM stop WHERE unreviewed = 1 AND authority = ?1
             AND seq > COALESCE((SELECT seq FROM stop WHERE stop = ?2), 0) ORDER BY seq LIMIT ?3",
        ),
        StopFilter::Referred { authority, after } => (
            authority,
            after,
            "SELECT stop, revision, sealed, NULL, NULL FROM stop WHERE authority = ?1
             AND seq > COALESCE((SELECT seq FROM stop WHERE stop = ?2), 0) ORDER BY seq LIMIT ?3",
        ),
    };
    let after = after.as_ref().map(|stop| stop.0.as_bytes());
    ledger.all(sql, params![agency.as_str(), after, page(limit)], |row| stop_row(ledger, row))
}

/// Stopped rows whose next alarm is due, longest first, with records and without drafts.
pub(in crate::store::sqlite) fn stops_alarming(
    ledger: Ledger<'_>,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<StopRow>, Failure> {
    ledger.all(
        "SELECT stop, revision, sealed, record, NULL FROM stop
         WHERE alarm_ms IS NOT NULL AND alarm_ms <= ?1 ORDER BY alarm_ms LIMIT ?2",
        params![now_ms, page(limit)],
        |row| stop_row(ledger, row),
    )
}
