//! What an agency signs by itself: every category of a message, salted and committed to.
//!
//! Its gateway says what to sign (`Statement::unsigned`), the agency runs `issue` on its own machine, and the gateway
//! reads the outcome with `read_issued`, compares it with what it had said, and releases of it what policy permits.
//! INVARIANT: an `Issued` holds exactly the disclosures that its JWT commits to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::envelope::disclosure::{Disclosure, decoy, digest_ladder};
use crate::envelope::header::{Confirmation, ConsentExtract, Header, IssuerClaims, Sections};
use crate::envelope::mode::verify_issued;
use crate::envelope::release::ReleaseError;
use crate::envelope::{Jwk, Randomness, Sign, TYP_AGENCY, Verify, claimed_key};
use crate::ids::{AgencyId, Category, CountryCode, Digest, KeyId, MessageId, Realm};
use crate::personal::Personal;
use crate::problem::{self, Problem};

/// Everything that an agency signs of a message, save the commitments to its content.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Message id.
    pub message: MessageId,
    /// Realm.
    pub realm: Realm,
    /// Origin.
    pub from: CountryCode,
    /// Routing header.
    pub header: Header,
    /// Consent extract, when there is one.
    pub consent: Option<ConsentExtract>,
    /// Issued at, seconds.
    pub issued_at: i64,
    /// Expires at, seconds.
    pub expires_at: i64,
}

impl Statement {
    /// The claims for an agency to sign, its commitments still to be made; `releaser` alone may release them.
    #[must_use]
    pub fn unsigned(self, releaser: &Jwk) -> IssuerClaims {
        let mut claims = self.claims(Sections { sd: Vec::new() });
        claims.cnf = Some(Confirmation { jwk: releaser.clone() });
        claims
    }

    /// The claims over these commitments, with nothing of a release.
    pub(super) fn claims(self, sections: Sections) -> IssuerClaims {
        IssuerClaims {
            iss: self.from,
            aud: self.header.recipient.country.clone(),
            iat: self.issued_at,
            exp: self.expires_at,
            jti: self.message,
            realm: self.realm,
            sd_alg: "sha-256".to_owned(),
            puente: self.header,
            consent: self.consent,
            sections,
            cnf: None,
            released: None,
            enc_hash: None,
            policy: None,
        }
    }
}

/// A message that its agency signed, with all of its disclosures; not yet released.
#[derive(Debug)]
pub struct Issued {
    pub(super) issuer_jwt: String,
    pub(super) claims: IssuerClaims,
    pub(super) disclosures: BTreeMap<Category, (Disclosure, Personal<Value>)>,
}

impl Issued {
    /// The signed claims.
    #[must_use]
    pub const fn claims(&self) -> &IssuerClaims {
        &self.claims
    }

    /// Whether its content is this, category by category.
    #[must_use]
    pub fn says(&self, sections: &BTreeMap<Category, Personal<Value>>) -> bool {
        self.disclosures.iter().map(|(category, (_, value))| (category, value)).eq(sections)
    }

    /// The first claim, as a JSON Pointer, that is not as its gateway would have it; the commitments are its own.
    ///
    /// # Errors
    /// When claims cannot be serialised.
    pub fn differs_from(&self, expected: &IssuerClaims) -> Result<Option<String>, serde_json::Error> {
        let compared = |claims: &IssuerClaims| {
            serde_json::to_value(IssuerClaims { sections: Sections { sd: Vec::new() }, ..claims.clone() })
        };
        Ok(first_difference("", &compared(&self.claims)?, &compared(expected)?))
    }
}

fn first_difference(at: &str, one: &Value, other: &Value) -> Option<String> {
    let (Value::Object(one), Value::Object(other)) = (one, other) else {
        return (one != other).then(|| at.to_owned());
    };
    one.keys().chain(other.keys()).find_map(|name| {
        let place = format!("{at}/{name}");
        match (one.get(name), other.get(name)) {
            (Some(one), Some(other)) => first_difference(&place, one, other),
            _ => Some(place),
        }
    })
}

/// Most disclosures that are read of one message: far more than there are categories.
const MAX_DISCLOSURES: usize = 256;

