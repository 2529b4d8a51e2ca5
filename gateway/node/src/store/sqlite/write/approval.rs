//! Rows that begin to wait for officers, and the guard of a word on one.
//!
//! Not here: the word itself and how the waiting ends (`question`).

use puente_core::delivery::ApprovalRow;
use puente_core::ids::ApprovalId;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::column;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::seal::Place;

/// A row begins to wait.
pub(super) fn open(ledger: Ledger<'_>, row: &ApprovalRow) -> Result<(), Failure> {
    let place = Place { table: "approval", key: row.approval.0.as_bytes() };
    let draft = ledger.seal(row.subject, place, &row.draft)?;
    let added = ledger.run(
        "INSERT INTO approval (approval, agency, role, submitter, message_type, peer, operation, list_row, rules,
             preview, opened_ms, lapses_ms, state, closed_ms, message, sealed, case_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         ON CONFLICT DO NOTHING",
        params![
            row.approval.0.as_bytes(),
            row.agency.as_str(),
            row.role.as_str(),
            row.submitter.as_ref().map(|person| person.as_str()),
            row.message_type.as_str(),
            row.peer.as_str(),
            row.operation.as_ref().map(|operation| operation.0.as_bytes()),
            row.row,
            column::list(&row.rules)?,
            row.preview.0,
            row.opened_ms,
            row.lapses_ms,
            row.state.as_str(),
            row.closed_ms,
            row.message.as_ref().map(|message| message.0.as_bytes()),
            draft,
            row.case.as_ref().map(|case| case.0.as_bytes()),
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// Nobody has spoken since the writer looked: two first grants at once must not both count as the first.
pub(super) fn statements_seen(ledger: Ledger<'_>, approval: ApprovalId, count: u32) -> Result<(), Failure> {
    let recorded = ledger.one(
        "SELECT COUNT(*) FROM statement WHERE approval = ?1",
        params![approval.0.as_bytes()],
        |row| Ok(row.get::<_, u32>(0)?),
    )?;
    if recorded == Some(count) { Ok(()) } else { Err(Guard::Overtaken.into()) }
}
