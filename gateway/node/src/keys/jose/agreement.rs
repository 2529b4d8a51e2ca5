//! ECDH-ES with A256KW: how a content key reaches its one reader (RFC 7518 section 4.6).
//!
//! Not here: the content itself. Invariant: the peer's point is on the curve of the key, the shared
//! secret is not zero, and a wrapped key is exactly 40 bytes.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::agreement::{self, ECDH_P256, ParsedPublicKey, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::digest;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use josekit::JoseError;
use josekit::jwe::JweAlgorithm;
use zeroize::Zeroizing;

use super::{key_failure, malformed, mismatch};
use crate::keys::jwk::PublicKey;

/// The algorithm's name, which is also the `AlgorithmID` of the derivation.
pub(super) const ALGORITHM: &str = "ECDH-ES+A256KW";

/// Bytes of a content key and of a key-encryption key.
pub(super) const KEY_BYTES: usize = 32;

/// Bytes of a wrapped content key: the key and the integrity block of RFC 3394.
pub(super) const WRAPPED_BYTES: usize = KEY_BYTES + 8;

/// RFC 8410 section 7: PKCS#8 of an X25519 key is this prefix and the 32 bytes of the key.
const X25519_PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20];

/// A content key or key-encryption key, wiped when dropped.
pub(super) type SecretKey = Zeroizing<[u8; KEY_BYTES]>;

/// The name by which josekit registers the algorithm.
#[derive(Debug, Clone, Copy)]
pub(super) struct EcdhEsA256Kw;

impl JweAlgorithm for EcdhEsA256Kw {
    fn name(&self) -> &str {
        ALGORITHM
    }

    fn box_clone(&self) -> Box<dyn JweAlgorithm> {
        Box::new(*self)
    }
}

/// A parsed private key for agreements, shared by its clones.
#[derive(Clone)]
pub(in crate::keys) struct AgreementKey(Arc<PrivateKey>);

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgreementKey")
    }
}

impl AgreementKey {
    /// Reads PKCS#8 of a P-256 or X25519 key.
    pub(in crate::keys) fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let key = match pkcs8.strip_prefix(&X25519_PKCS8_PREFIX) {
            Some(secret) => PrivateKey::from_private_key(&X25519, secret),
            None => PrivateKey::from_private_key_der(&ECDH_P256, pkcs8),
        };
        key.ok().map(|key| Self(Arc::new(key)))
    }

    /// A fresh X25519 key as PKCS#8; aws-lc-rs writes only the P-256 form itself.
    pub(in crate::keys) fn x25519_pkcs8(secret: &[u8; KEY_BYTES]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([X25519_PKCS8_PREFIX.as_slice(), secret].concat())
    }

    /// The public half.
    pub(in crate::keys) fn public(&self) -> Option<PublicKey> {
        public_half(&self.0)
    }

    /// Unwraps a content key that was wrapped for this key under `ephemeral`.
    pub(super) fn unwrap(&self, ephemeral: PublicKey, wrapped: &[u8]) -> Result<SecretKey, JoseError> {
        if wrapped.len() != WRAPPED_BYTES {
            return Err(malformed("encrypted key is not 40 bytes"));
        }
        let peer = parse(ephemeral).ok_or_else(|| malformed("`epk` is not a point of the curve"))?;
        let kek = key_encryption_key(&self.0, peer)
            .ok_or_else(|| malformed("`epk` gives no shared secret with the key"))?;
        unwrap(&kek, wrapped)
    }
}

/// A public key for agreements, parsed once.
#[derive(Clone)]
pub(super) struct Recipient(ParsedPublicKey);

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient")
    }
}

impl Recipient {
    /// A recipient, if its key is a point of P-256 or X25519.
    pub(super) fn new(public: PublicKey) -> Option<Self> {
        parse(public).map(Self)
    }

    /// Wraps a content key under a fresh ephemeral key; answers the ephemeral public key beside it.
    pub(super) fn wrap(&self, content_key: &[u8]) -> Result<(PublicKey, Vec<u8>), JoseError> {
        let ephemeral = PrivateKey::generate(self.0.alg()).map_err(|_| key_failure())?;
        let public = public_half(&ephemeral).ok_or_else(key_failure)?;
        let kek = key_encryption_key(&ephemeral, self.0.clone()).ok_or_else(key_failure)?;
        Ok((public, wrap(&kek, content_key)?.to_vec()))
    }
}

