//! Words that a sheet may use for a country, a language or a need, and the code each stands for.
//!
//! Not here: the code lists themselves, which are catalogue data and come in by argument.
//! Invariant: a word that two codes share stands for neither.

use std::collections::BTreeMap;

use puente_core::matching::fold;
use puente_core::problem::{self, Problem};
use serde::Deserialize;

/// A code list of the catalogue (`schemas/codes/*.json`), as far as names go.
#[derive(Deserialize)]
struct CodeList {
    codes: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    code: String,
    es: String,
    en: String,
    alpha3: Option<String>,
}

/// One code list turned around: names in any language, accents and case aside, to code.
#[derive(Debug, Clone, Default)]
pub struct CodeNames(BTreeMap<String, Option<String>>);

impl CodeNames {
    /// Builds the list from each code and its names; the code is a name of itself.
    pub fn new<'a>(codes: impl IntoIterator<Item = (&'a str, &'a [&'a str])>) -> Self {
        let mut list = Self::default();
        for (code, names) in codes {
            list.add(code, std::iter::once(code).chain(names.iter().copied()));
        }
        list
    }

    /// Reads a code list of the catalogue; a label such as "Hija o hijo" names the code by each of its parts.
    ///
    /// # Errors
    /// `node.internal` when the list has another form.
    pub fn from_list(json: &[u8]) -> Result<Self, Problem> {
        let list: CodeList = serde_json::from_slice(json)
            .map_err(|_| Problem::new(&problem::INTERNAL).because("a code list has another form"))?;
        let mut names = Self::default();
        for Entry { code, es, en, alpha3 } in &list.codes {
            let parts = es.split(" o ").chain(en.split(" or "));
            names.add(
                code,
                [code, es, en].map(String::as_str).into_iter().chain(alpha3.as_deref()).chain(parts),
            );
        }
        Ok(names)
    }

    /// Adds one code under each of its names.
    pub fn add<'a>(&mut self, code: &str, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            let entry = self.0.entry(key(name)).or_insert_with(|| Some(code.to_owned()));
            if entry.as_deref() != Some(code) {
                *entry = None;
            }
        }
    }

    /// The code that this word stands for.
    #[must_use]
    pub fn code(&self, word: &str) -> Option<&str> {
        self.0.get(&key(word))?.as_deref()
    }
}

/// The code lists that import reads by.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    /// ISO 3166-1 alpha-2, also by alpha-3 and by name.
    pub countries: CodeNames,
    /// BCP 47 or ISO 639-3, also by name.
    pub languages: CodeNames,
    /// Codes of `needs.services`, also by name.
    pub needs: CodeNames,
    /// How members of a family are related, also by name.
    pub relations: CodeNames,
    /// Who escorts, also by name.
    pub escorts: CodeNames,
}

/// A header or word as comparison sees it: folded, joined; digits kept.
pub(super) fn key(word: &str) -> String {
    let spaced: String = word.chars().map(|c| if c == '_' || c == '-' { ' ' } else { c }).collect();
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    format!("{}{digits}", fold(&spaced).join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whatever_its_accents_and_case() {
        let list = CodeNames::new([("MX", &["México", "MEX"][..]), ("GT", &["Guatemala", "GTM"][..])]);
        assert_eq!(list.code("MEXICO"), Some("MX"));
        assert_eq!(list.code("gt"), Some("GT"));
        assert_eq!(list.code("Wakanda"), None);
    }

    #[test]
    fn a_label_of_two_words_is_found_by_each() {
        let json = br#"{"id":"relations","codes":[{"code":"child","es":"Hija o hijo","en":"Child"}]}"#;
        let list = CodeNames::from_list(json).ok();
        assert_eq!(list.as_ref().and_then(|list| list.code("hijo")), Some("child"));
        assert_eq!(list.as_ref().and_then(|list| list.code("HIJA")), Some("child"));
    }

    #[test]
    fn a_name_of_two_codes_stands_for_neither() {
        let list = CodeNames::new([("CD", &["Congo"][..]), ("CG", &["Congo"][..])]);
        assert_eq!(list.code("congo"), None);
    }
}
