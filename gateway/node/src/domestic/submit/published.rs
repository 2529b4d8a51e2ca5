//! A table of counts that is for publication: what policy is told of it, and what leaves in its place.
//!
//! Not here: how a table is protected (`statistics` in core) and whether it may leave (`prepare`). Earlier reports are
//! brought in where they are kept, by the regional report; until then a table is protected by itself. INVARIANT: what
//! is published is the protected table, and its smallest count comes from the content, never from the submitter.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use puente_core::ids::Category;
use puente_core::personal::Personal;
use puente_core::policy::HostFacts;
use puente_core::problem;
use puente_core::statistics::{Protected, protect};

use crate::domestic::submit::form::{Finding, Submission};
use crate::domestic::submit::report::finding;

/// The category of tables of counts.
const TABLE: &str = "stats.aggregate";

/// The role whose reading is publication, whatever the table says of itself.
const PUBLIC: &str = "public";

fn table(submission: &Submission) -> Option<&Value> {
    let section = submission.sections.iter().find(|(category, _)| category.as_str() == TABLE)?;
    Some(section.1.reveal())
}

/// The protected form of a table that is for publication; `None` when there is none, as with the head-counts of an
/// operation, which a reception centre has to know exactly.
///
/// # Errors
/// When the table cannot be published as it is.
pub(super) fn protected(submission: &Submission) -> Result<Option<Protected>, Vec<Finding>> {
    let Some(table) = table(submission) else { return Ok(None) };
    let stated = table.get("published").and_then(Value::as_bool);
    let public = submission.recipient.role.as_str() == PUBLIC;
    if !(stated.unwrap_or(false) || public) {
        return Ok(None);
    }
    protect(table, &[])
        .map(Some)
        .map_err(|_| vec![finding(&problem::STATISTICS_UNPROTECTED, format!("/sections/{TABLE}"))])
}

/// What the gateway knows by itself of the submission.
pub(super) fn host_facts(publication: Option<&Protected>) -> HostFacts {
    let smallest = publication.map(|table| u32::try_from(table.smallest).unwrap_or(u32::MAX));
    HostFacts { min_cell: smallest, published: publication.is_some(), ..HostFacts::default() }
}

/// The sections that leave: as submitted, but for a table that is published.
pub(super) fn sections<'a>(
    submission: &'a Submission,
    publication: Option<&Protected>,
) -> Cow<'a, BTreeMap<Category, Personal<Value>>> {
    let Some(publication) = publication else { return Cow::Borrowed(&submission.sections) };
    let mut sections = submission.sections.clone();
    for (_, section) in sections.iter_mut().filter(|(category, _)| category.as_str() == TABLE) {
        *section = Personal::new(publication.section.clone());
    }
    Cow::Owned(sections)
}
