//! Before a message leaves: whether the consent that it rests on still covers it; and how what may not leave any more is
//! taken out.
//!
//! Not here: what a consent says (`consent`), and the decision as a whole (`again`). INVARIANT: what is no longer covered is not sent again. Whether an
//! earlier attempt arrived only the peer can say, so the row is `unconfirmed` until it has answered the status
//! question, and only then cancelled.

use puente_core::delivery::{Event, EventKind, OutboundState, Queued, Write};
use puente_core::ids::ConsentId;
use puente_core::problem::{self, Kind, Problem};

use crate::consent::still_covers;
use crate::node::{Node, store_problem};
use crate::store::Disclosed;

/// Leaves those that may go; the others are taken out of the queue, and their senders told.
///
/// # Errors
/// The store's problem: then nothing may be sent.
pub async fn keep_covered(node: &Node, due: Vec<Queued>) -> Result<Vec<Queued>, Problem> {
    let mut covered = Vec::with_capacity(due.len());
    for queued in due {
        match queued.consent {
            Some(consent) if !is_covered(node, &queued, consent).await? => {
                take_out(node, &queued, &problem::CONSENT_LAPSED, None).await?;
            }
            _ => covered.push(queued),
        }
    }
    Ok(covered)
}

async fn is_covered(node: &Node, queued: &Queued, consent: ConsentId) -> Result<bool, Problem> {
    let lines = node.store.disclosures(Disclosed::In(queued.message), 0, 1).await;
    let lines = lines.map_err(|error| store_problem(&error))?;
    match lines.first() {
        Some((_, told, _)) => still_covers(node, consent, told).await,
        None => Ok(false),
    }
}

/// Takes a row out of the queue for this reason, with what else is to be recorded, and tells its sender.
///
/// # Errors
/// The store's problem: then it is looked at again.
pub(super) async fn take_out(
    node: &Node,
    queued: &Queued,
    reason: &'static Kind,
    recorded: Option<Write>,
) -> Result<(), Problem> {
    let at_ms = node.clock.now_ms();
    let state = OutboundState::Unconfirmed;
    node.metrics.message(&queued.message_type, "out", "lapsed");
    let mut writes = vec![
        Write::OutboundState {
            message: queued.message,
            release: queued.release,
            state,
            code: Some(reason.code.to_owned()),
            due_ms: at_ms,
            attempts: queued.attempts,
        },
        Write::Event(Event {
            kind: EventKind::MessageState,
            agency: queued.agency.clone(),
            role: queued.role.clone(),
            message: Some(queued.message),
            approval: None,
            message_type: Some(queued.message_type.clone()),
            state: state.as_str().to_owned(),
            at_ms,
        }),
    ];
    writes.extend(recorded);
    node.commit(writes).await.map_err(|error| store_problem(&error))?;
    Ok(())
}

/// The reason for which a row was taken out of the queue, by its code.
pub(super) fn reason_of(code: Option<&str>) -> Option<&'static Kind> {
    let reasons = [&problem::CONSENT_LAPSED, &problem::DECISION_LAPSED, &problem::SEAL_KEY_ENDED];
    reasons.into_iter().find(|reason| code == Some(reason.code))
}
