//! Chunks of attachments coming out.
//!
//! Not here: who may read them. INVARIANT: every question names an owner, so that no chunk is found by its root alone.

use puente_core::delivery::MessageRow;
use puente_core::evidence::leaf_hash;
use puente_core::ids::Digest;
use rusqlite::params;

use super::message::{metadata, select};
use crate::store::query::{ChunkOwner, ChunkPlace};
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

/// Chunks given at most: an attachment of 64 GiB.
const MAX_LEAVES: u32 = 65_536;

/// An owner as it stands in the table.
pub(in crate::store::sqlite) fn owner_text(owner: &ChunkOwner) -> String {
    match owner {
        ChunkOwner::Agency(agency) => format!("agency:{agency}"),
        ChunkOwner::Peer(country) => format!("peer:{country}"),
    }
}

/// The key a chunk is sealed under: root, then index.
pub(in crate::store::sqlite) fn chunk_key(root: Digest, index: u32) -> Vec<u8> {
    [root.0.as_slice(), index.to_be_bytes().as_slice()].concat()
}

/// Where a chunk stands.
pub(in crate::store::sqlite) fn chunk_place(key: &[u8]) -> Place<'_> {
    Place { table: "chunk", key }
}

/// One chunk.
pub(in crate::store::sqlite) fn chunk(
    ledger: Ledger<'_>,
    place: &ChunkPlace,
) -> Result<Option<Vec<u8>>, Failure> {
    ledger.one(
        "SELECT sealed FROM chunk WHERE owner = ?1 AND root = ?2 AND part = ?3",
        params![owner_text(&place.owner), place.root.0, place.index],
        |row| {
            let key = chunk_key(place.root, place.index);
            Columns::of(row, "chunk").sealed(ledger.sealer, chunk_place(&key))
        },
    )
}

/// The leaves of an owner's chunks under a root, in order.
pub(in crate::store::sqlite) fn chunk_leaves(
    ledger: Ledger<'_>,
    owner: &ChunkOwner,
    root: Digest,
) -> Result<Vec<(u32, Digest)>, Failure> {
    let kept = ledger.all(
        "SELECT part, leaf FROM chunk WHERE owner = ?1 AND root = ?2 ORDER BY part LIMIT ?3",
        params![owner_text(owner), root.0, MAX_LEAVES],
        |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Option<[u8; 32]>>(1)?)),
    )?;
    let mut leaves = Vec::with_capacity(kept.len());
    for (index, leaf) in kept {
        let place = || ChunkPlace { owner: owner.clone(), root, index };
        let leaf = match leaf {
            Some(leaf) => Digest(leaf),
            // From before leaves were kept.
            None => leaf_hash(&chunk(ledger, &place())?.unwrap_or_default()),
        };
        leaves.push((index, leaf));
    }
    Ok(leaves)
}

/// Messages that name a root.
pub(in crate::store::sqlite) fn naming(
    ledger: Ledger<'_>,
    root: Digest,
    limit: u32,
) -> Result<Vec<MessageRow>, Failure> {
    ledger.all(
        select!("NULL", "JOIN attachment a ON a.seq = m.seq WHERE a.root = ?1 ORDER BY m.seq LIMIT ?2"),
        params![root.0, page(limit)],
        |row| metadata(ledger, row),
    )
}
