//! What is past its expiry and still queued: expired only once the peer has said that it never accepted it.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Method;

use puente_core::delivery::{Direction, MessageRow, OutboundState, Write};
use puente_core::evidence::Receipt;
use puente_core::ids::{CountryCode, MessageId, ReleaseId};
use puente_core::problem::{self, Problem};

use crate::federation::connector::{Connector, LinkError};
use crate::federation::settle::{Sent, Verifier, settle};
use crate::federation::wire::{Asked, ReceiptList, StatusQuestion};
use crate::node::{Node, store_problem};
use crate::store::MessageFilter;

/// Most messages settled in one call.
const AT_ONCE: u32 = 200;

/// Asks the peers about expired messages; what they do not answer becomes `unconfirmed`. Answers how many
/// were looked at.
///
/// # Errors
/// When the store fails.
pub async fn settle_expired(node: &Node, connector: &Connector) -> Result<usize, Problem> {
    let now_ms = node.clock.now_ms();
    let mut due = node.store.expired_queued(now_ms, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    let fresh = due.len();
    // What a peer did not answer about before is asked again until it does.
    let unconfirmed = MessageFilter {
        direction: Some(Direction::Out),
        peer: None,
        state: Some(OutboundState::Unconfirmed.as_str().to_owned()),
        after: None,
    };
    let again = node.store.messages(unconfirmed, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    due.extend(again.into_iter().map(|row| (row.message, row.release, row.peer)));
    let mut silent: BTreeSet<&CountryCode> = BTreeSet::new();
    for (index, (message, release, peer)) in due.iter().enumerate() {
        let row = node.store.message(*message).await.map_err(|error| store_problem(&error))?;
        let Some(row) = row else { continue };
        // One try per peer and call: a peer that is down must not hold up what others would answer.
        let asked = if silent.contains(peer) {
            Err(LinkError::Unreachable("did not answer a moment ago".to_owned()))
        } else {
            ask(node, connector, peer, *message, *release, &row, now_ms).await
        };
        let writes = match asked {
            Ok(writes) => writes,
            Err(error) => {
                silent.insert(peer);
                if index >= fresh {
                    continue;
                }
                tracing::warn!(peer = %peer, %error, "expired message unconfirmed");
                vec![Write::OutboundState {
                    message: *message,
                    release: *release,
                    state: OutboundState::Unconfirmed,
                    code: Some(problem::PEER_UNREACHABLE.code.to_owned()),
                    due_ms: now_ms,
                    attempts: 0,
                }]
            }
        };
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
    }
    Ok(due.len())
}

async fn ask(
    node: &Node,
    connector: &Connector,
    peer: &CountryCode,
    message: MessageId,
    release: ReleaseId,
    row: &MessageRow,
    now_ms: i64,
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
    if entry.message_id != message {
        return Err(garbage());
    }
    let sent = Sent {
        agency: row.agency.clone(),
        role: row.role.clone(),
        message_type: row.message_type.clone(),
        lapsed: row.code.as_deref() == Some(problem::CONSENT_LAPSED.code),
    };
    settle(peer, receipt, &entry, &sent, now_ms).map_err(LinkError::Garbage)
}
