//! Attachment chunks: ciphertext that the agency made, by (root, index), idempotent and resumable.
//!
//! Not here: the key; it travels in the sealed section that names the root. INVARIANT: the node stores
//! what it cannot read.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use puente_core::ids::Digest;
use puente_core::problem::{self, Problem};

use crate::attachment::{CIPHER_CHUNK_BYTES, MAX_CHUNKS};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, read_body};

fn place(root: &str, index: &str) -> Result<(Digest, u32), Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let root = root.parse().map_err(|_| not_found())?;
    let index: u32 = index.parse().map_err(|_| not_found())?;
    if index >= MAX_CHUNKS { Err(not_found()) } else { Ok((root, index)) }
}

/// `PUT /v1/attachments/{root}/{index}`: one chunk; 204 means durable.
pub async fn put_chunk(
    State(node): State<Arc<Node>>,
    Extension(_): Extension<KnownAgency>,
    Path((root, index)): Path<(String, String)>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let (root, index) = place(&root, &index)?;
    let bytes = read_body(body, CIPHER_CHUNK_BYTES, node.config.times.body_seconds).await?;
    node.store
        .put_chunk(root, index, bytes.to_vec(), node.clock.now_ms())
        .await
        .map_err(|error| store_problem(&error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /v1/attachments/{root}/{index}`: one chunk.
pub async fn chunk(
    State(node): State<Arc<Node>>,
    Extension(_): Extension<KnownAgency>,
    Path((root, index)): Path<(String, String)>,
) -> Result<Response, ProblemReply> {
    let (root, index) = place(&root, &index)?;
    let bytes = node.store.chunk(root, index).await.map_err(|error| store_problem(&error))?;
    let bytes = bytes.ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}
