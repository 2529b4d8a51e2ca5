//! Reads a JSON array of flat objects whose members are named like the columns of a sheet.
//!
//! Not here: the submission form, which the domestic API reads itself. Invariants: nesting is refused by the shape
//! itself, so depth is bounded; a member named twice is refused; the header is the union of the members.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use puente_core::problem::{self, Problem};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::{Cell, Grid, GridRow, MAX_COLUMNS};

/// Reads the list; row 1 is the first element, and row 0 the header.
///
/// # Errors
/// `body.malformed` when it is not such an array, `sheet.too_large` beyond a bound.
pub fn read(text: &str) -> Result<Grid, Problem> {
    let objects: Vec<Object> = serde_json::from_str(text).map_err(|error| {
        Problem::new(&problem::BODY_MALFORMED).because(format!(
            "line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    let header: BTreeSet<&str> =
        objects.iter().flat_map(|object| object.0.keys().map(String::as_str)).collect();
    let mut grid = Grid::default();
    grid.push(GridRow { number: 0, cells: header.iter().map(|name| Cell::from_text(name)).collect() })?;
    for (number, object) in (1..).zip(&objects) {
        let cells =
            header.iter().map(|name| object.0.get(*name).map_or(Cell::Blank, |text| Cell::from_text(text)));
        grid.push(GridRow { number, cells: cells.collect() })?;
    }
    Ok(grid)
}

struct Object(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, Scalar(value))) = map.next_entry::<String, Scalar>()? {
                    if members.len() >= MAX_COLUMNS || members.insert(name, value).is_some() {
                        return Err(A::Error::custom("too many members, or one named twice"));
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, number, true, false or null")
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_bool<E>(self, yes: bool) -> Result<Scalar, E> {
                Ok(Scalar(if yes { "sí" } else { "no" }.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar(String::new()))
            }
        }
        deserializer.deserialize_any(Value)
    }
}
