//! Members of a node's answer, as lines for people show them: absent is a dash or nothing, never a failure.
//!
//! Not here: the answer as JSON (`output`).

use serde_json::Value;

/// A text member; `-` where there is none.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    text_of(value.get(name))
}

/// The text that a JSON Pointer (RFC 6901) leads to; `-` where there is none.
pub fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    text_of(value.pointer(pointer))
}

fn text_of(found: Option<&Value>) -> &str {
    found.and_then(Value::as_str).unwrap_or("-")
}

/// The members of a list; none where there is no list.
pub fn each<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_absent_or_of_another_kind_is_a_dash_or_nothing() {
        let value = json!({"state": "open", "rows": [1, 2], "row": 7});
        assert_eq!((text(&value, "state"), text(&value, "row"), text(&value, "none")), ("open", "-", "-"));
        assert_eq!((text_at(&value, "/state"), text_at(&value, "/rows/0")), ("open", "-"));
        assert_eq!((each(&value, "rows").count(), each(&value, "state").count()), (2, 0));
    }
}
