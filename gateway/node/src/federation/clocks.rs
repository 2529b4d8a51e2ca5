//! Asks every member for the hour, so that a clock that is wrong is noticed before what it dates is refused.
//!
//! Not here: what follows from it (`crate::clocks`, `domestic::submit`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::federation::connector::Connector;
use crate::federation::hello::greet;
use crate::node::Node;

/// Between two questions to a peer; one small request each.
const LOOK: Duration = Duration::from_secs(5);

/// Greets every member until shutdown; one that does not answer keeps what it last said.
pub async fn watch_clocks(node: Arc<Node>, connector: Arc<Connector>, mut shutdown: watch::Receiver<bool>) {
    let mut said = false;
    loop {
        let mut asking = JoinSet::new();
        let membership = node.membership.get();
        for country in membership.countries().filter(|country| *country != node.country()) {
            let (node, connector, peer) = (Arc::clone(&node), Arc::clone(&connector), country.clone());
            asking.spawn(async move {
                let _ = greet(&node, &connector, &peer).await;
            });
        }
        let look = async {
            while asking.join_next().await.is_some() {}
            tokio::time::sleep(LOOK).await;
        };
        tokio::select! {
            () = look => {}
            _ = shutdown.wait_for(|ended| *ended) => return,
        }
        if node.clocks.is_alone() != said {
            said = !said;
            tracing::warn!(
                alone = said,
                median_ms = node.clocks.median_ms(),
                "the clock against the median of all"
            );
        }
    }
}
