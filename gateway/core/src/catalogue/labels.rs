//! Words for people: each name of the catalogue in Spanish and English.
//!
//! Not here: problem texts (`problem`) and code lists (`codes`). Invariant: no label is empty in either
//! language.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

impl Label {
    /// Whether both languages speak.
    pub(super) fn is_whole(&self) -> bool {
        !self.es.trim().is_empty() && !self.en.trim().is_empty()
    }
}

/// Which names a label file explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelSet {
    /// Data categories, such as `id.core`.
    Categories,
    /// Roles, such as `returns_reception`.
    Roles,
    /// Purposes, such as `return_reception`.
    Purposes,
    /// Fields of sections by path, such as `id.core/birth_place/country`.
    Fields,
}

impl FromStr for LabelSet {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "categories" => Ok(Self::Categories),
            "roles" => Ok(Self::Roles),
            "purposes" => Ok(Self::Purposes),
            "fields" => Ok(Self::Fields),
            _ => Err(()),
        }
    }
}
