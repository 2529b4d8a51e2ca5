//! Making this node's receipts: the entry, its leaf, the signature; for the federation face when a message
//! comes in, for the domestic face when it is opened, handed over or acknowledged.

use puente_core::delivery::{Direction, LeafRow, ReceiptRow, Write};
use puente_core::envelope::base64url;
use puente_core::evidence::{LeafRecord, Receipt, ReceiptEntry, ReceiptState, issue_batch};
use puente_core::ids::{CountryCode, MessageId, ReleaseId};
use puente_core::problem::{self, Problem};

use crate::node::{Node, store_problem};

/// What is to be receipted.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Which message.
    pub message: MessageId,
    /// Which release.
    pub release: ReleaseId,
    /// What became of it.
    pub state: ReceiptState,
    /// Neutral code toward the other side.
    pub code: Option<String>,
}

/// Whether receipts travel in the answer that is being made or later on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Travel {
    /// In the answer.
    Now,
    /// By the courier.
    Later,
}

/// Whether the key of a message is lost and nothing has come in its place, as its receipts say, given or received.
///
/// # Errors
/// The store's problem.
pub async fn is_lost(node: &Node, message: MessageId) -> Result<bool, Problem> {
    let receipts = node.store.receipts(message).await.map_err(|error| store_problem(&error))?;
    let says = |state: ReceiptState| receipts.iter().any(|receipt| receipt.state == state.as_str());
    Ok(says(ReceiptState::KeyLost) && !says(ReceiptState::Replaced))
}

/// Signs one batch of receipts for a peer; the writes keep them and their leaves.
///
/// # Errors
/// When the receipt key fails.
pub fn make(
    node: &Node,
    peer: &CountryCode,
    outcomes: &[Outcome],
    travel: Travel,
) -> Result<(Vec<Receipt>, Vec<Write>), Problem> {
    let failed = |_| Problem::new(&problem::INTERNAL);
    let at_ms = node.clock.now_ms();
    let log_origin = format!("puente/{}/{}", node.realm(), node.country().lower());
    let mut entries = Vec::with_capacity(outcomes.len());
    let mut writes = Vec::with_capacity(outcomes.len() * 2);
    for outcome in outcomes {
        let mut salt = [0_u8; 16];
        node.random.fill(&mut salt);
        let subject = format!("{}:{}", outcome.message, outcome.state.as_str());
        let record = LeafRecord { kind: "receipt", id: subject, digest: outcome.release, at_ms };
        let leaf =
            LeafRow::of(&record, None, node.random.as_ref()).map_err(|_| Problem::new(&problem::INTERNAL))?;
        entries.push(ReceiptEntry {
            message_id: outcome.message,
            release_id: outcome.release,
            state: outcome.state,
            code: outcome.code.clone(),
            at_ms,
            log_origin: log_origin.clone(),
            leaf_hash: leaf.leaf,
            salt: base64url(&salt),
        });
        writes.push(Write::Leaf(leaf));
    }
    let batch = issue_batch(
        &entries,
        node.country(),
        peer,
        node.realm(),
        at_ms.div_euclid(1000),
        node.keys.receipt.as_ref(),
    )
    .map_err(failed)?;
    for (entry, receipt) in entries.iter().zip(&batch.receipts) {
        writes.push(Write::Receipt(ReceiptRow {
            direction: Direction::In,
            peer: peer.clone(),
            message: entry.message_id,
            release: entry.release_id,
            state: entry.state.as_str().to_owned(),
            code: entry.code.clone(),
            at_ms,
            receipt: serde_json::to_vec(receipt).map_err(|_| Problem::new(&problem::INTERNAL))?,
            to_send: travel == Travel::Later,
        }));
    }
    Ok((batch.receipts, writes))
}
