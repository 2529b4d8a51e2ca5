//! Compact JWS: ES256 (RFC 7518 section 3.4) and Ed25519 (RFC 9864 section 2.2).
//!
//! Not here: which key may sign what. Invariant: a signature is 64 bytes in the fixed form, made and
//! verified with the one algorithm of its key.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use josekit::JoseError;
use josekit::jws::{JwsAlgorithm, JwsContext, JwsHeader, JwsSigner, JwsVerifier};
use puente_core::envelope::{CryptoFailure, Sign, Verify};
use puente_core::ids::KeyId;

use super::{MAX_JWS_BYTES, failure, header, key_failure, mismatch, unusable};
use crate::keys::jwk::PublicKey;

/// Bytes of a signature, the same for both algorithms.
const SIGNATURE_BYTES: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Es256,
    Ed25519,
}

impl Algorithm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Ed25519 => "Ed25519",
        }
    }
}

impl JwsAlgorithm for Algorithm {
    fn name(&self) -> &str {
        self.as_str()
    }

    fn box_clone(&self) -> Box<dyn JwsAlgorithm> {
        Box::new(*self)
    }
}

/// A parsed private key for signatures.
pub(in crate::keys) enum KeyPair {
    /// For ES256.
    P256(EcdsaKeyPair),
    /// For Ed25519.
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    /// Reads PKCS#8 of either kind.
    pub(in crate::keys) fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map(Self::P256)
            .or_else(|_| Ed25519KeyPair::from_pkcs8(pkcs8).map(Self::Ed25519))
            .ok()
    }

    /// The public half.
    pub(in crate::keys) fn public(&self) -> Option<PublicKey> {
        match self {
            Self::P256(pair) => PublicKey::from_point(pair.public_key().as_ref()),
            Self::Ed25519(pair) => pair.public_key().as_ref().try_into().ok().map(PublicKey::Ed25519),
        }
    }

    /// The 64 bytes of a signature.
    pub(in crate::keys) fn sign(&self, random: &SystemRandom, message: &[u8]) -> Option<Vec<u8>> {
        let signature = match self {
            Self::P256(pair) => pair.sign(random, message),
            Self::Ed25519(pair) => pair.try_sign(message),
        };
        signature.map(|signature| signature.as_ref().to_vec()).ok()
    }

    /// The algorithm as HTTP message signatures name it (RFC 9421 section 6.2.2).
    pub(in crate::keys) const fn http_algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ecdsa-p256-sha256",
            Self::Ed25519(_) => "ed25519",
        }
    }

    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::Ed25519,
        }
    }
}

#[derive(Clone)]
struct SigningKey {
    id: KeyId,
    algorithm: Algorithm,
    pair: Arc<KeyPair>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

impl JwsSigner for SigningKey {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &self.algorithm
    }

    fn key_id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }

    fn signature_len(&self) -> usize {
        SIGNATURE_BYTES
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        self.pair.sign(&SystemRandom::new(), message).ok_or_else(key_failure)
    }

    fn box_clone(&self) -> Box<dyn JwsSigner> {
        Box::new(self.clone())
    }
}

/// Signs with one private key held in memory.
#[derive(Debug, Clone)]
pub struct Signer {
    key: SigningKey,
}

impl Signer {
    pub(in crate::keys) fn new(id: KeyId, pair: KeyPair) -> Self {
        Self { key: SigningKey { id, algorithm: pair.algorithm(), pair: Arc::new(pair) } }
    }
}

impl Sign for Signer {
    fn key_id(&self) -> &KeyId {
        &self.key.id
    }

    fn sign(&self, typ: &str, payload: &[u8]) -> Result<String, CryptoFailure> {
        if payload.len() > MAX_JWS_BYTES {
            return Err(CryptoFailure::Form("payload is longer than a JWS may be"));
        }
        let mut header = JwsHeader::new();
        header.set_token_type(typ);
        let compact = JwsContext::new()
            .serialize_compact(payload, &header, &self.key)
            .map_err(|error| failure(&error, &self.key.id))?;
        if compact.len() > MAX_JWS_BYTES {
            return Err(CryptoFailure::Form("token is longer than a JWS may be"));
        }
        Ok(compact)
    }
}

#[derive(Clone)]
struct VerifyingKey {
    id: KeyId,
    algorithm: Algorithm,
    public: ParsedPublicKey,
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.id)
    }
}

impl JwsVerifier for VerifyingKey {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &self.algorithm
    }

    fn key_id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.public.verify_sig(message, signature).map_err(|_| mismatch())
    }

    fn box_clone(&self) -> Box<dyn JwsVerifier> {
        Box::new(self.clone())
    }
}

/// Verifies with one public key, parsed once.
#[derive(Debug, Clone)]
pub struct Verifier {
    key: VerifyingKey,
}

impl Verifier {
    pub(in crate::keys) fn new(id: KeyId, public: PublicKey) -> Result<Self, CryptoFailure> {
        let (algorithm, scheme): (_, &'static dyn signature::VerificationAlgorithm) = match public {
            PublicKey::P256 { .. } => (Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED),
            PublicKey::Ed25519(_) => (Algorithm::Ed25519, &signature::ED25519),
            PublicKey::X25519(_) => return Err(unusable(&id)),
        };
        let public = ParsedPublicKey::new(scheme, public.to_bytes()).map_err(|_| unusable(&id))?;
        Ok(Self { key: VerifyingKey { id, algorithm, public } })
    }
}

#[cfg(test)]
impl Verifier {
    /// The bare key, for vectors whose header is not ours.
    pub(super) fn key(&self) -> &impl JwsVerifier {
        &self.key
    }
}

impl Verify for Verifier {
    fn verify(&self, typ: &str, compact: &str) -> Result<Vec<u8>, CryptoFailure> {
        header::admit_jws(compact, self.key.algorithm.as_str(), &self.key.id, typ)?;
        JwsContext::new()
            .deserialize_compact(compact, &self.key)
            .map(|(payload, _)| payload)
            .map_err(|error| failure(&error, &self.key.id))
    }
}
