//! One consent with its events.
//!
//! Not here: what they say (core). Invariant: events come in their order, all of them.

use puente_core::delivery::{ConsentEventRow, ConsentRow};
use puente_core::ids::ConsentId;
use rusqlite::params;

use crate::store::query::MAX_PAGE;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::seal::Place;

/// Where a record is sealed.
pub(in crate::store::sqlite) fn consent_place(consent: &ConsentId) -> Place<'_> {
    Place { table: "consent", key: consent.0.as_bytes() }
}

/// The key of an event's place: consent and number.
pub(in crate::store::sqlite) fn consent_event_key(consent: &ConsentId, number: u32) -> Vec<u8> {
    [consent.0.as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

/// Where an event is sealed.
pub(in crate::store::sqlite) fn consent_event_place(key: &[u8]) -> Place<'_> {
    Place { table: "consent_event", key }
}

/// A record and what happened to it.
pub(in crate::store::sqlite) fn consent(
    ledger: Ledger<'_>,
    id: ConsentId,
) -> Result<Option<(ConsentRow, Vec<ConsentEventRow>)>, Failure> {
    let record = ledger.one(
        "SELECT agency, digest, sealed, at_ms FROM consent WHERE consent = ?1",
        params![id.0.as_bytes()],
        |row| {
            let mut columns = Columns::of(row, "consent");
            Ok(ConsentRow {
                consent: id,
                agency: columns.name()?,
                digest: columns.digest()?,
                subject: None,
                record: columns.sealed(ledger.sealer, consent_place(&id))?,
                at_ms: columns.plain()?,
            })
        },
    )?;
    let Some(record) = record else { return Ok(None) };
    let events = ledger.all(
        "SELECT number, digest, sealed, at_ms FROM consent_event WHERE consent = ?1 ORDER BY number LIMIT ?2",
        params![id.0.as_bytes(), MAX_PAGE],
        |row| {
            let mut columns = Columns::of(row, "consent_event");
            let number = columns.plain()?;
            Ok(ConsentEventRow {
                consent: id,
                number,
                digest: columns.digest()?,
                subject: None,
                event: columns.sealed(ledger.sealer, consent_event_place(&consent_event_key(&id, number)))?,
                at_ms: columns.plain()?,
            })
        },
    )?;
    Ok(Some((record, events)))
}
