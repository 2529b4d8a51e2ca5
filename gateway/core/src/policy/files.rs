//! The files of a set of policies that decide, and reading them.
//!
//! Not here: what they are made into (`engine`). INVARIANT: a file beside them (a case, prose) changes no decision and no digest.

use std::collections::BTreeMap;

/// One file of policies may not be larger than this; the whole matrix is a tenth of it.
const MAX_FILE: usize = 512 * 1024;

/// Why policies were refused; the node keeps those it had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A file that must be there is not.
    #[error("policies lack `{0}`")]
    Missing(&'static str),
    /// A file cannot be used.
    #[error("policies file `{file}` line {line}: {why}")]
    File {
        /// Path under `policies/`.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The files disagree with one another.
    #[error("policies disagree: {0}")]
    Disagree(String),
}

/// Whether a file holds Cedar policies that decide.
pub(super) fn is_rule_file(path: &str) -> bool {
    let cedar = std::path::Path::new(path).extension().is_some_and(|end| end == "cedar");
    cedar && (path.starts_with("rules/") || path.starts_with("national/"))
}

/// The files that decide; examples, cases and prose beside them do not.
pub(super) fn decides(path: &str) -> bool {
    is_rule_file(path)
        || matches!(
            path,
            "schema.cedarschema"
                | "rules.json"
                | "profiles.json"
                | "obligations.json"
                | "categories.json"
                | "approvals.json"
                | "determinations.json"
                | "national/rules.json"
        )
}

/// A file's text, within bounds; `None` when it is not there.
pub(super) fn text<'a>(
    files: &'a BTreeMap<String, Vec<u8>>,
    path: &str,
) -> Result<Option<&'a str>, PolicyError> {
    let Some(bytes) = files.get(path) else { return Ok(None) };
    let refused = |why: &str| PolicyError::File { file: path.to_owned(), line: 1, why: why.to_owned() };
    if bytes.len() > MAX_FILE {
        return Err(refused("file is too large"));
    }
    std::str::from_utf8(bytes).map(Some).map_err(|_| refused("not UTF-8"))
}

/// A file that must be there, read as JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    path: &'static str,
) -> Result<T, PolicyError> {
    let source = text(files, path)?.ok_or(PolicyError::Missing(path))?;
    serde_json::from_str(source).map_err(|error| PolicyError::File {
        file: path.to_owned(),
        line: error.line(),
        why: error.to_string(),
    })
}

/// A file that a set may lack: then it names nobody.
pub(super) fn json_or_none<T: serde::de::DeserializeOwned + Default>(
    files: &BTreeMap<String, Vec<u8>>,
    path: &'static str,
) -> Result<T, PolicyError> {
    if files.contains_key(path) { json(files, path) } else { Ok(T::default()) }
}
