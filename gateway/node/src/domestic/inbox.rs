//! The inbox: thin events after a durable cursor, with long-poll.
//!
//! Not here: the stream (`stream`) and webhooks. INVARIANT: events come in the order of their cursors, whatever lane they
//! speak of, so that the last one seen says all that was seen (decision 0021).

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use puente_core::delivery::CloudEvent;

use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{self, Place, ProblemReply, json_reply};

/// Query of the inbox.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Events after this cursor; 0 from the beginning.
    #[serde(default)]
    after: i64,
    /// Seconds to wait when there is nothing.
    #[serde(default)]
    wait: u64,
    /// Most events.
    #[serde(default = "page")]
    limit: u32,
}

const fn page() -> u32 {
    100
}

/// `GET /v1/inbox`: events for the caller's roles; `next` is the cursor to ask with again.
pub async fn inbox(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    place: Option<Extension<Place>>,
    ask: serve::Ask<Ask>,
) -> Result<Response, ProblemReply> {
    let ask = serve::asked(ask)?;
    let limit = ask.limit.clamp(1, 500);
    let mut changed = node.watch_events();
    let wait = Duration::from_secs(ask.wait.min(node.config.times.long_poll_seconds));
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        changed.mark_unchanged();
        let events = node
            .store
            .events(caller.agency.clone(), caller.roles.clone(), ask.after, limit)
            .await
            .map_err(|error| store_problem(&error))?;
        let waited = tokio::time::Instant::now() >= deadline;
        if let (true, Some(Extension(place))) = (events.is_empty(), &place) {
            place.leave();
        }
        if !events.is_empty() || waited || tokio::time::timeout_at(deadline, changed.changed()).await.is_err()
        {
            let next = events.last().map_or(ask.after, |(cursor, _)| *cursor);
            let events: Vec<_> = events
                .into_iter()
                .map(|(cursor, event)| CloudEvent::of(node.realm(), node.country(), cursor, event))
                .collect();
            return Ok(json_reply(StatusCode::OK, &json!({"events": events, "next": next})));
        }
    }
}
