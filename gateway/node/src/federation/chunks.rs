//! Attachment chunks from a peer: ciphertext by (root, index), idempotent, and nobody else's.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use puente_core::ids::Digest;
use puente_core::membership::VerifiedPeer;
use puente_core::problem::{self, Problem};

use crate::attachment::{CIPHER_CHUNK_BYTES, MAX_CHUNKS};
use crate::chunks;
use crate::node::Node;
use crate::serve::{ProblemReply, read_body};
use crate::store::{ChunkOwner, ChunkPlace};

/// `PUT /federation/v1/chunks/{root}/{index}`: 204 means durable.
pub async fn put_chunk(
    State(node): State<Arc<Node>>,
    Extension(peer): Extension<Arc<VerifiedPeer>>,
    Path((root, index)): Path<(String, u32)>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let root: Digest = root.parse().map_err(|_| Problem::new(&problem::NOT_FOUND))?;
    if index >= MAX_CHUNKS {
        return Err(Problem::new(&problem::NOT_FOUND).into());
    }
    let bytes = read_body(body, CIPHER_CHUNK_BYTES, node.config.times.body_seconds).await?;
    let owner = ChunkOwner::Peer(peer.country().clone());
    chunks::put(&node, ChunkPlace { owner, root, index }, bytes.to_vec()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
