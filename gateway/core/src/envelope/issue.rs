//! What an agency signs by itself: every category of a message, salted and committed to.
//!
//! The agency runs `issue` on its own machine; its gateway reads the outcome with `read_issued` and releases
//! of it what policy permits. INVARIANT: an `Issued` holds exactly the disclosures that its JWT commits to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::envelope::disclosure::{Disclosure, decoy, digest_ladder};
use crate::envelope::header::{Confirmation, ConsentExtract, Header, IssuerClaims, Sections};
use crate::envelope::mode::verify_issued;
use crate::envelope::release::ReleaseError;
use crate::envelope::{Jwk, Randomness, Sign, TYP_AGENCY, Verify};
use crate::ids::{AgencyId, Category, CountryCode, Digest, MessageId, Realm};
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

    /// The content of every category.
    #[must_use]
    pub fn sections(&self) -> BTreeMap<Category, Personal<Value>> {
        self.disclosures.iter().map(|(category, (_, value))| (category.clone(), value.clone())).collect()
    }
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

/// Signs a message as an agency; answers the issuer JWT and the text of every disclosure, by category.
///
/// # Errors
/// When the key fails or a value cannot be serialised.
pub fn issue(
    statement: Statement,
    releaser: &Jwk,
    sections: &BTreeMap<Category, Personal<Value>>,
    signer: &dyn Sign,
    random: &dyn Randomness,
) -> Result<(String, Vec<String>), ReleaseError> {
    let disclosures = sections
        .iter()
        .map(|(category, value)| Disclosure::make(category, value.reveal(), random))
        .collect::<Result<Vec<_>, _>>()?;
    let mut claims = statement.claims(commit(disclosures.iter(), random));
    claims.cnf = Some(Confirmation { jwk: releaser.clone() });
    let issuer_jwt = signer.sign(TYP_AGENCY, &serde_json::to_vec(&claims)?)?;
    Ok((issuer_jwt, disclosures.iter().map(|disclosure| disclosure.text().to_owned()).collect()))
}

/// Verifies what an agency signed: signature, key holder, and that every commitment that is disclosed is
/// committed to once.
///
/// # Errors
/// `envelope.*` when signature or claims are not the agency's own, `disclosure.invalid` when a disclosure is
/// not one that was signed.
pub fn read_issued(
    issuer_jwt: &str,
    disclosures: &[String],
    agency: &AgencyId,
    key: &dyn Verify,
    releaser: &Jwk,
) -> Result<Issued, Problem> {
    let invalid = || Problem::new(&problem::DISCLOSURE_INVALID);
    let (claims, confirmed) = verify_issued(issuer_jwt, agency, key)?;
    if confirmed != *releaser {
        return Err(Problem::new(&problem::ENVELOPE_KEY));
    }
    let committed: BTreeSet<&Digest> = claims.sections.sd.iter().collect();
    if claims.sd_alg != "sha-256" || !claims.sections.sd.is_sorted_by(|a, b| a < b) {
        return Err(invalid());
    }
    let mut read = BTreeMap::new();
    for text in disclosures {
        let disclosure = Disclosure::of(text.clone());
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
