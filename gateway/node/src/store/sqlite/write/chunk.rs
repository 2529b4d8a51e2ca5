//! Chunks of attachments going in.
//!
//! Not here: the Merkle tree above them. Invariant: a (root, index) never changes its bytes.

use puente_core::ids::Digest;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::read;

/// Stores a chunk; the same bytes again are no change.
pub(in crate::store::sqlite) fn put(
    ledger: Ledger<'_>,
    root: Digest,
    index: u32,
    bytes: &[u8],
) -> Result<(), Failure> {
    if let Some(stored) = read::chunk(ledger, root, index)? {
        return if stored == bytes { Ok(()) } else { Err(Guard::OtherContent.into()) };
    }
    let sealed = ledger.seal(read::chunk_place(&read::chunk_key(root, index)), bytes)?;
    ledger
        .run("INSERT INTO chunk (root, part, sealed) VALUES (?1, ?2, ?3)", params![root.0, index, sealed])?;
    Ok(())
}
