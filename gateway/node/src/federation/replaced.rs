//! A message in whose place another has come: its recipient had lost the key, and its originator sent it again.
//!
//! Not here: sending again (`domestic`). INVARIANT: a message is marked as replaced only by its own sender's country, and only
//! once this country's officer has said that its key is lost.

use puente_core::delivery::{Direction, MessageRow, Write};
use puente_core::envelope::VerifiedOuter;
use puente_core::evidence::ReceiptState;
use puente_core::problem::Problem;

use crate::node::{Node, store_problem};
use crate::receipts::{self, Travel, is_lost};

/// The mark, as a receipt of the former message; nothing when an accepted message replaces none that is lost here.
///
/// # Errors
/// The store's problem, or that of the receipt key.
pub async fn replaced(node: &Node, outer: &VerifiedOuter) -> Result<Vec<Write>, Problem> {
    let (from, header) = (&outer.claims().iss, &outer.claims().puente);
    let Some(former) = header.replaces else { return Ok(Vec::new()) };
    let row = node.store.message(former).await.map_err(|error| store_problem(&error))?;
    let same = |row: &MessageRow| {
        row.direction == Direction::In
            && row.peer == *from
            && row.message_type == header.message_type
            && row.role == header.recipient.role
    };
    let Some(row) = row.filter(same) else { return Ok(Vec::new()) };
    if !is_lost(node, row.message).await? {
        return Ok(Vec::new());
    }
    let outcome = receipts::Outcome {
        message: row.message,
        release: row.release,
        state: ReceiptState::Replaced,
        code: None,
    };
    Ok(receipts::make(node, from, &[outcome], Travel::Later)?.1)
}
