//! Query strings: names and values percent-encoded (RFC 3986 section 2.1).

/// A path with these parameters; those without a value are left out.
#[must_use]
pub fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let pairs: Vec<_> = given.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_unreserved_is_encoded() {
        let parameters = [
            ("eta", Some("2026-03-02T10:00:00-06:00[America/Mexico_City]".to_owned())),
            ("vehicle", None),
            ("origin", Some("Tapachula & más".to_owned())),
        ];
        assert_eq!(
            with_query("/x", &parameters),
            "/x?eta=2026-03-02T10%3A00%3A00-06%3A00%5BAmerica%2FMexico_City%5D&origin=Tapachula%20%26%20m%C3%A1s"
        );
        assert_eq!(with_query("/x", &[("a", None)]), "/x");
    }
}
