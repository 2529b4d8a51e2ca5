//! Clocks of alerts and calls read back.
//!
//! Not here: who may see them. INVARIANT: a listing leaves what officers signed sealed.

use puente_core::duty::{Summons, Watch, WatchRow};
use puente_core::ids::{MessageId, SummonsId};
use rusqlite::params;

use crate::store::query::WatchFilter;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

fn watch_row(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<WatchRow, Failure> {
    let mut columns = Columns::of(row, "watch");
    let (message, revision): (MessageId, i64) = (columns.id(MessageId)?, columns.plain()?);
    let record: String = columns.plain()?;
    let watch: Watch = serde_json::from_str(&record).map_err(|_| Failure::Damaged("watch"))?;
    let statements = columns.sealed(ledger.sealer, Place { table: "watch", key: message.0.as_bytes() })?;
    let statements = if statements.is_empty() {
        Vec::new()
    } else {
        serde_json::from_slice(&statements).map_err(|_| Failure::Damaged("watch"))?
    };
    Ok(WatchRow { watch, revision, statements })
}

/// The clock of one alert with what was signed.
pub(in crate::store::sqlite) fn watch(
    ledger: Ledger<'_>,
    message: MessageId,
) -> Result<Option<WatchRow>, Failure> {
    ledger.one(
        "SELECT message, revision, record, statements FROM watch WHERE message = ?1",
        params![message.0.as_bytes()],
        |row| watch_row(ledger, row),
    )
}

/// Clocks that somebody of an agency still has to stop, the most urgent first, without what was signed.
pub(in crate::store::sqlite) fn watches(
    ledger: Ledger<'_>,
    filter: &WatchFilter,
    limit: u32,
) -> Result<Vec<WatchRow>, Failure> {
    let mut found = Vec::new();
    for role in &filter.roles {
        found.extend(ledger.all(
            "SELECT message, revision, record, NULL FROM watch
             WHERE settled = 0 AND role = ?1 AND (agency IS NULL OR agency = ?2) ORDER BY answer_ms, seq LIMIT ?3",
            params![role.as_str(), filter.agency.as_str(), page(limit)],
            |row| watch_row(ledger, row),
        )?);
    }
    found.sort_by_key(|row| row.watch.answer_by_ms());
    found.truncate(usize::try_from(page(limit)).unwrap_or(usize::MAX));
    Ok(found)
}

/// Clocks at which something is due, longest first.
pub(in crate::store::sqlite) fn watches_due(
    ledger: Ledger<'_>,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<WatchRow>, Failure> {
    ledger.all(
        "SELECT message, revision, record, statements FROM watch
         WHERE next_ms IS NOT NULL AND next_ms <= ?1 ORDER BY next_ms LIMIT ?2",
        params![now_ms, page(limit)],
        |row| watch_row(ledger, row),
    )
}

fn summons_row(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<Summons, Failure> {
    let mut columns = Columns::of(row, "summons");
    let summons: SummonsId = columns.id(SummonsId)?;
    let plain = columns.sealed(ledger.sealer, Place { table: "summons", key: summons.0.as_bytes() })?;
    serde_json::from_slice(&plain).map_err(|_| Failure::Damaged("summons"))
}

/// Everybody called over one alert, in the order they were called.
pub(in crate::store::sqlite) fn summonses(
    ledger: Ledger<'_>,
    message: MessageId,
    limit: u32,
) -> Result<Vec<Summons>, Failure> {
    ledger.all(
        "SELECT summons, sealed FROM summons WHERE message = ?1 ORDER BY seq LIMIT ?2",
        params![message.0.as_bytes(), page(limit)],
        |row| summons_row(ledger, row),
    )
}

/// Calls that are to be tried, longest due first.
pub(in crate::store::sqlite) fn summonses_due(
    ledger: Ledger<'_>,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Summons>, Failure> {
    ledger.all(
        "SELECT summons, sealed FROM summons WHERE due_ms IS NOT NULL AND due_ms <= ?1 ORDER BY due_ms, seq LIMIT ?2",
        params![now_ms, page(limit)],
        |row| summons_row(ledger, row),
    )
}
