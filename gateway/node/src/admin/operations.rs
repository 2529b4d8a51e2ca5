//! Health and metrics, plain HTTP on a private address.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{StatusCode, header};

use puente_core::delivery::ApprovalState;
use puente_core::problem::Problem;

use crate::node::{LANES, Node, store_problem};
use crate::store::{ApprovalFilter, MAX_PAGE};

/// The routes of the operations listener.
pub fn router(node: &Arc<Node>) -> Router {
    Router::new()
        .route("/healthz", get(async || StatusCode::OK))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::clone(node))
}

async fn ready(State(node): State<Arc<Node>>) -> StatusCode {
    match node.store.queue_depth().await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn metrics(State(node): State<Arc<Node>>) -> Response {
    if refresh(&node).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match node.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Brings the gauges up to date from the store.
///
/// # Errors
/// When the store does not answer.
#[expect(clippy::cast_precision_loss, reason = "an age in milliseconds fits a double")]
pub async fn refresh(node: &Node) -> Result<(), Problem> {
    let depths = node.store.queue_depth().await.map_err(|error| store_problem(&error))?;
    let now_ms = node.clock.now_ms();
    for lane in LANES {
        let of_lane = depths.iter().filter(|depth| depth.lane == lane);
        let waiting: u64 = of_lane.clone().map(|depth| depth.waiting).sum();
        let oldest =
            of_lane.filter_map(|depth| depth.oldest_ms).min().map_or(0, |at| now_ms.saturating_sub(at));
        node.metrics.queue(lane.as_str(), i64::try_from(waiting).unwrap_or(i64::MAX), oldest as f64 / 1000.0);
    }
    let asked = node.rules.get().policy.cache_counts();
    node.metrics.questions(asked.hits, asked.misses);
    let open = ApprovalFilter { state: Some(ApprovalState::Open), agency: None, case: None, after: None };
    let open = node.store.approvals(open, 1_000).await.map_err(|error| store_problem(&error))?;
    node.metrics.approvals(i64::try_from(open.len()).unwrap_or(i64::MAX));
    let webhooks = node.store.webhooks(MAX_PAGE).await.map_err(|error| store_problem(&error))?;
    let paused = webhooks.iter().filter(|row| row.progress.paused.is_some()).count();
    node.metrics.webhooks(paused, webhooks.iter().map(|row| u64::from(row.progress.dead_letters)).sum());
    node.metrics.streams(node.streams.taken());
    let suspensions = node.suspensions.get();
    for kind in ["peer", "purpose", "category"] {
        let in_force = suspensions.iter().filter(|target| target.kind() == kind).count();
        node.metrics.suspensions(kind, i64::try_from(in_force).unwrap_or(i64::MAX));
    }
    Ok(())
}
