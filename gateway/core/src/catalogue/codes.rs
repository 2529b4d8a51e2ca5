//! Code lists: which codes exist and what each is called.
//!
//! Not here: which field uses which list; a section says so by `"format": "code:<list>"`. Invariant: a
//! code stands once in its list and has a label in both languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::labels::Label;

/// One list, such as `countries` or `needs`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeList {
    id: String,
    title: Label,
    source: String,
    #[serde(deserialize_with = "by_code")]
    codes: BTreeMap<String, Code>,
}

/// One code of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code as it stands on the wire.
    pub code: String,
    /// What it is called in Spanish.
    pub es: String,
    /// What it is called in English.
    pub en: String,
    /// The three-letter form of a country (ISO 3166-1 alpha-3), for lists that arrive with it.
    #[serde(default)]
    pub alpha3: Option<String>,
}

fn by_code<'de, D: Deserializer<'de>>(reader: D) -> Result<BTreeMap<String, Code>, D::Error> {
    let mut codes = BTreeMap::new();
    for code in Vec::<Code>::deserialize(reader)? {
        if code.es.trim().is_empty() || code.en.trim().is_empty() {
            return Err(serde::de::Error::custom(format!("code `{}` lacks a label", code.code)));
        }
        if let Some(earlier) = codes.insert(code.code.clone(), code) {
            return Err(serde::de::Error::custom(format!("code `{}` stands twice", earlier.code)));
        }
    }
    Ok(codes)
}

impl CodeList {
    /// Name of the list, as in its file name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the list is called.
    #[must_use]
    pub const fn title(&self) -> &Label {
        &self.title
    }

    /// The standard or document it comes from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the code is in the list, exactly as written.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.codes.contains_key(code)
    }

    /// The code with its labels.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&Code> {
        self.codes.get(code)
    }

    /// The code whose three-letter form this is.
    #[must_use]
    pub fn by_alpha3(&self, alpha3: &str) -> Option<&Code> {
        self.codes.values().find(|code| code.alpha3.as_deref() == Some(alpha3))
    }

    /// Every code, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Code> {
        self.codes.values()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn list(codes: &str) -> Result<CodeList, serde_json::Error> {
        serde_json::from_str(&format!(
            r#"{{"id":"x","title":{{"es":"X","en":"X"}},"source":"test","codes":[{codes}]}}"#
        ))
    }

    #[test]
    fn a_code_that_stands_twice_is_refused() {
        let one = r#"{"code":"a","es":"A","en":"A"}"#;
        assert!(list(one).unwrap().contains("a"));
        assert!(list(&format!("{one},{one}")).unwrap_err().to_string().contains("stands twice"));
    }

    #[test]
    fn a_code_without_a_label_in_both_languages_is_refused() {
        assert!(list(r#"{"code":"a","es":"A","en":" "}"#).is_err());
    }
}
