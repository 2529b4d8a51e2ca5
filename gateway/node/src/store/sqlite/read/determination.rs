//! Determinations, by person, message, authority or id.
//!
//! Not here: which of them stand (core). Invariant: every read walks an index and is bounded; of an erased person the
//! statement is empty.

use puente_core::authority::DeterminationRow;
use puente_core::delivery::SubjectTag;
use puente_core::ids::ActId;
use puente_core::personal::Personal;
use puente_core::policy::Flag;
use rusqlite::{Row, params};

use crate::store::query::DeterminationFilter;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

/// Where a statement is sealed.
pub(in crate::store::sqlite) fn determination_place(act: &ActId) -> Place<'_> {
    Place { table: "determination", key: act.0.as_bytes() }
}

macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT act, subject, fact, holds, role, agency, officer, person, sealed, until_ms, at_ms, ended_ms ",
            "FROM determination ",
            $where
        )
    };
}

/// Determinations in the order they came.
pub(in crate::store::sqlite) fn determinations(
    ledger: Ledger<'_>,
    filter: &DeterminationFilter,
    limit: u32,
) -> Result<Vec<DeterminationRow>, Failure> {
    let read = |row: &Row<'_>| determination(ledger, row);
    match filter {
        DeterminationFilter::About(subject) => ledger.all(
            select!("WHERE subject = ?1 ORDER BY seq LIMIT ?2"),
            params![subject.0, page(limit)],
            read,
        ),
        // With those that came since about the same: one that says no outweighs them.
        DeterminationFilter::Under(message) => ledger.all(
            select!(
                "WHERE (subject, fact) IN (SELECT d.subject, d.fact FROM rests_on_determination r
                     JOIN determination d ON d.act = r.act WHERE r.message = ?1)
                 ORDER BY seq LIMIT ?2"
            ),
            params![message.0.as_bytes(), page(limit)],
            read,
        ),
        DeterminationFilter::Of { agency, after } => ledger.all(
            select!(
                "WHERE agency = ?1 AND seq > COALESCE((SELECT seq FROM determination WHERE act = ?2), 0)
                 ORDER BY seq LIMIT ?3"
            ),
            params![agency.as_str(), after.as_ref().map(|act| act.0.as_bytes()), page(limit)],
            read,
        ),
        DeterminationFilter::One(act) => {
            ledger.all(select!("WHERE act = ?1 LIMIT ?2"), params![act.0.as_bytes(), page(limit)], read)
        }
    }
}

fn determination(ledger: Ledger<'_>, row: &Row<'_>) -> Result<DeterminationRow, Failure> {
    let damaged = || Failure::Damaged("determination");
    let mut columns = Columns::of(row, "determination");
    let act = columns.id(ActId)?;
    let subject = SubjectTag(columns.plain()?);
    let code: String = columns.plain()?;
    let fact = Flag::ALL.iter().find(|fact| fact.code() == code).copied().ok_or_else(damaged)?;
    let holds = columns.plain()?;
    let role = columns.name()?;
    let (agency, officer, person) = (columns.name()?, columns.name()?, columns.name()?);
    let statement = match columns.sealed(ledger.sealer, determination_place(&act)) {
        Err(Failure::Erased) => Vec::new(),
        read => read?,
    };
    Ok(DeterminationRow {
        act,
        subject,
        fact,
        holds,
        role,
        agency,
        officer,
        person,
        statement: Personal::new(String::from_utf8(statement).map_err(|_| damaged())?),
        until_ms: columns.plain()?,
        at_ms: columns.plain()?,
        ended_ms: columns.plain()?,
    })
}
