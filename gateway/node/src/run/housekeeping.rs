//! What is due by the clock: lapsing approvals, expired messages, unanswered notices, forgetting, changed files, days left.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domestic::{lapse_approvals, look_after_notices};
use crate::federation::{Connector, settle_expired};
use crate::node::Node;
use crate::run::reload::Reloader;

/// Between two looks: a lapse or a changed file is seen within this.
const LOOK: Duration = Duration::from_secs(1);

/// Looks every second until shutdown.
pub async fn run(
    node: Arc<Node>,
    connector: Arc<Connector>,
    reloader: Arc<Reloader>,
    mut shutdown: watch::Receiver<bool>,
) {
    loop {
        if let Err(problem) = lapse_approvals(&node).await {
            tracing::warn!(code = problem.kind.code, "approvals were not lapsed");
        }
        if let Err(problem) = settle_expired(&node, &connector).await {
            tracing::warn!(code = problem.kind.code, "expired messages were not settled");
        }
        if let Err(problem) = look_after_notices(&node).await {
            tracing::warn!(code = problem.kind.code, "notices were not looked after");
        }
        if let Err(error) = node.store.forget(node.clock.now_ms()).await {
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
