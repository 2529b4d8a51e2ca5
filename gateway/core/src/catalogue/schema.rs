//! The compiled form of one section, behind a seam that cannot panic outward or reach outside.
//!
//! Not here: which section a message uses (`load`) and what a finding says (`finding`). Invariant: a panic
//! inside the engine is a finding, patterns run in linear time, references resolve offline or not at all.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Registry, Validator};
use serde_json::Value;

use super::codes::CodeList;
use super::finding::Invalid;
use crate::ids::Category;

/// Findings beyond this are not reported: a person mends a few cells at a time.
pub(super) const MAX_FINDINGS: usize = 16;

/// Size of one compiled pattern, in bytes: ours need a tenth of it.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// All code lists, by name.
pub(super) type CodeLists = BTreeMap<String, Arc<CodeList>>;

/// One section schema, compiled.
pub(super) struct Section {
    engine: Validator,
    codes: Arc<CodeLists>,
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Section")
    }
}

impl Section {
    /// Compiles a schema against the shared sections and code lists; the text says why it cannot be.
    pub(super) fn compile(
        schema: &Value,
        shared: &Registry<'_>,
        codes: &Arc<CodeLists>,
    ) -> Result<Self, String> {
        let mut options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(shared)
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES));
        for (name, list) in codes.iter() {
            let list = Arc::clone(list);
            options = options.with_format(format!("code:{name}"), move |code: &str| list.contains(code));
        }
        let built = catch_unwind(AssertUnwindSafe(|| options.build(schema)));
        match built {
            Ok(Ok(engine)) => Ok(Self { engine, codes: Arc::clone(codes) }),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the schema engine failed".to_owned()),
        }
    }

    /// What is wrong with the section, at most [`MAX_FINDINGS`].
    pub(super) fn validate(&self, category: &Category, section: &Value) -> Vec<Invalid> {
        let title =
            |list: &str| self.codes.get(list).map(|list| (list.title().es.clone(), list.title().en.clone()));
        catch_unwind(AssertUnwindSafe(|| {
            if self.engine.is_valid(section) {
                return Vec::new();
            }
            let mut findings: Vec<_> = self
                .engine
                .iter_errors(section)
                .take(MAX_FINDINGS)
                .flat_map(|error| Invalid::of(category, &error, &title))
                .take(MAX_FINDINGS)
                .collect();
            // The two walks of the engine must agree; if they do not, the section is not accepted.
            if findings.is_empty() {
                findings.push(Invalid::engine(category));
            }
            findings
        }))
        .unwrap_or_else(|_| vec![Invalid::engine(category)])
    }
}
