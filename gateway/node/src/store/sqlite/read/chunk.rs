//! Chunks of attachments coming out.
//!
//! Not here: whether they belong to their root; who reads them checks that.

use puente_core::ids::Digest;
use rusqlite::params;

use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::seal::Place;

/// Chunk numbers given at most: an attachment of 64 GiB.
const MAX_INDEXES: u32 = 65_536;

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
    root: Digest,
    index: u32,
) -> Result<Option<Vec<u8>>, Failure> {
    ledger.one("SELECT sealed FROM chunk WHERE root = ?1 AND part = ?2", params![root.0, index], |row| {
        Columns::of(row, "chunk").sealed(ledger.sealer, chunk_place(&chunk_key(root, index)))
    })
}

/// Which chunks are stored, in order.
pub(in crate::store::sqlite) fn chunk_indexes(ledger: Ledger<'_>, root: Digest) -> Result<Vec<u32>, Failure> {
    ledger.all(
        "SELECT part FROM chunk WHERE root = ?1 ORDER BY part LIMIT ?2",
        params![root.0, MAX_INDEXES],
        |row| Ok(row.get(0)?),
    )
}
