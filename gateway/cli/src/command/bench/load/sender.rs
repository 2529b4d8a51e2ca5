//! One sender: takes a batch, waits until the window has room, submits it, learns which rows left.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use puente_node::client::{AgencyClient, Answer, ClientError};

use super::journey::Journeys;

/// Longest wait that an answer of 503 may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Times that one batch is tried.
const TRIES: u32 = 60;

/// A request that is made already.
pub struct Batch {
    /// Its place in the load, from 0.
    pub number: usize,
    /// Rows of the load before it.
    pub first_row: usize,
    /// Rows in it.
    pub rows: usize,
    /// The body.
    pub body: Bytes,
}

/// One connection that submits.
pub struct Sender {
    pub client: AgencyClient,
    pub journeys: Arc<Journeys>,
    pub key: String,
}

#[derive(Deserialize)]
struct Verdicts {
    verdicts: Vec<Verdict>,
}

#[derive(Deserialize)]
struct Verdict {
    verdict: Outcome,
    #[serde(default)]
    message_id: Option<Uuid>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Accepted,
    Redacted,
    Held,
    Refused,
    Malformed,
    Duplicate,
}

impl Sender {
    /// Submits batches until none is left; with a rate, each at its own instant and not before.
    pub async fn work_off(
        &self,
        work: &Mutex<Vec<Batch>>,
        started: Instant,
        rate: Option<u32>,
    ) -> anyhow::Result<()> {
        loop {
            let Some(batch) = work.lock().await.pop() else { return Ok(()) };
            self.journeys.enter(batch.rows).await?;
            // A paced row's time begins when it should have gone, even if every sender was busy then.
            let begun = match rate {
                None => Instant::now(),
                Some(rate) => {
                    let before = u32::try_from(batch.first_row).unwrap_or(u32::MAX);
                    let due = started + Duration::from_secs(1) * before / rate.max(1);
                    tokio::time::sleep_until(due).await;
                    due
                }
            };
            self.submit(&batch, begun).await?;
        }
    }

    async fn submit(&self, batch: &Batch, begun: Instant) -> anyhow::Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let key = HeaderValue::try_from(format!("{}-{}", self.key, batch.number))?;
        headers.insert(HeaderName::from_static("idempotency-key"), key);
        for _ in 0..TRIES {
            let asked =
                self.client.request(Method::POST, "/v1/messages/batch", headers.clone(), batch.body.clone());
            match asked.await {
                Ok(answer) if answer.status == StatusCode::OK => return self.note(batch, begun, &answer),
                Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE => {
                    self.journeys.repeated();
                    tokio::time::sleep(wait(&answer)).await;
                }
                Ok(answer) => {
                    bail!("a batch was answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body))
                }
                Err(ClientError::Unanswered { .. } | ClientError::Unreachable { .. }) => {
                    self.journeys.repeated();
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        bail!("a batch was turned away {TRIES} times")
    }

    fn note(&self, batch: &Batch, begun: Instant, answer: &Answer) -> anyhow::Result<()> {
        let Verdicts { verdicts } = answer.json()?;
        if verdicts.len() != batch.rows {
            bail!("{} rows were answered by {} verdicts", batch.rows, verdicts.len());
        }
        for verdict in verdicts {
            match verdict.message_id {
                Some(id) => self.journeys.left(id, begun, verdict.verdict == Outcome::Redacted),
                None => self.journeys.stayed(),
            }
        }
        Ok(())
    }
}

fn wait(answer: &Answer) -> Duration {
    let seconds = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(Duration::from_secs(1), Duration::from_secs).min(LONGEST_WAIT)
}
