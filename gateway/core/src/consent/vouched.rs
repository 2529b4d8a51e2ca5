//! A consent that another country collected, as far as an answer to its own message may rest on it.
//!
//! The extract in the question's signed header is all there is: the record stays where it was collected. INVARIANT:
//! an answer goes back to the country that vouches and to no other, and never carries more than the extract names.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::envelope::ConsentExtract;
use crate::ids::{Category, CountryCode, Purpose};
use crate::policy::{Consent, ConsentStatus, GivenBy, Scope};

/// What is known here of a consent that another country collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relied {
    /// The country that collected it, and vouched for it in its message.
    pub country: CountryCode,
    /// What its message said of it.
    pub extract: ConsentExtract,
    /// What later notices said is left: purposes and categories, each notice a pair.
    pub left: Vec<(BTreeSet<Purpose>, BTreeSet<Category>)>,
}

/// The consent as the rules ask about it; the collecting country has answered for form, language and proof.
#[must_use]
pub fn vouched(relied: &Relied) -> Consent {
    let mut purposes: BTreeSet<Purpose> = relied.extract.purposes.iter().cloned().collect();
    let mut categories: BTreeSet<Category> = relied.extract.categories.iter().cloned().collect();
    for (left_purposes, left_categories) in &relied.left {
        purposes.retain(|purpose| left_purposes.contains(purpose));
        categories.retain(|category| left_categories.contains(category));
    }
    let withdrawn = !relied.left.is_empty() && purposes.is_empty();
    let giver = serde_json::from_value(serde_json::Value::String(relied.extract.given_by.clone()));
    Consent {
        status: if withdrawn { ConsentStatus::Withdrawn } else { ConsentStatus::Given },
        expires_at: Timestamp::from_second(relied.extract.not_after).ok(),
        purposes: Scope::Only(purposes),
        recipients: Scope::Only(BTreeSet::from([relied.country.clone()])),
        categories: Scope::Only(categories),
        given_by: giver.unwrap_or(GivenBy::Unknown),
        assent: Some(true),
        understood: Some(true),
        conditional: Some(false),
        blanket: Some(false),
        evidence: Some(true),
    }
}
