//! Whom a submission names: its subject, and anybody else whose names stand in a section.
//!
//! Not here: the comparison. INVARIANT: an object with a name in it is somebody, wherever it stands; the category's name
//! decides nothing, so that a new message type needs no line here.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use puente_core::ids::Category;
use puente_core::matching::Candidate;
use puente_core::personal::Personal;
use puente_core::policy::Subject;
use puente_core::protection::{Belonging, Blind, Crowded, Marks, Named};

use crate::lists::candidate;

/// People compared per message; the largest family section holds fewer.
const MAX_PEOPLE: usize = 64;

/// Members that make an object somebody.
const NAMES: [&str; 2] = ["given_names", "first_surname"];

/// Everybody a message names, as `on` this day.
///
/// # Errors
/// `Crowded` when it names more people than are compared.
pub fn named_in(
    sections: &BTreeMap<Category, Personal<Value>>,
    subject: &Subject,
    on: Option<Date>,
    blind: &dyn Blind,
) -> Result<Named, Crowded> {
    let section = |name: &str| {
        sections.iter().find(|(category, _)| category.as_str() == name).map(|(_, value)| value.reveal())
    };
    let core = section("id.core");
    let mut first = core.map_or_else(|| candidate::named_in(&Value::Null), candidate::named_in);
    first.age = first.age.or(subject.age);
    first.numbers = candidate::numbers(&section);
    let mut people = vec![first];
    for value in sections.values() {
        let value = value.reveal();
        // The subject itself was taken with its numbers.
        if core.is_none_or(|core| !std::ptr::eq(core, value)) {
            gather(value, &mut people)?;
        }
    }
    let marks = people.iter().map(|person| Marks::of(person, on, blind)).filter(Marks::say_something);
    Ok(Named { people: marks.collect(), belonging: Belonging::from(subject) })
}

/// Bodies are at most 32 levels deep (`core::json`), so the walk is too.
fn gather(value: &Value, people: &mut Vec<Candidate>) -> Result<(), Crowded> {
    match value {
        Value::Object(members) => {
            if NAMES.iter().any(|name| members.get(*name).is_some_and(Value::is_string)) {
                people.push(candidate::named_in(value));
            }
            if people.len() > MAX_PEOPLE {
                return Err(Crowded);
            }
            members.values().try_for_each(|member| gather(member, people))
        }
        Value::Array(items) => items.iter().try_for_each(|item| gather(item, people)),
        _ => Ok(()),
    }
}
