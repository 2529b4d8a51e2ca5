//! Acts of officers around holds: placed, lifted, answered, reviewed. Each is a signed statement of one person.
//!
//! Not here: what an act changes (`stop`), and approvals, whose statements name a preview (`crate::approval`).
//! INVARIANT: an act of one kind is never taken for another: the kind is the token's `typ`.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::approval::{Captured, RegisteredOfficer, said_in_time};
use crate::ids::{AgencyId, CountryCode, OfficerId, PersonId, Realm};
use crate::problem::{self, Problem};

/// `typ` of the statement that places a hold.
pub const TYP_HOLD: &str = "puente-hold+jwt";
/// `typ` of the statement that lifts one.
pub const TYP_LIFT: &str = "puente-hold-lift+jwt";
/// `typ` of the sender's answer on a refused row.
pub const TYP_ANSWER: &str = "puente-refusal-answer+jwt";
/// `typ` of the authority's word on a referral.
pub const TYP_REVIEW: &str = "puente-referral-review+jwt";

/// The claims of an officer's act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act<T> {
    /// Realm.
    pub realm: Realm,
    /// Country.
    pub country: CountryCode,
    /// The officer's agency.
    pub agency: AgencyId,
    /// The officer.
    pub officer: OfficerId,
    /// When it was decided: RFC 3339 with offset and zone in brackets (RFC 9557).
    pub occurred_at: jiff::Zoned,
    /// How it was captured.
    pub captured: Captured,
    /// What is said.
    pub says: T,
}

/// An act whose signature and officer are in order; without `Debug`, for the statement holds what was said.
#[derive(Clone)]
pub struct VerifiedAct<T> {
    act: Act<T>,
    person: PersonId,
    compact: String,
}

impl<T> VerifiedAct<T> {
    /// What was said, and by whom.
    #[must_use]
    pub const fn act(&self) -> &Act<T> {
        &self.act
    }

    /// The natural person who said it, pseudonymous.
    #[must_use]
    pub const fn person(&self) -> &PersonId {
        &self.person
    }

    /// The signed statement, compact JWS, for the record.
    #[must_use]
    pub fn compact(&self) -> &str {
        &self.compact
    }
}

/// Whom an act claims to come from, unverified: to find the officer's key.
#[must_use]
pub fn act_speaker(compact: &str) -> Option<(AgencyId, OfficerId)> {
    let payload = crate::envelope::from_base64url(compact.split('.').nth(1)?)?;
    let act: Act<IgnoredAny> = serde_json::from_slice(&payload).ok()?;
    Some((act.agency, act.officer))
}

/// Verifies an act of this `typ` against the officer's registered key.
///
/// # Errors
/// `officer.not_entitled` for another key, kind, realm, country or agency; `body.malformed` for other claims;
/// `officer.revoked`; `clock.skew` when it claims to come from the future or was at a screen too long ago.
pub fn verify_act<T: DeserializeOwned>(
    typ: &str,
    compact: &str,
    officer: &RegisteredOfficer<'_>,
    at: (&CountryCode, Realm, &AgencyId),
    now_s: i64,
) -> Result<VerifiedAct<T>, Problem> {
    let not_entitled = || Problem::new(&problem::OFFICER_NOT_ENTITLED);
    let payload = officer.key.verify(typ, compact).map_err(|_| not_entitled())?;
    let malformed = || Problem::new(&problem::BODY_MALFORMED).at("statement");
    // Strictly read: a member given twice would be one thing to the signer and another to us.
    let value = crate::json::parse(&payload, crate::json::MAX_DEPTH).map_err(|_| malformed())?;
    let act: Act<T> = serde_json::from_value(value).map_err(|_| malformed())?;
    let (country, realm, agency) = at;
    if act.realm != realm || act.country != *country || act.agency != *agency {
        return Err(not_entitled());
    }
    if !officer.active {
        return Err(Problem::new(&problem::OFFICER_REVOKED));
    }
    said_in_time(&act.occurred_at, act.captured, now_s)?;
    Ok(VerifiedAct { act, person: officer.person.clone(), compact: compact.to_owned() })
}