/// Issuer JWT and disclosures of an SD-JWT without key binding (RFC 9901 section 4).
fn split(signed: &str) -> Option<(&str, Vec<Disclosure>)> {
    let (issuer_jwt, disclosures) = signed.strip_suffix('~')?.split_once('~')?;
    let disclosures: Vec<Disclosure> = disclosures
        .split('~')
        .take(MAX_DISCLOSURES + 1)
        .map(|text| Disclosure::of(text.to_owned()))
        .collect();
    (disclosures.len() <= MAX_DISCLOSURES).then_some((issuer_jwt, disclosures))
}

/// The content that an SD-JWT discloses; nothing is verified. `None` when it is not of that form.
#[must_use]
pub fn disclosed(signed: &str) -> Option<BTreeMap<Category, Personal<Value>>> {
    let (_, disclosures) = split(signed)?;
    let mut sections = BTreeMap::new();
    for disclosure in disclosures {
        let (category, value) = disclosure.read()?;
        if sections.insert(category, Personal::new(value)).is_some() {
            return None;
        }
    }
    Some(sections)
}

/// Commitments to these disclosures among decoys, sorted.
pub(super) fn commit<'a>(
    disclosures: impl Iterator<Item = &'a Disclosure>,
    random: &dyn Randomness,
) -> Sections {
    let mut sd: Vec<Digest> = disclosures.map(Disclosure::digest).collect();
    let shown = digest_ladder(sd.len());
    while sd.len() < shown {
        sd.push(decoy(random));
    }
    sd.sort_unstable();
    Sections { sd }
}

/// Signs as an agency what its gateway said in `unsigned`; answers the SD-JWT with every disclosure.
///
/// # Errors
/// When the key fails or a value cannot be serialised.
pub fn issue(
    unsigned: IssuerClaims,
    sections: &BTreeMap<Category, Personal<Value>>,
    signer: &dyn Sign,
    random: &dyn Randomness,
) -> Result<String, ReleaseError> {
    let disclosures = sections
        .iter()
        .map(|(category, value)| Disclosure::make(category, value.reveal(), random))
        .collect::<Result<Vec<_>, _>>()?;
    let claims = IssuerClaims { sections: commit(disclosures.iter(), random), ..unsigned };
    let mut signed = signer.sign(TYP_AGENCY, &serde_json::to_vec(&claims)?)?;
    for disclosure in &disclosures {
        signed.push('~');
        signed.push_str(disclosure.text());
    }
    signed.push('~');
    Ok(signed)
}

/// The key id that the issuer of an SD-JWT claims; only good for finding that key.
#[must_use]
pub fn claimed_issuer(signed: &str) -> Option<KeyId> {
    claimed_key(signed.split('~').next()?)
}

/// Verifies what an agency signed: signature, key holder, and that everything that is disclosed is committed to once.
///
/// # Errors
/// `envelope.*` when signature or claims are not the agency's own, `disclosure.invalid` when a disclosure is
/// not one that was signed.
pub fn read_issued(
    signed: &str,
    agency: &AgencyId,
    key: &dyn Verify,
    releaser: &Jwk,
) -> Result<Issued, Problem> {
    let invalid = || Problem::new(&problem::DISCLOSURE_INVALID);
    let (issuer_jwt, disclosures) =
        split(signed).ok_or_else(|| Problem::new(&problem::ENVELOPE_MALFORMED))?;
    let (claims, confirmed) = verify_issued(issuer_jwt, agency, key)?;
    if confirmed != *releaser {
        return Err(Problem::new(&problem::ENVELOPE_KEY));
    }
    let committed: BTreeSet<&Digest> = claims.sections.sd.iter().collect();
    if claims.sd_alg != "sha-256" || !claims.sections.sd.is_sorted_by(|a, b| a < b) {
        return Err(invalid());
    }
    let mut read = BTreeMap::new();
    for disclosure in disclosures {
        let (category, value) = disclosure.read().ok_or_else(invalid)?;
        if !committed.contains(&disclosure.digest())
            || read.insert(category, (disclosure, Personal::new(value))).is_some()
        {
            return Err(invalid());
        }
    }
    if digest_ladder(read.len()) != committed.len() {
        return Err(invalid());
    }
    Ok(Issued { issuer_jwt: issuer_jwt.to_owned(), claims, disclosures: read })
}
