//! Making the wire form of one message: disclosures, seal, signature.
//!
//! Not here: whether it may leave (`policy`) and how it is queued (`delivery`).

use std::collections::BTreeMap;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::envelope::disclosure::{Disclosure, decoy, digest_ladder, size_ladder};
use crate::envelope::header::{ConsentExtract, Header, IssuerClaims, PolicyRef, SealContext, Sections};
use crate::envelope::{CryptoFailure, Randomness, Seal, Sign, TYP_DIRECT, wire};
use crate::ids::{Category, CountryCode, Digest, MessageId, Realm, ReleaseId};
use crate::personal::Personal;
use crate::policy::Permit;

/// Everything of a message that is known before it is sealed.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Message id.
    pub message: MessageId,
    /// Realm.
    pub realm: Realm,
    /// Origin.
    pub from: &'a CountryCode,
    /// Routing header.
    pub header: Header,
    /// Consent extract, when there is one.
    pub consent: Option<ConsentExtract>,
    /// The decision that permits it.
    pub policy: PolicyRef,
    /// Issued at, seconds.
    pub issued_at: i64,
    /// Expires at, seconds.
    pub expires_at: i64,
    /// Every category that was submitted.
    pub sections: &'a BTreeMap<Category, Personal<Value>>,
}

/// A message in its wire form.
pub struct Release {
    /// SHA-256 of the wire bytes.
    pub id: ReleaseId,
    /// The exact bytes to send, now and at every retry.
    pub wire: Vec<u8>,
    /// Released categories, sorted.
    pub labels: Vec<Category>,
    /// Disclosures that were committed to and withheld.
    pub withheld: Vec<Disclosure>,
}

/// Why a message could not be put into its wire form.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A key failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailure),
    /// A value could not be serialised.
    #[error("message cannot be serialised")]
    Form(#[from] serde_json::Error),
}

/// Seals the permitted categories to the recipient role's key and signs the whole, mode "through the gateway".
///
/// # Errors
/// When a key fails or a value cannot be serialised; then nothing was made.
pub fn release(
    draft: Draft<'_>,
    permit: &Permit,
    signer: &dyn Sign,
    sealer: &dyn Seal,
    random: &dyn Randomness,
) -> Result<Release, ReleaseError> {
    let mut labels = Vec::new();
    let mut released = Vec::new();
    let mut withheld = Vec::new();
    let mut plaintext = Zeroizing::new(Vec::with_capacity(4096));
    for (category, value) in draft.sections {
        let disclosure = Disclosure::make(category, value.reveal(), random)?;
        if permit.covers(category) {
            plaintext.extend_from_slice(disclosure.text().as_bytes());
            plaintext.push(b'\n');
            labels.push(category.clone());
            released.push(disclosure.digest());
        } else {
            withheld.push(disclosure);
        }
    }
    let padded = size_ladder(plaintext.len());
    plaintext.resize(padded, b' ');
    let mut sd: Vec<Digest> =
        released.iter().copied().chain(withheld.iter().map(Disclosure::digest)).collect();
    while sd.len() < digest_ladder(draft.sections.len()) {
        sd.push(decoy(random));
    }
    sd.sort_unstable();
    released.sort_unstable();
    let context =
        SealContext { jti: draft.message, role: draft.header.recipient.role.clone(), labels: labels.clone() };
    let sealed = sealer.seal(&serde_json::to_value(&context)?, &plaintext)?;
    let claims = IssuerClaims {
        iss: draft.from.clone(),
        aud: draft.header.recipient.country.clone(),
        iat: draft.issued_at,
        exp: draft.expires_at,
        jti: draft.message,
        realm: draft.realm,
        sd_alg: "sha-256".to_owned(),
        puente: draft.header,
        consent: draft.consent,
        sections: Sections { sd },
        released,
        enc_hash: vec![Digest::of(sealed.as_bytes())],
        policy: draft.policy,
    };
    let issuer_jwt = signer.sign(TYP_DIRECT, &serde_json::to_vec(&claims)?)?;
    let wire = wire::join(&issuer_jwt, &[sealed]);
    Ok(Release { id: Digest::of(&wire), wire, labels, withheld })
}
