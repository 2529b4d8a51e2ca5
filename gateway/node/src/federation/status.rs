//! The status question: what became of a message whose receipt did not arrive.
//!
//! The answer is the stored receipt, or a signed "never accepted, will refuse". INVARIANT: what the latter says is kept:
//! the id is stored with it, in the same commit, and nothing is accepted under it afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use puente_core::delivery::{NeverRow, Write};
use puente_core::envelope::MAX_LIFE_S;
use puente_core::evidence::{Receipt, ReceiptState};
use puente_core::membership::VerifiedPeer;
use puente_core::problem::{self, Problem};

use crate::federation::deliver::KEEP_AFTER_EXPIRY_MS;
use crate::federation::wire::{ReceiptList, StatusQuestion};
use crate::node::{Node, store_problem};
use crate::receipts::{self, Travel};
use crate::serve::{ProblemReply, json_reply, read_body, read_json};
use crate::store::{Guard, StoreError};

/// Most messages in one question.
const MAX_ASKED: usize = 500;

/// `POST /federation/v1/status`.
pub async fn answer(
    State(node): State<Arc<Node>>,
    Extension(peer): Extension<Arc<VerifiedPeer>>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let bytes = read_body(body, 1024 * 1024, node.config.times.body_seconds).await?;
    let question: StatusQuestion = read_json(&bytes)?;
    if question.messages.len() > MAX_ASKED {
        return Err(Problem::new(&problem::BODY_TOO_LARGE).because("messages").into());
    }
    // A delivery of the same id at the same moment makes the commit fail; the second look finds it stored.
    for _ in 0..3 {
        if let Some(list) = receipts_for(&node, &peer, &question).await? {
            return Ok(json_reply(StatusCode::OK, &list));
        }
    }
    Err(Problem::new(&problem::OVERLOADED).into())
}

/// Receipts for what is asked; `None` when another request was faster and all is to be looked at again.
async fn receipts_for(
    node: &Node,
    peer: &VerifiedPeer,
    question: &StatusQuestion,
) -> Result<Option<ReceiptList>, Problem> {
    let ids = question.messages.iter().map(|asked| asked.message).collect();
    let known = node.store.known_inbound(ids).await.map_err(|error| store_problem(&error))?;
    let mut list = ReceiptList { receipts: Vec::new() };
    let mut never = BTreeMap::new();
    for asked in &question.messages {
        match known.iter().find(|known| known.message == asked.message) {
            Some(known) if known.peer == *peer.country() => {
                list.receipts.extend(serde_json::from_slice::<Receipt>(&known.receipt).ok());
            }
            // The id of another member's message: nothing is said of it.
            Some(_) => {}
            None => {
                never.insert(asked.message, asked.release);
            }
        }
    }
    if never.is_empty() {
        return Ok(Some(list));
    }
    let outcomes: Vec<receipts::Outcome> = never
        .iter()
        .map(|(message, release)| receipts::Outcome {
            message: *message,
            release: *release,
            state: ReceiptState::NeverAccepted,
            code: Some(problem::MESSAGE_EXPIRED.code.to_owned()),
        })
        .collect();
    let (made, mut writes) = receipts::make(node, peer.country(), &outcomes, Travel::Now)?;
    let keep_until_ms = node
        .clock
        .now_ms()
        .saturating_add(MAX_LIFE_S.saturating_mul(1000))
        .saturating_add(KEEP_AFTER_EXPIRY_MS);
    writes.extend(never.iter().map(|(message, release)| {
        Write::Never(NeverRow {
            message: *message,
            peer: peer.country().clone(),
            release: *release,
            keep_until_ms,
        })
    }));
    match node.commit(writes).await {
        Ok(_durable) => {
            list.receipts.extend(made);
            Ok(Some(list))
        }
        Err(StoreError::Conflict { what: Guard::Taken, .. }) => Ok(None),
        Err(error) => Err(store_problem(&error)),
    }
}
