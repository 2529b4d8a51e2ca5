//! What types, categories, fields and codes are called, as the node's catalogue says; and one section as lines to read.
//!
//! Not here: the screens' own phrases (`words`). INVARIANT: a member that the catalogue does not know is shown all the
//! same, by the name it has on the wire.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::words::Language;

/// Deepest nesting that is read out; sections of the catalogue have three levels.
const MAX_DEPTH: usize = 8;

/// Words for values that no code list holds: field, value, Spanish, English.
const VALUES: &[(&str, &str, &str, &str)] = &[
    ("id.core/sex", "F", "Mujer", "Female"),
    ("id.core/sex", "M", "Hombre", "Male"),
    ("id.core/sex", "X", "Otro", "Other"),
    ("family.links/child_status", "unaccompanied", "No acompañado", "Unaccompanied"),
    ("family.links/child_status", "separated", "Separado", "Separated"),
    ("family.links/child_status", "accompanied", "Acompañado", "Accompanied"),
    ("family.links/child_status", "accompanied_at_risk", "Acompañado, en riesgo", "Accompanied, at risk"),
    ("family.links/unity", "together", "Juntos", "Together"),
    ("family.links/unity", "separated_pending", "Separados, por reunir", "Separated, to be reunited"),
    ("protection.concern/risk", "low", "Bajo", "Low"),
    ("protection.concern/risk", "medium", "Medio", "Medium"),
    ("protection.concern/risk", "high", "Alto", "High"),
    ("needs.services/services/state", "planned", "Previsto", "Planned"),
    ("needs.services/services/state", "under_way", "En curso", "Under way"),
    ("needs.services/services/state", "done", "Hecho", "Done"),
    ("needs.services/services/state", "not_done", "No se hizo", "Not done"),
    ("contact/channel", "phone", "Teléfono", "Telephone"),
    ("contact/channel", "email", "Correo", "E-mail"),
    ("child.views/assent", "yes", "Sí", "Yes"),
    ("child.views/assent", "no", "No", "No"),
    ("child.views/assent", "not_asked", "No consultado", "Not asked"),
];

/// One name in both languages.
#[derive(Debug, Clone, Deserialize)]
struct Label {
    es: String,
    en: String,
}

impl Label {
    fn speaks(&self, language: Language) -> &str {
        language.of(&self.es, &self.en)
    }
}

type Names = BTreeMap<String, Label>;

/// The words of a catalogue.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Labels {
    types: Names,
    categories: Names,
    fields: Names,
    roles: Names,
    codes: BTreeMap<String, Names>,
    coded: BTreeMap<String, String>,
}

/// One line of a section; without `Debug`, for it is content.
pub(super) struct Line {
    /// What it is.
    pub(super) label: String,
    /// What it says.
    pub(super) value: String,
}

/// One section, ready to read.
pub(super) struct Section {
    /// What it is called.
    pub(super) label: String,
    /// What it says.
    pub(super) lines: Vec<Line>,
}

impl Labels {
    fn name(names: &Names, name: &str, language: Language) -> String {
        names.get(name).map_or(name, |label| label.speaks(language)).to_owned()
    }

    /// What a type of message is called.
    pub(super) fn message_type(&self, name: &str, language: Language) -> String {
        Self::name(&self.types, name, language)
    }

    /// What a category is called.
    pub(super) fn category(&self, name: &str, language: Language) -> String {
        Self::name(&self.categories, name, language)
    }

    /// What a role is called.
    pub(super) fn role(&self, name: &str, language: Language) -> String {
        Self::name(&self.roles, name, language)
    }

    /// What a code of a list is called.
    pub(super) fn code(&self, list: &str, code: &str, language: Language) -> String {
        self.codes.get(list).map_or_else(|| code.to_owned(), |codes| Self::name(codes, code, language))
    }

    /// What a country is called.
    pub(super) fn country(&self, code: &str, language: Language) -> String {
        self.code("countries", code, language)
    }

