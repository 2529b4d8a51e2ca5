//! The operator's kill switch: what is suspended, suspend, lift.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use puente_core::suspension::Target;

use super::socket::{Admin, Reply};
use crate::node::store_problem;
use crate::serve::{json_reply, read_body, read_json};
use crate::suspension;

/// A target and a reason.
const MAX_BYTES: usize = 4 * 1024;
/// Suspensions listed: those in force and the latest that were lifted.
const LISTED: u32 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuspendForm {
    target: Target,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LiftForm {
    target: Target,
}

/// `GET /v1/suspensions`: those in force, then those that were lifted, latest first.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Reply {
    let rows = admin.node.store.suspensions(LISTED).await.map_err(|error| store_problem(&error))?;
    Ok(json_reply(StatusCode::OK, &json!({"suspensions": rows})))
}

/// `POST /v1/suspensions`: suspends.
pub(super) async fn suspend(State(admin): State<Arc<Admin>>, body: Body) -> Reply {
    let bytes = read_body(body, MAX_BYTES, admin.node.config.times.body_seconds).await?;
    let form: SuspendForm = read_json(&bytes)?;
    suspension::suspend(&admin.node, &form.target, &form.reason).await?;
    Ok(json_reply(StatusCode::OK, &json!({"target": form.target, "state": "suspended"})))
}

/// `POST /v1/suspensions/lift`: lifts.
pub(super) async fn lift(State(admin): State<Arc<Admin>>, body: Body) -> Reply {
    let bytes = read_body(body, MAX_BYTES, admin.node.config.times.body_seconds).await?;
    let form: LiftForm = read_json(&bytes)?;
    suspension::lift(&admin.node, &form.target).await?;
    Ok(json_reply(StatusCode::OK, &json!({"target": form.target, "state": "lifted"})))
}
