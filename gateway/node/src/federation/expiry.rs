//! What is past its expiry and still queued: expired only once the peer has said that it never accepted it.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Method;

use puente_core::delivery::{Direction, MessageRow, OutboundState, Write};
use puente_core::evidence::Receipt;
use puente_core::ids::{CountryCode, MessageId, ReleaseId};
use puente_core::problem::{self, Problem};

use crate::duty::receipted;
use crate::federation::connector::{Connector, LinkError};
use crate::federation::lapsed::reason_of;
use crate::federation::settle::{Sent, Verifier, settle};
use crate::federation::wire::{Asked, ReceiptList, StatusQuestion};
use crate::node::{Node, store_problem};
use crate::store::MessageFilter;

/// Most messages looked at before the next are read.
const AT_ONCE: u32 = 200;

/// Most pages of unanswered messages in one call.
const PAGES: usize = 50;

/// Asks the peers about expired messages; what they do not answer becomes `unconfirmed`. Answers how many
/// were looked at.
///
/// # Errors
/// When the store fails to list them; what fails for one message is told and does not keep the others waiting.
pub async fn settle_expired(node: &Node, connector: &Connector) -> Result<usize, Problem> {
    let now_ms = node.clock.now_ms();
    let mut silent = BTreeSet::new();
    let fresh = node.store.expired_queued(now_ms, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    let mut looked_at = fresh.len();
    for (message, release, peer) in fresh {
        let settled = settle_one(node, connector, &peer, message, release, &mut silent).await;
        let writes = settled.unwrap_or_else(|error| {
            tracing::warn!(peer = %peer, %error, "expired message unconfirmed");
            vec![Write::OutboundState {
                message,
                release,
                state: OutboundState::Unconfirmed,
                code: Some(problem::PEER_UNREACHABLE.code.to_owned()),
                due_ms: now_ms,
                attempts: 0,
            }]
        });
        commit(node, message, writes).await;
    }
    // What a peer did not answer about before is asked again until it does.
    let mut after = None;
    for _ in 0..PAGES {
        let unconfirmed = MessageFilter {
            direction: Some(Direction::Out),
            peer: None,
            state: Some(OutboundState::Unconfirmed.as_str().to_owned()),
            after,
        };
        let rows = node.store.messages(unconfirmed, AT_ONCE).await.map_err(|error| store_problem(&error))?;
        let Some(last) = rows.last() else { break };
        after = Some(last.message);
        looked_at += rows.len();
        for row in &rows {
            if let Ok(writes) =
                settle_one(node, connector, &row.peer, row.message, row.release, &mut silent).await
            {
                commit(node, row.message, writes).await;
            }
        }
    }
    Ok(looked_at)
}

async fn commit(node: &Node, message: MessageId, writes: Vec<Write>) {
    if let Err(error) = node.commit(writes).await {
        tracing::warn!(%message, %error, "expired message was not settled");
    }
}

/// What the peer's answer about one message writes. One try per peer and call: a peer that is down must not hold up
/// what others would answer.
async fn settle_one(
    node: &Node,
    connector: &Connector,
    peer: &CountryCode,
    message: MessageId,
    release: ReleaseId,
    silent: &mut BTreeSet<CountryCode>,
) -> Result<Vec<Write>, LinkError> {
    if silent.contains(peer) {
        return Err(LinkError::Unreachable("did not answer a moment ago".to_owned()));
    }
    let row = node.store.message(message).await.ok().flatten();
    let row = row.ok_or_else(|| LinkError::Unreachable("the message cannot be read".to_owned()))?;
    let answer = ask(node, connector, peer, message, release, &row).await;
    if matches!(answer, Err(LinkError::Unreachable(_) | LinkError::Broken(_) | LinkError::Status(_))) {
        silent.insert(peer.clone());
    }
    answer
}

async fn ask(
    node: &Node,
    connector: &Connector,
    peer: &CountryCode,
    message: MessageId,
    release: ReleaseId,
    row: &MessageRow,
) -> Result<Vec<Write>, LinkError> {
    let garbage = || LinkError::Garbage(Problem::new(&problem::PEER_GARBAGE));
    let question = StatusQuestion { messages: vec![Asked { message, release }] };
    let body: Bytes = serde_json::to_vec(&question).map_err(|_| garbage())?.into();
    let answer = connector
        .request(peer, None, Method::POST, "/federation/v1/status", "application/json", body)
        .await?;
    let list: ReceiptList = serde_json::from_slice(&answer).map_err(|_| garbage())?;
    let receipt: &Receipt = list.receipts.first().ok_or_else(garbage)?;
    let entry = Verifier::new(node, peer).verify(receipt).map_err(LinkError::Garbage)?;
    if entry.message_id != message || entry.release_id != release {
        return Err(garbage());
    }
    let sent = Sent {
        agency: row.agency.clone(),
        role: row.role.clone(),
        message_type: row.message_type.clone(),
        taken_out: reason_of(row.code.as_deref()),
    };
    let mut writes = settle(peer, receipt, &entry, &sent, node.clock.now_ms()).map_err(LinkError::Garbage)?;
    // Without the store nothing is settled now, and the peer is asked again.
    writes.extend(receipted(node, &row.message_type, &entry).await.map_err(LinkError::Garbage)?);
    Ok(writes)
}
