//! The sender's own inbox: where an agency learns that the peer's receipt is here.

use std::sync::Arc;

use anyhow::bail;
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use puente_node::client::AgencyClient;

use super::journey::Journeys;

#[derive(Deserialize)]
struct Page {
    events: Vec<Event>,
    next: i64,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Told,
}

#[derive(Deserialize)]
struct Told {
    message: Option<Uuid>,
    state: String,
}

async fn page(client: &AgencyClient, after: i64, wait: u32) -> anyhow::Result<Page> {
    let answer = client.get(&format!("/v1/inbox?after={after}&wait={wait}&limit=500")).await?;
    if answer.status != StatusCode::OK {
        bail!("the inbox was answered {}", answer.status);
    }
    Ok(answer.json()?)
}

/// The cursor after the last event there is.
pub async fn end(client: &AgencyClient) -> anyhow::Result<i64> {
    let mut cursor = 0;
    loop {
        let page = page(client, cursor, 0).await?;
        if page.events.is_empty() {
            return Ok(cursor);
        }
        cursor = page.next;
    }
}

/// Follows the inbox by long-poll and tells of every receipt, until it fails or is stopped.
pub async fn watch(client: AgencyClient, from: i64, journeys: Arc<Journeys>) {
    let mut cursor = from;
    loop {
        match page(&client, cursor, 5).await {
            Ok(page) => {
                cursor = page.next;
                for Event { kind, data } in page.events {
                    match data.message {
                        Some(id) if kind == "puente.message_state" => {
                            journeys.receipted(id, data.state == "accepted");
                        }
                        _ => {}
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the inbox could not be read"),
        }
    }
}
