//! Couriers: one per peer and lane, each with a connection of its own, so that an alert never waits
//! behind a list. What a courier owes is a query to the store; it remembers only how long to pause.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::sync::watch;

use puente_core::catalogue::Lane;
use puente_core::delivery::{OutboundState, Queued, RetrySchedule, Write, next_attempt};
use puente_core::envelope::own_attachments;
use puente_core::ids::CountryCode;
use puente_core::problem::{self, Retry};

use crate::federation::connector::{Connector, LinkError};
use crate::federation::lapsed::keep_covered;
use crate::federation::settle::{Sent, Verifier, settle};
use crate::federation::wire::{BATCH_MEDIA, Delivered, ReceiptList};
use crate::node::{LANES, Node};
use crate::store::StoreError;
use crate::telemetry::Face;

/// Longest sleep of an idle courier: a bound on what a lost wake-up can cost.
const IDLE_MS: i64 = 1_000;

/// Runs the couriers of every member until shutdown; members that join get theirs within a second.
pub async fn run_couriers(node: Arc<Node>, connector: Arc<Connector>, mut shutdown: watch::Receiver<bool>) {
    let mut running: BTreeMap<CountryCode, ()> = BTreeMap::new();
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let membership = node.membership.get();
        for peer in membership.countries().filter(|country| *country != node.country()) {
            if running.insert(peer.clone(), ()).is_none() {
                for lane in LANES {
                    tasks.spawn(courier(
                        Arc::clone(&node),
                        Arc::clone(&connector),
                        peer.clone(),
                        lane,
                        shutdown.clone(),
                    ));
                }
            }
        }
        tokio::select! {
            _ = shutdown.wait_for(|ended| *ended) => break,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    while tasks.join_next().await.is_some() {}
}

async fn courier(
    node: Arc<Node>,
    connector: Arc<Connector>,
    peer: CountryCode,
    lane: Lane,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut failures = 0_u32;
    while !*shutdown.borrow() {
        let changed = node.outbox_changed();
        let pause = match round(&node, &connector, &peer, lane).await {
            Ok(0) => {
                failures = 0;
                IDLE_MS
            }
            Ok(_) => {
                failures = 0;
                continue;
            }
            Err(error) => {
                tracing::info!(peer = %peer, lane = ?lane, %error, "delivery failed, will retry");
                node.metrics.rejected(Face::Federation, error.code());
                let now = node.clock.now_ms();
                let pause = next_attempt(RetrySchedule::PROBE, now, failures, node.fresh_random()) - now;
                failures = failures.saturating_add(1);
                // New work does not shorten the pause toward a peer that is down.
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(u64::try_from(pause).unwrap_or(0))) => {}
                    _ = shutdown.wait_for(|ended| *ended) => {}
                }
                continue;
            }
        };
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(Duration::from_millis(u64::try_from(pause).unwrap_or(0))) => {}
            _ = shutdown.wait_for(|ended| *ended) => {}
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Consent(#[from] problem::Problem),
}

impl RoundError {
    /// The stable code under which the failure is counted.
    const fn code(&self) -> &'static str {
        match self {
            Self::Link(LinkError::Garbage(problem)) => problem.kind.code,
            Self::Link(LinkError::Unreachable(_) | LinkError::Status(_)) => problem::PEER_UNREACHABLE.code,
            Self::Store(_) => problem::STORE_UNAVAILABLE.code,
            Self::Consent(problem) => problem.kind.code,
        }
    }
}

/// One delivery and then, on the control lane, the receipts that are owed; answers how much was done.
///
/// Messages first: a receipt that the peer does not take must not hold up a cancellation.
async fn round(
    node: &Node,
    connector: &Connector,
    peer: &CountryCode,
    lane: Lane,
) -> Result<usize, RoundError> {
    let sent = deliver_due(node, connector, peer, lane).await?;
    let owed = if lane == Lane::Control { send_receipts(node, connector, peer).await? } else { 0 };
    Ok(sent + owed)
}

async fn deliver_due(
    node: &Node,
    connector: &Connector,
    peer: &CountryCode,
    lane: Lane,
) -> Result<usize, RoundError> {
    let limit = u32::try_from(node.config.limits.delivery_messages).unwrap_or(u32::MAX);
    let now_ms = node.clock.now_ms();
    let due = node.store.outbound_due(peer.clone(), lane, now_ms, limit).await?;
    let due: Vec<Queued> = due.into_iter().filter(|queued| queued.expires_ms > now_ms).collect();
    if due.is_empty() {
        return Ok(0);
    }
    let waiting = due.len();
    let due = keep_covered(node, due).await?;
    if due.is_empty() {
        return Ok(waiting);
    }
    let batch = fitting(due, node.config.limits.federation_body_bytes);
    send_chunks(node, connector, peer, &batch).await?;
    let body: Bytes =
        batch.iter().map(|queued| queued.wire.as_slice()).collect::<Vec<_>>().join(&b'\n').into();
    let answer =
        connector.request(peer, Some(lane), Method::POST, "/federation/v1/messages", BATCH_MEDIA, body).await;
    node.metrics.peer(peer.as_str(), answer.is_ok());
    let delivered: Delivered = serde_json::from_slice(&answer?)
        .map_err(|_| LinkError::Garbage(problem::Problem::new(&problem::PEER_GARBAGE)))?;
    apply(node, peer, lane, &batch, &delivered).await?;
    Ok(batch.len())
}

