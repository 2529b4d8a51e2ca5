//! An agency's own webhooks: register, list, pause, resume, remove.
//!
//! Not here: calling them (`crate::webhook`). INVARIANT: an agency sees and changes its own; another's is not there.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;

use crate::node::Node;
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply, read_body, read_json};
use crate::webhook::{self, Act, WebhookForm};

type Reply = Result<Response, ProblemReply>;

/// An address, a list of authorities and a filter.
const MAX_FORM: usize = 64 * 1024;

/// `POST /v1/webhooks`: events from now on, or after a cursor, are sent there; the same again changes nothing.
pub async fn register(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    body: Body,
) -> Reply {
    let bytes = read_body(body, MAX_FORM, node.config.times.body_seconds).await?;
    let form: WebhookForm = read_json(&bytes)?;
    Ok(json_reply(StatusCode::CREATED, &webhook::register(&node, &caller.agency, form).await?))
}

/// `GET /v1/webhooks`: the caller's own.
pub async fn list(State(node): State<Arc<Node>>, Extension(caller): Extension<KnownAgency>) -> Reply {
    Ok(json_reply(StatusCode::OK, &webhook::list(&node, Some(&caller.agency)).await?))
}

/// `POST /v1/webhooks/{id}/pause`: no calls until it is resumed.
pub async fn pause(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    Ok(json_reply(StatusCode::OK, &webhook::act(&node, Some(&caller.agency), &id, Act::Pause).await?))
}

/// `POST /v1/webhooks/{id}/resume`: it goes on with what it is owed.
pub async fn resume(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    Ok(json_reply(StatusCode::OK, &webhook::act(&node, Some(&caller.agency), &id, Act::Resume).await?))
}

/// `DELETE /v1/webhooks/{id}`: it goes, with its dead letters; the events stay in the inbox.
pub async fn remove(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    Ok(json_reply(StatusCode::OK, &webhook::act(&node, Some(&caller.agency), &id, Act::Remove).await?))
}
