//! The holds of the store put in force when a node starts.
//!
//! INVARIANT: a hold that does not read back keeps the node from starting; forgetting one silently could kill.

use puente_core::protection::HoldRow;

use crate::node::Node;
use crate::protection::record::HoldRecord;
use crate::store::{MAX_PAGE, StoreError};

/// Why the holds could not be put in force.
#[derive(Debug, thiserror::Error)]
pub enum HoldsError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record is not of its form.
    #[error("a hold's record is not of its form")]
    Form,
}

/// Puts every standing hold in force.
///
/// # Errors
/// When one cannot be read.
pub async fn load(node: &Node) -> Result<(), HoldsError> {
    let mut after = None;
    loop {
        let page = node.store.holds(after, MAX_PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.hold);
        for row in &page {
            place(node, row)?;
        }
    }
}

fn place(node: &Node, row: &HoldRow) -> Result<(), HoldsError> {
    let record: HoldRecord = serde_json::from_slice(&row.record).map_err(|_| HoldsError::Form)?;
    let act = record.states().ok_or(HoldsError::Form)?;
    node.holds.place(row.hold, record.authority, act.says);
    for clearance in record.cleared {
        node.holds.clear(row.hold, clearance);
    }
    Ok(())
}
