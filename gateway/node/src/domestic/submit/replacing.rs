//! Sending again what its recipient can no longer open: a message of its own that names the one in whose place it comes.
//!
//! Not here: the lost key's own way (`domestic::sealed` there). INVARIANT: nobody but the originator sends again, and only
//! what the recipient's officer has said to be lost and nothing else has replaced.

use puente_core::delivery::{Direction, MessageRow};
use puente_core::envelope::own_header;
use puente_core::problem::{self, Problem};

use crate::domestic::submit::form::Submission;
use crate::node::{Node, store_problem};
use crate::receipts::is_lost;
use crate::register::KnownAgency;

/// That what a submission says to replace is lost.
///
/// # Errors
/// `field.invalid` at `/replaces` when it is no message of the caller's of this type to this role, or not lost; the store's
/// problem.
pub(super) async fn expect_lost(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<(), Problem> {
    let Some(replaced) = submission.replaces else { return Ok(()) };
    let row = node.store.message(replaced).await.map_err(|error| store_problem(&error))?;
    let to = &submission.recipient;
    let same = |row: &MessageRow| {
        row.direction == Direction::Out
            && row.agency.as_ref() == Some(&caller.agency)
            && row.message_type == submission.message_type
            && row.peer == to.country
            // Erased here meanwhile, its role is known no more.
            && own_header(&row.wire).is_none_or(|header| header.recipient.role == to.role)
    };
    let lost = match row.filter(same) {
        Some(row) => is_lost(node, row.message).await?,
        None => false,
    };
    if lost { Ok(()) } else { Err(Problem::new(&problem::FIELD_INVALID).at("/replaces")) }
}
