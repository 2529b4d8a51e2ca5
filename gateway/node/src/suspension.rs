//! The kill switch as a node throws it: durable first, then in force at once for both faces and the queue.
//!
//! Not here: what a suspension stops (`puente_core::suspension`). INVARIANT: a held row is never lost: it
//! waits in the outbox, and every lifting wakes it after the lifting is seen by the couriers.

use puente_core::delivery::{LeafRow, OutboundState, Queued, SuspensionRow, Write};
use puente_core::envelope::own_header;
use puente_core::evidence::LeafRecord;
use puente_core::ids::{Category, CountryCode, Digest};
use puente_core::problem::{self, Problem};
use puente_core::suspension::{Flow, Suspensions, Target};

use crate::node::{Node, store_problem};
use crate::store::{Guard, StoreError};

/// Suspensions in force at once: eleven members, and every purpose and category there is.
const MAX_IN_FORCE: usize = 200;
/// A reason is a code, not a text.
const MAX_REASON: usize = 64;
/// A held row is due when it is woken, and never by itself.
const UNTIL_LIFTED: i64 = i64::MAX;

/// Takes up the suspensions in force, and wakes what a node that ended between two steps had left held.
///
/// # Errors
/// When the store does not answer.
pub async fn take_up(node: &Node) -> Result<(), StoreError> {
    refresh(node).await?;
    wake(node).await
}

async fn refresh(node: &Node) -> Result<(), StoreError> {
    let rows = node.store.suspensions(u32::MAX).await?;
    let in_force = rows.into_iter().filter(|row| row.lifted_ms.is_none()).map(|row| row.target);
    node.suspensions.replace(in_force.collect());
    Ok(())
}

async fn wake(node: &Node) -> Result<(), StoreError> {
    node.commit(vec![Write::WakeHeld { at_ms: node.clock.now_ms() }]).await?;
    node.look_at_outbox();
    Ok(())
}

/// Suspends a target: from the answer on nothing that it meets leaves or enters.
///
/// # Errors
/// `field.invalid` for a target that nothing could meet or a reason that is no code, `suspension.stands`
/// when it is suspended, `store.unavailable`.
pub async fn suspend(node: &Node, target: &Target, reason: &str) -> Result<(), Problem> {
    let is_code = |text: &str| {
        (1..=MAX_REASON).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
    };
    if !is_code(reason) {
        return Err(Problem::new(&problem::FIELD_INVALID).at("reason"));
    }
    if !is_met_by_something(node, target) {
        return Err(Problem::new(&problem::FIELD_INVALID).at("target"));
    }
    let _alone = node.operating.lock().await;
    if node.suspensions.get().iter().count() >= MAX_IN_FORCE {
        return Err(Problem::new(&problem::BODY_TOO_LARGE).because("suspensions in force"));
    }
    let at_ms = node.clock.now_ms();
    let row = SuspensionRow {
        target: target.clone(),
        reason: reason.to_owned(),
        placed_ms: at_ms,
        lifted_ms: None,
    };
    let writes = vec![Write::Suspend(row), leaf(node, target, "suspended", reason, at_ms)?];
    finish(node.commit(writes).await.map(drop), &problem::SUSPENSION_STANDS)?;
    refresh(node).await.map_err(|error| store_problem(&error))?;
    tracing::warn!(target = %target, reason, "suspended");
    Ok(())
}

/// Lifts a suspension; what it held goes out in the order of its release.
///
/// # Errors
/// `not_found` when the target is not suspended, `store.unavailable`.
pub async fn lift(node: &Node, target: &Target) -> Result<(), Problem> {
    let _alone = node.operating.lock().await;
    let at_ms = node.clock.now_ms();
    let writes =
        vec![Write::Lift { target: target.clone(), at_ms }, leaf(node, target, "lifted", "", at_ms)?];
    finish(node.commit(writes).await.map(drop), &problem::NOT_FOUND)?;
    // In this order: a courier that holds a row after the wake sees the new suspensions and wakes it itself.
    let woken = async {
        refresh(node).await?;
        wake(node).await
    };
    woken.await.map_err(|error| store_problem(&error))?;
    tracing::warn!(target = %target, "suspension lifted");
    Ok(())
}

fn finish(committed: Result<(), StoreError>, guarded: &'static problem::Kind) -> Result<(), Problem> {
    match committed {
        Err(StoreError::Conflict { what: Guard::Taken | Guard::Absent, .. }) => Err(Problem::new(guarded)),
        other => other.map_err(|error| store_problem(&error)),
    }
}

/// A misspelt target would look thrown and stop nothing.
fn is_met_by_something(node: &Node, target: &Target) -> bool {
    let rules = node.rules.get();
    let mut profiles = rules.policy.profiles();
    match target {
        Target::Peer(country) => {
            country != node.country() && node.membership.get().countries().any(|member| member == country)
        }
        Target::Purpose(purpose) => profiles.any(|(_, profile)| profile.purposes.contains(purpose)),
        Target::Category(category) => profiles.any(|(_, profile)| profile.max_categories.contains(category)),
    }
}

fn leaf(node: &Node, target: &Target, state: &str, reason: &str, at_ms: i64) -> Result<Write, Problem> {
    let digest = Digest::of(format!("{target}\n{state}\n{reason}\n{at_ms}").as_bytes());
    let record = LeafRecord { kind: "suspension", id: target.to_string(), digest, at_ms };
    let leaf = LeafRow::of(&record, None, node.random.as_ref());
    leaf.map(Write::Leaf).map_err(|_| Problem::new(&problem::INTERNAL))
}

/// Splits what is due toward a peer into what a suspension holds and what goes.
#[must_use]
pub fn split(suspensions: &Suspensions, peer: &CountryCode, due: Vec<Queued>) -> (Vec<Queued>, Vec<Queued>) {
    if suspensions.is_empty() {
        return (Vec::new(), due);
    }
    due.into_iter().partition(|queued| {
        // An own message that cannot be read again, or names what is no category, is rather held than sent.
        let Some(header) = own_header(&queued.wire) else { return true };
        let categories: Result<Vec<Category>, _> =
            queued.categories.iter().map(|category| category.parse()).collect();
        let Ok(categories) = categories else { return true };
        let message = &queued.message_type;
        suspensions.stop(Flow { peer, message, purpose: &header.purpose, categories: &categories })
    })
}

/// Puts rows that a suspension holds aside; they keep their place and their attempts.
///
/// # Errors
/// When the store does not answer; then they are looked at again.
pub async fn hold(
    node: &Node,
    seen: &std::sync::Arc<Suspensions>,
    held: &[Queued],
) -> Result<(), StoreError> {
    let aside = held.iter().map(|queued| Write::OutboundState {
        message: queued.message,
        release: queued.release,
        state: OutboundState::Queued,
        code: Some(problem::EXCHANGE_SUSPENDED.code.to_owned()),
        due_ms: UNTIL_LIFTED,
        attempts: queued.attempts,
    });
    node.commit(aside.collect()).await?;
    held.iter().for_each(|queued| node.metrics.message(&queued.message_type, "out", "held"));
    if !std::sync::Arc::ptr_eq(seen, &node.suspensions.get()) {
        wake(node).await?;
    }
    Ok(())
}
