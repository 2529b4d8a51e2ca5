//! Whom an outgoing message names, kept beside it while it waits so that it can be compared again before it leaves.
//!
//! Not the message: neither names nor content. INVARIANT: a message that waits without this cannot be compared, and what
//! cannot be compared does not leave.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::marks::Marks;
use crate::ids::CountryCode;
use crate::policy::Subject;

/// Where the submitter says that a person belongs: the feared set as far as it was stated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Belonging {
    /// Whether a nationality was stated.
    pub nationality_stated: bool,
    /// Nationalities, habitual residence and countries of feared harm.
    pub countries: BTreeSet<CountryCode>,
}

impl From<&Subject> for Belonging {
    fn from(subject: &Subject) -> Self {
        let risk = subject.risk_countries.iter().flatten();
        let own = subject.nationality.iter().chain(&subject.other_nationalities).chain(&subject.residence);
        Self {
            nationality_stated: subject.nationality.is_some(),
            countries: own.chain(risk).cloned().collect(),
        }
    }
}

/// The people a message names and where they belong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The people, blinded.
    pub people: Vec<Marks>,
    /// Where its subject belongs.
    pub belonging: Belonging,
}
