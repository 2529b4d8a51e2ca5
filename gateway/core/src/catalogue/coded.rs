//! Which field of a section holds a code, and of which list: read from the sections themselves.
//!
//! Not here: checking a code (`schema`) and its words (`codes`). INVARIANT: a field is named by the path that its label
//! has, such as `needs.services/codes`; what stands behind a reference is not followed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::layout::{Files, Layout};

/// How a section says that a string is a code: `"format": "code:needs"`.
const FORMAT: &str = "code:";

/// The list of every coded field, by path; of two versions of a section the later one counts.
pub(super) fn coded_fields(files: &Files, layout: &Layout) -> BTreeMap<String, String> {
    let shared = layout.sections.iter().map(|((category, _), path)| (category, path));
    let narrowed = layout.messages.values().flat_map(|folder| &folder.sections);
    let mut coded = BTreeMap::new();
    for (category, path) in shared.chain(narrowed) {
        if let Some(schema) = files.get(path) {
            walk(schema, category.as_str(), &mut coded);
        }
    }
    coded
}

fn walk(schema: &Value, path: &str, coded: &mut BTreeMap<String, String>) {
    if let Some(list) =
        schema.get("format").and_then(Value::as_str).and_then(|format| format.strip_prefix(FORMAT))
    {
        coded.insert(path.to_owned(), list.to_owned());
    }
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        walk(member, &format!("{path}/{name}"), coded);
    }
    if let Some(items) = schema.get("items") {
        walk(items, path, coded);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_coded_field_is_found_by_the_path_of_its_label_also_inside_a_list() {
        let schema = json!({"properties": {
            "codes": {"type": "array", "items": {"type": "string", "format": "code:needs"}},
            "services": {"items": {"properties": {"kind": {"format": "code:service_types"}, "on": {"format": "date"}}}},
        }});
        let mut coded = BTreeMap::new();
        walk(&schema, "needs.services", &mut coded);
        let found: Vec<_> = coded.iter().map(|(path, list)| (path.as_str(), list.as_str())).collect();
        assert_eq!(
            found,
            [("needs.services/codes", "needs"), ("needs.services/services/kind", "service_types")]
        );
    }
}
