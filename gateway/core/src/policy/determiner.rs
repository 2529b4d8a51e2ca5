//! Which facts about a person only an authority may state, and who that is: `determinations.json`.
//!
//! Not here: determinations that were made (`crate::authority`). INVARIANT: a fact that the file names lets nothing go on the word
//! of whom it does not name.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::subject::Flag;
use crate::ids::Role;

/// The authority that states one fact, and for how long one determination stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Determiner {
    /// Roles in which it is stated.
    pub roles: BTreeSet<Role>,
    /// Longest time that one determination stands, hours.
    pub max_hours: u32,
}

/// Every fact that is reserved to an authority.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Determiners(BTreeMap<Flag, Determiner>);

impl Determiners {
    /// Who states this fact, when it is reserved.
    #[must_use]
    pub fn of(&self, fact: Flag) -> Option<&Determiner> {
        self.0.get(&fact)
    }

    /// The reserved facts.
    pub fn all(&self) -> impl Iterator<Item = (Flag, &Determiner)> {
        self.0.iter().map(|(fact, determiner)| (*fact, determiner))
    }
}
