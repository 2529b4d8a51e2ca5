//! The profile of each message type: `profiles.json`.
//!
//! Not here: sections and schemas (`catalogue`). Invariant: a type without a profile has no sender.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{Category, Digest, MessageType, Purpose, Role};
use crate::membership::Adopted;

/// Whether the members adopted a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileStatus {
    /// Adopted: in the published matrix.
    Adopted,
    /// Proposed: permits nothing in the production realm.
    Proposed,
}

/// Who may send a type to whom, carrying what, on which basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Roles that may send it.
    pub senders: BTreeSet<Role>,
    /// Roles that may receive it.
    pub recipients: BTreeSet<Role>,
    /// The categories it may carry at most.
    pub max_categories: BTreeSet<Category>,
    /// The legal bases it may rest on.
    pub bases: BTreeSet<String>,
    /// Whether it is about a person.
    pub personal: bool,
    /// Whether it always needs a named approval.
    pub approval: bool,
    /// The purposes it serves; onward domestic use is bound to them.
    pub purposes: BTreeSet<Purpose>,
    /// Its family and the properties it shares with other types.
    pub groups: BTreeSet<String>,
    /// Days it may be kept at most.
    pub retention_days: u32,
    /// Adopted or proposed.
    pub status: ProfileStatus,
    /// Where it comes from.
    pub source: String,
}

/// What members adopt of a profile: everything that decides, and not where it comes from.
#[derive(Serialize)]
struct Terms<'a> {
    message: &'a MessageType,
    senders: &'a BTreeSet<Role>,
    recipients: &'a BTreeSet<Role>,
    max_categories: &'a BTreeSet<Category>,
    bases: &'a BTreeSet<String>,
    personal: bool,
    approval: bool,
    purposes: &'a BTreeSet<Purpose>,
    groups: &'a BTreeSet<String>,
    retention_days: u32,
}

impl Profile {
    /// Digest of the terms under which a type is exchanged, over their JSON with sorted lists; `None` when they
    /// cannot be written, which then nobody can have adopted.
    #[must_use]
    pub fn terms(&self, message: &MessageType) -> Option<Digest> {
        let terms = Terms {
            message,
            senders: &self.senders,
            recipients: &self.recipients,
            max_categories: &self.max_categories,
            bases: &self.bases,
            personal: self.personal,
            approval: self.approval,
            purposes: &self.purposes,
            groups: &self.groups,
            retention_days: self.retention_days,
        };
        serde_json::to_vec(&terms).ok().map(|bytes| Digest::of(&bytes))
    }

    /// Takes effect where this very profile was adopted.
    pub(super) fn adopt(&mut self, message: &MessageType, adopted: &[Adopted]) {
        let terms = self.terms(message);
        if adopted.iter().any(|act| act.message_type() == message && Some(act.terms()) == terms) {
            self.status = ProfileStatus::Adopted;
        }
    }
}

/// Every profile by message type.
pub(super) type Profiles = BTreeMap<MessageType, Profile>;
