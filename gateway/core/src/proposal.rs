//! An officer's signed proposal of a set of policies.
//!
//! Not here: the word of the two who put it in force (`approval`). INVARIANT: a proposal names the set by its
//! digest, and the person, so that neither can be exchanged and the person is not one of the two.

use serde::{Deserialize, Serialize};

use crate::approval::{Captured, RegisteredOfficer, said_in_time};
use crate::delivery::Proposer;
use crate::ids::{AgencyId, CountryCode, Digest, OfficerId, Realm};
use crate::problem::{self, Problem};

/// `typ` of a proposal.
pub const TYP_PROPOSAL: &str = "puente-proposal+jwt";

/// The claims of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Realm.
    pub realm: Realm,
    /// Country.
    pub country: CountryCode,
    /// The officer's agency.
    pub agency: AgencyId,
    /// The officer.
    pub officer: OfficerId,
    /// Digest of the whole set.
    pub set: Digest,
    /// Why, as a code of the deployment; no personal data.
    pub reason: String,
    /// When it was decided: RFC 3339 with offset and zone in brackets (RFC 9557).
    pub occurred_at: jiff::Zoned,
    /// How it was captured.
    pub captured: Captured,
}

/// Reads the claims without judging them, to find the officer.
#[must_use]
pub fn peek_proposal(compact: &str) -> Option<Proposal> {
    let payload = compact.split('.').nth(1)?;
    serde_json::from_slice(&crate::envelope::from_base64url(payload)?).ok()
}

/// Verifies a proposal of this set against the officer's registered key.
///
/// # Errors
/// `officer.not_entitled` for another key, realm, country or set, `officer.revoked`, `clock.skew` as for a
/// statement.
pub fn verify_proposal(
    compact: &str,
    officer: &RegisteredOfficer<'_>,
    country: &CountryCode,
    realm: Realm,
    set: Digest,
    now_s: i64,
) -> Result<Proposer, Problem> {
    let not_entitled = || Problem::new(&problem::OFFICER_NOT_ENTITLED);
    let payload = officer.key.verify(TYP_PROPOSAL, compact).map_err(|_| not_entitled())?;
    let proposal: Proposal = serde_json::from_slice(&payload)
        .map_err(|_| Problem::new(&problem::BODY_MALFORMED).at("proposal"))?;
    if !officer.active {
        return Err(Problem::new(&problem::OFFICER_REVOKED));
    }
    if proposal.realm != realm || proposal.country != *country || proposal.set != set {
        return Err(not_entitled());
    }
    said_in_time(&proposal.occurred_at, proposal.captured, now_s)?;
    Ok(Proposer { agency: proposal.agency, officer: proposal.officer, person: officer.person.clone() })
}