    /// What the value at this path, such as `id.core/sex`, says.
    pub(super) fn value(&self, path: &str, value: &Value, language: Language) -> String {
        let words = language.words();
        match value {
            Value::Bool(true) => words.yes.to_owned(),
            Value::Bool(false) => words.no.to_owned(),
            Value::String(text) => self.text(path, text, language),
            Value::Array(items) => {
                let texts: Vec<_> = items.iter().map(|item| self.value(path, item, language)).collect();
                texts.join(", ")
            }
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }

    fn text(&self, path: &str, text: &str, language: Language) -> String {
        if let Some(list) = self.coded.get(path) {
            return self.code(list, text, language);
        }
        // Fields that hold a country say so by their name; their schema gives a pattern and no list.
        if ["country", "nationalities"].iter().any(|end| path.ends_with(end)) {
            return self.country(text, language);
        }
        let known = VALUES.iter().find(|(field, value, ..)| (*field, *value) == (path, text));
        known.map_or_else(|| text.to_owned(), |(_, _, es, en)| language.of(es, en).to_owned())
    }

    /// A section as lines, in the order in which it came.
    pub(super) fn section(&self, category: &str, content: &Value, language: Language) -> Section {
        let mut lines = Vec::new();
        self.read(category, "", content, language, MAX_DEPTH, &mut lines);
        Section { label: self.category(category, language), lines }
    }

    fn read(
        &self,
        path: &str,
        before: &str,
        value: &Value,
        language: Language,
        depth: usize,
        lines: &mut Vec<Line>,
    ) {
        let parts: Vec<&Value> = match value {
            Value::Array(items) if items.iter().any(Value::is_object) => items.iter().collect(),
            other => vec![other],
        };
        let several = parts.len() > 1;
        for (number, part) in (1..).zip(parts) {
            let before = if several { format!("{before} {number}") } else { before.to_owned() };
            match part {
                Value::Object(members) if depth > 0 => {
                    for (name, member) in members {
                        let path = format!("{path}/{name}");
                        let own =
                            self.fields.get(&path).map_or(name.as_str(), |label| label.speaks(language));
                        let label =
                            if before.is_empty() { own.to_owned() } else { format!("{before}: {own}") };
                        self.read(&path, &label, member, language, depth - 1, lines);
                    }
                }
                other => lines.push(Line { label: before, value: self.value(path, other, language) }),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labels() -> Labels {
        serde_json::from_value(json!({
            "types": {}, "roles": {},
            "categories": {"needs.services": {"es": "Necesidades", "en": "Needs"}},
            "fields": {"needs.services/codes": {"es": "Al llegar", "en": "On arrival"},
                       "needs.services/services": {"es": "Servicio", "en": "Service"}},
            "codes": {"needs": {"food": {"es": "Comida", "en": "Food"}}, "countries": {"GT": {"es": "Guatemala", "en": "Guatemala"}}},
            "coded": {"needs.services/codes": "needs"},
        }))
        .unwrap()
    }

    fn read(section: &Value) -> Vec<(String, String)> {
        let section = labels().section("needs.services", section, Language::Es);
        section.lines.into_iter().map(|line| (line.label, line.value)).collect()
    }

    #[test]
    fn codes_and_fields_speak_the_officers_language() {
        let lines = read(&json!({"codes": ["food", "unheard_of"]}));
        assert_eq!(lines, [("Al llegar".to_owned(), "Comida, unheard_of".to_owned())]);
    }

    #[test]
    fn a_member_that_no_catalogue_knows_is_shown_by_its_name() {
        let lines = read(&json!({"services": [{"kind": "x"}, {"kind": "y", "new": true}]}));
        let texts: Vec<_> = lines.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
        assert_eq!(texts, [("Servicio 1: kind", "x"), ("Servicio 2: kind", "y"), ("Servicio 2: new", "Sí")]);
    }
}
