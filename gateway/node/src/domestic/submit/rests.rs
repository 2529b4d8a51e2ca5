//! Finding the consent that a submission names: its own country's record, or one that the asking country vouched for.
//!
//! Not here: what it says (`puente_core::consent`). INVARIANT: nobody learns from the answer whether a consent of
//! another agency exists.

use puente_core::delivery::{Direction, MessageRow};
use puente_core::ids::ConsentId;
use puente_core::problem::{self, Problem};

use crate::consent::{Kept, Rests, relied_on};
use crate::domestic::messages::visible;
use crate::domestic::submit::form::Submission;
use crate::node::{Node, store_problem};
use crate::opening::outer_of;
use crate::register::KnownAgency;
use crate::store::ERASED;

/// What the submission rests on; `None` when it names no consent.
///
/// # Errors
/// `consent.unknown` when there is none for this caller, `consent.subject` when it is of another person; otherwise
/// the store's problem.
pub(super) async fn rests_on(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<Option<Rests>, Problem> {
    let Some(id) = submission.legal_basis.consent_id else { return Ok(None) };
    let unknown = || Problem::new(&problem::CONSENT_UNKNOWN).at("/legal_basis/consent_id");
    if let Some(kept) = Kept::find(node, id).await? {
        if !kept.record.claims().entitles(&caller.agency) {
            return Err(unknown());
        }
        let named = submission.subject_id.as_ref();
        if named != Some(&kept.record.claims().principal.reference) {
            return Err(Problem::new(&problem::CONSENT_SUBJECT).at("/subject_id"));
        }
        return Ok(Some(Rests::Own(Box::new(kept))));
    }
    vouched_for(node, caller, submission, id).await?.map(Some).ok_or_else(unknown)
}

/// The message that this one answers, when it came in for the caller and was accepted, its content erased or not.
///
/// # Errors
/// The store's problem.
pub(super) async fn question_of(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<Option<MessageRow>, Problem> {
    let Some(question) = submission.in_reply_to else { return Ok(None) };
    let row = node.store.message(question).await.map_err(|error| store_problem(&error))?;
    let came = |row: &MessageRow| {
        row.direction == Direction::In
            && (row.state == "accepted" || row.state == ERASED)
            && visible(caller, row)
    };
    Ok(row.filter(came).filter(|row| row.peer == submission.recipient.country))
}

/// An answer may rest on the consent of the question, as the question's signed header names it.
async fn vouched_for(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    id: ConsentId,
) -> Result<Option<Rests>, Problem> {
    let question = question_of(node, caller, submission).await?;
    let Some(row) = question.filter(|row| row.state != ERASED) else { return Ok(None) };
    let outer = outer_of(&row)?;
    match outer.claims().consent.as_ref().filter(|extract| extract.id == id) {
        Some(extract) => Ok(Some(Rests::Relied(Box::new(relied_on(node, &row.peer, extract).await?)))),
        None => Ok(None),
    }
}
