//! The strict facade over josekit: compact tokens, our algorithms, headers checked before any key is used.
//!
//! josekit frames the tokens; the cryptography behind its traits is aws-lc-rs. As it comes, josekit
//! 0.10.3 accepts truncated tags, panics on a short `encrypted_key`, ignores `crit` in a JWE and
//! inflates `zip` without limit, so nothing reaches it that `header` has not admitted.
//!
//! Not here: JSON serialisations, `EdDSA`, `ECDH-ES` without key wrap, compression. Invariant: what
//! verifies or opens has exactly the header of its key, and every segment is strict base64url.

mod agreement;
mod content;
mod header;
mod sealing;
mod signing;

use josekit::JoseError;
use puente_core::envelope::{CryptoFailure, Jwk, KeyFactory, Seal, Verify};
use puente_core::ids::KeyId;

use super::jwk::PublicKey;

pub(super) use agreement::AgreementKey;
pub use sealing::{Opener, Sealer};
pub(super) use signing::KeyPair;
pub use signing::{Signer, Verifier};

/// Longest compact JWS: a message carries 64 KiB of claims at most, a directory of a state ten times that.
pub const MAX_JWS_BYTES: usize = 1 << 20;

/// Longest compact JWE: the largest sealed section on the ladder, with room for base64url.
pub const MAX_JWE_BYTES: usize = 8 << 20;

/// Builds verifiers and sealers from public JWKs; what it builds keeps the parsed key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Jose;

impl KeyFactory for Jose {
    fn verifier(&self, key_id: &KeyId, jwk: &Jwk) -> Result<Box<dyn Verify>, CryptoFailure> {
        let public = PublicKey::from_jwk(jwk, key_id).map_err(|_| unusable(key_id))?;
        Ok(Box::new(Verifier::new(key_id.clone(), public)?))
    }

    fn sealer(&self, key_id: &KeyId, jwk: &Jwk) -> Result<Box<dyn Seal>, CryptoFailure> {
        let public = PublicKey::from_jwk(jwk, key_id).map_err(|_| unusable(key_id))?;
        Ok(Box::new(Sealer::new(key_id.clone(), public)?))
    }
}

fn unusable(key_id: &KeyId) -> CryptoFailure {
    CryptoFailure::Key(key_id.to_string())
}

/// A reason that travels through josekit's error and comes out whole.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Reason(&'static str);

/// What josekit says when the form of a JWE is not ours.
fn malformed(reason: &'static str) -> JoseError {
    JoseError::InvalidJweFormat(Reason(reason).into())
}

/// What josekit says when a signature, wrapped key or tag does not verify.
fn mismatch() -> JoseError {
    JoseError::InvalidSignature(Reason("does not verify").into())
}

/// What josekit says when the key itself fails.
fn key_failure() -> JoseError {
    JoseError::InvalidKeyFormat(Reason("key cannot be used").into())
}

/// Translates josekit's errors into core's, dropping every text that could repeat the input.
fn failure(error: &JoseError, key_id: &KeyId) -> CryptoFailure {
    match error {
        JoseError::InvalidSignature(_) => CryptoFailure::Mismatch,
        JoseError::InvalidKeyFormat(_) => unusable(key_id),
        JoseError::InvalidJweFormat(cause) | JoseError::InvalidJwsFormat(cause) => CryptoFailure::Form(
            cause.downcast_ref::<Reason>().map_or("token is not strict base64url", |r| r.0),
        ),
        _ => CryptoFailure::Form("token is not readable"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
