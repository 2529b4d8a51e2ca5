//! The return operations that people are coming with, by what came in of each.
//!
//! Not here: the messages of one operation (`message`). INVARIANT: an operation counts for an agency only by messages that
//! are its own to see.

use std::collections::BTreeMap;

use puente_core::ids::{MessageId, OperationId};
use rusqlite::params;

use crate::store::query::{Coming, ComingFilter};
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};

/// Operations, the one with the latest news first.
pub(in crate::store::sqlite) fn coming(
    ledger: Ledger<'_>,
    filter: &ComingFilter,
    limit: u32,
) -> Result<Vec<Coming>, Failure> {
    let mut found: BTreeMap<OperationId, Coming> = BTreeMap::new();
    for role in &filter.roles {
        // UUIDs of version 7 sort by their time, so the greatest is the latest.
        let rows = ledger.all(
            "SELECT operation, peer, MIN(created_ms), MAX(created_ms), SUM(message_type = 'return.manifest'),
                    MAX(CASE WHEN message_type = 'return.notice' THEN message END),
                    MAX(CASE WHEN message_type = 'return.manifest' THEN message END)
             FROM message
             WHERE operation IS NOT NULL AND direction = 1 AND created_ms >= ?1 AND state = 'accepted'
               AND role = ?2 AND (agency IS NULL OR agency = ?3)
             GROUP BY operation, peer ORDER BY MAX(created_ms) DESC LIMIT ?4",
            params![filter.since_ms, role.as_str(), filter.agency.as_str(), page(limit)],
            |row| {
                let mut columns = Columns::of(row, "message");
                Ok(Coming {
                    operation: columns.id(OperationId)?,
                    peer: columns.name()?,
                    first_ms: columns.plain()?,
                    last_ms: columns.plain()?,
                    rows: columns.plain()?,
                    notice: columns.maybe_id(MessageId)?,
                    row: columns.maybe_id(MessageId)?,
                })
            },
        )?;
        for row in rows {
            found.entry(row.operation).and_modify(|known| known.join(&row)).or_insert(row);
        }
    }
    let mut operations: Vec<_> = found.into_values().collect();
    operations.sort_by_key(|coming| std::cmp::Reverse(coming.last_ms));
    operations.truncate(usize::try_from(page(limit)).unwrap_or(usize::MAX));
    Ok(operations)
}
