//! What was decided, by which rule, and what follows.
//!
//! Not here: how. Invariant: `deliver` is empty when the outcome is `Deny`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::rule::RuleId;
use crate::ids::{Category, Digest};

/// The outcome, in the words of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It goes as it is.
    Permit,
    /// It goes with something removed or suppressed.
    PermitRedacted,
    /// It waits for people.
    NeedsApproval,
    /// It does not go.
    Deny,
}

impl Outcome {
    /// The outcome's code, also its metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::PermitRedacted => "permit_redacted",
            Self::NeedsApproval => "needs_approval",
            Self::Deny => "deny",
        }
    }

    /// Whether the message leaves, or enters, without a person.
    #[must_use]
    pub const fn is_permitted(self) -> bool {
        matches!(self, Self::Permit | Self::PermitRedacted)
    }
}

/// A decision with everything the record needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What happens.
    pub outcome: Outcome,
    /// The rule reported: the first by (stage, rank) of those that decided.
    pub rule: RuleId,
    /// Every rule that spoke, in that order.
    pub spoke: Vec<RuleId>,
    /// The categories stripped, each with the first rule that stripped it.
    pub removed: BTreeMap<Category, RuleId>,
    /// The categories that go, or would go once approved.
    pub deliver: BTreeSet<Category>,
    /// What must be done, by code (`obligations.json`).
    pub obligations: Vec<String>,
    /// The policies in force.
    pub digest: Digest,
    /// The earliest instant at which a fact it rests on ends by itself.
    pub lapses_at: Option<Timestamp>,
}

impl Decision {
    /// The right to release what is delivered; `None` unless the outcome permits.
    #[must_use]
    pub fn permit(&self) -> Option<super::Permit> {
        self.outcome.is_permitted().then(|| super::Permit::new(self.deliver.clone()))
    }
}
