//! A256GCM over aws-lc-rs, with exact lengths (RFC 7518 section 5.3).
//!
//! Not here: where key and vector come from. Invariant: key 32, vector 12 and tag 16 bytes, nothing
//! shorter and nothing longer.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use josekit::JoseError;
use josekit::jwe::JweContentEncryption;

use super::{agreement, key_failure, malformed, mismatch};

/// The algorithm's name in `enc`.
pub(super) const ENCRYPTION: &str = "A256GCM";

const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// AES-256 in Galois/counter mode, one content key per token.
#[derive(Debug, Clone, Copy)]
pub(super) struct A256Gcm;

impl A256Gcm {
    fn key(key: &[u8]) -> Result<LessSafeKey, JoseError> {
        UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| key_failure())
    }

    fn nonce(iv: Option<&[u8]>) -> Result<Nonce, JoseError> {
        iv.and_then(|iv| Nonce::try_assume_unique_for_key(iv).ok())
            .ok_or_else(|| malformed("initialisation vector is not 12 bytes"))
    }
}

impl JweContentEncryption for A256Gcm {
    fn name(&self) -> &str {
        ENCRYPTION
    }

    fn key_len(&self) -> usize {
        agreement::KEY_BYTES
    }

    fn iv_len(&self) -> usize {
        IV_BYTES
    }

    fn encrypt(
        &self,
        key: &[u8],
        iv: Option<&[u8]>,
        message: &[u8],
        aad: &[u8],
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), JoseError> {
        let mut ciphertext = message.to_vec();
        let tag = Self::key(key)?
            .seal_in_place_separate_tag(Self::nonce(iv)?, Aad::from(aad), &mut ciphertext)
            .map_err(|_| key_failure())?;
        Ok((ciphertext, Some(tag.as_ref().to_vec())))
    }

    fn decrypt(
        &self,
        key: &[u8],
        iv: Option<&[u8]>,
        encrypted_message: &[u8],
        aad: &[u8],
        tag: Option<&[u8]>,
    ) -> Result<Vec<u8>, JoseError> {
        let tag = tag
            .filter(|tag| tag.len() == TAG_BYTES)
            .ok_or_else(|| malformed("authentication tag is not 16 bytes"))?;
        let mut plaintext = vec![0; encrypted_message.len()];
        Self::key(key)?
            .open_separate_gather(Self::nonce(iv)?, Aad::from(aad), encrypted_message, tag, &mut plaintext)
            .map_err(|_| mismatch())?;
        Ok(plaintext)
    }

    fn box_clone(&self) -> Box<dyn JweContentEncryption> {
        Box::new(*self)
    }
}
