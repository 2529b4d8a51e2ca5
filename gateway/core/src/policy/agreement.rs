//! Agreements between states: dated data, and where each stands at an instant.
//!
//! Not here: whose keys sign (`membership`). Invariant: an agreement that does not name both countries, the
//! direction and the message type covers nothing, nor one outside training that its parties did not all sign.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::basis::{AgreementClaim, Standing};
use super::files::PolicyError;
use super::profile::Profiles;
use crate::envelope::from_base64url;
use crate::ids::{AgreementId, Category, CountryCode, MessageType, Realm};
use crate::membership::SignedDocument;

/// A federation of eleven has at most 55 pairs; this leaves each a dozen agreements.
const MAX_AGREEMENTS: usize = 1000;

/// Which way messages may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// Either party to the other.
    Both,
    /// From the first party listed to the others.
    FromFirst,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Covers {
    messages: BTreeSet<MessageType>,
    categories: Option<BTreeSet<Category>>,
    directions: Directions,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agreement {
    id: AgreementId,
    parties: Vec<CountryCode>,
    in_force_from: Timestamp,
    in_force_to: Option<Timestamp>,
    covers: Covers,
    biometrics: bool,
    #[serde(rename = "source")]
    _source: String,
}

/// `typ` of a signed agreement: JWS general JSON, by the directory keys of its parties.
pub const TYP_AGREEMENT: &str = "puente-agreement+jws";

/// An agreement, with the document it was signed in, if it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) agreement: Agreement,
    document: Option<SignedDocument>,
}

/// The agreements a node holds.
#[derive(Debug, Clone, Default)]
pub struct Agreements(BTreeMap<AgreementId, Held>);

impl Agreements {
    /// Reads agreements from (path, bytes), one a file, signed or plain; other files than `agreements/*.json` are
    /// ignored. Signatures are read and not judged: that is `admitted`.
    ///
    /// # Errors
    /// When a file is malformed, an id is given twice, or there are too many.
    pub fn load(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, PolicyError> {
        let mut agreements = BTreeMap::new();
        for (file, bytes) in files {
            let json = std::path::Path::new(&file).extension().is_some_and(|end| end == "json");
            if !json || !file.starts_with("agreements/") {
                continue;
            }
            let refused = |line, why: String| PolicyError::File { file: file.clone(), line, why };
            let document = SignedDocument::read(&bytes).ok();
            let plain = match &document {
                Some(document) => from_base64url(&document.payload)
                    .ok_or_else(|| refused(1, "payload is not base64url".into()))?,
                None => bytes,
            };
            let agreement: Agreement =
                serde_json::from_slice(&plain).map_err(|error| refused(error.line(), error.to_string()))?;
            if agreements.len() >= MAX_AGREEMENTS {
                return Err(refused(1, "too many agreements".into()));
            }
            if agreements.insert(agreement.id.clone(), Held { agreement, document }).is_some() {
                return Err(refused(1, "another agreement has this id".into()));
            }
        }
        Ok(Self(agreements))
    }

    /// Every agreement, for those who compare.
    pub(super) const fn all(&self) -> &BTreeMap<AgreementId, Held> {
        &self.0
    }

    /// Those that bind in a realm: signed by every party, as `signed` judges; in training plain ones count too.
    #[must_use]
    pub fn admitted(&self, realm: Realm, signed: impl Fn(&CountryCode, &SignedDocument) -> bool) -> Self {
        let binds = |held: &Held| match &held.document {
            None => realm == Realm::Training,
            Some(document) => held.agreement.parties.iter().all(|party| signed(party, document)),
        };
        let binding = self.0.iter().filter(|(_, held)| binds(held));
        Self(binding.map(|(id, held)| (id.clone(), held.clone())).collect())
    }

    /// The agreement as it stands at `now` for a message of this type from `sender` to `recipient`.
    #[must_use]
    pub fn claim(
        &self,
        id: &AgreementId,
        sender: &CountryCode,
        recipient: &CountryCode,
        message: &MessageType,
        now: Timestamp,
    ) -> AgreementClaim {
        let mut claim = AgreementClaim::unverified(id.clone());
        let Some(Held { agreement, .. }) = self.0.get(id) else { return claim };
        if !agreement.covers(sender, recipient, message) {
            return claim;
        }
        let stands = agreement.in_force_from <= now && agreement.in_force_to.is_none_or(|end| now < end);
        claim.standing = if stands { Standing::InForce } else { Standing::Lapsed };
        claim.covers_biometrics = Some(agreement.biometrics);
        claim.categories.clone_from(&agreement.covers.categories);
        claim.lapses_at = agreement.in_force_to;
        claim
    }

    /// Only the standing of [`Self::claim`].
    #[must_use]
    pub fn status(
        &self,
        id: &AgreementId,
        sender: &CountryCode,
        recipient: &CountryCode,
        message: &MessageType,
        now: Timestamp,
    ) -> Standing {
        self.claim(id, sender, recipient, message, now).standing
    }
}

impl Agreement {
    /// What is wrong with it: the member of its file, and what.
    pub(super) fn faults(&self, profiles: &Profiles) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let distinct: BTreeSet<_> = self.parties.iter().collect();
        if distinct.len() != self.parties.len() || distinct.len() < 2 {
            faults.push(("parties", "an agreement has two or more distinct parties".to_owned()));
        }
        if self.in_force_to.is_some_and(|end| end <= self.in_force_from) {
            faults.push(("in_force_to", "it ends before it begins".to_owned()));
        }
        if self.covers.messages.is_empty() {
            faults.push(("messages", "it covers no message type".to_owned()));
        }
        let unknown = self.covers.messages.iter().filter(|message| !profiles.contains_key(message));
        faults
            .extend(unknown.map(|message| ("messages", format!("message type `{message}` has no profile"))));
        faults
    }

    fn covers(&self, sender: &CountryCode, recipient: &CountryCode, message: &MessageType) -> bool {
        let parties = self.parties.contains(sender) && self.parties.contains(recipient);
        let direction = match self.covers.directions {
            Directions::Both => true,
            Directions::FromFirst => self.parties.first() == Some(sender),
        };
        parties && direction && sender != recipient && self.covers.messages.contains(message)
    }
}
