//! Who signed a message: its gateway, or the agency with its gateway's release (PROTOCOL.md section 1, two modes).
//!
//! Not here: seals and times (`outer`). INVARIANT: which mode applies follows from the sender's entry in its
//! country's directory and from the legal basis, never from what is present in the message.

use std::sync::Arc;

use crate::envelope::header::{BindingClaims, IssuerClaims, PolicyRef};
use crate::envelope::wire::Parts;
use crate::envelope::{
    CryptoFailure, Disclosure, Jwk, TYP_AGENCY, TYP_BINDING, TYP_DIRECT, Verify, claimed_key, from_base64url,
};
use crate::ids::{AgencyId, Digest, KeyId};
use crate::policy::BasisType;
use crate::problem::{self, Problem};

/// The sender's keys, as its country's directory holds them at one instant.
pub trait SenderKeys {
    /// The key of this id with which its gateway signs.
    fn gateway(&self, kid: &KeyId) -> Option<Arc<dyn Verify>>;
    /// Whether the gateway's key of this id is this public key.
    fn is_gateway(&self, kid: &KeyId, jwk: &Jwk) -> bool;
    /// The key of this id with which an agency signs, and whose it is.
    fn agency(&self, kid: &KeyId) -> Option<(AgencyId, Arc<dyn Verify>)>;
    /// Whether the directory says that this agency signs by itself.
    fn signs_itself(&self, agency: &AgencyId) -> bool;
}

/// Whether an agency that signs by itself signs a message on this basis. What rests on `control` its gateway says: a
/// withdrawal must leave though nobody of the agency is at hand with its key, and none of it tells more of a person.
#[must_use]
pub fn signed_by_agency(signs_itself: bool, basis: &str) -> bool {
    signs_itself && basis != BasisType::Control.code()
}

/// Why the signatures of a message are believed.
#[derive(Clone, Copy)]
pub(super) enum Trust<'a> {
    /// They verify under these keys.
    Keys(&'a dyn SenderKeys),
    /// They verified when exactly these bytes were accepted.
    Accepted,
}

impl Trust<'_> {
    /// The payload of a token of the gateway.
    fn by_gateway(self, typ: &str, token: &str) -> Result<Vec<u8>, Problem> {
        let Self::Keys(keys) = self else { return unverified(token) };
        let kid = claimed_key(token).ok_or_else(malformed)?;
        payload(keys.gateway(&kid).ok_or_else(unknown_key)?.as_ref(), typ, token)
    }
}

/// What was signed about the disclosures that were released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    /// Their sorted digests.
    Released(Vec<Digest>),
    /// One digest over the issuer JWT and all of them.
    Presentation(Digest),
}

/// The claims of a message whose signatures verify.
pub(super) struct Signed {
    pub(super) claims: IssuerClaims,
    pub(super) bound: Bound,
    pub(super) enc_hash: Vec<Digest>,
    pub(super) policy: PolicyRef,
    /// When the gateway released it, seconds.
    pub(super) released_at: i64,
}

/// The digest over an issuer JWT and the disclosures released with it (RFC 9901 section 4.3.1).
#[must_use]
pub fn presentation_digest<'a>(
    issuer_jwt: &str,
    disclosures: impl IntoIterator<Item = &'a Disclosure>,
) -> Digest {
    let mut text = String::with_capacity(issuer_jwt.len() + 2048);
    text.push_str(issuer_jwt);
    text.push('~');
    for disclosure in disclosures {
        text.push_str(disclosure.text());
        text.push('~');
    }
    Digest::of(text.as_bytes())
}

fn malformed() -> Problem {
    Problem::new(&problem::ENVELOPE_MALFORMED)
}

fn unknown_key() -> Problem {
    Problem::new(&problem::ENVELOPE_KEY)
}

/// The payload of a token under this key.
fn payload(key: &dyn Verify, typ: &str, token: &str) -> Result<Vec<u8>, Problem> {
    key.verify(typ, token).map_err(|failure| match failure {
        CryptoFailure::Form(_) => malformed(),
        _ => Problem::new(&problem::ENVELOPE_SIGNATURE),
    })
}

