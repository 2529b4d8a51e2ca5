//! Retention by the clock: the agency is told before the end, then the content goes, bounded per turn.
//!
//! Not here: how long (`puente_core::delivery::Keeping`). INVARIANT: each side enforces it on its own store by the
//! clock of its own node; nobody has to ask for it, and a legal hold alone puts it off.

use puente_core::delivery::{MessageRow, RetentionStep, Write};
use puente_core::problem::Problem;

use crate::node::{Node, store_problem};
use crate::store::StoreError;
use crate::subjects::erase::{AT_ONCE, erased, told};
use crate::telemetry::ErasureCause;

/// What an agency is told before the end.
const ERASURE_NEAR: &str = "erasure_near";

/// One turn; answers how many messages were looked at. Less than a full turn is the end of what is due.
///
/// # Errors
/// The store's problem; the next turn tries again.
pub async fn keep_retention(node: &Node) -> Result<usize, Problem> {
    let now_ms = node.clock.now_ms();
    let due = node.store.retention_due(now_ms, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    if due.is_empty() {
        return Ok(0);
    }
    let looked_at = due.len();
    let (over, near): (Vec<_>, Vec<_>) = due.into_iter().partition(|(step, _)| *step == RetentionStep::Erase);
    let over: Vec<MessageRow> = over.into_iter().map(|(_, row)| row).collect();
    let mut writes = erased(node, &over)?;
    for (_, row) in &near {
        writes.push(Write::RetentionAnnounced { message: row.message });
        writes.push(Write::Event(told(row, ERASURE_NEAR, now_ms)));
    }
    match node.commit(writes).await {
        Ok(_durable) => node.metrics.erased(ErasureCause::Retention, over.len()),
        // One of them was erased meanwhile: the next turn finds the others.
        Err(StoreError::Conflict { .. }) => {}
        Err(error) => return Err(store_problem(&error)),
    }
    Ok(looked_at)
}
