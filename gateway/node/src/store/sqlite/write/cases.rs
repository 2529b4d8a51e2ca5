//! What the side of a transfer was told.
//!
//! Not here: its steps, which are messages. INVARIANT: what was told of a state that a further step has changed is not
//! recorded as told.

use puente_core::cases::ToldRow;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::seal::Place;

/// A transfer was looked at.
pub(super) fn told(ledger: Ledger<'_>, row: &ToldRow) -> Result<(), Failure> {
    let told = serde_json::to_vec(&row.told).map_err(|_| Failure::Damaged("transfer"))?;
    let sealed = ledger.seal(None, Place { table: "transfer", key: row.transfer.0.as_bytes() }, &told)?;
    let changed = ledger.run(
        "UPDATE transfer SET revision = revision + 1, look_ms = ?3, clock_ms = ?4, sealed = ?5
         WHERE transfer = ?1 AND revision = ?2",
        params![row.transfer.0.as_bytes(), row.revision, row.look_ms, row.clock_ms, sealed],
    )?;
    if changed == 1 { Ok(()) } else { Err(Guard::Changed.into()) }
}
