//! What core asks of cryptography: four verbs and a factory, each bound to one key.
//!
//! Not here: algorithms and libraries (`puente-node::keys`). Invariant: the algorithm belongs to the
//! key, never to a header (RFC 8725 section 3.1), so no method here takes an algorithm from a message.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::KeyId;

/// Why a cryptographic step failed; deliberately coarse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CryptoFailure {
    /// The token is not a compact JWS or JWE of the expected form, type and header.
    #[error("token is not of the expected form: {0}")]
    Form(&'static str),
    /// The signature or authentication tag does not verify.
    #[error("signature or tag does not verify")]
    Mismatch,
    /// The key cannot be used (unknown kind, not loaded, device gone).
    #[error("key `{0}` cannot be used")]
    Key(String),
}

/// Which pair of algorithms a member's keys belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SignatureProfile {
    /// ES256 signatures, ECDH on P-256: mandatory, what HSMs speak.
    #[serde(rename = "p256")]
    P256,
    /// `Ed25519` signatures (RFC 9864), ECDH on X25519.
    #[serde(rename = "25519")]
    Curve25519,
}

/// A public key as a JWK (RFC 7517): only public members, `kty` EC or OKP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Jwk(pub Value);

/// Makes compact JWS with one private key.
pub trait Sign: Send + Sync {
    /// The key's id, as it stands in the header's `kid`.
    fn key_id(&self) -> &KeyId;
    /// Signs `payload` under the protected header `{alg, kid, typ}`; answers the compact JWS.
    ///
    /// # Errors
    /// When the key cannot be used.
    fn sign(&self, typ: &str, payload: &[u8]) -> Result<String, CryptoFailure>;
}

/// Verifies compact JWS with one public key.
pub trait Verify: Send + Sync {
    /// Verifies that `compact` has exactly the header `{alg of this key, kid of this key, typ}` and a
    /// valid signature; answers the payload bytes.
    ///
    /// # Errors
    /// `Form` when the header or form is another, `Mismatch` when the signature does not verify.
    fn verify(&self, typ: &str, compact: &str) -> Result<Vec<u8>, CryptoFailure>;
}

/// Makes compact JWE (ECDH-ES+A256KW, A256GCM) for one public key.
pub trait Seal: Send + Sync {
    /// The recipient key's id, as it stands in the header's `kid`.
    fn key_id(&self) -> &KeyId;
    /// Seals `plaintext` under the protected header `{alg, enc, kid, epk, typ: "puente-sealed",
    /// "puente": context}`; the context is authenticated, not secret.
    ///
    /// # Errors
    /// When the key cannot be used.
    fn seal(&self, context: &Value, plaintext: &[u8]) -> Result<String, CryptoFailure>;
}

/// Opens compact JWE with one private key.
pub trait Open: Send + Sync {
    /// The key's id.
    fn key_id(&self) -> &KeyId;
    /// Opens `compact`; answers the authenticated context and the plaintext.
    ///
    /// # Errors
    /// `Form` when header, lengths or form are another, `Mismatch` when the tag does not verify.
    fn open(&self, compact: &str) -> Result<(Value, zeroize::Zeroizing<Vec<u8>>), CryptoFailure>;
}

/// Builds verifiers and sealers from public keys found in membership lists and directories.
pub trait KeyFactory: Send + Sync {
    /// A verifier for this public key.
    ///
    /// # Errors
    /// When the JWK is not a public key of an allowed kind.
    fn verifier(&self, key_id: &KeyId, jwk: &Jwk) -> Result<Box<dyn Verify>, CryptoFailure>;
    /// A sealer for this public key.
    ///
    /// # Errors
    /// When the JWK is not a public key of an allowed kind.
    fn sealer(&self, key_id: &KeyId, jwk: &Jwk) -> Result<Box<dyn Seal>, CryptoFailure>;
}

/// A source of random bytes; a seeded one in tests.
pub trait Randomness: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, bytes: &mut [u8]);
}
