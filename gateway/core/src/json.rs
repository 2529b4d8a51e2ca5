//! Strict reading of JSON: one text, one meaning (RFC 8259, and RFC 7493 section 2.3 on member names).
//!
//! Not here: schemas (`catalogue`) and typed forms (each module's own). Invariant: a `Value` made here
//! had no member name twice, no depth beyond the limit and nothing after it; an error holds a place in
//! the text, never a piece of it.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Nesting beyond this is refused: the deepest form of the catalogue needs 8, and a reader's stack is finite.
pub const MAX_DEPTH: usize = 32;

/// Why a text is not JSON that has one meaning; lines and columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StrictError {
    /// The bytes are not UTF-8 (RFC 8259 section 8.1); `at` is the offset of the first wrong byte.
    #[error("not UTF-8 at byte {at}")]
    Utf8 {
        /// Offset in bytes.
        at: usize,
    },
    /// The text ends inside a value, or there is none.
    #[error("the text ends at line {line} column {column} inside a value")]
    Truncated {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Not JSON: grammar, escapes, a number out of range or bytes after the value.
    #[error("not JSON at line {line} column {column}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// An object names a member twice, so two readers may understand two things.
    #[error("member named twice at line {line} column {column}")]
    Duplicate {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Arrays and objects nest deeper than the limit.
    #[error("nested too deep at line {line} column {column}")]
    Depth {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
}

/// Reads one JSON value from bytes; arrays and objects may nest `max_depth` deep (at most [`MAX_DEPTH`]).
///
/// # Errors
/// Any [`StrictError`].
pub fn parse(bytes: &[u8], max_depth: usize) -> Result<Value, StrictError> {
    let text = std::str::from_utf8(bytes).map_err(|error| StrictError::Utf8 { at: error.valid_up_to() })?;
    parse_str(text, max_depth)
}

/// Reads one JSON value from text; arrays and objects may nest `max_depth` deep (at most [`MAX_DEPTH`]).
///
/// # Errors
/// Any [`StrictError`] but `Utf8`.
pub fn parse_str(text: &str, max_depth: usize) -> Result<Value, StrictError> {
    let breach = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    Strict { left: max_depth.min(MAX_DEPTH), breach: &breach }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| {
            let (line, column) = (error.line(), error.column());
            match breach.get() {
                Some(Breach::Duplicate) => StrictError::Duplicate { line, column },
                Some(Breach::Depth) => StrictError::Depth { line, column },
                None if error.is_eof() => StrictError::Truncated { line, column },
                None => StrictError::Syntax { line, column },
            }
        })
}

/// What our own rules found, where the grammar had nothing to say.
#[derive(Clone, Copy)]
enum Breach {
    Duplicate,
    Depth,
}

/// Reads one value with `left` levels of nesting to spend.
#[derive(Clone, Copy)]
struct Strict<'a> {
    left: usize,
    breach: &'a Cell<Option<Breach>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, breach: Breach) -> E {
        self.breach.set(Some(breach));
        E::custom("refused")
    }

    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.refuse(Breach::Depth)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner::<A::Error>()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(Breach::Duplicate));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Value, StrictError> {
        parse(text.as_bytes(), MAX_DEPTH)
    }

    #[test]
    fn a_member_named_twice_is_refused_however_it_is_escaped() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"\u0061":2}}]"#] {
            assert!(matches!(read(text), Err(StrictError::Duplicate { line: 1, .. })));
        }
        assert!(read(r#"{"a":1,"A":1}"#).is_ok());
    }

    #[test]
    fn nesting_is_bounded_by_the_limit_and_not_before() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert!(matches!(read(&nested(MAX_DEPTH + 1)), Err(StrictError::Depth { .. })));
        assert!(matches!(parse(nested(2000).as_bytes(), usize::MAX), Err(StrictError::Depth { .. })));
        assert!(matches!(parse_str("{}", 0), Err(StrictError::Depth { .. })));
        assert!(parse_str("7", 0).is_ok());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_by_offset() {
        assert_eq!(parse(b"\"Jos\xe9\"", MAX_DEPTH), Err(StrictError::Utf8 { at: 4 }));
        assert_eq!(parse(b"\"\xed\xa0\x80\"", MAX_DEPTH), Err(StrictError::Utf8 { at: 1 }));
    }

    #[test]
    fn what_follows_the_value_is_refused() {
        for text in ["{} {}", "1 2", "[]x", "{},", "null\u{0}"] {
            assert!(matches!(read(text), Err(StrictError::Syntax { .. })), "{text}");
        }
        assert_eq!(read(" {} \n"), Ok(Value::Object(Map::new())));
    }

    #[test]
    fn a_text_that_ends_early_is_told_apart() {
        for text in ["", "  ", "{", "[1,", "\"abc", r#"{"a":"#] {
            assert!(matches!(read(text), Err(StrictError::Truncated { .. })), "{text}");
        }
    }

    #[test]
    fn forms_that_other_readers_tolerate_are_refused() {
        for text in ["\u{feff}{}", "[1,]", "{a:1}", "NaN", "01", "1e999", r#""\ud800""#, "// x\n1", "'a'"] {
            assert!(matches!(read(text), Err(StrictError::Syntax { .. })), "{text}");
        }
    }

    #[test]
    fn an_error_repeats_nothing_of_the_text() {
        let told = read(r#"{"María":1,"María":2}"#).unwrap_err();
        assert!(!format!("{told} {told:?}").contains("Mar"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = parse(&bytes, MAX_DEPTH);
        }

        #[test]
        fn what_serde_writes_is_read_back(keys in proptest::collection::btree_map(".{0,8}", any::<i64>(), 0..8)) {
            let value = serde_json::to_value(&keys).unwrap();
            prop_assert_eq!(read(&value.to_string()), Ok(value));
        }
    }
}
