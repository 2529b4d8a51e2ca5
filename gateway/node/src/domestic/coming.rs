//! The return operations that people are coming with, for the caller's roles: ids and hours, no content.
//!
//! Not here: what one holds (`operations`). INVARIANT: nothing is opened to list them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply};
use crate::store::{Coming, ComingFilter};

/// How far back an operation counts by the messages that came of it: longer than any is announced ahead.
const BACK_MS: i64 = 14 * 24 * 60 * 60 * 1000;

/// Most operations in one answer, those with the latest news.
const MAX_OPERATIONS: u32 = 200;

fn shown(coming: &Coming) -> Value {
    json!({
        "operation": coming.operation, "from": coming.peer, "first_ms": coming.first_ms,
        "last_ms": coming.last_ms, "rows": coming.rows, "notice_id": coming.notice, "row_id": coming.row,
    })
}

/// `GET /v1/operations`: those of which something came in within two weeks.
pub async fn list(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
) -> Result<Response, ProblemReply> {
    let now_ms = node.clock.now_ms();
    let filter = ComingFilter {
        agency: caller.agency.clone(),
        roles: caller.roles.clone(),
        since_ms: now_ms.saturating_sub(BACK_MS),
    };
    let found = node.store.coming(filter, MAX_OPERATIONS).await.map_err(|error| store_problem(&error))?;
    let operations: Vec<Value> = found.iter().map(shown).collect();
    Ok(json_reply(StatusCode::OK, &json!({"now_ms": now_ms, "operations": operations})))
}
