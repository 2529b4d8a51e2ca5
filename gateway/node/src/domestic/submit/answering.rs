//! An answer to an alert: it leaves with the signature of an officer of the authority that was asked, or not at all.
//!
//! INVARIANT: the clock stops in the commit that queues the answer.

use puente_core::delivery::{Side, Write};
use puente_core::duty::{Answered, TYP_TAKEN, Taken, WatchRow};
use puente_core::problem::{self, Problem};

use crate::domestic::acts::verified;
use crate::domestic::submit::acting_role;
use crate::domestic::submit::form::Submission;
use crate::duty::{is_answer, state_event};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;

/// Where the officer's statement stands in an answer.
const STATEMENT: &str = "/sections/ops.metadata/statement";

/// What a submission that answers an alert writes beside itself.
///
/// # Errors
/// `not_found` for an alert that was not this agency's to answer; as `verified` for the statement; `field.invalid`
/// when it is about another alert or names another telephone.
pub(super) async fn clock_stopped(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<Vec<Write>, Problem> {
    let Some(alert) = submission.in_reply_to else { return Ok(Vec::new()) };
    let row = node.store.watch(alert).await.map_err(|error| store_problem(&error))?;
    let rules = node.rules.get();
    let answers = |row: &WatchRow| {
        row.watch.side == Side::Receiver && is_answer(&rules, &row.watch, &submission.message_type)
    };
    let Some(mut row) = row.filter(answers) else { return Ok(Vec::new()) };
    let asked = row.watch.agency.as_ref().is_none_or(|agency| *agency == caller.agency)
        && acting_role(caller, submission.role.as_ref()) == Some(&row.watch.answering)
        && submission.recipient.country == row.watch.peer;
    if !asked {
        return Err(Problem::new(&problem::NOT_FOUND).at("/in_reply_to"));
    }
    let said = submission.sections.iter().find(|(category, _)| category.as_str() == "ops.metadata");
    let said = said.map(|(_, said)| said.reveal());
    let text = |member: &str| said.and_then(|said| said.get(member)).and_then(serde_json::Value::as_str);
    let missing = || Problem::new(&problem::FIELD_MISSING).at(STATEMENT);
    let statement = text("statement").ok_or_else(missing)?;
    let act = verified::<Taken>(node, caller, TYP_TAKEN, statement).map_err(|error| error.at(STATEMENT))?;
    let says = &act.act().says;
    if says.alert != alert || text("phone") != says.phone.as_ref().map(|phone| phone.reveal().as_str()) {
        return Err(Problem::new(&problem::FIELD_INVALID).at(STATEMENT));
    }
    let at_ms = node.clock.now_ms();
    // A second answer, to say who has it now, leaves the clock as it is.
    if row.watch.handle_answer(at_ms, Answered::Signed).is_err() {
        return Ok(Vec::new());
    }
    let event = state_event(&row.watch, Answered::Signed.as_str(), at_ms);
    Ok(vec![Write::WatchChanged(row.moved(Some(statement))), Write::Event(event)])
}
