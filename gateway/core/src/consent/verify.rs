//! Signatures over records and events: only a key of the agency that collected the consent counts.
//!
//! Not here: which keys an agency has (the node's register). INVARIANT: a `Verified` exists only
//! when the signature verified and the claims are of their form.

use super::event::StatusEvent;
use super::record::Record;
use super::{TYP_EVENT, TYP_RECORD};
use crate::envelope::{CLOCK_TOLERANCE_S, Verify, from_base64url};
use crate::ids::{AgencyId, CountryCode, Digest, Realm};
use crate::personal::Personal;
use crate::problem::{self, Problem};

/// Longest signed form: a record of forty categories in eight purposes is under a quarter of it.
const MAX_COMPACT: usize = 64 * 1024;

/// Claims whose signature verified and which are of their form, with what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    claims: T,
    compact: Personal<String>,
}

/// A record whose signature and claims are in order.
pub type VerifiedRecord = Verified<Record>;

/// An event whose signature and claims are in order.
pub type VerifiedEvent = Verified<StatusEvent>;

impl<T> Verified<T> {
    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &T {
        &self.claims
    }

    /// The signed form, as it came.
    #[must_use]
    pub fn compact(&self) -> &str {
        self.compact.reveal()
    }

    /// SHA-256 of the signed form: what extracts, events and the next event name.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.compact.reveal().as_bytes())
    }
}

fn unverified(compact: &str) -> Option<Vec<u8>> {
    if compact.len() > MAX_COMPACT {
        return None;
    }
    from_base64url(compact.split('.').nth(1)?)
}

fn peek_record(compact: &str) -> Option<Record> {
    Record::read(&unverified(compact)?).ok()
}

fn peek_event(compact: &str) -> Option<StatusEvent> {
    StatusEvent::read(&unverified(compact)?).ok()
}

/// Verifies a record that this agency says it collected.
///
/// # Errors
/// `consent.signature` for another key, `consent.invalid` for claims that are not of their form, of another
/// realm, country or agency, `clock.skew` when it was recorded in the future.
pub fn verify_record(
    compact: &str,
    key: &dyn Verify,
    agency: &AgencyId,
    country: &CountryCode,
    realm: Realm,
    now_s: i64,
) -> Result<VerifiedRecord, Problem> {
    let record = Record::read(&verified(compact, key, TYP_RECORD)?)?;
    let invalid = |field| Err(Problem::new(&problem::CONSENT_INVALID).at(field));
    if record.realm != realm {
        return invalid("/realm");
    }
    if record.jurisdiction != *country {
        return invalid("/jurisdiction");
    }
    if record.agency != *agency {
        return invalid("/agency");
    }
    not_from_the_future(record.recorded_at, now_s)?;
    Ok(Verified { claims: record, compact: Personal::new(compact.to_owned()) })
}

/// Verifies an event on a record, given the signed forms of what came before it.
///
/// # Errors
/// `consent.signature`, `consent.invalid`, `clock.skew`; `consent.conflict` when it does not name its
/// predecessor; otherwise as [`StatusEvent::may_follow`].
pub fn verify_event(
    compact: &str,
    key: &dyn Verify,
    record: &VerifiedRecord,
    before: &[VerifiedEvent],
    now_s: i64,
) -> Result<VerifiedEvent, Problem> {
    let event = StatusEvent::read(&verified(compact, key, TYP_EVENT)?)?;
    if event.realm != record.claims.realm || event.record_id != record.claims.record_id {
        return Err(Problem::new(&problem::CONSENT_INVALID).at("/record_id"));
    }
    not_from_the_future(event.recorded_at, now_s)?;
    let stands: Vec<StatusEvent> = before.iter().map(|event| event.claims.clone()).collect();
    event.may_follow(&record.claims, &stands)?;
    if event.after != before.last().map_or_else(|| record.digest(), VerifiedEvent::digest) {
        return Err(Problem::new(&problem::CONSENT_CONFLICT).at("/after"));
    }
    Ok(Verified { claims: event, compact: Personal::new(compact.to_owned()) })
}

fn verified(compact: &str, key: &dyn Verify, typ: &str) -> Result<Vec<u8>, Problem> {
    if compact.len() > MAX_COMPACT {
        return Err(Problem::new(&problem::CONSENT_INVALID));
    }
    key.verify(typ, compact).map_err(|_| Problem::new(&problem::CONSENT_SIGNATURE))
}

fn not_from_the_future(at: jiff::Timestamp, now_s: i64) -> Result<(), Problem> {
    if at.as_second() > now_s.saturating_add(CLOCK_TOLERANCE_S) {
        return Err(Problem::new(&problem::CLOCK_SKEW).at("/recorded_at"));
    }
    Ok(())
}

impl VerifiedRecord {
    /// Takes up a record of the node's own store, which verified it when it came in.
    #[must_use]
    pub fn stored(compact: String) -> Option<Self> {
        Some(Self { claims: peek_record(&compact)?, compact: Personal::new(compact) })
    }
}

impl VerifiedEvent {
    /// Takes up an event of the node's own store, which verified it when it came in.
    #[must_use]
    pub fn stored(compact: String) -> Option<Self> {
        Some(Self { claims: peek_event(&compact)?, compact: Personal::new(compact) })
    }
}
