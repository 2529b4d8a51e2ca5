//! Signed documents: JWS general JSON serialisation (RFC 7515 section 7.2.1), distinct keys counted.
//!
//! INVARIANT: the payload is verified as the bytes that were received; each key counts once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::envelope::{CryptoFailure, KeyFactory, Sign, base64url, claimed_key, from_base64url};
use crate::membership::error::MembershipError;
use crate::membership::list::DelegatedKey;

/// `typ` of the root document.
pub const TYP_ROOT: &str = "puente-root+jws";
/// `typ` of the members document.
pub const TYP_MEMBERS: &str = "puente-members+jws";
/// `typ` of a directory.
pub const TYP_DIRECTORY: &str = "puente-directory+jws";

/// Largest document that is read.
const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// Most signatures on one document.
const MAX_SIGNATURES: usize = 64;

/// One signature of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatures {
    /// Protected header, base64url.
    pub protected: String,
    /// Signature, base64url.
    pub signature: String,
}

/// A document with its signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDocument {
    /// Payload, base64url.
    pub payload: String,
    /// Signatures.
    pub signatures: Vec<Signatures>,
}

impl SignedDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// When the bytes are not a JWS in general JSON form within bounds.
    pub fn read(bytes: &[u8]) -> Result<Self, MembershipError> {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(MembershipError::Form("document too large"));
        }
        let document: Self =
            serde_json::from_slice(bytes).map_err(|_| MembershipError::Form("not a general JSON JWS"))?;
        if document.signatures.is_empty() || document.signatures.len() > MAX_SIGNATURES {
            return Err(MembershipError::Form("number of signatures"));
        }
        Ok(document)
    }

    /// Adds a signature over the payload as it stands.
    ///
    /// # Errors
    /// When the key fails or the payload is not base64url.
    pub fn sign(&mut self, typ: &str, signer: &dyn Sign) -> Result<(), CryptoFailure> {
        let bytes = from_base64url(&self.payload).ok_or(CryptoFailure::Form("payload"))?;
        let compact = signer.sign(typ, &bytes)?;
        let mut parts = compact.split('.');
        let (Some(protected), Some(_), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(CryptoFailure::Form("compact JWS"));
        };
        self.signatures.push(Signatures { protected: protected.to_owned(), signature: signature.to_owned() });
        Ok(())
    }

    /// Verifies that at least `threshold` distinct keys of `keys` signed, and reads the payload.
    ///
    /// Signatures by keys that are not listed are passed over (a list in transition carries both); a listed
    /// key whose signature does not verify refuses the document.
    ///
    /// # Errors
    /// When the threshold is not met, a signature is wrong, or the payload is of another form.
    pub fn verify<T: serde::de::DeserializeOwned>(
        &self,
        typ: &str,
        keys: &[DelegatedKey],
        threshold: usize,
        factory: &dyn KeyFactory,
    ) -> Result<T, MembershipError> {
        let mut signed_by = BTreeSet::new();
        for signature in &self.signatures {
            let kid = claimed_key(&signature.protected).ok_or(MembershipError::Form("protected header"))?;
            let Some(key) = keys.iter().find(|key| key.kid == kid) else { continue };
            let compact = format!("{}.{}.{}", signature.protected, self.payload, signature.signature);
            factory.verifier(&key.kid, &key.jwk)?.verify(typ, &compact)?;
            signed_by.insert(kid);
        }
        if threshold == 0 || signed_by.len() < threshold {
            return Err(MembershipError::Threshold { have: signed_by.len(), need: threshold.max(1) });
        }
        let payload = from_base64url(&self.payload).ok_or(MembershipError::Form("payload"))?;
        serde_json::from_slice(&payload).map_err(|_| MembershipError::Form("payload"))
    }
}

/// Signs a document with each of the keys.
///
/// # Errors
/// When a key fails or the payload cannot be serialised.
pub fn sign_document<T: Serialize>(
    typ: &str,
    payload: &T,
    signers: &[&dyn Sign],
) -> Result<SignedDocument, CryptoFailure> {
    let bytes = serde_json::to_vec(payload).map_err(|_| CryptoFailure::Form("payload"))?;
    let mut document = SignedDocument { payload: base64url(&bytes), signatures: Vec::new() };
    signers.iter().try_for_each(|signer| document.sign(typ, *signer))?;
    Ok(document)
}
