//! A whole set of policies: every file of a `policies/` folder, and the digest that names it.
//!
//! Not here: which set is in force. INVARIANT: equal digests mean equal files, agreements and cases included.

use std::collections::BTreeMap;
use std::path::Path;

use puente_core::ids::Digest;
use puente_core::membership::Adopted;
use puente_core::policy::{Agreements, PolicyEngine, PolicyError};

use crate::home::read_tree;

/// The published set is 150 KiB; a hundred times that is not a set of policies.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why a set cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// A file or folder cannot be read.
    #[error("policies cannot be read")]
    Read(#[from] std::io::Error),
    /// There is nothing, or too much.
    #[error("a set of policies has at least one file and at most {MAX_BYTES} bytes")]
    Size,
    /// A file is not text.
    #[error("policies file `{0}` is not UTF-8")]
    Encoding(String),
}

/// Every file of a set: path below `policies/` to text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySet(BTreeMap<String, String>);

impl PolicySet {
    /// Of files as text.
    ///
    /// # Errors
    /// `Size`.
    pub fn of(files: BTreeMap<String, String>) -> Result<Self, SetError> {
        let bytes: usize = files.iter().map(|(path, text)| path.len() + text.len()).sum();
        if files.is_empty() || bytes > MAX_BYTES { Err(SetError::Size) } else { Ok(Self(files)) }
    }

    /// Of files as bytes, such as those built into the program.
    ///
    /// # Errors
    /// `Size`, `Encoding`.
    pub fn of_bytes(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, SetError> {
        let text = |(path, bytes): (String, Vec<u8>)| match String::from_utf8(bytes) {
            Ok(text) => Ok((path, text)),
            Err(_) => Err(SetError::Encoding(path)),
        };
        Self::of(files.into_iter().map(text).collect::<Result<_, _>>()?)
    }

    /// Of a folder.
    ///
    /// # Errors
    /// `Read`, `Size`, `Encoding`.
    pub fn read(folder: &Path) -> Result<Self, SetError> {
        Self::of_bytes(read_tree(folder)?)
    }

    /// SHA-256 over every path and text, each behind its length.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for part in self.0.iter().flat_map(|(path, text)| [path, text]) {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Digest::of(&bytes)
    }

    /// The files: path to text.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The files as bytes, as core reads them.
    #[must_use]
    pub fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect()
    }

    /// The cases of the set: files below `cases/`.
    pub fn cases(&self) -> impl Iterator<Item = (&str, &str)> {
        let json = |path: &str| Path::new(path).extension().is_some_and(|end| end == "json");
        let cases = self.0.iter().filter(move |(path, _)| path.starts_with("cases/") && json(path));
        cases.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The decision function and the agreements of the set, with these of its proposed profiles adopted.
    ///
    /// # Errors
    /// As `PolicyEngine::load_adopted` and `Agreements::load`.
    pub fn load(&self, adopted: &[Adopted]) -> Result<(PolicyEngine, Agreements), PolicyError> {
        let files = self.bytes();
        Ok((PolicyEngine::load_adopted(files.clone(), adopted)?, Agreements::load(files)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn set(files: &[(&str, &str)]) -> PolicySet {
        let owned = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        PolicySet::of(owned.collect()).unwrap()
    }

    #[test]
    fn any_other_text_path_or_border_is_another_set() {
        let here = set(&[("a", "bc"), ("d", "e")]).digest();
        assert_ne!(here, set(&[("a", "bd"), ("d", "e")]).digest());
        assert_ne!(here, set(&[("ab", "c"), ("d", "e")]).digest());
        assert_ne!(here, set(&[("a", "bc")]).digest());
        assert_eq!(here, set(&[("d", "e"), ("a", "bc")]).digest());
    }

    #[test]
    fn nothing_is_no_set() {
        assert!(PolicySet::of(BTreeMap::new()).is_err());
    }
}
