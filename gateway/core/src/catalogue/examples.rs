//! The examples of a type, each judged: a valid one passes, an invalid one fails exactly as it states.
//!
//! Not here: how a section is judged (`schema`). Invariant: documentation that contradicts the schema does
//! not load.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Catalogue, Descriptor};
use crate::ids::Category;
use crate::problem;

/// A body with the verdict it should get; no `expect` means it is valid.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    sections: BTreeMap<Category, Value>,
    #[serde(default)]
    expect: BTreeSet<Finding>,
}

/// Where and by which problem code a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    pointer: String,
    code: String,
}

/// Judges one example; the text says in what it disagrees.
pub(super) fn check(
    catalogue: &Catalogue,
    descriptor: &Descriptor,
    path: &str,
    example: &Value,
) -> Result<(), String> {
    let example = Example::deserialize(example).map_err(|error| error.to_string())?;
    let invalid = path.rsplit('/').next().is_some_and(|name| name.starts_with("invalid-"));
    if invalid == example.expect.is_empty() {
        return Err("an invalid example states what is expected, a valid one does not".to_owned());
    }
    let found = findings(catalogue, descriptor, &example.sections);
    let differs = found.symmetric_difference(&example.expect).next();
    match differs {
        None => Ok(()),
        Some(Finding { pointer, code })
            if example.expect.iter().any(|e| e.pointer == *pointer && e.code == *code) =>
        {
            Err(format!("`{code}` is expected at `{pointer}` and not found"))
        }
        Some(Finding { pointer, code }) => Err(format!("`{code}` is found at `{pointer}` and not expected")),
    }
}

fn findings(
    catalogue: &Catalogue,
    descriptor: &Descriptor,
    sections: &BTreeMap<Category, Value>,
) -> BTreeSet<Finding> {
    let invalid = sections.iter().flat_map(|(category, section)| {
        catalogue.validate(descriptor, category, section).into_iter().map(|invalid| Finding {
            pointer: invalid.pointer,
            code: problem::SCHEMA_INVALID.code.to_owned(),
        })
    });
    let present = sections.keys().cloned().collect();
    let missing = catalogue.required_missing(descriptor, &present).into_iter().map(|category| Finding {
        pointer: format!("/{category}"),
        code: problem::FIELD_MISSING.code.to_owned(),
    });
    invalid.chain(missing).collect()
}
