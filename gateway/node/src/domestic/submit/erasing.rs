//! Confirming an order to erase is erasing: what the confirmation is about goes before it is signed into the store.
//!
//! Not here: the decision, which is the agency's; erasing itself (`subjects`). INVARIANT: no confirmation that says
//! "deleted" is released while what it is about stays readable here, and none promises backups an earlier end than
//! they have.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use puente_core::delivery::SubjectTag;
use puente_core::problem::{self, Problem};

use crate::domestic::submit::form::Submission;
use crate::domestic::submit::rests::question_of;
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::subjects::{SubjectOf, in_backups_by};

const CONFIRMS: &str = "data.erasure.confirm";
const ORDERS: &str = "data.erasure.order";

/// Whom a submission confirms to have been erased; nobody for any other message.
///
/// The order itself goes with all else that its country sent about the person, so that the same confirmation again
/// finds her by what is kept of the order.
///
/// # Errors
/// The store's problem, `field.invalid` when it answers no order that came in, or states a day on which backups still
/// hold the key: then nothing may be confirmed.
pub(super) async fn erasure_confirmed(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<Option<SubjectTag>, Problem> {
    let said = |name: &str| {
        let section = submission.sections.iter().find(|(category, _)| category.as_str() == "ops.metadata");
        section.and_then(|(_, value)| value.reveal().get(name)).and_then(Value::as_str)
    };
    if submission.message_type.as_str() != CONFIRMS || said("status") != Some("deleted") {
        return Ok(None);
    }
    let backups_until = said("backups_until").and_then(|date| date.parse::<Date>().ok());
    if backups_until.is_some_and(|date| date < backups_end(node)) {
        return Err(Problem::new(&problem::FIELD_INVALID).at("/sections/ops.metadata/backups_until"));
    }
    let no_order = || Problem::new(&problem::FIELD_INVALID).at("/in_reply_to");
    let order = question_of(node, caller, submission).await?;
    let order = order.filter(|row| row.message_type.as_str() == ORDERS).ok_or_else(no_order)?;
    let about = node.store.received_about(order.message).await.map_err(|error| store_problem(&error))?;
    let pseudonym = about.ok_or_else(no_order)?;
    Ok(Some(SubjectOf::Peer(&order.peer, &pseudonym).tag(&node.keys.subjects)))
}

/// The day, in UTC, on which the last copy of a key that is destroyed now goes.
fn backups_end(node: &Node) -> Date {
    let end_ms = in_backups_by(node, node.clock.now_ms());
    Timestamp::from_millisecond(end_ms).unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).date()
}
