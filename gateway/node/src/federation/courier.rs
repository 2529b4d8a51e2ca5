//! Couriers: one per peer and lane, each with a connection of its own, so that an alert never waits
//! behind a list. What a courier owes is a query to the store; it remembers only how long to pause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::sync::watch;

use puente_core::catalogue::Lane;
use puente_core::delivery::{OutboundState, Queued, RetrySchedule, Write, next_attempt};
use puente_core::envelope::own_header;
use puente_core::evidence::Receipt;
use puente_core::ids::CountryCode;
use puente_core::problem::{self, Problem};

use crate::duty::receipted;
use crate::federation::again::keep_permitted;
use crate::federation::connector::{Connector, LinkError};
use crate::federation::lapsed::keep_covered;
use crate::federation::settle::{Sent, Verifier, settle};
use crate::federation::wire::{BATCH_MEDIA, Delivered, ReceiptList, ReceiptsTaken};
use crate::node::{LANES, Node};
use crate::protection::sift;
use crate::store::{ChunkOwner, ChunkPlace, StoreError};
use crate::suspension;
use crate::telemetry::Face;

/// Longest sleep of an idle courier: a bound on what a lost wake-up can cost.
const IDLE_MS: i64 = 1_000;

/// Most receipts in one request.
const RECEIPTS_AT_ONCE: u32 = 200;

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

/// What a courier remembers between rounds; all of it may be lost.
struct Courier<'a> {
    node: &'a Node,
    connector: &'a Connector,
    peer: &'a CountryCode,
    lane: Lane,
    /// Most messages in one delivery: halved when the peer finds it too large, doubled when it takes one.
    at_once: usize,
    /// The last receipt that was offered, so that one the peer cannot verify does not stand before the others.
    receipts_after: i64,
}

