//! Chunks of attachments going in.
//!
//! Not here: the Merkle tree above them. Invariant: a (root, index) never changes its bytes.

use puente_core::ids::Digest;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::read;

/// Stores a chunk; the same bytes again only put off the day on which it is collected if nothing names it.
pub(in crate::store::sqlite) fn put(
    ledger: Ledger<'_>,
    root: Digest,
    index: u32,
    bytes: &[u8],
    now_ms: i64,
) -> Result<(), Failure> {
    if let Some(stored) = read::chunk(ledger, root, index)? {
        if stored != bytes {
            return Err(Guard::OtherContent.into());
        }
        ledger.run(
            "UPDATE chunk SET unnamed_ms = ?3 WHERE root = ?1 AND part = ?2 AND unnamed_ms < ?3",
            params![root.0, index, now_ms],
        )?;
        return Ok(());
    }
    // Ciphertext already: its key stands in the sealed section that names the root, and goes with that.
    let sealed = ledger.seal(None, read::chunk_place(&read::chunk_key(root, index)), bytes)?;
    ledger.run(
        "INSERT INTO chunk (root, part, sealed, unnamed_ms)
         VALUES (?1, ?2, ?3, CASE WHEN EXISTS (SELECT 1 FROM attachment WHERE root = ?1) THEN NULL ELSE ?4 END)",
        params![root.0, index, sealed, now_ms],
    )?;
    Ok(())
}
