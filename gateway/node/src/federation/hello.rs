//! What a gateway says of itself to a member: versions and digests, the hour, the types it knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use puente_core::ids::{CountryCode, Digest, MessageType, Realm};
use puente_core::problem::{self, Problem};

use crate::federation::connector::{Connector, LinkError};
use crate::node::Node;
use crate::serve::json_reply;

/// The greeting.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Country.
    pub country: CountryCode,
    /// Realm.
    pub realm: Realm,
    /// The gateway's clock, milliseconds since the epoch.
    pub now_ms: i64,
    /// Version of the members list in force.
    pub members_version: u64,
    /// Its digest.
    pub members_digest: Digest,
    /// Digest of the policies in force.
    pub policy: Digest,
    /// Message types and versions.
    pub types: BTreeMap<MessageType, Vec<u32>>,
}

/// This node's greeting.
#[must_use]
pub fn own(node: &Node) -> Hello {
    let rules = node.rules.get();
    let (members_version, members_digest) = node.membership.get().version();
    let types = rules.catalogue.types().map(|t| (t.clone(), rules.catalogue.versions(t).collect())).collect();
    Hello {
        country: node.country().clone(),
        realm: node.realm(),
        now_ms: node.clock.now_ms(),
        members_version,
        members_digest,
        policy: rules.policy.digest(),
        types,
    }
}

/// `GET /federation/v1/hello`.
pub async fn hello(State(node): State<Arc<Node>>) -> Response {
    json_reply(StatusCode::OK, &own(&node))
}

/// Asks a peer for its greeting and notes how far its clock is from ours.
///
/// # Errors
/// When the peer cannot be reached or answers something else.
#[expect(clippy::cast_precision_loss, reason = "a clock skew in milliseconds is small")]
pub async fn greet(node: &Node, connector: &Connector, peer: &CountryCode) -> Result<Hello, LinkError> {
    let before = node.clock.now_ms();
    let answer = connector.get(peer, "/federation/v1/hello").await;
    node.metrics.peer(peer.as_str(), answer.is_ok());
    let after = node.clock.now_ms();
    let hello: Hello = serde_json::from_slice(&answer?)
        .map_err(|_| LinkError::Garbage(Problem::new(&problem::PEER_GARBAGE)))?;
    let middle = before.midpoint(after);
    let ahead = hello.now_ms.saturating_sub(middle);
    node.clocks.note(peer, ahead);
    node.metrics.skew(peer.as_str(), ahead as f64 / 1000.0);
    node.metrics.median(node.clocks.median_ms() as f64 / 1000.0);
    Ok(hello)
}
