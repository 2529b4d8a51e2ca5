//! What the content of a step says that its header has to repeat: hours and number.
//!
//! The sender's gateway reads them off what it releases, so that the two cannot disagree. Not here: schemas
//! (`catalogue`). INVARIANT: only times and a number leave the sealed part; no place and nothing of a person.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::cases::step::StepKind;
use crate::envelope::StepRef;
use crate::ids::Category;

/// A follow-up of a transfer that does not say which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the follow-up does not say which day it reports on")]
pub struct SaidNothing;

/// The hours and the number of a step, from those of its sections that are released; `None` when it says none.
///
/// # Errors
/// `SaidNothing` for a follow-up without its day.
pub fn said<'a>(
    kind: StepKind,
    sections: impl IntoIterator<Item = (&'a Category, &'a Value)>,
    released: &BTreeSet<Category>,
) -> Result<Option<StepRef>, SaidNothing> {
    let mut step = StepRef::default();
    for (category, section) in sections.into_iter().filter(|(category, _)| released.contains(*category)) {
        match category.as_str() {
            "ops.metadata" => {
                step.at = second(section, "/at");
                step.day = section.get("day").and_then(Value::as_u64).and_then(|day| u16::try_from(day).ok());
            }
            "return.logistics" if matches!(kind, StepKind::Offer | StepKind::Departure) => {
                step.by = second(section, "/handover/at").or_else(|| second(section, "/eta"));
            }
            _ => {}
        }
    }
    match kind {
        StepKind::FollowUp if step.day.is_none() => Err(SaidNothing),
        StepKind::FollowUp => Ok(Some(step)),
        _ => {
            step.day = None;
            Ok(Some(step).filter(|step| *step != StepRef::default()))
        }
    }
}

fn second(section: &Value, pointer: &str) -> Option<i64> {
    section.pointer(pointer)?.as_str()?.parse::<Timestamp>().ok().map(|at| at.as_second())
}
