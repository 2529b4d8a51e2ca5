//! The outer verification: what the destination gateway checks without any role key.
//!
//! The receipt "accepted" promises exactly this step. INVARIANT: a `VerifiedOuter` exists only when
//! signature, key, mode, realm, parties, times and sealed hashes all agree now, or did when these bytes were accepted.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::envelope::header::{AttachmentRef, IssuerClaims, PolicyRef, RecipientRef, SealContext};
use crate::envelope::mode::{Bound, Signed, Trust, presentation_digest, verify_signatures};
use crate::envelope::{Disclosure, SenderKeys, from_base64url, wire};
use crate::ids::{Category, CountryCode, Digest, KeyId, Purpose, Realm, ReleaseId};
use crate::problem::{self, Problem};

/// Tolerance between clocks, seconds (PROTOCOL.md, "Time").
pub const CLOCK_TOLERANCE_S: i64 = 120;

/// Longest life of a message, seconds: 400 days covers the longest retention of a manifest.
pub const MAX_LIFE_S: i64 = 400 * 86_400;

/// What the receiving side knows by itself when a message comes in.
pub struct Receiving<'a> {
    /// This country.
    pub us: &'a CountryCode,
    /// This realm.
    pub realm: Realm,
    /// Now, seconds.
    pub now: i64,
    /// The country of the peer's verified certificate.
    pub peer: &'a CountryCode,
    /// The keys of the peer's directory now.
    pub keys: &'a dyn SenderKeys,
}

/// A message whose outside is in order; its content is still sealed.
#[derive(Debug, Clone)]
pub struct VerifiedOuter {
    claims: IssuerClaims,
    bound: Bound,
    policy: PolicyRef,
    released_at: i64,
    labels: Vec<Category>,
    sealed: Vec<String>,
    release: ReleaseId,
    issuer_jwt: String,
}

impl VerifiedOuter {
    /// The signed claims.
    #[must_use]
    pub const fn claims(&self) -> &IssuerClaims {
        &self.claims
    }

    /// The policy under which the gateway released it.
    #[must_use]
    pub const fn policy(&self) -> &PolicyRef {
        &self.policy
    }

    /// Whether these disclosures, in the order in which they were sealed, are those that were signed as released.
    pub(super) fn releases(&self, disclosures: &[Disclosure]) -> bool {
        let mut digests: Vec<Digest> = disclosures.iter().map(Disclosure::digest).collect();
        digests.sort_unstable();
        strictly_sorted(&digests)
            && digests.iter().all(|digest| self.claims.sections.sd.binary_search(digest).is_ok())
            && match &self.bound {
                Bound::Released(released) => *released == digests,
                Bound::Presentation(digest) => *digest == presentation_digest(&self.issuer_jwt, disclosures),
            }
    }

    /// Labels of the released categories, sorted, as authenticated by the seal's header.
    #[must_use]
    pub fn labels(&self) -> &[Category] {
        &self.labels
    }

    /// The sealed parts, in wire order.
    #[must_use]
    pub fn sealed(&self) -> &[String] {
        &self.sealed
    }

    /// SHA-256 of the wire bytes.
    #[must_use]
    pub const fn release(&self) -> ReleaseId {
        self.release
    }

    /// Digest of the issuer JWT.
    #[must_use]
    pub fn issuer_digest(&self) -> Digest {
        Digest::of(self.issuer_jwt.as_bytes())
    }
}

/// What the protected header of a token says before anything is verified.
fn claimed<T: DeserializeOwned>(token: &str) -> Option<T> {
    let header = token.split('.').next()?;
    serde_json::from_slice(&from_base64url(header)?).ok()
}

/// The key that a token, or its protected header alone, claims to belong to; only good for finding that key.
#[must_use]
pub fn claimed_key(token: &str) -> Option<KeyId> {
    #[derive(Deserialize)]
    struct Claim {
        kid: KeyId,
    }
    claimed::<Claim>(token).map(|claim| claim.kid)
}

/// The context of a sealed part; what is in it is compared with what the issuer signed.
fn claimed_context(sealed: &str) -> Option<SealContext> {
    #[derive(Deserialize)]
    struct Claim {
        puente: SealContext,
    }
    claimed::<Claim>(sealed).map(|claim| claim.puente)
}

/// The claims of a message whose signatures are believed; times are not judged here, so that stored messages
/// can be read again.
fn authenticate(wire_bytes: &[u8], trust: Trust<'_>) -> Result<VerifiedOuter, Problem> {
    let parts = wire::split(wire_bytes).ok_or_else(|| Problem::new(&problem::ENVELOPE_MALFORMED))?;
    let Signed { claims, bound, enc_hash, policy, released_at } = verify_signatures(&parts, trust)?;
    let labels = check_seals(&claims, &enc_hash, &parts.sealed)?;
    let invalid = || Problem::new(&problem::DISCLOSURE_INVALID);
    let sd = &claims.sections.sd;
    if claims.sd_alg != "sha-256" || !strictly_sorted(sd) || labels.len() > sd.len() {
        return Err(invalid());
    }
    if let Bound::Released(released) = &bound {
        let committed = |digest: &Digest| sd.binary_search(digest).is_ok();
        if !strictly_sorted(released) || released.len() != labels.len() || !released.iter().all(committed) {
            return Err(invalid());
        }
    }
    Ok(VerifiedOuter {
        claims,
        bound,
        policy,
        released_at,
        labels,
        sealed: parts.sealed.into_iter().map(str::to_owned).collect(),
        release: Digest::of(wire_bytes),
        issuer_jwt: parts.issuer_jwt.to_owned(),
    })
}

