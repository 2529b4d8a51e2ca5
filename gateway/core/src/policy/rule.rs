//! The rules' names, order, reasons and how a hold may be released: `rules.json`.
//!
//! Not here: what a rule says; that is Cedar. Invariant: (stage, rank) orders rules totally.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule's id, such as `R-ASY-01`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleId(String);

impl RuleId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RuleId {
    /// The rule of an engine that failed.
    pub(super) fn failure() -> Self {
        Self("R-ERR".to_owned())
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RuleId {
    type Error = crate::ids::InvalidId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (3..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text))
        } else {
            Err(crate::ids::InvalidId { what: "rule id", expected: "3 to 32 of A-Z 0-9 -" })
        }
    }
}

impl std::str::FromStr for RuleId {
    type Err = crate::ids::InvalidId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<RuleId> for String {
    fn from(id: RuleId) -> Self {
        id.0
    }
}

/// The stages in the order in which they decide (DOMAIN.md 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Peer, expiry, kind of question.
    #[serde(rename = "0-transport")]
    Transport,
    /// Absolute prohibitions.
    #[serde(rename = "1-absolute")]
    Absolute,
    /// Legal basis.
    #[serde(rename = "2-basis")]
    Basis,
    /// Minimisation.
    #[serde(rename = "3-minimise")]
    Minimise,
    /// Human approval.
    #[serde(rename = "4-approval")]
    Approval,
    /// Nothing objects.
    #[serde(rename = "1-default")]
    Default,
}

impl Stage {
    /// The stage as it stands in `@stage` and in `rules.json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transport => "0-transport",
            Self::Absolute => "1-absolute",
            Self::Basis => "2-basis",
            Self::Minimise => "3-minimise",
            Self::Approval => "4-approval",
            Self::Default => "1-default",
        }
    }
}

/// How a hold of this rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// It is no hold, or nothing lifts it.
    #[default]
    Never,
    /// Two officers release it.
    Officers,
    /// The authority that the rule names states the missing fact or approval.
    Authority,
}

/// One rule: where it stands and what it says to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// When it decides.
    pub stage: Stage,
    /// Its place within the stage.
    pub rank: u32,
    /// The reason, in Spanish.
    pub es: String,
    /// The reason, in English.
    pub en: String,
    /// Keys of DOMAIN.md 9.
    pub grounding: Vec<String>,
    /// How a hold of it ends.
    #[serde(default)]
    pub release: Release,
}

/// Every rule by id.
pub(super) type Rules = BTreeMap<RuleId, Rule>;

impl Rule {
    /// Its place among all rules.
    pub(super) const fn order(&self) -> (Stage, u32) {
        (self.stage, self.rank)
    }
}
