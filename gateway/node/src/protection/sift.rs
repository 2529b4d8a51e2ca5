//! The second look, at the last moment before bytes leave: a hold placed while a message waited stops it.
//!
//! Not here: connections. INVARIANT: what comes back was compared with every hold in force at this call; a message that
//! cannot be compared stays.

use jiff::Timestamp;

use puente_core::delivery::{Event, EventKind, OutboundState, Queued, Write};
use puente_core::ids::{CountryCode, HoldId};
use puente_core::problem;
use puente_core::protection::{Found, Likeness, Named, StopKind};

use crate::node::Node;
use crate::protection::stops::{Stopped, open_stop};
use crate::store::StoreError;

/// What becomes of one waiting message.
enum Fate {
    Goes,
    Stops(Found, StopKind),
    Unclear,
}

/// Those of the batch that may leave now; the others are stopped, durably, before this returns.
///
/// # Errors
/// When the store does not take a stop: then nothing of the batch may leave.
pub async fn sift(node: &Node, peer: &CountryCode, batch: Vec<Queued>) -> Result<Vec<Queued>, StoreError> {
    let mut leaving = Vec::with_capacity(batch.len());
    for queued in batch {
        let named: Option<Named> = serde_json::from_slice(&queued.named).ok();
        match fate(node, peer, &queued, named.as_ref()) {
            Fate::Goes => leaving.push(queued),
            Fate::Stops(found, kind) => stop(node, peer, &queued, &found, kind, named.as_ref()).await?,
            Fate::Unclear => {
                tracing::error!(message = %queued.message, "a waiting message cannot be compared with the holds: it does not leave");
                node.commit(vec![ended(node, &queued, problem::INTERNAL.code)]).await?;
            }
        }
    }
    Ok(leaving)
}

fn fate(node: &Node, peer: &CountryCode, queued: &Queued, named: Option<&Named>) -> Fate {
    let Some(named) = named else { return Fate::Unclear };
    if !named.people.iter().all(|person| person.are_of(node.holds.blind())) {
        return Fate::Unclear;
    }
    let now = Timestamp::from_millisecond(node.clock.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    let Ok(found) = node.holds.find(&named.people, peer, now) else { return Fate::Unclear };
    let feared = |found: &Found| found.states.is_feared(peer, &named.belonging);
    // What policy decided with a hold in force stands; one placed since was never asked.
    let stops = |found: &&Found| feared(found) || placed_ms(found.hold) >= queued.created_ms;
    match found.iter().find(stops) {
        None => Fate::Goes,
        Some(met) if met.likeness == Likeness::Exact && feared(met) => {
            Fate::Stops(met.clone(), StopKind::Refused)
        }
        Some(met) => Fate::Stops(met.clone(), StopKind::Held),
    }
}

/// The instant in a hold's id (RFC 9562 section 5.7).
fn placed_ms(hold: HoldId) -> i64 {
    let millis = hold.0.get_timestamp().map(|at| {
        let (seconds, nanos) = at.to_unix();
        seconds.saturating_mul(1000).saturating_add(u64::from(nanos) / 1_000_000)
    });
    // An id without an instant counts as placed just now.
    millis.and_then(|millis| i64::try_from(millis).ok()).unwrap_or(i64::MAX)
}

async fn stop(
    node: &Node,
    peer: &CountryCode,
    queued: &Queued,
    found: &Found,
    kind: StopKind,
    named: Option<&Named>,
) -> Result<(), StoreError> {
    let row = node.store.message(queued.message).await?;
    let Some(agency) = queued.agency.as_ref() else {
        // Whom to tell is not known; what was not sent stays unsent.
        node.commit(vec![ended(node, queued, problem::POLICY_REFUSED.code)]).await?;
        return Ok(());
    };
    let stopped = Stopped {
        kind,
        found,
        agency,
        role: &queued.role,
        message_type: &queued.message_type,
        peer,
        operation: row.as_ref().and_then(|row| row.operation),
        row: row.as_ref().and_then(|row| row.row),
        message: Some(queued.message),
        departs_ms: None,
        people: named.map_or(&[], |named| named.people.as_slice()),
        draft: None,
    };
    let (_, mut writes) = open_stop(node, stopped).map_err(|_| StoreError::Damaged("stop"))?;
    writes.push(match kind {
        StopKind::Held => Write::OutboundState {
            message: queued.message,
            release: queued.release,
            state: OutboundState::Queued,
            code: Some(problem::POLICY_REFUSED.code.to_owned()),
            // Not due again by itself: the authority's word makes it due.
            due_ms: queued.expires_ms,
            attempts: queued.attempts,
        },
        StopKind::Refused | StopKind::Probed => ended(node, queued, problem::POLICY_REFUSED.code),
    });
    writes.push(Write::Event(Event {
        kind: EventKind::RefusalOpened,
        agency: Some(agency.clone()),
        role: queued.role.clone(),
        message: Some(queued.message),
        approval: None,
        message_type: Some(queued.message_type.clone()),
        state: "opened".to_owned(),
        at_ms: node.clock.now_ms(),
    }));
    writes.push(Write::WatchLook { message: queued.message, at_ms: node.clock.now_ms() });
    node.commit(writes).await?;
    Ok(())
}

/// The message waits no more. "Cancelled" promises that it had no effect; where bytes of it may be with the peer, the peer
/// is asked before anything is promised.
fn ended(node: &Node, queued: &Queued, code: &str) -> Write {
    let there = node.holds.may_be_there(queued.message, queued.created_ms, queued.attempts);
    Write::OutboundState {
        message: queued.message,
        release: queued.release,
        state: if there { OutboundState::Unconfirmed } else { OutboundState::Cancelled },
        code: Some(code.to_owned()),
        due_ms: queued.expires_ms,
        attempts: queued.attempts,
    }
}
