//! Attachment chunks: ciphertext that the agency made, by (root, index), idempotent and resumable.
//!
//! Not here: the key; it travels in the sealed section that names the root. INVARIANT: the node stores
//! what it cannot read; an agency reads what it put itself and what a message names that is for it, and of anything else
//! does not learn whether it is here.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use puente_core::delivery::Direction;
use puente_core::ids::Digest;
use puente_core::problem::{self, Problem};

use crate::attachment::{CIPHER_CHUNK_BYTES, MAX_CHUNKS};
use crate::chunks;
use crate::domestic::messages::visible;
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, read_body};
use crate::store::{ChunkOwner, ChunkPlace, MAX_PAGE, StoreError};

fn place(root: &str, index: &str) -> Result<(Digest, u32), Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let root = root.parse().map_err(|_| not_found())?;
    let index: u32 = index.parse().map_err(|_| not_found())?;
    if index >= MAX_CHUNKS { Err(not_found()) } else { Ok((root, index)) }
}

/// `PUT /v1/attachments/{root}/{index}`: one chunk; 204 means durable.
pub async fn put_chunk(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path((root, index)): Path<(String, String)>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let (root, index) = place(&root, &index)?;
    let bytes = read_body(body, CIPHER_CHUNK_BYTES, node.config.times.body_seconds).await?;
    let owner = ChunkOwner::Agency(caller.agency);
    chunks::put(&node, ChunkPlace { owner, root, index }, bytes.to_vec()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /v1/attachments/{root}/{index}`: one chunk.
pub async fn chunk(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path((root, index)): Path<(String, String)>,
) -> Result<Response, ProblemReply> {
    let (root, index) = place(&root, &index)?;
    let bytes = readable(&node, &caller, root, index).await.map_err(|error| store_problem(&error))?;
    let bytes = bytes.ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// The caller's own chunk, or one of a message that came in for it.
async fn readable(
    node: &Node,
    caller: &KnownAgency,
    root: Digest,
    index: u32,
) -> Result<Option<Vec<u8>>, StoreError> {
    let owner = ChunkOwner::Agency(caller.agency.clone());
    if let Some(own) = node.store.chunk(ChunkPlace { owner, root, index }).await? {
        return Ok(Some(own));
    }
    let naming = node.store.naming(root, MAX_PAGE).await?;
    let came = naming
        .into_iter()
        .find(|row| row.direction == Direction::In && row.state == "accepted" && visible(caller, row));
    let Some(came) = came else { return Ok(None) };
    node.store.chunk(ChunkPlace { owner: ChunkOwner::Peer(came.peer), root, index }).await
}
