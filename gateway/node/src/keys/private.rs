//! Private JOSE keys as they rest: PKCS#8 in PEM, one key and one use per file.
//!
//! Not here: TLS keys and certificate authorities (`pki`), devices. Invariant: a key is generated or
//! loaded for one use, and neither its bytes nor its text stay in memory after it is dropped.

use std::fmt;
use std::path::Path;

use aws_lc_rs::rand;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use puente_core::envelope::{Jwk, SignatureProfile};
use puente_core::ids::{InvalidId, KeyId};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::file::{FileError, read_private, write_private};
use super::http_signature::HttpSigner;
use super::jose::{AgreementKey, KeyPair, Opener, Signer};
use super::jwk::PublicKey;
use super::pem;

/// What a private key is for; a key for one use is never loaded for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Making signatures.
    Sign,
    /// Opening what was sealed.
    Open,
}

/// Why a private key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file holds no PKCS#8 private key of a known kind for this use.
    #[error("not a PKCS#8 private key of P-256, Ed25519 or X25519 for this use")]
    Unknown,
    /// The key is for the other use.
    #[error("key is for another use than {0:?}")]
    Use(KeyUse),
    /// The thumbprint is no key id.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// No key could be generated.
    #[error("key could not be generated")]
    Generation,
}

/// A private key and its public half.
pub struct KeyFile {
    usage: KeyUse,
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
    id: KeyId,
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile").field("id", &self.id).field("usage", &self.usage).finish_non_exhaustive()
    }
}

