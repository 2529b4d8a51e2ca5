//! Alerts that wait here: held by policy until somebody decides, or taken out of the queue before they left.
//!
//! Not here: deciding (`domestic::approvals`). INVARIANT: the clock of a held alert begins in the commit that holds it, and
//! what becomes of it is read from the approval itself, so that no way of closing one leaves the clock behind.

use std::collections::BTreeSet;

use puente_core::delivery::{ApprovalRow, Direction, OutboundState, Side, Write};
use puente_core::duty::{Awaits, Due, Watch, WatchRow};
use puente_core::evidence::ReceiptState;
use puente_core::ids::{ApprovalId, CaseId, MessageId, Role};
use puente_core::problem::Problem;

use crate::node::{Node, Rules, store_problem};
use crate::store::ERASED;

/// The clock that begins with this held row, when somebody is called over its type; `releasing` are the roles of other
/// authorities that may release it.
#[must_use]
pub fn waits_for_release(
    rules: &Rules,
    row: &ApprovalRow,
    case: CaseId,
    answering: &Role,
    releasing: BTreeSet<Role>,
) -> Option<Write> {
    let term = rules.ladders.held(&row.message_type)?.clone();
    Some(Write::Watch(WatchRow::opened(Watch {
        message: MessageId(row.approval.0),
        awaits: Awaits::Release,
        side: Side::Sender,
        peer: row.peer.clone(),
        message_type: row.message_type.clone(),
        case,
        agency: Some(row.agency.clone()),
        role: row.role.clone(),
        answering: answering.clone(),
        asking: Some(row.role.clone()),
        releasing,
        ended_ms: None,
        term,
        opened_ms: row.opened_ms,
        climbed_minutes: None,
        answered: None,
        acted_ms: None,
        told: BTreeSet::new(),
    })))
}

/// Beside whatever closes an approval: its clock, if it has one, is looked at at once.
#[must_use]
pub const fn look_again(approval: ApprovalId, at_ms: i64) -> Write {
    Write::WatchLook { message: MessageId(approval.0), at_ms }
}

/// What became of an alert of ours that a clock runs for: decided on while held, or taken out of the queue before it left.
///
/// # Errors
/// The store's problem.
pub(super) async fn came_of(node: &Node, watch: &mut Watch, now_ms: i64) -> Result<Option<Due>, Problem> {
    match (watch.awaits, watch.side) {
        (Awaits::Answer | Awaits::Receipt, Side::Receiver) => Ok(None),
        (Awaits::Answer | Awaits::Receipt, Side::Sender) => {
            Ok(if is_out_of_the_queue(node, watch.message).await? { watch.handle_not_taken() } else { None })
        }
        (Awaits::Release, _) => {
            let approval = ApprovalId(watch.message.0);
            let found = node.store.approval(approval).await.map_err(|error| store_problem(&error))?;
            let closed = found.map(|(row, _)| (row.closed_ms.unwrap_or(now_ms), row.state));
            Ok(closed.and_then(|(at_ms, state)| watch.handle_decision(at_ms, state)))
        }
    }
}

/// Whether a message of ours waits no more and the peer has not accepted it.
async fn is_out_of_the_queue(node: &Node, message: MessageId) -> Result<bool, Problem> {
    let row = node.store.message(message).await.map_err(|error| store_problem(&error))?;
    let Some(row) = row.filter(|row| row.direction == Direction::Out) else { return Ok(false) };
    if row.state == ERASED {
        let receipts = node.store.receipts(message).await.map_err(|error| store_problem(&error))?;
        return Ok(!receipts.iter().any(|receipt| receipt.state == ReceiptState::Accepted.as_str()));
    }
    let gone = [OutboundState::Cancelled, OutboundState::Expired, OutboundState::Refused];
    Ok(gone.iter().any(|state| row.state == state.as_str()))
}
