//! The empty list that a country's own system or a person fills in.
//!
//! Not here: reading it back (`import`). Invariant: every header it writes is one that import knows.

use super::columns::ALL;

/// The language of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Spanish.
    Spanish,
    /// English.
    English,
}

/// The CSV template: UTF-8 with byte-order mark, so that spreadsheets open the accents right.
#[must_use]
pub fn template(language: Language) -> Vec<u8> {
    let headers: Vec<&str> = ALL
        .iter()
        .map(|column| if language == Language::Spanish { column.es() } else { column.en() })
        .collect();
    format!("\u{FEFF}{}\r\n", headers.join(",")).into_bytes()
}
