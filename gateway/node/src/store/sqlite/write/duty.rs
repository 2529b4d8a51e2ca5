//! Clocks of alerts and calls: opened once, changed only by who has seen their last state.

use puente_core::duty::{Summons, SummonsState, WatchRow};
use puente_core::ids::MessageId;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::seal::Place;

fn written(ledger: Ledger<'_>, row: &WatchRow) -> Result<(String, Vec<u8>), Failure> {
    let record = serde_json::to_string(&row.watch).map_err(|_| Failure::Damaged("watch"))?;
    let statements = serde_json::to_vec(&row.statements).map_err(|_| Failure::Damaged("watch"))?;
    let place = Place { table: "watch", key: row.watch.message.0.as_bytes() };
    Ok((record, ledger.seal(None, place, &statements)?))
}

/// A clock begins.
pub(super) fn watch(ledger: Ledger<'_>, row: &WatchRow) -> Result<(), Failure> {
    let (record, statements) = written(ledger, row)?;
    let watch = &row.watch;
    let added = ledger.run(
        "INSERT INTO watch (message, revision, agency, role, settled, answer_ms, next_ms, record, statements)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        params![
            watch.message.0.as_bytes(),
            row.revision,
            watch.agency.as_ref().map(|agency| agency.as_str()),
            watch.role.as_str(),
            watch.is_settled(),
            watch.answer_by_ms(),
            watch.next_ms(),
            record,
            statements,
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// A clock moves on.
pub(super) fn change_watch(ledger: Ledger<'_>, row: &WatchRow) -> Result<(), Failure> {
    let (record, statements) = written(ledger, row)?;
    let watch = &row.watch;
    let changed = ledger.run(
        "UPDATE watch SET revision = ?2, settled = ?3, next_ms = ?4, record = ?5, statements = ?6
         WHERE message = ?1 AND revision = ?2 - 1",
        params![
            watch.message.0.as_bytes(),
            row.revision,
            watch.is_settled(),
            watch.next_ms(),
            record,
            statements
        ],
    )?;
    if changed == 1 { Ok(()) } else { Err(Guard::Changed.into()) }
}

/// What a clock waits for was decided; whoever read it before has to read it again.
pub(super) fn look(ledger: Ledger<'_>, message: MessageId, at_ms: i64) -> Result<(), Failure> {
    ledger.run(
        "UPDATE watch SET revision = revision + 1, next_ms = ?2 WHERE message = ?1 AND settled = 0",
        params![message.0.as_bytes(), at_ms],
    )?;
    Ok(())
}

fn sealed(ledger: Ledger<'_>, row: &Summons) -> Result<Vec<u8>, Failure> {
    let plain = serde_json::to_vec(row).map_err(|_| Failure::Damaged("summons"))?;
    ledger.seal(None, Place { table: "summons", key: row.summons.0.as_bytes() }, &plain)
}

/// Somebody is to be called.
pub(super) fn summons(ledger: Ledger<'_>, row: &Summons) -> Result<(), Failure> {
    let added = ledger.run(
        "INSERT INTO summons (summons, message, due_ms, sealed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        params![row.summons.0.as_bytes(), row.message.0.as_bytes(), row.due_ms, sealed(ledger, row)?],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// A call was tried.
pub(super) fn change_summons(ledger: Ledger<'_>, row: &Summons) -> Result<(), Failure> {
    debug_assert!((row.state == SummonsState::Waits) == row.due_ms.is_some());
    let changed = ledger.run(
        "UPDATE summons SET due_ms = ?2, sealed = ?3 WHERE summons = ?1 AND due_ms IS NOT NULL",
        params![row.summons.0.as_bytes(), row.due_ms, sealed(ledger, row)?],
    )?;
    if changed == 1 { Ok(()) } else { Err(Guard::Changed.into()) }
}
