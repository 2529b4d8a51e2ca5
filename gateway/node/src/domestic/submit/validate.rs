//! A submission against the catalogue: what keeps it from being a message, and what should only be looked at.
//!
//! Not here: whether it may leave (`prepare`). INVARIANT: a wrong check digit is a warning, never a refusal.

use std::collections::BTreeSet;

use puente_core::catalogue::{Catalogue, Descriptor, LabelSet, identity};
use puente_core::ids::Category;
use puente_core::problem;

use crate::domestic::submit::form::{Finding, Submission};
use crate::domestic::submit::report::finding;

/// Sections against their schemas; numbers against their rules. Errors are problems, wrong check digits are warnings.
///
/// # Errors
/// Every finding that keeps it from being a message of its type.
pub(super) fn validate(
    catalogue: &Catalogue,
    descriptor: &Descriptor,
    submission: &Submission,
) -> Result<Vec<Finding>, Vec<Finding>> {
    let present: BTreeSet<Category> = submission.sections.keys().cloned().collect();
    let mut problems: Vec<Finding> = catalogue
        .required_missing(descriptor, &present)
        .iter()
        .map(|category| finding(&problem::FIELD_MISSING, format!("/sections/{category}")))
        .collect();
    for (category, value) in &submission.sections {
        if descriptor.categories.contains_key(category) {
            for invalid in catalogue.validate(descriptor, category, value.reveal()) {
                problems.push(Finding {
                    code: problem::SCHEMA_INVALID.code.to_owned(),
                    field: format!("/sections{}", invalid.pointer),
                    es: invalid.es,
                    en: invalid.en,
                });
            }
        } else if catalogue.label(LabelSet::Categories, category.as_str()).is_none() {
            // A category of no profile is stripped by policy; one that does not exist is a mistake.
            problems.push(finding(&problem::FIELD_INVALID, format!("/sections/{category}")));
        }
    }
    if problems.is_empty() { Ok(number_warnings(submission)) } else { Err(problems) }
}

fn number_warnings(submission: &Submission) -> Vec<Finding> {
    let numbers = submission
        .sections
        .iter()
        .find(|(category, _)| category.as_str() == "id.numbers")
        .and_then(|(_, value)| value.reveal().get("numbers")?.as_array());
    let text = |number: &serde_json::Value, field: &str| {
        number.get(field).and_then(|v| v.as_str()).map(str::to_owned)
    };
    let mut warnings = Vec::new();
    for (index, number) in numbers.into_iter().flatten().enumerate() {
        let (Some(country), Some(kind), Some(value)) =
            (text(number, "country"), text(number, "kind"), text(number, "value"))
        else {
            continue;
        };
        let Ok(country) = country.parse() else { continue };
        if let Some(warning) = identity::check(&country, &kind, &value) {
            warnings.push(Finding {
                code: warning.code.to_owned(),
                field: format!("/sections/id.numbers/numbers/{index}/value"),
                es: warning.es.to_owned(),
                en: warning.en.to_owned(),
            });
        }
    }
    warnings
}
