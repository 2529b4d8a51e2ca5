//! Attachments: encrypted once by who sends, carried as ciphertext chunks, opened by who receives.
//!
//! AES-256-GCM per chunk with nonce = prefix, counter, last flag, so that a chunk cannot be moved, dropped
//! or appended; the RFC 6962 root over the ciphertext chunks names the whole. Used by agencies' clients.
//! INVARIANT: a key seals one attachment, once; only therefore may the prefix of the nonce be fixed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use puente_core::envelope::Randomness;
use puente_core::evidence::{MerkleTree, leaf_hash};
use puente_core::ids::Digest;

/// Plaintext bytes per chunk.
pub const CHUNK_BYTES: usize = 1024 * 1024;

/// Ciphertext bytes per chunk: the plaintext and a 16-byte tag.
pub const CIPHER_CHUNK_BYTES: usize = CHUNK_BYTES + 16;

/// Most chunks of one attachment: 200 MiB and some.
pub const MAX_CHUNKS: u32 = 256;

/// Why an attachment cannot be made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// It has more chunks than are carried.
    #[error("attachment is too large")]
    TooLarge,
    /// Chunks, key or size do not belong together.
    #[error("attachment does not open")]
    Mismatch,
    /// It is not a PDF, JPEG or PNG, by its first bytes.
    #[error("attachment is not a PDF, JPEG or PNG")]
    Kind,
}

/// What the sealed section says of an attachment.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// Root over the ciphertext chunks.
    pub root: Digest,
    /// Random key: 32 bytes.
    pub key: Zeroizing<Vec<u8>>,
    /// Plaintext size.
    pub size: u64,
    /// Ciphertext chunks in order.
    pub chunks: Vec<Vec<u8>>,
}

const KEY_BYTES: usize = 32;

/// Fills the nonce of 96 bits up: 7 bytes before counter and flag.
const PREFIX: [u8; 7] = *b"puente1";

fn cipher(key: &[u8]) -> Result<LessSafeKey, AttachmentError> {
    let unbound = UnboundKey::new(&AES_256_GCM, key).map_err(|_| AttachmentError::Mismatch)?;
    Ok(LessSafeKey::new(unbound))
}

fn nonce(index: u32, last: bool) -> Result<Nonce, AttachmentError> {
    let bytes = [PREFIX.as_slice(), &index.to_be_bytes(), &[u8::from(last)]].concat();
    Nonce::try_assume_unique_for_key(&bytes).map_err(|_| AttachmentError::Mismatch)
}

/// The media type by the first bytes; only PDF, JPEG and PNG are carried.
///
/// # Errors
/// `Kind` for anything else.
pub fn media_type(bytes: &[u8]) -> Result<&'static str, AttachmentError> {
    match bytes {
        [b'%', b'P', b'D', b'F', b'-', ..] => Ok("application/pdf"),
        [0xff, 0xd8, 0xff, ..] => Ok("image/jpeg"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok("image/png"),
        _ => Err(AttachmentError::Kind),
    }
}

/// Encrypts an attachment under a fresh key.
///
/// # Errors
/// `TooLarge` beyond `MAX_CHUNKS`.
pub fn seal(bytes: &[u8], random: &dyn Randomness) -> Result<Sealed, AttachmentError> {
    let mut key = Zeroizing::new(vec![0_u8; KEY_BYTES]);
    random.fill(&mut key);
    let cipher = cipher(&key)?;
    let pieces: Vec<&[u8]> = if bytes.is_empty() { vec![&[]] } else { bytes.chunks(CHUNK_BYTES).collect() };
    let count = u32::try_from(pieces.len())
        .ok()
        .filter(|count| *count <= MAX_CHUNKS)
        .ok_or(AttachmentError::TooLarge)?;
    let mut chunks = Vec::with_capacity(pieces.len());
    for (index, piece) in (0..count).zip(pieces) {
        let mut chunk = piece.to_vec();
        cipher
            .seal_in_place_append_tag(nonce(index, index + 1 == count)?, Aad::empty(), &mut chunk)
            .map_err(|_| AttachmentError::Mismatch)?;
        chunks.push(chunk);
    }
    let root = root_of(&chunks);
    Ok(Sealed { root, key, size: u64::try_from(bytes.len()).unwrap_or(u64::MAX), chunks })
}

/// Root over ciphertext chunks.
#[must_use]
pub fn root_of(chunks: &[Vec<u8>]) -> Digest {
    MerkleTree::new(chunks.iter().map(|chunk| leaf_hash(chunk)).collect()).root()
}

/// Opens an attachment from its chunks.
///
/// # Errors
/// `Mismatch` when root, key, order, number or size is another.
pub fn open(root: &Digest, key: &[u8], size: u64, chunks: &[Vec<u8>]) -> Result<Vec<u8>, AttachmentError> {
    if root_of(chunks) != *root {
        return Err(AttachmentError::Mismatch);
    }
    let cipher = cipher(key)?;
    let count = u32::try_from(chunks.len()).map_err(|_| AttachmentError::TooLarge)?;
    let mut plain = Vec::new();
    for (index, chunk) in (0..count).zip(chunks) {
        let mut bytes = chunk.clone();
        let opened = cipher
            .open_in_place(nonce(index, index + 1 == count)?, Aad::empty(), &mut bytes)
            .map_err(|_| AttachmentError::Mismatch)?;
        plain.extend_from_slice(opened);
    }
    if u64::try_from(plain.len()) == Ok(size) { Ok(plain) } else { Err(AttachmentError::Mismatch) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::keys::SystemRandom;

    #[test]
    fn an_attachment_opens_only_whole_and_in_order() {
        let plain: Vec<u8> = (0..CHUNK_BYTES * 2 + 17).map(|i| (i % 251) as u8).collect();
        let sealed = seal(&plain, &SystemRandom).unwrap();
        assert_eq!(sealed.chunks.len(), 3);
        assert_eq!(open(&sealed.root, &sealed.key, sealed.size, &sealed.chunks).unwrap(), plain);
        let mut swapped = sealed.chunks.clone();
        swapped.swap(0, 1);
        for wrong in [swapped, sealed.chunks[..2].to_vec(), Vec::new()] {
            assert_eq!(open(&sealed.root, &sealed.key, sealed.size, &wrong), Err(AttachmentError::Mismatch));
            assert_eq!(
                open(&root_of(&wrong), &sealed.key, sealed.size, &wrong),
                Err(AttachmentError::Mismatch)
            );
        }
    }
}
