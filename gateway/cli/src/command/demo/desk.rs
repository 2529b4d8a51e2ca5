//! One agency's desk: its client of the country's gateway, in JSON.
//!
//! Not here: TLS and HTTP (`puente_node::client`). INVARIANT: an answer that says no is an answer; only what could
//! not be asked is an error.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use puente_node::client::{AgencyClient, AgencyCredential};
use puente_node::clock::SystemClock;
use puente_node::keys::pki::Identity;
use serde::Serialize;

/// Events that one look at the inbox takes at most: the gateway's own page.
const PAGE: usize = 100;

/// An agency's client.
#[derive(Clone)]
pub struct Desk {
    client: AgencyClient,
    credential: Arc<AgencyCredential>,
}

/// What the gateway answered.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Body; null when there is none.
    pub body: Value,
}

impl Answer {
    /// The problem's stable code, when it is one.
    pub fn code(&self) -> &str {
        self.body.get("code").and_then(Value::as_str).unwrap_or_default()
    }

    /// The body of a success.
    pub fn success(self) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let verdict = self.body.get("verdict").map(Value::to_string).unwrap_or_default();
        let rule = self.body.pointer("/rule/id").map(Value::to_string).unwrap_or_default();
        let fields = self.body.get("problems").map(Value::to_string).unwrap_or_default();
        anyhow::bail!("the gateway answered {} `{}` {verdict} {rule} {fields}", self.status, self.code())
    }
}

impl Desk {
    /// The desk with the credential in this folder.
    pub fn at(folder: &Path) -> anyhow::Result<Self> {
        let credential = AgencyCredential::read(folder)
            .with_context(|| format!("credential in `{}`", folder.display()))?;
        let client = AgencyClient::new(&credential, Arc::new(SystemClock::default()))?;
        Ok(Self { client, credential: Arc::new(credential) })
    }

    /// The country and agency that the credential names.
    pub fn identity(&self) -> anyhow::Result<Identity> {
        Ok(self.credential.identity()?)
    }

    /// Signs as the agency.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> anyhow::Result<String> {
        Ok(self.credential.sign(typ, &serde_json::to_vec(claims)?)?)
    }

    /// Asks for a resource.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        read(self.client.get(path).await.with_context(|| format!("GET {path}"))?)
    }

    /// Asks for bytes.
    pub async fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.client.get(path).await.with_context(|| format!("GET {path}"))?;
        anyhow::ensure!(answer.status.is_success(), "GET {path} answered {}", answer.status);
        Ok(answer.body.to_vec())
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, "application/json", None, serde_json::to_vec(body)?).await
    }

    /// Sends bytes of this media type, under an idempotency key when there is one.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        media: &str,
        key: Option<&str>,
        body: Vec<u8>,
    ) -> anyhow::Result<Answer> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(media)?);
        if let Some(key) = key {
            headers.insert("idempotency-key", HeaderValue::from_str(key)?);
        }
        let answer = self.client.request(method.clone(), path, headers, body).await;
        read(answer.with_context(|| format!("{method} {path}"))?)
    }

    /// Submits one message that must leave; answers its verdict.
    pub async fn submit(&self, message: &Value) -> anyhow::Result<Value> {
        self.post("/v1/messages", message).await?.success()
    }

    /// Events after a cursor and the next cursor, after waiting for some when there is none.
    pub async fn events(&self, after: i64, wait_seconds: u64) -> anyhow::Result<(Vec<Value>, i64)> {
        let path = format!("/v1/inbox?after={after}&wait={wait_seconds}&limit={PAGE}");
        let body = self.get(&path).await?.success()?;
        let next = body.get("next").and_then(Value::as_i64).unwrap_or(after);
        let events = body.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok((events, next))
    }

    /// Every event there is.
    pub async fn all_events(&self) -> anyhow::Result<Value> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let (events, next) = self.events(after, 0).await?;
            if events.is_empty() {
                return Ok(json!(all));
            }
            all.extend(events);
            after = next;
        }
    }
}

fn read(answer: puente_node::client::Answer) -> anyhow::Result<Answer> {
    let body = if answer.body.is_empty() { Value::Null } else { answer.json()? };
    Ok(Answer { status: answer.status, body })
}
