//! Suspensions, and sets of policies that are proposed.
//!
//! Not here: who may do it, and what officers say of a proposal (`question`). Invariant: one suspension in force per
//! target.

use puente_core::delivery::{PolicyChangeRow, SuspensionRow};
use puente_core::suspension::Target;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};

/// A suspension begins.
pub(super) fn suspend(ledger: Ledger<'_>, row: &SuspensionRow) -> Result<(), Failure> {
    let added = ledger.run(
        "INSERT INTO suspension (target, reason, placed_ms, lifted_ms) VALUES (?1, ?2, ?3, NULL)
         ON CONFLICT DO NOTHING",
        params![row.target.to_string(), row.reason, row.placed_ms],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// A suspension ends.
pub(super) fn lift(ledger: Ledger<'_>, target: &Target, at_ms: i64) -> Result<(), Failure> {
    let lifted = ledger.run(
        "UPDATE suspension SET lifted_ms = ?2 WHERE target = ?1 AND lifted_ms IS NULL",
        params![target.to_string(), at_ms],
    )?;
    if lifted == 1 { Ok(()) } else { Err(Guard::Absent.into()) }
}

/// A set of policies is proposed, or recorded as that of the first start.
pub(super) fn policy_change(ledger: Ledger<'_>, row: &PolicyChangeRow) -> Result<(), Failure> {
    let proposer = row.proposer.as_ref();
    let added = ledger.run(
        "INSERT INTO policy_change (change, policy_set, policy, base, preview, agency, officer, person, proposal,
             summary, files, opened_ms, lapses_ms, state, closed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT DO NOTHING",
        params![
            row.change.0.as_bytes(),
            row.set.0,
            row.policy.0,
            row.base.0,
            row.preview.0,
            proposer.map(|proposer| proposer.agency.as_str()),
            proposer.map(|proposer| proposer.officer.as_str()),
            proposer.map(|proposer| proposer.person.as_str()),
            row.proposal,
            row.summary,
            row.files,
            row.opened_ms,
            row.lapses_ms,
            row.state.as_str(),
            row.closed_ms,
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}