/// The payload of a token whose signature is not looked at.
fn unverified(token: &str) -> Result<Vec<u8>, Problem> {
    token.split('.').nth(1).and_then(from_base64url).ok_or_else(malformed)
}

/// Verifies the signatures in the mode that the message shows, and then that this is the sender's mode.
pub(super) fn verify_signatures(parts: &Parts<'_>, trust: Trust<'_>) -> Result<Signed, Problem> {
    let signed = match parts.binding {
        None => by_gateway(parts.issuer_jwt, trust)?,
        Some(binding) => by_agency(parts.issuer_jwt, binding, trust)?,
    };
    let Trust::Keys(keys) = trust else { return Ok(signed) };
    let header = &signed.claims.puente;
    let itself = signed_by_agency(keys.signs_itself(&header.sender.agency), &header.legal_basis.kind);
    if itself == parts.binding.is_some() { Ok(signed) } else { Err(Problem::new(&problem::ENVELOPE_MODE)) }
}

fn by_gateway(issuer_jwt: &str, trust: Trust<'_>) -> Result<Signed, Problem> {
    let payload = trust.by_gateway(TYP_DIRECT, issuer_jwt)?;
    let mut claims: IssuerClaims = serde_json::from_slice(&payload).map_err(|_| malformed())?;
    let (released, enc_hash, policy) = (claims.released.take(), claims.enc_hash.take(), claims.policy.take());
    match (released, enc_hash, policy, &claims.cnf) {
        (Some(released), Some(enc_hash), Some(policy), None) => {
            Ok(Signed { released_at: claims.iat, bound: Bound::Released(released), claims, enc_hash, policy })
        }
        _ => Err(malformed()),
    }
}

/// The claims that an agency signed, with the key that may release them; in the form that has nothing of a release.
fn issued_claims(payload: &[u8]) -> Result<(IssuerClaims, Jwk), Problem> {
    let claims: IssuerClaims = serde_json::from_slice(payload).map_err(|_| malformed())?;
    match (&claims.cnf, &claims.released, &claims.enc_hash, &claims.policy) {
        (Some(cnf), None, None, None) => {
            let releaser = cnf.jwk.clone();
            Ok((claims, releaser))
        }
        _ => Err(malformed()),
    }
}

/// Verifies what an agency signed, and that it speaks for itself.
pub(super) fn verify_issued(
    issuer_jwt: &str,
    agency: &AgencyId,
    key: &dyn Verify,
) -> Result<(IssuerClaims, Jwk), Problem> {
    let (claims, releaser) = issued_claims(&payload(key, TYP_AGENCY, issuer_jwt)?)?;
    if claims.puente.sender.agency == *agency { Ok((claims, releaser)) } else { Err(unknown_key()) }
}

fn by_agency(issuer_jwt: &str, binding: &str, trust: Trust<'_>) -> Result<Signed, Problem> {
    let claims = match trust {
        Trust::Accepted => issued_claims(&unverified(issuer_jwt)?)?.0,
        Trust::Keys(keys) => {
            let kid = claimed_key(issuer_jwt).ok_or_else(malformed)?;
            let (agency, key) = keys.agency(&kid).ok_or_else(unknown_key)?;
            let (claims, releaser) = verify_issued(issuer_jwt, &agency, key.as_ref())?;
            let releases = claimed_key(binding).ok_or_else(malformed)?;
            if !keys.is_gateway(&releases, &releaser) {
                return Err(unknown_key());
            }
            claims
        }
    };
    let release: BindingClaims =
        serde_json::from_slice(&trust.by_gateway(TYP_BINDING, binding)?).map_err(|_| malformed())?;
    if release.nonce != claims.jti || release.aud != claims.aud {
        return Err(malformed());
    }
    Ok(Signed {
        claims,
        bound: Bound::Presentation(release.sd_hash),
        enc_hash: release.enc_hash,
        policy: release.policy,
        released_at: release.iat,
    })
}