fn check_seals(
    claims: &IssuerClaims,
    enc_hash: &[Digest],
    sealed: &[&str],
) -> Result<Vec<Category>, Problem> {
    let mismatch = || Problem::new(&problem::SEAL_MISMATCH);
    let hashes_agree = enc_hash.len() == sealed.len()
        && enc_hash.iter().zip(sealed).all(|(hash, part)| *hash == Digest::of(part.as_bytes()));
    if !hashes_agree {
        return Err(mismatch());
    }
    let mut labels = Vec::new();
    for part in sealed {
        let context = claimed_context(part).ok_or_else(mismatch)?;
        if context.jti != claims.jti || context.role != claims.puente.recipient.role {
            return Err(mismatch());
        }
        labels.extend(context.labels);
    }
    labels.sort_unstable();
    if strictly_sorted(&labels) { Ok(labels) } else { Err(mismatch()) }
}

fn strictly_sorted<T: Ord>(items: &[T]) -> bool {
    items.is_sorted_by(|a, b| a < b)
}

/// Verifies the outside of a message that has just arrived.
///
/// # Errors
/// A problem with the first thing found wrong, in this order: form, key, signature, seals, commitments,
/// realm, country, audience, times.
pub fn verify_outer(wire_bytes: &[u8], receiving: &Receiving<'_>) -> Result<VerifiedOuter, Problem> {
    let outer = authenticate(wire_bytes, Trust::Keys(receiving.keys))?;
    let claims = &outer.claims;
    if claims.realm != receiving.realm {
        return Err(Problem::new(&problem::REALM_MISMATCH));
    }
    if claims.iss != *receiving.peer || claims.puente.sender.country != claims.iss {
        return Err(Problem::new(&problem::COUNTRY_MISMATCH));
    }
    if claims.aud != *receiving.us || claims.puente.recipient.country != claims.aud {
        return Err(Problem::new(&problem::AUDIENCE_MISMATCH));
    }
    let latest = receiving.now.saturating_add(CLOCK_TOLERANCE_S);
    if claims.iat > latest || outer.released_at > latest {
        return Err(Problem::new(&problem::CLOCK_SKEW));
    }
    let life = claims.exp.checked_sub(claims.iat);
    if !life.is_some_and(|life| (1..=MAX_LIFE_S).contains(&life)) {
        return Err(Problem::new(&problem::ENVELOPE_MALFORMED).at("exp"));
    }
    if claims.exp <= receiving.now {
        return Err(Problem::new(&problem::MESSAGE_EXPIRED));
    }
    Ok(outer)
}

/// Reads a message of this node's own store again. Its signatures verified when this release was accepted, and are
/// not asked again: a key that has ended since does not make unreadable what was receipted.
///
/// # Errors
/// `envelope.malformed` when the bytes are not those of the release.
pub fn read_stored(wire_bytes: &[u8], accepted: ReleaseId) -> Result<VerifiedOuter, Problem> {
    if Digest::of(wire_bytes) != accepted {
        return Err(Problem::new(&problem::ENVELOPE_MALFORMED));
    }
    authenticate(wire_bytes, Trust::Accepted)
}

/// The key that a message of this node's own store is sealed to; nothing is verified.
#[must_use]
pub fn own_seal(wire_bytes: &[u8]) -> Option<KeyId> {
    wire::split(wire_bytes)?.sealed.first().and_then(|sealed| claimed_key(sealed))
}

/// What a node asks of the header of a message that it made and stored itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OwnHeader {
    /// Whom it is for.
    pub recipient: RecipientRef,
    /// Its purpose.
    pub purpose: Purpose,
    /// Its attachments.
    #[serde(default)]
    pub attachments: Vec<AttachmentRef>,
}

/// The header of a message that this node itself made and stored; nothing is verified, and of the claims
/// nothing else is built.
#[must_use]
pub fn own_header(wire_bytes: &[u8]) -> Option<OwnHeader> {
    #[derive(Deserialize)]
    struct Claims {
        puente: OwnHeader,
    }
    let payload = wire_bytes.split(|byte| *byte == b'~').next()?.split(|byte| *byte == b'.').nth(1)?;
    let payload = from_base64url(std::str::from_utf8(payload).ok()?)?;
    serde_json::from_slice(&payload).ok().map(|claims: Claims| claims.puente)
}
