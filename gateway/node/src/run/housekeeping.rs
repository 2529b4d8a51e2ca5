//! What is due by the clock: lapsing approvals, rows that a peer approved, silence on stopped rows and alerts, clocks of cases, expired messages, erasure, unanswered notices,
//! retention, forgetting, changed files, days left.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::cases;
use crate::domestic::{end_broadcasts, lapse_approvals, look_after_notices, release_approved};
use crate::duty::{self, Ways, call_due};
use crate::federation::{Connector, settle_expired};
use crate::node::Node;
use crate::protection;
use crate::run::reload::Reloader;
use crate::store::Past;
use crate::subjects::{keep_retention, settle_erasures};

/// Between two looks: a lapse or a changed file is seen within this.
const LOOK: Duration = Duration::from_secs(1);

/// Looks in a minute.
const LOOKS_A_MINUTE: u32 = 60;

/// Looks every second until shutdown.
pub async fn run(node: Arc<Node>, reloader: Arc<Reloader>, mut shutdown: watch::Receiver<bool>) {
    loop {
        if let Err(problem) = lapse_approvals(&node).await {
            tracing::warn!(code = problem.kind.code, "approvals were not lapsed");
        }
        if let Err(problem) = release_approved(&node).await {
            tracing::warn!(code = problem.kind.code, "approved rows were not released");
        }
        if let Err(problem) = protection::watch(&node).await {
            tracing::warn!(code = problem.kind.code, "stopped rows were not looked at");
        }
        // Before the clocks: what is ended in time is told to nobody.
        if let Err(problem) = end_broadcasts(&node).await {
            tracing::warn!(code = problem.kind.code, "broadcasts were not ended");
        }
        if let Err(problem) = duty::step(&node).await {
            tracing::warn!(code = problem.kind.code, "clocks of alerts were not stepped");
        }
        if let Err(problem) = cases::watch(&node).await {
            tracing::warn!(code = problem.kind.code, "children's cases were not looked at");
        }
        if let Err(problem) = settle_erasures(&node).await {
            tracing::warn!(code = problem.kind.code, "erasures were not settled");
        }
        if let Err(problem) = look_after_notices(&node).await {
            tracing::warn!(code = problem.kind.code, "notices were not looked after");
        }
        if let Err(problem) = keep_retention(&node).await {
            tracing::warn!(code = problem.kind.code, "retention was not kept");
        }
        if let Err(error) = node.store.forget(past(&node)).await {
            tracing::warn!(%error, "nothing was forgotten");
        }
        reloader.reload_if_changed();
        reloader.measure_certificates();
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = shutdown.wait_for(|ended| *ended) => return,
        }
    }
}

/// Settles expired messages until shutdown; apart, because peers may take their time to answer.
pub async fn settle(node: Arc<Node>, connector: Arc<Connector>, mut shutdown: watch::Receiver<bool>) {
    loop {
        if let Err(problem) = settle_expired(&node, &connector).await {
            tracing::warn!(code = problem.kind.code, "expired messages were not settled");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = shutdown.wait_for(|ended| *ended) => return,
        }
    }
}

/// Calls people until shutdown; apart, because a channel may take its time to answer.
pub async fn call(node: Arc<Node>, ways: Arc<Ways>, mut shutdown: watch::Receiver<bool>) {
    let mut looks = 0_u32;
    loop {
        if looks.is_multiple_of(LOOKS_A_MINUTE) {
            // Before any alert finds it out.
            node.metrics.duty_gap(duty::gap_minutes(&node));
            ways.measure(&node.metrics).await;
        }
        looks = looks.wrapping_add(1);
        if let Err(problem) = call_due(&node, &ways).await {
            tracing::warn!(code = problem.kind.code, "people were not called");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = shutdown.wait_for(|ended| *ended) => return,
        }
    }
}

/// What is past its keeping by the node's clock and settings.
fn past(node: &Node) -> Past {
    const HOUR_MS: i64 = 3_600_000;
    let (now_ms, kept) = (node.clock.now_ms(), &node.config.retention);
    let before =
        |count: u32, hours: i64| now_ms.saturating_sub(i64::from(count).saturating_mul(hours * HOUR_MS));
    Past {
        now_ms,
        chunks_ms: before(kept.orphan_chunk_hours, 1),
        drafts_ms: before(kept.draft_days, 24),
        // A leap day more or less does not matter to seven years.
        records_ms: before(kept.record_years, 24 * 365),
    }
}
