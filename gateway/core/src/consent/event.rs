//! What happened to a consent after the record: narrowed, withdrawn, refused after all.
//!
//! Not here: signatures (`verify`). INVARIANT: an event names its predecessor by digest, so that none can be
//! left out or put in between; none widens.

use std::collections::BTreeSet;

use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::evaluate::{Coverage, covered};
use super::record::Record;
use crate::approval::Captured;
use crate::ids::{Category, ConsentId, CountryCode, Digest, Purpose, Realm};
use crate::problem::{self, Problem};

/// What an event makes of the consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Less than before is covered: what remains is stated.
    Narrowed,
    /// Taken back, for everything.
    Withdrawn,
    /// It turns out never to have been given.
    Refused,
}

/// One signed event; a new "yes" is a new record, because the text is shown anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusEvent {
    /// Realm.
    pub realm: Realm,
    /// Of which record.
    pub record_id: ConsentId,
    /// Digest of the signed record, or of the signed event before this one.
    pub after: Digest,
    /// What it makes of it.
    pub state: EventState,
    /// The purposes that remain; absent for all that there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purposes: Option<BTreeSet<Purpose>>,
    /// The categories that remain, in every purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<BTreeSet<Category>>,
    /// The recipients that remain, in every purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<BTreeSet<CountryCode>>,
    /// When the person said it.
    pub occurred_at: Zoned,
    /// How it was captured.
    pub captured: Captured,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl StatusEvent {
    /// Reads claims that a signature covers.
    ///
    /// # Errors
    /// `consent.invalid`, with the field where one is at fault.
    pub fn read(payload: &[u8]) -> Result<Self, Problem> {
        let invalid = || Problem::new(&problem::CONSENT_INVALID);
        let value = crate::json::parse(payload, crate::json::MAX_DEPTH).map_err(|_| invalid())?;
        let event: Self = serde_json::from_value(value).map_err(|_| invalid())?;
        let named = event.purposes.is_some() || event.categories.is_some() || event.recipients.is_some();
        if named != (event.state == EventState::Narrowed) {
            return Err(invalid().at("/state"));
        }
        if event.recorded_at < event.occurred_at.timestamp() {
            return Err(invalid().at("/recorded_at"));
        }
        Ok(event)
    }

    /// Whether it may follow what happened before.
    ///
    /// # Errors
    /// `consent.ended` after a refusal or withdrawal, `consent.widens` when it names what is not covered now,
    /// `consent.invalid` when it claims to be older than the answer itself.
    pub fn may_follow(&self, record: &Record, before: &[Self]) -> Result<(), Problem> {
        let Some(covered) = covered(record, before, None) else {
            return Err(Problem::new(&problem::CONSENT_ENDED));
        };
        if self.occurred_at.timestamp() < record.event.occurred_at.timestamp() {
            return Err(Problem::new(&problem::CONSENT_INVALID).at("/occurred_at"));
        }
        let within = |remain: Option<bool>| remain.unwrap_or(true);
        let whole = Coverage::over(&covered);
        let narrows = within(self.purposes.as_ref().map(|named| named.is_subset(&whole.purposes)))
            && within(self.categories.as_ref().map(|named| named.is_subset(&whole.categories)))
            && within(self.recipients.as_ref().map(|named| named.is_subset(&whole.recipients)));
        if narrows { Ok(()) } else { Err(Problem::new(&problem::CONSENT_WIDENS)) }
    }
}
