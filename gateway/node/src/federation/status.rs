//! The status question: what became of a message whose receipt did not arrive.
//!
//! The answer is the stored receipt, or a signed "never accepted, will refuse"; the latter is given only
//! for messages that are past their expiry at the asker, which this node then refuses as expired too.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use puente_core::evidence::{Receipt, ReceiptState};
use puente_core::membership::VerifiedPeer;
use puente_core::problem::{self, Problem};

use crate::federation::wire::{ReceiptList, StatusQuestion};
use crate::node::{Node, store_problem};
use crate::receipts::{self, Travel};
use crate::serve::{ProblemReply, json_reply, read_body, read_json};

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
    let ids = question.messages.iter().map(|asked| asked.message).collect();
    let known = node.store.known_inbound(ids).await.map_err(|error| store_problem(&error))?;
    let mut list = ReceiptList { receipts: Vec::new() };
    let mut never = Vec::new();
    for asked in &question.messages {
        match known.iter().find(|known| known.message == asked.message) {
            Some(known) => list.receipts.extend(serde_json::from_slice::<Receipt>(&known.receipt).ok()),
            None => never.push(receipts::Outcome {
                message: asked.message,
                release: asked.release,
                state: ReceiptState::NeverAccepted,
                code: Some(problem::MESSAGE_EXPIRED.code.to_owned()),
            }),
        }
    }
    if !never.is_empty() {
        let (made, writes) = receipts::make(&node, peer.country(), &never, Travel::Now)?;
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
        list.receipts.extend(made);
    }
    Ok(json_reply(StatusCode::OK, &list))
}
