//! Determinations going in and ending.
//!
//! Not here: who may make them. Invariant: a determination never changes, and ends once.

use puente_core::authority::DeterminationRow;
use puente_core::delivery::SubjectTag;
use puente_core::ids::{ActId, MessageId};
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::read::determination_place;

/// A determination enters.
pub(super) fn determination(ledger: Ledger<'_>, row: &DeterminationRow) -> Result<(), Failure> {
    let statement = row.statement.reveal().as_bytes();
    let sealed = ledger.seal(Some(row.subject), determination_place(&row.act), statement)?;
    let added = ledger.run(
        "INSERT INTO determination (act, subject, fact, holds, role, agency, officer, person, sealed, until_ms, at_ms,
             ended_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING",
        params![
            row.act.0.as_bytes(),
            row.subject.0,
            row.fact.code(),
            row.holds,
            row.role.as_str(),
            row.agency.as_str(),
            row.officer.as_str(),
            row.person.as_str(),
            sealed,
            row.until_ms,
            row.at_ms,
            row.ended_ms,
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// A determination is taken back.
pub(super) fn end(ledger: Ledger<'_>, act: ActId, statement: &str, at_ms: i64) -> Result<(), Failure> {
    let ended = ledger.run(
        "UPDATE determination SET ended_ms = ?2, ending = ?3 WHERE act = ?1 AND ended_ms IS NULL",
        params![act.0.as_bytes(), at_ms, statement],
    )?;
    if ended == 1 { Ok(()) } else { Err(Guard::Final.into()) }
}

/// What was determined about a person whose key goes stands no more: nobody could show it.
pub(super) fn end_of(ledger: Ledger<'_>, subject: SubjectTag, at_ms: i64) -> Result<(), Failure> {
    ledger.run(
        "UPDATE determination SET ended_ms = ?2 WHERE subject = ?1 AND ended_ms IS NULL",
        params![subject.0, at_ms],
    )?;
    Ok(())
}

/// A message rests on these determinations.
pub(super) fn rests_on(ledger: Ledger<'_>, message: MessageId, acts: &[ActId]) -> Result<(), Failure> {
    for act in acts {
        ledger.run(
            "INSERT INTO rests_on_determination (message, act) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![message.0.as_bytes(), act.0.as_bytes()],
        )?;
    }
    Ok(())
}
