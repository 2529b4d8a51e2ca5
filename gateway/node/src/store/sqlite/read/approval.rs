//! Rows that wait for officers, and what was said on them.
//!
//! Not here: who may see them. A draft that is no longer kept is empty. Invariant: a draft is decrypted only for the one approval asked for.

use puente_core::delivery::{ApprovalRow, StatementRow};
use puente_core::ids::{ApprovalId, CaseId, MessageId, OperationId};
use rusqlite::params;

use crate::store::query::ApprovalFilter;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::read::question::statements;
use crate::store::sqlite::seal::Place;

macro_rules! select {
    ($draft:literal, $where:literal) => {
        concat!(
            "SELECT approval, agency, role, submitter, message_type, peer, operation, list_row, rules, preview, ",
            "case_id, opened_ms, lapses_ms, state, closed_ms, message, ",
            $draft,
            " FROM approval ",
            $where
        )
    };
}

fn row(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<ApprovalRow, Failure> {
    let mut columns = Columns::of(row, "approval");
    let approval = columns.id(ApprovalId)?;
    Ok(ApprovalRow {
        approval,
        agency: columns.name()?,
        role: columns.name()?,
        submitter: columns.maybe_name()?,
        message_type: columns.name()?,
        peer: columns.name()?,
        operation: columns.maybe_id(OperationId)?,
        row: columns.plain()?,
        rules: columns.list()?,
        preview: columns.digest()?,
        case: columns.maybe_id(CaseId)?,
        opened_ms: columns.plain()?,
        lapses_ms: columns.plain()?,
        state: columns.approval_state()?,
        closed_ms: columns.plain()?,
        message: columns.maybe_id(MessageId)?,
        subject: None,
        draft: columns.sealed(ledger.sealer, Place { table: "approval", key: approval.0.as_bytes() })?,
    })
}

/// Approvals in the order they were opened.
pub(in crate::store::sqlite) fn approvals(
    ledger: Ledger<'_>,
    filter: &ApprovalFilter,
    limit: u32,
) -> Result<Vec<ApprovalRow>, Failure> {
    // A text each, so that every choice walks its index.
    let sql = match (filter.case, filter.state) {
        (Some(_), _) => select!(
            "NULL",
            "WHERE case_id = ?5 AND (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR agency = ?2)
             AND seq > COALESCE((SELECT seq FROM approval WHERE approval = ?3), 0) ORDER BY seq LIMIT ?4"
        ),
        (None, Some(_)) => select!(
            "NULL",
            "WHERE state = ?1 AND ?5 IS NULL AND (?2 IS NULL OR agency = ?2)
             AND seq > COALESCE((SELECT seq FROM approval WHERE approval = ?3), 0) ORDER BY seq LIMIT ?4"
        ),
        (None, None) => select!(
            "NULL",
            "WHERE ?1 IS NULL AND ?5 IS NULL AND (?2 IS NULL OR agency = ?2)
             AND seq > COALESCE((SELECT seq FROM approval WHERE approval = ?3), 0) ORDER BY seq LIMIT ?4"
        ),
    };
    let values = params![
        filter.state.map(|state| state.as_str()),
        filter.agency.as_ref().map(|agency| agency.as_str()),
        filter.after.as_ref().map(|approval| approval.0.as_bytes()),
        page(limit),
        filter.case.as_ref().map(|case| case.0.as_bytes()),
    ];
    ledger.all(sql, values, |found| row(ledger, found))
}

/// One approval with its draft, and its statements.
pub(in crate::store::sqlite) fn approval(
    ledger: Ledger<'_>,
    approval: ApprovalId,
) -> Result<Option<(ApprovalRow, Vec<StatementRow>)>, Failure> {
    let found = ledger.one(
        select!("CASE WHEN draft_kept THEN sealed END", "WHERE approval = ?1"),
        params![approval.0.as_bytes()],
        |found| row(ledger, found),
    )?;
    let Some(found) = found else { return Ok(None) };
    let statements = statements(
        ledger,
        "statement",
        "SELECT approval, officer, agency, person, verdict, statement, at_ms FROM statement
         WHERE approval = ?1 ORDER BY seq LIMIT ?2",
        approval,
    )?;
    Ok(Some((found, statements)))
}

/// Open approvals past their lapse.
pub(in crate::store::sqlite) fn approvals_lapsing(
    ledger: Ledger<'_>,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<ApprovalRow>, Failure> {
    ledger.all(
        select!("NULL", "WHERE closed_ms IS NULL AND lapses_ms <= ?1 ORDER BY lapses_ms LIMIT ?2"),
        params![now_ms, page(limit)],
        |found| row(ledger, found),
    )
}
