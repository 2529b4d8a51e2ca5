//! What officers said of what they were asked: held rows and proposed policies alike.

use puente_core::delivery::StatementRow;
use puente_core::ids::ApprovalId;
use rusqlite::params;

use crate::store::query::MAX_PAGE;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger};

/// The statements on one question, in their order; `sql` reads them from `table` by the id, up to a limit.
pub(super) fn statements(
    ledger: Ledger<'_>,
    table: &'static str,
    sql: &'static str,
    id: ApprovalId,
) -> Result<Vec<StatementRow>, Failure> {
    ledger.all(sql, params![id.0.as_bytes(), MAX_PAGE], |row| {
        let mut columns = Columns::of(row, table);
        Ok(StatementRow {
            approval: columns.id(ApprovalId)?,
            officer: columns.name()?,
            agency: columns.name()?,
            person: columns.name()?,
            verdict: columns.plain()?,
            statement: columns.plain()?,
            at_ms: columns.plain()?,
        })
    })
}