fn public_half(key: &PrivateKey) -> Option<PublicKey> {
    let public = key.compute_public_key().ok()?;
    if key.algorithm() == &X25519 {
        public.as_ref().try_into().ok().map(PublicKey::X25519)
    } else {
        PublicKey::from_point(public.as_ref())
    }
}

fn parse(public: PublicKey) -> Option<ParsedPublicKey> {
    let algorithm = match public {
        PublicKey::P256 { .. } => &ECDH_P256,
        PublicKey::X25519(_) => &X25519,
        PublicKey::Ed25519(_) => return None,
    };
    ParsedPublicKey::try_from(UnparsedPublicKey::new(algorithm, public.to_bytes())).ok()
}

fn key_encryption_key(own: &PrivateKey, peer: ParsedPublicKey) -> Option<SecretKey> {
    agreement::agree(own, peer, (), |shared| Ok(concat_kdf(shared, ALGORITHM, b"", b"", 256))).ok()
}

/// The one-step derivation of NIST SP 800-56A with SHA-256, first block (RFC 7518 section 4.6.2); the
/// wanted key is its first `bits` bits.
fn concat_kdf(shared: &[u8], algorithm: &str, party_u: &[u8], party_v: &[u8], bits: u32) -> SecretKey {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&1_u32.to_be_bytes());
    hash.update(shared);
    for datum in [algorithm.as_bytes(), party_u, party_v] {
        // INVARIANT: these are names of a few bytes, so their length fits.
        hash.update(&u32::try_from(datum.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(datum);
    }
    hash.update(&bits.to_be_bytes());
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for (to, from) in key.iter_mut().zip(hash.finish().as_ref()) {
        *to = *from;
    }
    key
}

fn wrap(kek: &SecretKey, content_key: &[u8]) -> Result<[u8; WRAPPED_BYTES], JoseError> {
    let mut wrapped = [0; WRAPPED_BYTES];
    let kek = AesKek::new(&AES_256, kek.as_slice()).map_err(|_| key_failure())?;
    kek.wrap(content_key, &mut wrapped).map_err(|_| key_failure())?;
    Ok(wrapped)
}

fn unwrap(kek: &SecretKey, wrapped: &[u8]) -> Result<SecretKey, JoseError> {
    let mut content_key = Zeroizing::new([0; KEY_BYTES]);
    let kek = AesKek::new(&AES_256, kek.as_slice()).map_err(|_| key_failure())?;
    match kek.unwrap(wrapped, content_key.as_mut_slice()) {
        Ok(key) if key.len() == KEY_BYTES => Ok(content_key),
        _ => Err(mismatch()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use puente_core::envelope::from_base64url;
    use serde_json::json;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_derivation_is_that_of_rfc_7518_appendix_c() {
        let bob = json!({
            "kty": "EC", "crv": "P-256",
            "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
            "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        });
        let peer = parse(PublicKey::from_members(bob.as_object().unwrap()).unwrap()).unwrap();
        let secret = from_base64url("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").unwrap();
        let alice = PrivateKey::from_private_key(&ECDH_P256, &secret).unwrap();
        let key = agreement::agree(&alice, peer, (), |shared| {
            Ok(concat_kdf(shared, "A128GCM", b"Alice", b"Bob", 128))
        });
        assert_eq!(key.unwrap()[..16], from_base64url("VqqN6vgjbSBcIijNcacQGg").unwrap());
    }

    #[test]
    fn the_wrapping_is_that_of_rfc_3394_section_4_6() {
        let kek = Zeroizing::new(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        let key = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
        let wrapped = hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
        assert_eq!(wrap(&kek, &key).unwrap().as_slice(), wrapped);
        assert_eq!(unwrap(&kek, &wrapped).unwrap().as_slice(), key);
    }

    #[test]
    fn a_wrapped_key_changed_by_one_bit_does_not_unwrap() {
        let kek = Zeroizing::new([7; KEY_BYTES]);
        let wrapped = wrap(&kek, &[9; KEY_BYTES]).unwrap();
        for bit in 0..WRAPPED_BYTES * 8 {
            let mut changed = wrapped;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(unwrap(&kek, &changed), Err(JoseError::InvalidSignature(_))));
        }
    }
}
