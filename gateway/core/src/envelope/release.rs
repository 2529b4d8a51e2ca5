//! Making the wire form of one message: disclosures, seal, signature.
//!
//! Not here: whether it may leave (`policy`) and how it is queued (`delivery`).

use std::collections::BTreeMap;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::envelope::disclosure::{Disclosure, size_ladder};
use crate::envelope::header::{BindingClaims, Header, PolicyRef, SealContext};
use crate::envelope::issue::{Issued, Statement, commit};
use crate::envelope::mode::presentation_digest;
use crate::envelope::{CryptoFailure, Randomness, Seal, Sign, TYP_BINDING, TYP_DIRECT, wire};
use crate::ids::{Category, Digest, MessageId, ReleaseId};
use crate::personal::Personal;
use crate::policy::Permit;

/// Everything of a message that is known before it is sealed.
#[derive(Debug)]
pub struct Draft<'a> {
    /// What is said of it.
    pub statement: Statement,
    /// The decision that permits it.
    pub policy: PolicyRef,
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

/// The permitted disclosures, sealed as one, and those that stay.
struct Sealed {
    part: String,
    labels: Vec<Category>,
    released: Vec<Disclosure>,
    withheld: Vec<Disclosure>,
}

/// Seals those of the disclosures that are permitted to the recipient role's key.
fn seal(
    message: MessageId,
    header: &Header,
    disclosures: impl Iterator<Item = (Category, Disclosure)>,
    permit: &Permit,
    sealer: &dyn Seal,
) -> Result<Sealed, ReleaseError> {
    let (mut labels, mut released, mut withheld) = (Vec::new(), Vec::new(), Vec::new());
    let mut plaintext = Zeroizing::new(Vec::with_capacity(4096));
    for (category, disclosure) in disclosures {
        if permit.covers(&category) {
            plaintext.extend_from_slice(disclosure.text().as_bytes());
            plaintext.push(b'\n');
            labels.push(category);
            released.push(disclosure);
        } else {
            withheld.push(disclosure);
        }
    }
    let padded = size_ladder(plaintext.len());
    plaintext.resize(padded, b' ');
    let context = SealContext { jti: message, role: header.recipient.role.clone(), labels: labels.clone() };
    let part = sealer.seal(&serde_json::to_value(&context)?, &plaintext)?;
    Ok(Sealed { part, labels, released, withheld })
}

impl Sealed {
    fn into_release(self, wire: Vec<u8>) -> Release {
        Release { id: Digest::of(&wire), wire, labels: self.labels, withheld: self.withheld }
    }
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
    let disclosures = draft
        .sections
        .iter()
        .map(|(category, value)| Ok((category.clone(), Disclosure::make(category, value.reveal(), random)?)))
        .collect::<Result<Vec<_>, ReleaseError>>()?;
    let sections = commit(disclosures.iter().map(|(_, disclosure)| disclosure), random);
    let statement = draft.statement;
    let sealed = seal(statement.message, &statement.header, disclosures.into_iter(), permit, sealer)?;
    let mut released: Vec<Digest> = sealed.released.iter().map(Disclosure::digest).collect();
    released.sort_unstable();
    let mut claims = statement.claims(sections);
    claims.released = Some(released);
    claims.enc_hash = Some(vec![Digest::of(sealed.part.as_bytes())]);
    claims.policy = Some(draft.policy);
    let issuer_jwt = signer.sign(TYP_DIRECT, &serde_json::to_vec(&claims)?)?;
    let wire = wire::join(&issuer_jwt, std::slice::from_ref(&sealed.part), None);
    Ok(sealed.into_release(wire))
}

/// Seals the permitted categories of what an agency signed and signs their release, mode "agency key".
///
/// # Errors
/// When a key fails or a value cannot be serialised; then nothing was made.
pub fn release_issued(
    issued: &Issued,
    policy: PolicyRef,
    released_at: i64,
    permit: &Permit,
    signer: &dyn Sign,
    sealer: &dyn Seal,
) -> Result<Release, ReleaseError> {
    let Issued { issuer_jwt, claims, disclosures } = issued;
    let disclosures =
        disclosures.iter().map(|(category, (disclosure, _))| (category.clone(), disclosure.clone()));
    let sealed = seal(claims.jti, &claims.puente, disclosures, permit, sealer)?;
    let binding = BindingClaims {
        iat: released_at,
        aud: claims.aud.clone(),
        nonce: claims.jti,
        sd_hash: presentation_digest(issuer_jwt, &sealed.released),
        enc_hash: vec![Digest::of(sealed.part.as_bytes())],
        policy,
    };
    let binding = signer.sign(TYP_BINDING, &serde_json::to_vec(&binding)?)?;
    let wire = wire::join(issuer_jwt, std::slice::from_ref(&sealed.part), Some(&binding));
    Ok(sealed.into_release(wire))
}
