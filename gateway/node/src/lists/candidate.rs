//! A person, from a submitted row or from opened sections, as `core::matching` compares them.
//!
//! Not here: the comparison. Invariant: only what the row states is compared; nothing is looked up elsewhere.

use jiff::civil::Date;
use puente_core::matching::{Candidate, Number, Sex};
use puente_core::personal::Personal;
use serde_json::Value;

use super::submission::SubmissionRow;

/// The row for comparison; `None` when it carries no `id.core`.
#[must_use]
pub fn candidate(row: &SubmissionRow) -> Option<Candidate> {
    let section = |category: &str| section(row, category);
    Some(Candidate { age: row.subject.reveal().age, ..from_sections(row.row, &section)? })
}

/// A person for comparison, as sections say; `None` without `id.core` or its names.
#[must_use]
pub fn from_sections<'a>(row: u32, section: &dyn Fn(&str) -> Option<&'a Value>) -> Option<Candidate> {
    let core = section("id.core")?;
    let named = |name: &str| core.get(name).is_some_and(Value::is_string);
    let person = Candidate { row, numbers: numbers(section), ..named_in(core) };
    (named("given_names") && named("first_surname")).then_some(person)
}

/// The person that an object names, with whatever of the names it has.
#[must_use]
pub fn named_in(object: &Value) -> Candidate {
    let text =
        |name: &str| object.get(name).and_then(Value::as_str).map(|text| Personal::new(text.to_owned()));
    Candidate {
        row: 0,
        given_names: text("given_names").unwrap_or_default(),
        first_surname: text("first_surname").unwrap_or_default(),
        second_surname: text("second_surname"),
        birth_date: text("birth_date").and_then(|date| date.reveal().parse::<Date>().ok()).map(Personal::new),
        age: object.get("age").and_then(Value::as_u64).and_then(|age| u8::try_from(age).ok()),
        age_estimated: object.get("age_estimated").and_then(Value::as_bool).unwrap_or_default(),
        sex: object.get("sex").and_then(Value::as_str).and_then(sex),
        numbers: Vec::new(),
    }
}

fn section<'a>(row: &'a SubmissionRow, category: &str) -> Option<&'a Value> {
    let category = category.parse().ok()?;
    row.sections.get(&category).map(Personal::reveal)
}

fn sex(code: &str) -> Option<Sex> {
    match code {
        "F" => Some(Sex::Female),
        "M" => Some(Sex::Male),
        "X" => Some(Sex::Unspecified),
        _ => None,
    }
}

/// The numbers that `id.numbers` and `doc.travel` state.
#[must_use]
pub fn numbers<'a>(section: &dyn Fn(&str) -> Option<&'a Value>) -> Vec<Number> {
    let listed = section("id.numbers").and_then(|section| section.get("numbers")).and_then(Value::as_array);
    let identity = listed.into_iter().flatten().filter_map(|number| numbered(number, None, "value"));
    let travel = section("doc.travel").and_then(|document| numbered(document, Some("passport"), "number"));
    identity.chain(travel).collect()
}

fn numbered(number: &Value, kind: Option<&str>, member: &str) -> Option<Number> {
    let text = |name: &str| number.get(name).and_then(Value::as_str);
    let stated = text("kind")?;
    if kind.is_some_and(|kind| kind != stated) {
        return None;
    }
    Some(Number {
        country: text("country")?.parse().ok()?,
        kind: stated.to_owned(),
        value: Personal::new(text(member)?.to_owned()),
    })
}
