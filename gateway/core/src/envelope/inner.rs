//! The inner verification: what whoever holds the role key checks after opening.
//!
//! Its outcome is a state of its own, "opened" or "refused at opening", which travels back.
//! INVARIANT: a `VerifiedInner` holds exactly the released categories, each as it was signed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::envelope::disclosure::Disclosure;
use crate::envelope::outer::VerifiedOuter;
use crate::envelope::{CryptoFailure, Open};
use crate::ids::Category;
use crate::personal::Personal;
use crate::problem::{self, Problem};

/// The content of a message, verified.
#[derive(Debug, Clone)]
pub struct VerifiedInner {
    sections: BTreeMap<Category, Personal<Value>>,
}

impl VerifiedInner {
    /// The categories with their content.
    #[must_use]
    pub const fn sections(&self) -> &BTreeMap<Category, Personal<Value>> {
        &self.sections
    }

    /// The content of one category.
    #[must_use]
    pub fn section(&self, category: &str) -> Option<&Value> {
        self.sections.iter().find(|(name, _)| name.as_str() == category).map(|(_, value)| value.reveal())
    }
}

/// Opens the sealed parts and verifies every disclosure against the signed claims.
///
/// # Errors
/// `seal.unopenable` when the key does not open it, `disclosure.invalid` when anything disclosed is not
/// exactly what was signed as released.
pub fn verify_inner(outer: &VerifiedOuter, opener: &dyn Open) -> Result<VerifiedInner, Problem> {
    let invalid = || Problem::new(&problem::DISCLOSURE_INVALID);
    let mut sections = BTreeMap::new();
    let mut disclosures = Vec::new();
    for sealed in outer.sealed() {
        let (_, plaintext) = opener.open(sealed).map_err(|failure| match failure {
            CryptoFailure::Key(_) => Problem::new(&problem::INTERNAL),
            _ => Problem::new(&problem::SEAL_UNOPENABLE),
        })?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| invalid())?;
        for line in text.trim_end_matches(' ').lines() {
            let disclosure = Disclosure::of(line.to_owned());
            let (category, value) = disclosure.read().ok_or_else(invalid)?;
            disclosures.push(disclosure);
            if sections.insert(category, Personal::new(value)).is_some() {
                return Err(invalid());
            }
        }
    }
    let labels_agree = sections.keys().eq(outer.labels().iter());
    if !outer.releases(&disclosures) || !labels_agree {
        return Err(invalid());
    }
    Ok(VerifiedInner { sections })
}
