//! What stops a clock: the answer of the authority, the telephone, the first thing done, or word that nothing comes.

use std::collections::BTreeSet;

use puente_core::delivery::{Event, EventKind, Side, Write};
use puente_core::duty::{Answered, Awaits, Watch, WatchRow};
use puente_core::envelope::VerifiedOuter;
use puente_core::evidence::{ReceiptEntry, ReceiptState};
use puente_core::ids::{ApprovalId, MessageId};
use puente_core::problem::Problem;

use crate::duty::clock::follows;
use crate::node::{Node, store_problem};

/// The word to this side's agency that an alert stands otherwise.
#[must_use]
pub fn state_event(watch: &Watch, state: &str, at_ms: i64) -> Event {
    Event {
        kind: EventKind::AlertState,
        agency: watch.agency.clone(),
        role: watch.role.clone(),
        message: (watch.awaits == Awaits::Answer).then_some(watch.message),
        approval: (watch.awaits == Awaits::Release).then_some(ApprovalId(watch.message.0)),
        message_type: Some(watch.message_type.clone()),
        state: state.to_owned(),
        at_ms,
    }
}

async fn waiting(node: &Node, message: MessageId, side: Side) -> Result<Option<WatchRow>, Problem> {
    let row = node.store.watch(message).await.map_err(|error| store_problem(&error))?;
    Ok(row.filter(|row| row.watch.side == side && !row.watch.is_settled()))
}

/// What a message from a peer does to the alert of ours that it answers: only the authority that was asked stops the
/// clock, by a message of its own; its gateway has verified the officer's signature before it let it go. `stopped` are
/// the alerts that this delivery has answered already.
///
/// # Errors
/// The store's problem.
pub async fn answer_came(
    node: &Node,
    outer: &VerifiedOuter,
    stopped: &mut BTreeSet<MessageId>,
) -> Result<Vec<Write>, Problem> {
    let header = &outer.claims().puente;
    let Some(alert) = header.in_reply_to else { return Ok(Vec::new()) };
    let Some(mut row) = waiting(node, alert, Side::Sender).await? else { return Ok(Vec::new()) };
    let watch = &mut row.watch;
    let asked = header.sender.country == watch.peer && header.sender.role == watch.answering;
    let at_ms = node.clock.now_ms();
    if !asked || !stopped.insert(alert) || watch.handle_answer(at_ms, Answered::Signed).is_err() {
        return Ok(Vec::new());
    }
    let event = state_event(watch, Answered::Signed.as_str(), at_ms);
    Ok(vec![Write::WatchChanged(row.moved(None)), Write::Event(event)])
}

/// What a peer's receipt does to an alert of ours: it was not taken, or somebody has acted on it.
///
/// # Errors
/// The store's problem.
pub async fn receipted(node: &Node, entry: &ReceiptEntry) -> Result<Vec<Write>, Problem> {
    if !matches!(entry.state, ReceiptState::Refused | ReceiptState::NeverAccepted | ReceiptState::Acted) {
        return Ok(Vec::new());
    }
    let Some(mut row) = waiting(node, entry.message_id, Side::Sender).await? else { return Ok(Vec::new()) };
    let at_ms = node.clock.now_ms();
    let mut writes = Vec::new();
    if entry.state == ReceiptState::Acted {
        if row.watch.handle_action(entry.at_ms).is_err() {
            return Ok(writes);
        }
        writes.push(Write::Event(state_event(&row.watch, "acted", at_ms)));
    } else if let Some(due) = row.watch.handle_not_taken() {
        writes.extend(follows(node, &row.watch, due, at_ms));
        node.metrics.alert_silence(puente_core::duty::Silence::NotTaken.as_str());
    }
    writes.push(Write::WatchChanged(row.moved(None)));
    Ok(writes)
}
