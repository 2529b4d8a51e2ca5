//! What only an authority's own machine opens: handed to it as it came, and its officer's word on what it came to.
//!
//! Not here: opening (`opening::open_wire`, on that machine). INVARIANT: only the agency whose key it is sealed to is handed
//! it or says what it came to, and what it is sealed to is not asked of anything but the register.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use puente_core::delivery::{LeafRow, MessageRow, Write};
use puente_core::envelope::VerifiedOuter;
use puente_core::evidence::LeafRecord;
use puente_core::ids::Digest;
use puente_core::opening::{Opening, Outcome, TYP_OPENING};
use puente_core::problem::{self, Problem};

use crate::answered::answers;
use crate::domestic::acts::act_of;
use crate::domestic::handing::{hand_over_sealed, receipts_of};
use crate::domestic::messages::received_row;
use crate::node::{Node, store_problem};
use crate::opening::{Opens, opens, outer_of};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply};

/// A message that is sealed to a key of the caller's own, and until when that key stands, seconds.
struct Carried {
    row: MessageRow,
    outer: VerifiedOuter,
    until_s: i64,
}

/// The message, when the caller alone opens it.
///
/// # Errors
/// As `received_row` and `outer_of`; `seal.held_by_node` when the node opens it, `seal.held_by_agency` when another does.
async fn carried(node: &Node, caller: &KnownAgency, id: &str) -> Result<Carried, Problem> {
    let row = received_row(node, caller, id).await?;
    let outer = outer_of(&row)?;
    match opens(node, &outer)? {
        Opens::Agency { agency, until_s } if agency == caller.agency => Ok(Carried { row, outer, until_s }),
        Opens::Agency { .. } => Err(Problem::new(&problem::SEAL_HELD_BY_AGENCY)),
        Opens::Node(_) => Err(Problem::new(&problem::SEAL_HELD_BY_NODE)),
    }
}

/// `GET /v1/messages/{id}/sealed`: the exact bytes as they came, for the machine that has the key.
pub async fn sealed(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Result<Response, ProblemReply> {
    let Carried { row, outer, .. } = carried(&node, &caller, &id).await?;
    hand_over_sealed(&node, &row, &outer).await?;
    let wire = std::str::from_utf8(&row.wire).map_err(|_| Problem::new(&problem::INTERNAL))?;
    let body =
        json!({"message_id": row.message, "release": row.release, "opened_by": "agency", "wire": wire});
    Ok(json_reply(StatusCode::OK, &body))
}

/// `POST /v1/messages/{id}/opened`: an officer says what opening it came to; the sender is told by receipts.
pub async fn opened(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let Carried { row, outer, until_s } = carried(&node, &caller, &id).await?;
    let said = act_of::<Opening>(&node, &caller, TYP_OPENING, body).await?;
    let says = &said.act().says;
    let told = says.told(&outer)?;
    let at_ms = node.clock.now_ms();
    if says.outcome == Outcome::KeyLost {
        // Sent again it would be sealed to the same key.
        if node.clock.now_s() < until_s {
            return Err(Problem::new(&problem::SEAL_KEY_STANDS).into());
        }
        tracing::warn!(message = %row.message, reason = says.reason.as_deref(), "a key is lost");
    }
    let mut writes = receipts_of(&node, &row, &told).await?;
    if !writes.is_empty() {
        let (id, digest) = (row.message.to_string(), Digest::of(said.compact().as_bytes()));
        let record = LeafRecord { kind: "message.opening", id, digest, at_ms };
        let leaf = LeafRow::of(&record, None, node.random.as_ref());
        writes.push(Write::Leaf(leaf.map_err(|_| Problem::new(&problem::INTERNAL))?));
        writes.extend(answers(&node, &outer, || says.reply.clone(), &mut BTreeSet::new()).await?);
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
    }
    let states: Vec<_> = told.states.iter().map(|state| state.as_str()).collect();
    Ok(json_reply(StatusCode::OK, &json!({"message_id": row.message, "states": states, "code": told.code})))
}
