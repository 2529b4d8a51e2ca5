//! Attachment chunks from a peer: ciphertext by (root, index), idempotent.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use puente_core::ids::Digest;
use puente_core::problem::{self, Problem};

use crate::attachment::{CIPHER_CHUNK_BYTES, MAX_CHUNKS};
use crate::node::{Node, store_problem};
use crate::serve::{ProblemReply, read_body};

/// `PUT /federation/v1/chunks/{root}/{index}`: 204 means durable.
pub async fn put_chunk(
    State(node): State<Arc<Node>>,
    Path((root, index)): Path<(String, u32)>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let root: Digest = root.parse().map_err(|_| Problem::new(&problem::NOT_FOUND))?;
    if index >= MAX_CHUNKS {
        return Err(Problem::new(&problem::NOT_FOUND).into());
    }
    let bytes = read_body(body, CIPHER_CHUNK_BYTES, node.config.times.body_seconds).await?;
    node.store
        .put_chunk(root, index, bytes.to_vec(), node.clock.now_ms())
        .await
        .map_err(|error| store_problem(&error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
