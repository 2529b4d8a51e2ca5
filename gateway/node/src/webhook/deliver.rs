//! Sends each webhook what it is owed, in order, one call at a time; what is owed is a query to the store.
//!
//! Not here: the call (`call`), what its outcome means (`puente_core::delivery`). INVARIANT: an event counts as delivered
//! once the commit after its 2xx is durable; whatever breaks between the two has it delivered again under the same id.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use puente_core::delivery::{
    AfterCall, CallOutcome, CloudEvent, DeadLetterRow, Event, EventKind, Patience, WebhookRow, Write,
};
use puente_core::ids::{Role, WebhookId};

use crate::node::Node;
use crate::store::{DeadLetterFilter, MAX_PAGE, StoreError};
use crate::webhook::Caller;

/// Longest sleep of an idle webhook: a bound on what a lost wake-up can cost, and within which a new one starts.
const LOOK: Duration = Duration::from_secs(1);

/// Events read at once.
const PAGE: u32 = 100;

/// Dead letters sent again at once, before what is owed goes on.
const RESENT: u32 = 20;

/// Whether the one that delivers goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// More is owed and may be sent now.
    AtOnce,
    /// Nothing is owed, or nothing may be sent yet.
    Wait,
    /// The webhook is paused or gone.
    End,
}

