//! Chunks of attachments going in.
//!
//! Not here: the Merkle tree above them. INVARIANT: an owner's (root, index) never changes its bytes.

use puente_core::evidence::leaf_hash;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::query::ChunkPlace;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::read;

/// What a chunk counts at least, bytes: a row is not free, however short.
const LEAST_BYTES: usize = 4096;

/// Stores a chunk; the same bytes again only put off the day on which it is collected if nothing names it.
pub(in crate::store::sqlite) fn put(
    ledger: Ledger<'_>,
    place: &ChunkPlace,
    bytes: &[u8],
    quota: u64,
    now_ms: i64,
) -> Result<(), Failure> {
    let (owner, root, index) = (read::owner_text(&place.owner), place.root, place.index);
    if let Some(stored) = read::chunk(ledger, place)? {
        if stored != bytes {
            return Err(Guard::OtherContent.into());
        }
        ledger.run(
            "UPDATE chunk SET unnamed_ms = ?4 WHERE owner = ?1 AND root = ?2 AND part = ?3 AND unnamed_ms < ?4",
            params![owner, root.0, index, now_ms],
        )?;
        return Ok(());
    }
    let unnamed = ledger.one(
        "SELECT COALESCE(SUM(bytes), 0) FROM chunk WHERE owner = ?1 AND unnamed_ms IS NOT NULL",
        params![owner],
        |row| Ok(row.get::<_, i64>(0)?),
    )?;
    let counted = i64::try_from(bytes.len().max(LEAST_BYTES)).unwrap_or(i64::MAX);
    let held = unnamed.unwrap_or(0).saturating_add(counted);
    if u64::try_from(held).is_ok_and(|held| held > quota) {
        return Err(Guard::OverQuota.into());
    }
    // Ciphertext already: its key stands in the sealed section that names the root, and goes with that.
    let sealed = ledger.seal(None, read::chunk_place(&read::chunk_key(root, index)), bytes)?;
    ledger.run(
        "INSERT INTO chunk (owner, root, part, bytes, leaf, sealed, unnamed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 
             CASE WHEN EXISTS (SELECT 1 FROM attachment WHERE root = ?2 AND owner = ?1) THEN NULL ELSE ?7 END)",
        params![owner, root.0, index, counted, leaf_hash(bytes).0, sealed, now_ms],
    )?;
    Ok(())
}
