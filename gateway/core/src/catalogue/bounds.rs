//! What a section schema may be: closed, bounded and self-contained.
//!
//! Not here: whether it is a JSON Schema at all (`schema` compiles it). Invariant: a schema that passes
//! admits no unbounded text or list, no unnamed member and no reference outside the catalogue.

use serde_json::{Map, Value};

/// References stay among the catalogue's own sections: a schema never reaches for the network.
const SECTION_URN: &str = "urn:puente:section:";

/// Keywords that would let a schema escape the rules below, or that we do not need.
const REFUSED: [&str; 8] = [
    "$dynamicRef",
    "$dynamicAnchor",
    "$anchor",
    "$vocabulary",
    "patternProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contentSchema",
];

/// Why the schema is not closed and bounded, with the place in it; `None` when it is.
pub(super) fn breach(schema: &Value) -> Option<String> {
    let root = schema.as_object()?;
    let closed = is("object", root) || narrows(root);
    if !closed {
        return Some("is neither a closed object nor narrows a section by `allOf`".to_owned());
    }
    walk(root, "#")
}

fn is(kind: &str, schema: &Map<String, Value>) -> bool {
    schema.get("type").and_then(Value::as_str) == Some(kind)
}

fn narrows(root: &Map<String, Value>) -> bool {
    root.get("allOf").and_then(|all| all.get(0)).is_some_and(|first| first.get("$ref").is_some())
}

fn walk(schema: &Map<String, Value>, at: &str) -> Option<String> {
    if let Some(keyword) = REFUSED.iter().find(|keyword| schema.contains_key(**keyword)) {
        return Some(format!("`{keyword}` at {at} is not admitted"));
    }
    if schema.get("$ref").is_some_and(|target| !target.as_str().is_some_and(|t| t.starts_with(SECTION_URN))) {
        return Some(format!("`$ref` at {at} leaves the catalogue"));
    }
    if schema.get("type").is_some_and(|kind| !kind.is_string()) {
        return Some(format!("`type` at {at} is not one type"));
    }
    if is("string", schema) && !schema.contains_key("maxLength") {
        return Some(format!("text at {at} has no maxLength"));
    }
    if is("array", schema) && !(schema.contains_key("maxItems") && schema.contains_key("items")) {
        return Some(format!("list at {at} has no maxItems or no items"));
    }
    if is("object", schema)
        && schema.get("additionalProperties") != Some(&Value::Bool(false))
        && !(schema.contains_key("maxProperties") && schema.contains_key("propertyNames"))
    {
        return Some(format!("object at {at} is open"));
    }
    if let Some(name) = unsaid(schema) {
        return Some(format!("`{name}` at {at} says nothing of its kind"));
    }
    children(schema).into_iter().find_map(|(name, inner)| walk(inner, &format!("{at}/{name}")))
}

/// A member, or the items, for which any value would do.
fn unsaid(schema: &Map<String, Value>) -> Option<&str> {
    let members = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let items = schema.get_key_value("items");
    members
        .chain(items)
        .find(|(_, inner)| !["type", "enum", "const", "$ref"].iter().any(|word| inner.get(word).is_some()))
        .map(|(name, _)| name.as_str())
}

/// Every schema directly inside this one, with its place.
fn children(schema: &Map<String, Value>) -> Vec<(String, &Map<String, Value>)> {
    let mut found = Vec::new();
    for (keyword, value) in schema {
        match (keyword.as_str(), value) {
            ("properties" | "$defs" | "dependentSchemas", Value::Object(named)) => {
                found.extend(named.iter().map(|(name, inner)| (format!("{keyword}/{name}"), inner)));
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(listed)) => {
                found.extend(listed.iter().enumerate().map(|(at, inner)| (format!("{keyword}/{at}"), inner)));
            }
            (
                "items"
                | "if"
                | "then"
                | "else"
                | "not"
                | "contains"
                | "additionalProperties"
                | "propertyNames",
                inner,
            ) => found.push((keyword.clone(), inner)),
            _ => {}
        }
    }
    found.into_iter().filter_map(|(place, inner)| Some((place, inner.as_object()?))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn with(property: Value) -> Value {
        json!({"type": "object", "additionalProperties": false, "properties": {"x": property}})
    }

    #[test]
    fn open_or_unbounded_schemas_are_named_by_place() {
        for property in [
            json!({"type": "string"}),
            json!({"type": "array", "items": {"type": "boolean"}}),
            json!({"type": "array", "maxItems": 2, "items": {"type": "string"}}),
            json!({"type": "object"}),
            json!({"type": ["string", "null"], "maxLength": 1}),
            json!({"$ref": "https://example.org/schema.json"}),
            json!({"type": "array", "maxItems": 2, "items": {"anyOf": [{"type": "boolean"}]}}),
            json!({"type": "boolean", "$dynamicRef": "#meta"}),
        ] {
            assert!(breach(&with(property)).unwrap().contains("#/properties/x"));
        }
        assert!(breach(&json!({"properties": {}})).is_some());
    }

    #[test]
    fn a_member_that_admits_any_value_is_named() {
        for property in [json!({}), json!(true), json!({"title": "x"})] {
            assert!(breach(&with(property)).unwrap().starts_with("`x` at #"));
        }
    }

    #[test]
    fn a_closed_and_bounded_schema_passes() {
        assert_eq!(breach(&with(json!({"type": "string", "maxLength": 4}))), None);
        assert_eq!(
            breach(&json!({"allOf": [{"$ref": "urn:puente:section:id.core:1"}, {"required": ["x"]}]})),
            None
        );
    }
}
