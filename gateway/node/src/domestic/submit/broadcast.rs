//! What names a missing-child broadcast: its end, which only who sent it sends; a sighting, which goes to that authority alone.
//!
//! INVARIANT: a sighting never reaches anybody but the authority whose broadcast it names.

use puente_core::delivery::{OutboundState, Side, Write};
use puente_core::duty::{BROADCAST, CANCEL, SIGHTING, WatchRow};
use puente_core::ids::MessageId;
use puente_core::problem::{self, Problem};

use crate::domestic::submit::acting_role;
use crate::domestic::submit::form::Submission;
use crate::duty::state_event;
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;

/// What a submission that is about a broadcast writes beside itself.
///
/// # Errors
/// `field.missing` when it does not name the broadcast, `not_found` for one that is not the caller's to end or to have
/// seen, `field.invalid` for another recipient than its authority, or than who got it.
pub(super) async fn about_a_broadcast(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<Vec<Write>, Problem> {
    match submission.message_type.as_str() {
        CANCEL => ended(node, caller, submission).await,
        SIGHTING => {
            let seen = named(node, submission, Side::Receiver).await?.watch;
            let to = &submission.recipient;
            let authority = to.country == seen.peer && seen.asking.is_none_or(|asking| asking == to.role);
            if authority {
                Ok(Vec::new())
            } else {
                Err(Problem::new(&problem::FIELD_INVALID).at("/recipient"))
            }
        }
        _ => Ok(Vec::new()),
    }
}

async fn named(node: &Node, submission: &Submission, side: Side) -> Result<WatchRow, Problem> {
    let missing = || Problem::new(&problem::FIELD_MISSING).at("/in_reply_to");
    let broadcast: MessageId = submission.in_reply_to.ok_or_else(missing)?;
    let row = node.store.watch(broadcast).await.map_err(|error| store_problem(&error))?;
    let own = |row: &WatchRow| row.watch.side == side && row.watch.message_type.as_str() == BROADCAST;
    row.filter(own).ok_or_else(|| Problem::new(&problem::NOT_FOUND).at("/in_reply_to"))
}

/// The broadcast is over here in the commit that queues its end; one that still waits is taken out of the queue, and the peer
/// is asked whether it has it.
async fn ended(node: &Node, caller: &KnownAgency, submission: &Submission) -> Result<Vec<Write>, Problem> {
    let mut row = named(node, submission, Side::Sender).await?;
    let watch = &mut row.watch;
    if watch.agency.as_ref() != Some(&caller.agency)
        || acting_role(caller, submission.role.as_ref()) != Some(&watch.role)
    {
        return Err(Problem::new(&problem::NOT_FOUND).at("/in_reply_to"));
    }
    if submission.recipient.country != watch.peer || submission.recipient.role != watch.answering {
        return Err(Problem::new(&problem::FIELD_INVALID).at("/recipient"));
    }
    let at_ms = node.clock.now_ms();
    let broadcast = watch.message;
    if !watch.handle_ended(at_ms) {
        return Ok(Vec::new());
    }
    let event = state_event(watch, watch.state(), at_ms);
    let mut writes = vec![Write::WatchChanged(row.moved(None)), Write::Event(event)];
    let sent = node.store.message(broadcast).await.map_err(|error| store_problem(&error))?;
    let waits = sent.filter(|sent| sent.state == OutboundState::Queued.as_str());
    writes.extend(waits.map(|sent| Write::OutboundState {
        message: broadcast,
        release: sent.release,
        state: OutboundState::Unconfirmed,
        code: Some(problem::DECISION_LAPSED.code.to_owned()),
        due_ms: at_ms,
        attempts: 0,
    }));
    Ok(writes)
}