impl KeyFile {
    /// A fresh key of the profile for this use.
    ///
    /// # Errors
    /// `Generation` when there is no randomness.
    pub fn generate(profile: SignatureProfile, usage: KeyUse) -> Result<Self, KeyError> {
        let pkcs8 = match (profile, usage) {
            (SignatureProfile::P256, _) => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| Zeroizing::new(document.as_ref().to_vec())),
            (SignatureProfile::Curve25519, KeyUse::Sign) => Ed25519KeyPair::generate()
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| Zeroizing::new(document.as_ref().to_vec())),
            (SignatureProfile::Curve25519, KeyUse::Open) => {
                let mut secret = Zeroizing::new([0; 32]);
                rand::fill(secret.as_mut_slice()).map(|()| AgreementKey::x25519_pkcs8(&secret))
            }
        };
        Self::from_pkcs8(pkcs8.map_err(|_| KeyError::Generation)?, usage)
    }

    /// Loads the key of a file for this use.
    ///
    /// # Errors
    /// `File` when it cannot be read or is open to others, `Unknown` when it holds no key for this use.
    pub fn load(path: &Path, usage: KeyUse) -> Result<Self, KeyError> {
        Self::from_pem(&read_private(path)?, usage)
    }

    /// Reads the key from PEM.
    ///
    /// # Errors
    /// `Unknown` when it holds no key for this use.
    pub fn from_pem(pem: &[u8], usage: KeyUse) -> Result<Self, KeyError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| KeyError::Unknown)?;
        Self::from_pkcs8(Zeroizing::new(der.secret_pkcs8_der().to_vec()), usage)
    }

    /// Writes the key to a file of mode 0600, atomically.
    ///
    /// # Errors
    /// `File` when it cannot be written.
    pub fn store(&self, path: &Path) -> Result<(), KeyError> {
        Ok(write_private(path, self.to_pem().as_bytes())?)
    }

    /// The key as PKCS#8 in PEM (RFC 7468 section 10).
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }

    /// The key's id: its RFC 7638 thumbprint.
    #[must_use]
    pub const fn key_id(&self) -> &KeyId {
        &self.id
    }

    /// The public half, with the thumbprint as `kid`.
    #[must_use]
    pub fn public_jwk(&self) -> Jwk {
        self.public.to_jwk()
    }

    pub(super) const fn public(&self) -> PublicKey {
        self.public
    }

    pub(super) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The profile that the key belongs to.
    #[must_use]
    pub const fn profile(&self) -> SignatureProfile {
        self.public.profile()
    }

    /// A signer with this key.
    ///
    /// # Errors
    /// `Use` when the key is for opening.
    pub fn signer(&self) -> Result<Signer, KeyError> {
        Ok(Signer::new(self.id.clone(), self.pair()?))
    }

    /// A signer of HTTP requests with this key.
    ///
    /// # Errors
    /// `Use` when the key is for opening.
    pub fn http_signer(&self) -> Result<HttpSigner, KeyError> {
        Ok(HttpSigner::new(self.id.clone(), self.pair()?))
    }

    fn pair(&self) -> Result<KeyPair, KeyError> {
        match self.usage {
            KeyUse::Sign => KeyPair::from_pkcs8(&self.pkcs8).ok_or(KeyError::Unknown),
            KeyUse::Open => Err(KeyError::Use(KeyUse::Sign)),
        }
    }

    /// An opener with this key.
    ///
    /// # Errors
    /// `Use` when the key is for signing.
    pub fn opener(&self) -> Result<Opener, KeyError> {
        let key = match self.usage {
            KeyUse::Open => AgreementKey::from_pkcs8(&self.pkcs8).ok_or(KeyError::Unknown)?,
            KeyUse::Sign => return Err(KeyError::Use(KeyUse::Open)),
        };
        Ok(Opener::new(self.id.clone(), key))
    }

    fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>, usage: KeyUse) -> Result<Self, KeyError> {
        let public = match usage {
            KeyUse::Sign => KeyPair::from_pkcs8(&pkcs8).and_then(|pair| pair.public()),
            KeyUse::Open => AgreementKey::from_pkcs8(&pkcs8).and_then(|key| key.public()),
        }
        .ok_or(KeyError::Unknown)?;
        let id = public.thumbprint().parse()?;
        Ok(Self { usage, pkcs8, public, id })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KINDS: [(SignatureProfile, KeyUse); 4] = [
        (SignatureProfile::P256, KeyUse::Sign),
        (SignatureProfile::P256, KeyUse::Open),
        (SignatureProfile::Curve25519, KeyUse::Sign),
        (SignatureProfile::Curve25519, KeyUse::Open),
    ];

    #[test]
    fn every_kind_of_key_survives_its_file() {
        let directory = tempfile::tempdir().unwrap();
        for (profile, usage) in KINDS {
            let path = directory.path().join("key.pem");
            let key = KeyFile::generate(profile, usage).unwrap();
            key.store(&path).unwrap();
            let loaded = KeyFile::load(&path, usage).unwrap();
            assert_eq!(loaded.key_id(), key.key_id());
            assert_eq!(loaded.public_jwk(), key.public_jwk());
            assert_eq!(loaded.profile(), profile);
        }
    }

    #[test]
    fn a_25519_key_is_not_loaded_for_the_other_use() {
        let signing = KeyFile::generate(SignatureProfile::Curve25519, KeyUse::Sign).unwrap();
        let opening = KeyFile::generate(SignatureProfile::Curve25519, KeyUse::Open).unwrap();
        assert!(matches!(
            KeyFile::from_pem(signing.to_pem().as_bytes(), KeyUse::Open),
            Err(KeyError::Unknown)
        ));
        assert!(matches!(
            KeyFile::from_pem(opening.to_pem().as_bytes(), KeyUse::Sign),
            Err(KeyError::Unknown)
        ));
        assert!(matches!(signing.opener(), Err(KeyError::Use(KeyUse::Open))));
        assert!(matches!(opening.signer(), Err(KeyError::Use(KeyUse::Sign))));
    }

    #[test]
    fn debug_shows_no_key() {
        let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
        assert_eq!(
            format!("{key:?}"),
            format!("KeyFile {{ id: KeyId(\"{}\"), usage: Sign, .. }}", key.key_id())
        );
    }

    #[test]
    fn a_certificate_is_no_key() {
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(KeyFile::from_pem(pem, KeyUse::Sign), Err(KeyError::Unknown)));
    }
}