/// Runs every webhook until shutdown; one that is registered or resumed starts within a second.
pub async fn run_webhooks(node: Arc<Node>, caller: Arc<Caller>, mut shutdown: watch::Receiver<bool>) {
    let mut running = BTreeSet::new();
    let mut tasks = JoinSet::new();
    loop {
        match node.store.webhooks(MAX_PAGE).await {
            Ok(rows) => {
                for row in rows.into_iter().filter(|row| row.progress.paused.is_none()) {
                    if running.insert(row.webhook) {
                        let (node, caller) = (Arc::clone(&node), Arc::clone(&caller));
                        let shutdown = shutdown.clone();
                        tasks.spawn(async move {
                            run(&node, &caller, row.webhook, shutdown).await;
                            row.webhook
                        });
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "webhooks were not looked at"),
        }
        tokio::select! {
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                if let Ok(webhook) = ended {
                    running.remove(&webhook);
                }
            }
            () = tokio::time::sleep(LOOK) => {}
            _ = shutdown.wait_for(|ended| *ended) => break,
        }
    }
    while tasks.join_next().await.is_some() {}
}

async fn run(node: &Node, caller: &Caller, webhook: WebhookId, mut shutdown: watch::Receiver<bool>) {
    let mut changed = node.watch_events();
    while !*shutdown.borrow() {
        changed.mark_unchanged();
        match round(node, caller, webhook, &shutdown).await {
            Ok(Next::AtOnce) => continue,
            Ok(Next::Wait) => {}
            Ok(Next::End) => return,
            // Somebody changed the webhook meanwhile, or the store has to be asked again.
            Err(error) => tracing::debug!(%webhook, %error, "a webhook's round was not stored"),
        }
        tokio::select! {
            _ = changed.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
            _ = shutdown.wait_for(|ended| *ended) => {}
        }
    }
}

/// One page of what a webhook is owed.
async fn round(
    node: &Node,
    caller: &Caller,
    webhook: WebhookId,
    shutdown: &watch::Receiver<bool>,
) -> Result<Next, StoreError> {
    let Some(mut row) = node.store.webhook(webhook).await? else { return Ok(Next::End) };
    if row.progress.paused.is_some() {
        return Ok(Next::End);
    }
    let roles = node.register.get().roles(&row.agency).to_vec();
    if !row.is_due(node.clock.now_ms()) || roles.is_empty() {
        return Ok(Next::Wait);
    }
    let resent = node.store.dead_letters(DeadLetterFilter::Resend(webhook), 0, RESENT).await?;
    for (_, letter) in resent {
        row = resend(node, caller, row, &roles, letter.event).await?;
    }
    let events = node.store.events(row.agency.clone(), roles.clone(), row.progress.cursor, PAGE).await?;
    let next = if events.len() < PAGE as usize { Next::Wait } else { Next::AtOnce };
    let last = events.last().map(|(cursor, _)| *cursor);
    for (cursor, event) in events {
        if !row.target.wants(&event) {
            continue;
        }
        if *shutdown.borrow() {
            return Ok(Next::End);
        }
        let event = CloudEvent::of(node.realm(), node.country(), cursor, event);
        let outcome = call(node, caller, &row, &event).await;
        row = settle(node, row, &roles, cursor, outcome).await?;
        if row.progress.paused.is_some() {
            return Ok(Next::End);
        }
        if row.progress.cursor != cursor || !row.is_due(node.clock.now_ms()) {
            return Ok(Next::Wait);
        }
    }
    // A whole page that it is not about is not read again; of less it costs nothing to read it again.
    if let (Next::AtOnce, Some(last)) = (next, last.filter(|last| *last > row.progress.cursor)) {
        let passed = row.changed(|progress| progress.cursor = last);
        node.commit(vec![Write::WebhookChanged(passed)]).await?;
    }
    Ok(next)
}

async fn call(node: &Node, caller: &Caller, row: &WebhookRow, event: &CloudEvent) -> CallOutcome {
    let outcome = caller.call(&row.target, event, node.clock.now_s()).await;
    node.metrics.webhook(outcome.as_str());
    if outcome != CallOutcome::Taken {
        tracing::info!(webhook = %row.webhook, outcome = outcome.as_str(), "an event was not taken");
    }
    outcome
}

/// Stores what a call came to, and tells the agency when the webhook is paused by it.
async fn settle(
    node: &Node,
    row: WebhookRow,
    roles: &[Role],
    cursor: i64,
    outcome: CallOutcome,
) -> Result<WebhookRow, StoreError> {
    let settings = &node.config.webhooks;
    let ms = |hours: u32| i64::from(hours).saturating_mul(3_600_000);
    let patience = Patience {
        attempts: settings.attempts,
        failing_ms: ms(settings.failing_hours),
        silence_ms: ms(settings.unreachable_hours),
    };
    let now_ms = node.clock.now_ms();
    let AfterCall { row, dead } = row.after(cursor, outcome, now_ms, patience, node.fresh_random());
    let mut writes = vec![Write::WebhookChanged(row.clone())];
    writes.extend(dead.map(Write::DeadLetter));
    if let (Some(_), Some(role)) = (&row.progress.paused, roles.first()) {
        tracing::warn!(webhook = %row.webhook, outcome = outcome.as_str(), "a webhook was paused");
        writes.push(Write::Event(paused(&row, role, now_ms)));
    }
    node.commit(writes).await?;
    Ok(row)
}

/// What the agency reads in its inbox about a webhook that no longer calls.
fn paused(row: &WebhookRow, role: &Role, at_ms: i64) -> Event {
    Event {
        kind: EventKind::WebhookState,
        agency: Some(row.agency.clone()),
        role: role.clone(),
        message: None,
        approval: None,
        message_type: None,
        state: "paused".to_owned(),
        at_ms,
    }
}

/// Sends a dead letter once more: it is settled, or waits for the operator again.
async fn resend(
    node: &Node,
    caller: &Caller,
    row: WebhookRow,
    roles: &[Role],
    event: i64,
) -> Result<WebhookRow, StoreError> {
    let found = node.store.events(row.agency.clone(), roles.to_vec(), event - 1, 1).await?;
    let told = found.into_iter().find(|(cursor, _)| *cursor == event);
    let outcome = match told {
        Some((cursor, told)) => {
            let told = CloudEvent::of(node.realm(), node.country(), cursor, told);
            call(node, caller, &row, &told).await
        }
        // Past its keeping, or the agency no longer holds the role: there is nobody to tell it to.
        None => CallOutcome::Taken,
    };
    let (webhook, at_ms) = (row.webhook, node.clock.now_ms());
    if outcome == CallOutcome::Taken {
        let row = row.changed(|progress| progress.dead_letters = progress.dead_letters.saturating_sub(1));
        node.commit(vec![Write::DeadLetterSettled { webhook, event }, Write::WebhookChanged(row.clone())])
            .await?;
        return Ok(row);
    }
    let code = outcome.as_str().to_owned();
    let letter = DeadLetterRow { webhook, event, code, at_ms, resend: false };
    node.commit(vec![Write::DeadLetter(letter)]).await?;
    Ok(row)
}
