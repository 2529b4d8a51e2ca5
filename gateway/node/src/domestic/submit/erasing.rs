//! Confirming an order to erase is erasing: the confirmation and the erasure are one commit.
//!
//! Not here: the decision, which is the agency's. INVARIANT: no confirmation that says "deleted" is signed while what
//! it is about stays readable here.

use puente_core::delivery::Write;
use puente_core::problem::{self, Problem};

use crate::domestic::submit::form::Submission;
use crate::domestic::submit::rests::question_of;
use crate::node::Node;
use crate::opening::outer_of;
use crate::register::KnownAgency;

const CONFIRMS: &str = "data.erasure.confirm";
const ORDERS: &str = "data.erasure.order";

/// What confirming that a person was erased has to write; nothing for any other message.
///
/// # Errors
/// The store's problem, `field.invalid` when it answers no order that came in: then nothing may be confirmed.
pub(super) async fn erasure_confirmed(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<Option<Write>, Problem> {
    let status = |category: &str, word: &str| {
        let section = submission.sections.iter().find(|(name, _)| name.as_str() == category);
        section.and_then(|(_, value)| value.reveal().get("status")).is_some_and(|status| status == word)
    };
    if submission.message_type.as_str() != CONFIRMS || !status("ops.metadata", "deleted") {
        return Ok(None);
    }
    let no_order = || Problem::new(&problem::FIELD_INVALID).at("/in_reply_to");
    let row = question_of(node, caller, submission).await?.ok_or_else(no_order)?;
    let header = outer_of(node, &row)?.claims().puente.clone();
    if header.message_type.as_str() != ORDERS {
        return Err(no_order());
    }
    let subject_ref = header.subject_ref.ok_or_else(no_order)?;
    Ok(Some(Write::EraseReceived { peer: row.peer, subject_ref }))
}
