//! Consents and their events going in.
//!
//! Not here: who may add them. Invariant: a consent never changes, and its events have no hole.

use puente_core::delivery::{ConsentEventRow, ConsentRow};
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::read::{consent_event_key, consent_event_place, consent_place};

/// A record enters.
pub(super) fn record(ledger: Ledger<'_>, row: &ConsentRow) -> Result<(), Failure> {
    let sealed = ledger.seal(row.subject, consent_place(&row.consent), &row.record)?;
    let added = ledger.run(
        "INSERT INTO consent (consent, agency, digest, sealed, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
        params![row.consent.0.as_bytes(), row.agency.as_str(), row.digest.0, sealed, row.at_ms],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// An event follows the one before it.
pub(super) fn event(ledger: Ledger<'_>, row: &ConsentEventRow) -> Result<(), Failure> {
    let next = ledger.one(
        "SELECT (SELECT COUNT(*) FROM consent_event e WHERE e.consent = c.consent) + 1 FROM consent c
         WHERE c.consent = ?1",
        params![row.consent.0.as_bytes()],
        |found| Ok(found.get::<_, u32>(0)?),
    )?;
    match next {
        None => return Err(Guard::Absent.into()),
        Some(next) if next > row.number => return Err(Guard::Taken.into()),
        Some(next) if next < row.number => return Err(Guard::Absent.into()),
        Some(_) => {}
    }
    let key = consent_event_key(&row.consent, row.number);
    let sealed = ledger.seal(row.subject, consent_event_place(&key), &row.event)?;
    ledger.run(
        "INSERT INTO consent_event (consent, number, digest, sealed, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![row.consent.0.as_bytes(), row.number, row.digest.0, sealed, row.at_ms],
    )?;
    Ok(())
}
