//! The profile of each message type: `profiles.json`.
//!
//! Not here: sections and schemas (`catalogue`). Invariant: a type without a profile has no sender.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{Category, MessageType, Purpose, Role};

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

/// Every profile by message type.
pub(super) type Profiles = BTreeMap<MessageType, Profile>;
