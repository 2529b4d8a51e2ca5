//! Compact JWE of one recipient: sealing for a public key and opening with its private half.
//!
//! Not here: padding to the ladder and what the context means (`puente_core::envelope`). Invariant: a
//! content key is drawn fresh for each token and used once.

use std::borrow::Cow;
use std::sync::LazyLock;

use aws_lc_rs::rand;
use josekit::JoseError;
use josekit::jwe::enc::{A128CBC_HS256, A128GCM, A192CBC_HS384, A192GCM, A256CBC_HS512, A256GCM};
use josekit::jwe::{JweAlgorithm, JweContentEncryption, JweContext, JweDecrypter, JweEncrypter, JweHeader};
use puente_core::envelope::{CryptoFailure, Open, Seal};
use puente_core::ids::KeyId;
use serde_json::Value;
use zeroize::Zeroizing;

use super::agreement::{self, AgreementKey, EcdhEsA256Kw, Recipient};
use super::content::{self, A256Gcm};
use super::{MAX_JWE_BYTES, failure, header, key_failure, malformed, unusable};
use crate::keys::jwk::PublicKey;

/// josekit's context with everything taken out of it but our one content encryption.
static CONTEXT: LazyLock<JweContext> = LazyLock::new(|| {
    let mut context = JweContext::new();
    context.remove_compression("DEF");
    for foreign in [
        A128CBC_HS256.name(),
        A192CBC_HS384.name(),
        A256CBC_HS512.name(),
        A128GCM.name(),
        A192GCM.name(),
        A256GCM.name(),
    ] {
        context.remove_content_encryption(foreign);
    }
    context.add_content_encryption(Box::new(A256Gcm));
    context
});

#[derive(Debug, Clone)]
struct Encrypter {
    id: KeyId,
    recipient: Recipient,
}

impl JweEncrypter for Encrypter {
    fn algorithm(&self) -> &dyn JweAlgorithm {
        &EcdhEsA256Kw
    }

    fn key_id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }

    fn compute_content_encryption_key(
        &self,
        cencryption: &dyn JweContentEncryption,
        _in_header: &JweHeader,
        _out_header: &mut JweHeader,
    ) -> Result<Option<Cow<'_, [u8]>>, JoseError> {
        let mut key = vec![0; cencryption.key_len()];
        rand::fill(&mut key).map_err(|_| key_failure())?;
        Ok(Some(Cow::Owned(key)))
    }

    fn encrypt(
        &self,
        key: &[u8],
        _in_header: &JweHeader,
        out_header: &mut JweHeader,
    ) -> Result<Option<Vec<u8>>, JoseError> {
        let (ephemeral, wrapped) = self.recipient.wrap(key)?;
        out_header.set_claim("epk", Some(ephemeral.to_members()))?;
        Ok(Some(wrapped))
    }

    fn box_clone(&self) -> Box<dyn JweEncrypter> {
        Box::new(self.clone())
    }
}

/// Seals for one public key, parsed once.
#[derive(Debug, Clone)]
pub struct Sealer {
    key: Encrypter,
}

impl Sealer {
    pub(in crate::keys) fn new(id: KeyId, public: PublicKey) -> Result<Self, CryptoFailure> {
        let recipient = Recipient::new(public).ok_or_else(|| unusable(&id))?;
        Ok(Self { key: Encrypter { id, recipient } })
    }
}

impl Seal for Sealer {
    fn key_id(&self) -> &KeyId {
        &self.key.id
    }

    fn seal(&self, context: &Value, plaintext: &[u8]) -> Result<String, CryptoFailure> {
        if plaintext.len() > MAX_JWE_BYTES {
            return Err(CryptoFailure::Form("plaintext is longer than a JWE may be"));
        }
        let refused = |error: JoseError| failure(&error, &self.key.id);
        let mut protected = JweHeader::new();
        protected.set_content_encryption(content::ENCRYPTION);
        protected.set_token_type(header::SEALED_TYPE);
        protected.set_claim("puente", Some(context.clone())).map_err(refused)?;
        let compact = CONTEXT.serialize_compact(plaintext, &protected, &self.key).map_err(refused)?;
        if compact.len() > MAX_JWE_BYTES {
            return Err(CryptoFailure::Form("token is longer than a JWE may be"));
        }
        Ok(compact)
    }
}

#[derive(Debug, Clone)]
struct Decrypter {
    id: KeyId,
    key: AgreementKey,
}

impl JweDecrypter for Decrypter {
    fn algorithm(&self) -> &dyn JweAlgorithm {
        &EcdhEsA256Kw
    }

    fn key_id(&self) -> Option<&str> {
        Some(self.id.as_str())
    }

    fn decrypt(
        &self,
        encrypted_key: Option<&[u8]>,
        _cencryption: &dyn JweContentEncryption,
        header: &JweHeader,
    ) -> Result<Cow<'_, [u8]>, JoseError> {
        let ephemeral = header::ephemeral_key(header.claim("epk"))
            .map_err(|_| malformed("`epk` is not a public key of ours"))?;
        let content_key = self.key.unwrap(ephemeral, encrypted_key.unwrap_or_default())?;
        Ok(Cow::Owned(content_key.to_vec()))
    }

    fn box_clone(&self) -> Box<dyn JweDecrypter> {
        Box::new(self.clone())
    }
}

/// Opens with one private key held in memory.
#[derive(Debug, Clone)]
pub struct Opener {
    key: Decrypter,
}

impl Opener {
    pub(in crate::keys) fn new(id: KeyId, key: AgreementKey) -> Self {
        Self { key: Decrypter { id, key } }
    }
}

impl Open for Opener {
    fn key_id(&self) -> &KeyId {
        &self.key.id
    }

    fn open(&self, compact: &str) -> Result<(Value, Zeroizing<Vec<u8>>), CryptoFailure> {
        let context = header::admit_jwe(compact, agreement::ALGORITHM, content::ENCRYPTION, &self.key.id)?;
        let (plaintext, _) =
            CONTEXT.deserialize_compact(compact, &self.key).map_err(|error| failure(&error, &self.key.id))?;
        Ok((context, Zeroizing::new(plaintext)))
    }
}
