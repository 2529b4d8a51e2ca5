//! Content handed to an agency, opened or as it came, and the sender told so.
//!
//! Not here: who may ask. INVARIANT: no content leaves this module unless the receipts that say so are durable, so that
//! "who was told what" has no gap; a message that does not open is receipted as refused only when its sender is at fault.

use puente_core::delivery::{MessageRow, Write};
use puente_core::envelope::{VerifiedInner, VerifiedOuter};
use puente_core::opening::Told;
use puente_core::problem::{self, Problem};

use crate::consent::permit_hand_over;
use crate::domestic::corrections::Handed;
use crate::domestic::messages::AT_A_STRETCH;
use crate::node::{Node, store_problem};
use crate::opening::open_stored;
use crate::receipts::{self, Travel};

/// The content of one message, once the receipts of its opening are durable.
///
/// # Errors
/// As `open_stored`, `consent.lapsed` when what it rests on ended meanwhile, and when the store fails.
pub(super) async fn hand_over(
    node: &Node,
    row: &MessageRow,
) -> Result<(VerifiedOuter, VerifiedInner), Problem> {
    let opened = open_permitted(node, row).await;
    let writes = states(node, row, opened.as_ref().map(drop)).await?;
    keep(node, writes).await?;
    opened
}

/// Lets a message be handed over as it came, to the agency that alone opens it, once the receipt that says so is durable.
///
/// # Errors
/// `consent.lapsed` when what it rests on ended meanwhile, and when the store fails.
pub(super) async fn hand_over_sealed(
    node: &Node,
    row: &MessageRow,
    outer: &VerifiedOuter,
) -> Result<(), Problem> {
    let permitted = permit_hand_over(node, outer).await;
    let told = permitted.as_ref().map_or_else(Told::refused, |()| Some(Told::HANDED));
    if let Some(told) = told {
        keep(node, receipts_of(node, row, &told).await?).await?;
    }
    permitted
}

async fn keep(node: &Node, writes: Vec<Write>) -> Result<(), Problem> {
    if !writes.is_empty() {
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
    }
    Ok(())
}

/// The content of each of these messages, or why it does not open, once all receipts are durable. The rows come without
/// their wire bytes; these are read one at a time.
///
/// # Errors
/// When the store fails; then nothing is handed over.
pub(super) async fn hand_over_all(node: &Node, rows: Vec<MessageRow>) -> Result<Vec<Handed>, Problem> {
    let mut handed = Vec::with_capacity(rows.len());
    let mut writes = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        if number % AT_A_STRETCH == AT_A_STRETCH - 1 {
            tokio::task::yield_now().await;
        }
        let stored = node.store.message(row.message).await.map_err(|error| store_problem(&error))?;
        let opened = match stored {
            Some(stored) => {
                let opened = open_permitted(node, &stored).await;
                writes.extend(states(node, &stored, opened.as_ref().map(drop)).await?);
                opened
            }
            None => Err(Problem::new(&problem::NOT_FOUND)),
        };
        handed.push((row, opened));
    }
    keep(node, writes).await?;
    Ok(handed)
}

/// The content, while the consent that it rests on still covers it.
async fn open_permitted(node: &Node, row: &MessageRow) -> Result<(VerifiedOuter, VerifiedInner), Problem> {
    let (outer, inner) = open_stored(node, row)?;
    permit_hand_over(node, &outer).await?;
    Ok((outer, inner))
}

/// Receipts of what an opening came to; none for a fault of this node's own.
async fn states(node: &Node, row: &MessageRow, opened: Result<(), &Problem>) -> Result<Vec<Write>, Problem> {
    let told = opened.map_or_else(Told::refused, |()| Some(Told::OPENED));
    match told {
        Some(told) => receipts_of(node, row, &told).await,
        None => Ok(Vec::new()),
    }
}

/// The receipts that tell a message's sender this; none for states that were receipted before.
///
/// # Errors
/// The store's problem, or that of the receipt key.
pub(super) async fn receipts_of(node: &Node, row: &MessageRow, told: &Told) -> Result<Vec<Write>, Problem> {
    let known = node.store.receipts(row.message).await.map_err(|error| store_problem(&error))?;
    let fresh: Vec<receipts::Outcome> = told
        .states
        .iter()
        .filter(|state| known.iter().all(|receipt| receipt.state != state.as_str()))
        .map(|state| receipts::Outcome {
            message: row.message,
            release: row.release,
            state: *state,
            code: told.code.map(str::to_owned),
        })
        .collect();
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    Ok(receipts::make(node, &row.peer, &fresh, Travel::Later)?.1)
}