async fn courier(
    node: Arc<Node>,
    connector: Arc<Connector>,
    peer: CountryCode,
    lane: Lane,
    mut shutdown: watch::Receiver<bool>,
) {
    let at_once = node.config.limits.delivery_messages;
    let mut courier =
        Courier { node: &node, connector: &connector, peer: &peer, lane, at_once, receipts_after: 0 };
    let mut failures = 0_u32;
    while !*shutdown.borrow() {
        let changed = node.outbox_changed();
        let pause = match courier.round().await {
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
    Consent(#[from] Problem),
}

impl RoundError {
    /// The stable code under which the failure is counted.
    const fn code(&self) -> &'static str {
        match self {
            Self::Link(LinkError::Garbage(problem)) => problem.kind.code,
            Self::Link(LinkError::Unreachable(_) | LinkError::Broken(_) | LinkError::Status(_)) => {
                problem::PEER_UNREACHABLE.code
            }
            Self::Store(_) => problem::STORE_UNAVAILABLE.code,
            Self::Consent(problem) => problem.kind.code,
        }
    }
}

impl Courier<'_> {
    /// One delivery and then, on the control lane, the receipts that are owed; answers how much was done.
    ///
    /// Messages first: a receipt that the peer does not take must not hold up a cancellation.
    async fn round(&mut self) -> Result<usize, RoundError> {
        let sent = self.deliver_due().await?;
        let owed = if self.lane == Lane::Control { self.send_receipts().await? } else { 0 };
        Ok(sent + owed)
    }

    /// An expired list or directory holds new lists, never an alert, a withdrawal or a receipt (PROTOCOL.md section 4).
    fn is_held(&self) -> bool {
        let now = self.node.clock.now_s();
        let held = self.lane == Lane::Bulk && !self.node.membership.get().is_current(self.peer, now);
        if held {
            self.node.metrics.rejected(Face::Federation, problem::MEMBERSHIP_EXPIRED.code);
        }
        held
    }

    async fn deliver_due(&mut self) -> Result<usize, RoundError> {
        let (node, peer) = (self.node, self.peer);
        if self.is_held() {
            return Ok(0);
        }
        let limit = u32::try_from(self.at_once).unwrap_or(u32::MAX);
        let due = node.store.outbound_due(peer.clone(), self.lane, node.clock.now_ms(), limit).await?;
        let suspensions = node.suspensions.get();
        let (held, due) = suspension::split(&suspensions, peer, due);
        if !held.is_empty() {
            suspension::hold(node, &suspensions, &held).await?;
        }
        if due.is_empty() {
            return Ok(held.len());
        }
        let taken = fitting(due, node.config.limits.federation_body_bytes);
        let looked_at = taken.len();
        let mut batch = may_leave(node, peer, taken).await?;
        if send_chunks(node, self.connector, peer, &batch).await? {
            // Chunks take their time: a hold may have been placed meanwhile, a consent withdrawn, the rules changed.
            batch = may_leave(node, peer, batch).await?;
        }
        if batch.is_empty() {
            return Ok(looked_at);
        }
        let sent = self.send(&batch).await;
        if !matches!(sent, Ok(()) | Err(RoundError::Link(LinkError::Unreachable(_)))) {
            // Bytes may be with the peer though nothing of it is receipted here.
            node.holds.note_tried(batch.iter().map(|queued| queued.message));
        }
        sent?;
        Ok(looked_at)
    }

    /// One request with these messages, and what its answer makes of them.
    async fn send(&mut self, batch: &[Queued]) -> Result<(), RoundError> {
        let (node, peer) = (self.node, self.peer);
        let body: Bytes =
            batch.iter().map(|queued| queued.wire.as_slice()).collect::<Vec<_>>().join(&b'\n').into();
        let path = "/federation/v1/messages";
        let answer =
            self.connector.request(peer, Some(self.lane), Method::POST, path, BATCH_MEDIA, body).await;
        node.metrics.peer(peer.as_str(), answer.is_ok());
        let answer = match answer {
            Err(LinkError::Status(StatusCode::PAYLOAD_TOO_LARGE)) => return self.too_large(batch).await,
            answer => answer?,
        };
        let delivered: Delivered = serde_json::from_slice(&answer).map_err(|_| garbage())?;
        apply(node, peer, self.lane, batch, &delivered).await?;
        let receipted = delivered.receipts.iter().map(|answer| answer.line);
        let told: BTreeSet<usize> =
            receipted.chain(delivered.unreceipted.iter().map(|answer| answer.line)).collect();
        let untold = batch.iter().enumerate().filter(|(line, _)| !told.contains(line));
        node.holds.note_tried(untold.map(|(_, queued)| queued.message));
        self.at_once = self.at_once.saturating_mul(2).min(node.config.limits.delivery_messages);
        Ok(())
    }

    /// The peer's limits are smaller than ours: half as many next time. One that is too large alone waits its turn, so
    /// that the others go.
    async fn too_large(&mut self, batch: &[Queued]) -> Result<(), RoundError> {
        self.node.holds.note_tried(batch.iter().map(|queued| queued.message));
        self.at_once = (batch.len() / 2).max(1);
        if let [queued] = batch {
            let code = problem::BODY_TOO_LARGE.code;
            self.node.commit(vec![again_later(self.node, queued, Some(code.to_owned()))]).await?;
        }
        Ok(())
    }

    async fn send_receipts(&mut self) -> Result<usize, RoundError> {
        let (node, peer) = (self.node, self.peer);
        let due = node.store.receipts_due(peer.clone(), self.receipts_after, RECEIPTS_AT_ONCE).await?;
        let Some((last, _)) = due.last() else {
            self.receipts_after = 0;
            return Ok(0);
        };
        let last = *last;
        let offered: Vec<(i64, Receipt)> = due
            .iter()
            .filter_map(|(key, row)| Some((*key, serde_json::from_slice(&row.receipt).ok()?)))
            .collect();
        let receipts = offered.iter().map(|(_, receipt)| receipt.clone()).collect();
        let body = serde_json::to_vec(&ReceiptList { receipts }).unwrap_or_default();
        let path = "/federation/v1/receipts";
        let answer = self
            .connector
            .request(peer, Some(Lane::Control), Method::POST, path, "application/json", body.into())
            .await?;
        let taken: ReceiptsTaken = serde_json::from_slice(&answer).map_err(|_| garbage())?;
        let keys: Vec<i64> = offered
            .iter()
            .enumerate()
            .filter(|(index, _)| !taken.unverified.contains(index))
            .map(|(_, (key, _))| *key)
            .collect();
        self.receipts_after = last;
        let sent = keys.len();
        if sent > 0 {
            node.commit(vec![Write::ReceiptsSent { keys }]).await?;
        }
        Ok(sent)
    }
}

/// Those that may leave now: their consent covers them, the rules permit them, no hold stops them.
async fn may_leave(node: &Node, peer: &CountryCode, due: Vec<Queued>) -> Result<Vec<Queued>, RoundError> {
    let permitted = keep_permitted(node, keep_covered(node, due).await?).await?;
    Ok(sift(node, peer, permitted).await?)
}

fn garbage() -> LinkError {
    LinkError::Garbage(Problem::new(&problem::PEER_GARBAGE))
}

/// The message waits for another attempt. Only a signed receipt ends a message: a code alone proves nothing, and what
/// made it (a directory that has not come, a clock) may pass.
fn again_later(node: &Node, queued: &Queued, code: Option<String>) -> Write {
    let attempts = queued.attempts.saturating_add(1);
    Write::OutboundState {
        message: queued.message,
        release: queued.release,
        state: OutboundState::Queued,
        code,
        due_ms: next_attempt(RetrySchedule::MESSAGE, node.clock.now_ms(), attempts, node.fresh_random()),
        attempts,
    }
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
    let now_ms = node.clock.now_ms();
    let mut verifier = Verifier::new(node, peer);
    let mut writes = Vec::new();
    for answer in &delivered.receipts {
        let queued = batch.get(answer.line).ok_or_else(garbage)?;
        let entry = match verifier.verify(&answer.receipt) {
            Ok(entry) if entry.message_id == queued.message && entry.release_id == queued.release => entry,
            Ok(_) => return Err(garbage().into()),
            Err(problem) => {
                node.metrics.rejected(Face::Federation, problem.kind.code);
                writes.push(again_later(node, queued, Some(problem.kind.code.to_owned())));
                continue;
            }
        };
        let sent = Sent {
            agency: queued.agency.clone(),
            role: queued.role.clone(),
            message_type: queued.message_type.clone(),
            taken_out: None,
        };
        writes.extend(settle(peer, &answer.receipt, &entry, &sent, now_ms).map_err(LinkError::Garbage)?);
        writes.extend(receipted(node, &queued.message_type, &entry).await?);
        node.metrics.message(&queued.message_type, "out", entry.state.as_str());
        observe(node, lane, now_ms.saturating_sub(queued.created_ms));
    }
    for answer in &delivered.unreceipted {
        let queued = batch.get(answer.line).ok_or_else(garbage)?;
        let code = problem::by_code(&answer.code).map(|kind| kind.code.to_owned());
        writes.push(again_later(node, queued, code));
        node.metrics.message(&queued.message_type, "out", "retried");
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

/// Every chunk that the batch's attachments name is at the peer before the messages are; answers whether there was any.
async fn send_chunks(
    node: &Node,
    connector: &Connector,
    peer: &CountryCode,
    batch: &[Queued],
) -> Result<bool, RoundError> {
    let mut sent = false;
    for queued in batch {
        let Some(agency) = &queued.agency else { continue };
        for attachment in own_header(&queued.wire).map(|header| header.attachments).unwrap_or_default() {
            for index in 0..attachment.chunks {
                let owner = ChunkOwner::Agency(agency.clone());
                let place = ChunkPlace { owner, root: attachment.root, index };
                let Some(chunk) = node.store.chunk(place).await? else { continue };
                let path = format!("/federation/v1/chunks/{}/{index}", attachment.root);
                connector
                    .request(peer, None, Method::PUT, &path, "application/octet-stream", chunk.into())
                    .await?;
                sent = true;
            }
        }
    }
    Ok(sent)
}
