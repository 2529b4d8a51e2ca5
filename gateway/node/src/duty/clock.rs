//! Clocks of alerts: begun with the alert, stepped by the time, each step in one commit with what follows from it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use puente_core::delivery::{Direction, MessageRow, Side, Write};
use puente_core::duty::{Awaits, Call, Due, Silence, Wake, Watch, WatchRow};
use puente_core::ids::Role;
use puente_core::problem::Problem;

use crate::duty::answer::state_event;
use crate::duty::held::came_of;
use crate::duty::people::summon;
use crate::node::{Node, Rules, store_problem};
use crate::store::{Guard, StoreError};

/// Most clocks looked at in one call.
const AT_ONCE: u32 = 200;

/// The clock that begins with this message of one role to another: when somebody has to answer its type, or the peer's
/// receipt has to prove it.
#[must_use]
pub fn begins(rules: &Rules, row: &MessageRow, asking: &Role, answering: &Role) -> Option<Write> {
    let side = match row.direction {
        Direction::In => Side::Receiver,
        Direction::Out => Side::Sender,
    };
    let proven = rules.ladders.proven(&row.message_type).filter(|_| side == Side::Sender);
    let (awaits, term) = match rules.ladders.of(&row.message_type) {
        Some(term) => (Awaits::Answer, term),
        None => (Awaits::Receipt, proven?),
    };
    Some(Write::Watch(WatchRow::opened(Watch {
        message: row.message,
        awaits,
        side,
        peer: row.peer.clone(),
        message_type: row.message_type.clone(),
        case: row.case,
        agency: row.agency.clone(),
        role: row.role.clone(),
        answering: answering.clone(),
        asking: Some(asking.clone()),
        releasing: BTreeSet::new(),
        ended_ms: None,
        term: term.clone(),
        opened_ms: row.created_ms,
        climbed_minutes: None,
        answered: None,
        acted_ms: None,
        told: BTreeSet::new(),
    })))
}

/// Steps every clock that is due; answers how many steps were taken.
///
/// # Errors
/// When the store fails; what was not stepped is stepped at the next call.
pub async fn step(node: &Node) -> Result<usize, Problem> {
    let now_ms = node.clock.now_ms();
    let due = node.store.watches_due(now_ms, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    let mut steps = 0;
    for mut row in due {
        let ended = came_of(node, &mut row.watch, now_ms).await?;
        let mut due = row.watch.handle_time(now_ms);
        due.extend(ended);
        let mut writes = Vec::new();
        for step in &due {
            writes.extend(follows(node, &row.watch, *step, now_ms));
        }
        writes.push(Write::WatchChanged(row.moved(None)));
        match node.commit(writes).await {
            Ok(_) => {}
            // Somebody has moved it meanwhile: it is looked at again as it stands.
            Err(StoreError::Conflict { what: Guard::Changed, .. }) => continue,
            Err(error) => return Err(store_problem(&error)),
        }
        steps += due.len();
        for step in due {
            if let Due::Tell(silence) = step {
                node.metrics.alert_silence(silence.as_str());
            }
        }
    }
    Ok(steps)
}

/// What one step writes: the people who are called, and the word to the agency.
pub(super) fn follows(node: &Node, watch: &Watch, due: Due, now_ms: i64) -> Vec<Write> {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let (wakes, call, until_ms): (&[Wake], _, _) = match &due {
        Due::Wake(wake) => (std::slice::from_ref(wake), asked(watch), watch.answer_by_ms()),
        Due::Tell(Silence::NoAction) => {
            (Silence::NoAction.wakes(), Call::Act, watch.act_by_ms().unwrap_or(now_ms))
        }
        Due::Tell(Silence::Undecided) => (Silence::Undecided.wakes(), Call::Undecided, watch.opened_ms),
        Due::Tell(silence @ (Silence::NotReleased | Silence::Lapsed)) => {
            (silence.wakes(), Call::NotSent, now_ms)
        }
        Due::Tell(silence @ (Silence::NotEnded | Silence::Unproven)) => {
            (silence.wakes(), Call::NotEnded, watch.end_by_ms().unwrap_or(watch.opened_ms))
        }
        Due::Tell(silence) => (silence.wakes(), Call::Silence, watch.opened_ms),
        Due::End => (&[], Call::NotEnded, now_ms),
    };
    let mut writes: Vec<Write> =
        wakes.iter().flat_map(|wake| summon(node, watch, *wake, call, until_ms, now)).collect();
    match due {
        Due::Wake(_) => {}
        Due::Tell(silence) => {
            writes.push(Write::Event(state_event(watch, silence.as_str(), now_ms)));
        }
        Due::End => writes.push(Write::Event(state_event(watch, watch.state(), now_ms))),
    }
    writes
}

/// What a rung asks of the people it wakes.
const fn asked(watch: &Watch) -> Call {
    match watch.awaits {
        Awaits::Answer | Awaits::Receipt => Call::Answer,
        Awaits::Release => Call::Decide,
    }
}
