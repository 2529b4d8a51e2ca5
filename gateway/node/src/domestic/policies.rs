//! Sets of policies that were proposed: what officers see of them, and their signed word on them.
//!
//! Not here: what two words come to (`crate::policy`). INVARIANT: only agencies whose officers may put
//! policies in force see or state anything here.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use puente_core::delivery::{PolicyChangeRow, StatementRow};
use puente_core::ids::ApprovalId;
use puente_core::problem::{self, Problem};

use crate::domestic::acts::statement_in;
use crate::node::{Node, store_problem};
use crate::policy;
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply};

type Reply = Result<Response, ProblemReply>;

/// Proposals listed.
const LISTED: u32 = 50;

fn admit(node: &Node, caller: &KnownAgency) -> Result<(), Problem> {
    let entitled = caller.roles.contains(&node.config.policy.activating_role);
    if entitled { Ok(()) } else { Err(Problem::new(&problem::CLIENT_NOT_ENTITLED)) }
}

async fn load(node: &Node, id: &str) -> Result<(PolicyChangeRow, Vec<StatementRow>), Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: ApprovalId = id.parse().map_err(|_| not_found())?;
    let found = node.store.policy_change(id).await.map_err(|error| store_problem(&error))?;
    found.ok_or_else(not_found)
}

/// `GET /v1/policies`: the set in force and the latest proposals.
pub async fn list(State(node): State<Arc<Node>>, Extension(caller): Extension<KnownAgency>) -> Reply {
    admit(&node, &caller)?;
    let rows = node.store.policy_changes(LISTED).await.map_err(|error| store_problem(&error))?;
    let now_ms = node.clock.now_ms();
    let changes: Vec<_> = rows.iter().map(|row| policy::summary(row, now_ms)).collect();
    Ok(json_reply(StatusCode::OK, &json!({"in_force": node.policies.in_force(), "changes": changes})))
}

/// `GET /v1/policies/{id}`: one proposal, what it changes, and who stated what.
pub async fn show(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    admit(&node, &caller)?;
    let (row, statements) = load(&node, &id).await?;
    Ok(json_reply(StatusCode::OK, &policy::show(&row, &statements, node.clock.now_ms())))
}

/// `POST /v1/policies/{id}/statements`: an officer's signed word. The second grant puts the set in force.
pub async fn state(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    admit(&node, &caller)?;
    let statement = statement_in(&node, body).await?;
    let id: ApprovalId = id.parse().map_err(|_| Problem::new(&problem::NOT_FOUND))?;
    let state = policy::state(&node, &caller.agency, id, &statement).await?;
    Ok(json_reply(StatusCode::OK, &json!({"change_id": id, "state": state})))
}
