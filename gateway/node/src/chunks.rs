//! The chunks of attachments as this node keeps them: whose they are, and whether they are the attachment.
//!
//! Not here: their key, which no gateway has (`attachment` is the code of who has it), and who may read them
//! (`domestic::attachments`). INVARIANT: a message is released and accepted only while its sender's chunks are all durable
//! and have the root that it names.

use puente_core::envelope::AttachmentRef;
use puente_core::evidence::MerkleTree;
use puente_core::problem::{self, Problem};

use crate::attachment::CHUNK_BYTES;
use crate::node::{LANES, Node, store_problem};
use crate::store::{ChunkOwner, ChunkPlace, Guard, StoreError};

/// How an attachment stands with its owner's chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// All are durable and have its root.
    Whole,
    /// Some are still to come.
    Incomplete,
    /// All are here and are not what it names; they will never be.
    Mismatch,
}

/// How these attachments stand, the worst of them; `Whole` when there is none.
///
/// # Errors
/// The store's problem.
pub async fn standing(
    node: &Node,
    owner: &ChunkOwner,
    attachments: &[AttachmentRef],
) -> Result<Standing, Problem> {
    let mut worst = Standing::Whole;
    for named in attachments {
        let leaves = node.store.chunk_leaves(owner.clone(), named.root).await;
        let leaves = leaves.map_err(|error| store_problem(&error))?;
        let all = leaves.iter().map(|(index, _)| *index).eq(0..named.chunks);
        let tree = || MerkleTree::new(leaves.iter().map(|(_, leaf)| *leaf).collect());
        worst = worst.max(match all {
            false => Standing::Incomplete,
            true if tree().root() == named.root => Standing::Whole,
            true => Standing::Mismatch,
        });
    }
    Ok(worst)
}

/// Stores one chunk.
///
/// # Errors
/// `attachment.conflict` for other bytes in its place, `attachment.quota` when too many are in no message; otherwise the
/// store's problem.
pub async fn put(node: &Node, place: ChunkPlace, bytes: Vec<u8>) -> Result<(), Problem> {
    let limits = &node.config.limits;
    let quota = match place.owner {
        ChunkOwner::Agency(_) => limits.unnamed_attachment_bytes,
        // What the deliveries under way may name at most, one on each lane.
        ChunkOwner::Peer(_) => {
            let messages = u64::try_from(limits.delivery_messages * LANES.len()).unwrap_or(u64::MAX);
            messages.saturating_mul(
                limits.attachment_bytes.saturating_add(u64::try_from(CHUNK_BYTES).unwrap_or(0)),
            )
        }
    };
    node.store.put_chunk(place, bytes, quota, node.clock.now_ms()).await.map_err(|error| match error {
        StoreError::Conflict { what: Guard::OtherContent, .. } => Problem::new(&problem::ATTACHMENT_CONFLICT),
        StoreError::Conflict { what: Guard::OverQuota, .. } => Problem::new(&problem::ATTACHMENT_QUOTA),
        other => store_problem(&other),
    })
}
