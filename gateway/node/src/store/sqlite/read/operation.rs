//! Suspensions, and the history of the policies in force.
//!
//! Not here: who may see them. Invariant: the files of a set are read for the one that is asked for only.

use puente_core::delivery::{ApprovalState, PolicyChangeRow, Proposer, StatementRow, SuspensionRow};
use puente_core::ids::ApprovalId;
use rusqlite::params;

use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::read::question::statements;

/// Suspensions, latest first; those in force before the lifted ones.
pub(in crate::store::sqlite) fn suspensions(
    ledger: Ledger<'_>,
    limit: u32,
) -> Result<Vec<SuspensionRow>, Failure> {
    ledger.all(
        "SELECT target, reason, placed_ms, lifted_ms FROM suspension
         ORDER BY lifted_ms IS NOT NULL, seq DESC LIMIT ?1",
        params![page(limit)],
        |row| {
            let mut columns = Columns::of(row, "suspension");
            Ok(SuspensionRow {
                target: columns.name()?,
                reason: columns.plain()?,
                placed_ms: columns.plain()?,
                lifted_ms: columns.plain()?,
            })
        },
    )
}

macro_rules! select {
    ($files:literal, $rest:literal) => {
        concat!(
            "SELECT change, policy_set, policy, base, preview, agency, officer, person, proposal, summary, ",
            "opened_ms, lapses_ms, state, closed_ms, ",
            $files,
            " FROM policy_change ",
            $rest
        )
    };
}

fn change(row: &rusqlite::Row<'_>) -> Result<PolicyChangeRow, Failure> {
    let mut columns = Columns::of(row, "policy_change");
    let (change, set, policy) = (columns.id(ApprovalId)?, columns.digest()?, columns.digest()?);
    let (base, preview) = (columns.digest()?, columns.digest()?);
    let proposer = match (columns.maybe_name()?, columns.maybe_name()?, columns.maybe_name()?) {
        (Some(agency), Some(officer), Some(person)) => Some(Proposer { agency, officer, person }),
        _ => None,
    };
    Ok(PolicyChangeRow {
        change,
        set,
        policy,
        base,
        preview,
        proposer,
        proposal: columns.plain()?,
        summary: columns.plain()?,
        opened_ms: columns.plain()?,
        lapses_ms: columns.plain()?,
        state: columns.approval_state()?,
        closed_ms: columns.plain()?,
        files: columns.plain::<Option<Vec<u8>>>()?.unwrap_or_default(),
    })
}

/// Proposed sets, latest first, without their files.
pub(in crate::store::sqlite) fn policy_changes(
    ledger: Ledger<'_>,
    limit: u32,
) -> Result<Vec<PolicyChangeRow>, Failure> {
    ledger.all(select!("NULL", "ORDER BY seq DESC LIMIT ?1"), params![page(limit)], change)
}

/// One proposed set with its files, and the statements on it.
pub(in crate::store::sqlite) fn policy_change(
    ledger: Ledger<'_>,
    id: ApprovalId,
) -> Result<Option<(PolicyChangeRow, Vec<StatementRow>)>, Failure> {
    let found = ledger.one(select!("files", "WHERE change = ?1"), params![id.0.as_bytes()], change)?;
    let Some(found) = found else { return Ok(None) };
    let statements = statements(
        ledger,
        "policy_statement",
        "SELECT change, officer, agency, person, verdict, statement, at_ms FROM policy_statement
         WHERE change = ?1 ORDER BY seq LIMIT ?2",
        id,
    )?;
    Ok(Some((found, statements)))
}

/// The set that was put in force last, with its files.
pub(in crate::store::sqlite) fn policy_in_force(
    ledger: Ledger<'_>,
) -> Result<Option<PolicyChangeRow>, Failure> {
    ledger.one(
        select!("files", "WHERE state = ?1 ORDER BY closed_ms DESC, seq DESC LIMIT 1"),
        params![ApprovalState::Granted.as_str()],
        change,
    )
}