fn fitting(due: Vec<Queued>, limit: usize) -> Vec<Queued> {
    let mut size = 0_usize;
    due.into_iter()
        .take_while(|queued| {
            let first = size == 0;
            size = size.saturating_add(queued.wire.len() + 1);
            first || size <= limit
        })
        .collect()
}

async fn apply(
    node: &Node,
    peer: &CountryCode,
    lane: Lane,
    batch: &[Queued],
    delivered: &Delivered,
) -> Result<(), RoundError> {
    let garbage = || LinkError::Garbage(problem::Problem::new(&problem::PEER_GARBAGE));
    let now_ms = node.clock.now_ms();
    let mut verifier = Verifier::new(node, peer);
    let mut writes = Vec::new();
    for answer in &delivered.receipts {
        let queued = batch.get(answer.line).ok_or_else(garbage)?;
        let entry = verifier.verify(&answer.receipt).map_err(LinkError::Garbage)?;
        if entry.message_id != queued.message || entry.release_id != queued.release {
            return Err(garbage().into());
        }
        let sent = Sent {
            agency: queued.agency.clone(),
            role: queued.role.clone(),
            message_type: queued.message_type.clone(),
            lapsed: false,
        };
        writes.extend(settle(peer, &answer.receipt, &entry, &sent, now_ms).map_err(LinkError::Garbage)?);
        node.metrics.message(&queued.message_type, "out", entry.state.as_str());
        observe(node, lane, now_ms.saturating_sub(queued.created_ms));
    }
    for answer in &delivered.unreceipted {
        let queued = batch.get(answer.line).ok_or_else(garbage)?;
        let permanent = problem::by_code(&answer.code).is_some_and(|kind| kind.retry == Retry::Never);
        let attempts = queued.attempts.saturating_add(1);
        writes.push(Write::OutboundState {
            message: queued.message,
            release: queued.release,
            state: if permanent { OutboundState::Refused } else { OutboundState::Queued },
            code: Some(answer.code.clone()).filter(|code| problem::by_code(code).is_some()),
            due_ms: next_attempt(RetrySchedule::MESSAGE, now_ms, attempts, node.fresh_random()),
            attempts,
        });
        node.metrics.message(&queued.message_type, "out", if permanent { "refused" } else { "retried" });
    }
    if writes.is_empty() {
        // Neither receipt nor code for anything: not an answer of the protocol.
        return Err(garbage().into());
    }
    node.commit(writes).await?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a latency in milliseconds is small")]
fn observe(node: &Node, lane: Lane, millis: i64) {
    node.metrics.delivered(lane.as_str(), millis as f64 / 1000.0);
}

/// Every chunk that the batch's attachments name is at the peer before the messages are.
async fn send_chunks(
    node: &Node,
    connector: &Connector,
    peer: &CountryCode,
    batch: &[Queued],
) -> Result<(), RoundError> {
    for queued in batch {
        for attachment in own_attachments(&queued.wire).unwrap_or_default() {
            for index in 0..attachment.chunks {
                let Some(chunk) = node.store.chunk(attachment.root, index).await? else { continue };
                let path = format!("/federation/v1/chunks/{}/{index}", attachment.root);
                connector
                    .request(peer, None, Method::PUT, &path, "application/octet-stream", chunk.into())
                    .await?;
            }
        }
    }
    Ok(())
}

async fn send_receipts(node: &Node, connector: &Connector, peer: &CountryCode) -> Result<usize, RoundError> {
    let due = node.store.receipts_due(peer.clone(), 200).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let (keys, rows): (Vec<i64>, Vec<_>) = due.into_iter().unzip();
    let receipts = rows.iter().filter_map(|row| serde_json::from_slice(&row.receipt).ok()).collect();
    let body = serde_json::to_vec(&ReceiptList { receipts }).unwrap_or_default();
    connector
        .request(
            peer,
            Some(Lane::Control),
            Method::POST,
            "/federation/v1/receipts",
            "application/json",
            body.into(),
        )
        .await?;
    let sent = keys.len();
    node.commit(vec![Write::ReceiptsSent { keys }]).await?;
    Ok(sent)
}
