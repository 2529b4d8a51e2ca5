//! What stops a clock: the answer of the authority, the telephone, the first thing done, or word that nothing comes.

use std::collections::BTreeSet;

use puente_core::delivery::{Event, EventKind, Side, Write};
use puente_core::duty::{Answered, Awaits, CANCEL, Watch, WatchRow};
use puente_core::envelope::{Header, VerifiedOuter};
use puente_core::evidence::{ReceiptEntry, ReceiptState};
use puente_core::ids::{ApprovalId, MessageId, MessageType};
use puente_core::problem::Problem;

use crate::duty::clock::follows;
use crate::node::{Node, Rules, store_problem};

/// The word to this side's agency that an alert stands otherwise.
#[must_use]
pub fn state_event(watch: &Watch, state: &str, at_ms: i64) -> Event {
    Event {
        kind: EventKind::AlertState,
        agency: watch.agency.clone(),
        role: watch.role.clone(),
        message: (watch.awaits != Awaits::Release).then_some(watch.message),
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

/// Whether a message of this type is the answer that the catalogue names for what a clock runs for.
#[must_use]
pub fn is_answer(rules: &Rules, watch: &Watch, message_type: &MessageType) -> bool {
    let asked = rules.catalogue.descriptor(&watch.message_type, None);
    asked.is_some_and(|asked| asked.replies.contains(message_type))
}

/// What a message from a peer does to the alert that it names: only the authority that was asked stops the clock of ours, by
/// an answer of its own, and its gateway has verified the officer's signature before it let it go; only who sent a broadcast
/// ends it here. `stopped` are the alerts that this delivery has stopped already.
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
    if header.message_type.as_str() == CANCEL {
        return broadcast_ended(node, alert, header, stopped).await;
    }
    let Some(mut row) = waiting(node, alert, Side::Sender).await? else { return Ok(Vec::new()) };
    let watch = &mut row.watch;
    let asked = header.sender.country == watch.peer
        && header.sender.role == watch.answering
        && is_answer(&node.rules.get(), watch, &header.message_type);
    let at_ms = node.clock.now_ms();
    if !asked || !stopped.insert(alert) || watch.handle_answer(at_ms, Answered::Signed).is_err() {
        return Ok(Vec::new());
    }
    let event = state_event(watch, Answered::Signed.as_str(), at_ms);
    Ok(vec![Write::WatchChanged(row.moved(None)), Write::Event(event)])
}

/// The authority that sent a broadcast ends it: it is shown no more, and its agency here is told.
async fn broadcast_ended(
    node: &Node,
    broadcast: MessageId,
    header: &Header,
    stopped: &mut BTreeSet<MessageId>,
) -> Result<Vec<Write>, Problem> {
    let Some(mut row) = waiting(node, broadcast, Side::Receiver).await? else { return Ok(Vec::new()) };
    let watch = &mut row.watch;
    let own = header.sender.country == watch.peer
        && watch.asking.as_ref().is_none_or(|asking| *asking == header.sender.role);
    let at_ms = node.clock.now_ms();
    if !own || !stopped.insert(broadcast) || !watch.handle_ended(at_ms) {
        return Ok(Vec::new());
    }
    let event = state_event(watch, watch.state(), at_ms);
    Ok(vec![Write::WatchChanged(row.moved(None)), Write::Event(event)])
}

/// What a peer's receipt does to an alert of ours of this type: it was not taken, or somebody has acted on it, or it proves
/// the end of a broadcast.
///
/// # Errors
/// The store's problem.
pub async fn receipted(
    node: &Node,
    message_type: &MessageType,
    entry: &ReceiptEntry,
) -> Result<Vec<Write>, Problem> {
    match entry.state {
        ReceiptState::Refused | ReceiptState::NeverAccepted | ReceiptState::Acted => {}
        // A list has thousands of these, and none of them has a clock.
        ReceiptState::Accepted if node.rules.get().ladders.proven(message_type).is_some() => {}
        _ => return Ok(Vec::new()),
    }
    let Some(mut row) = waiting(node, entry.message_id, Side::Sender).await? else { return Ok(Vec::new()) };
    let at_ms = node.clock.now_ms();
    let mut writes = Vec::new();
    if entry.state == ReceiptState::Accepted {
        if !row.watch.handle_receipt(entry.at_ms) {
            return Ok(writes);
        }
        writes.push(Write::Event(state_event(&row.watch, Answered::Proven.as_str(), at_ms)));
    } else if entry.state == ReceiptState::Acted {
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
