//! What the desk asks its country's node, and why it may have no answer.
//!
//! Not here: what is made of an answer. INVARIANT: a refusal reaches the officer in the node's own words, with its code.

use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use puente_core::problem::{Kind, Problem};

use crate::client::{Answer, ClientError};

use super::Desk;

/// Why something could not be done.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// The node says no.
    Refused {
        /// Its stable code.
        code: String,
        /// Why, in Spanish.
        es: String,
        /// Why, in English.
        en: String,
        /// Which field, when it is one.
        field: Option<String>,
    },
    /// The rules hold what was to leave.
    Held {
        /// The rule.
        rule: Option<Rule>,
    },
    /// The rules do not let it leave.
    Stopped {
        /// The rule.
        rule: Option<Rule>,
    },
    /// No node, or no answer.
    Unreachable,
    /// An answer that is not of its form.
    Unreadable,
    /// What the officer sent is not of its form.
    Form,
    /// The form is not of this session.
    Stale,
    /// There is no such page.
    NotHere,
}

/// A rule with its reason in both languages.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(super) struct Rule {
    /// Its id, such as `R-ASY-05`.
    pub(super) id: String,
    /// Why, in Spanish.
    pub(super) es: String,
    /// Why, in English.
    pub(super) en: String,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        let Kind { code, es, en, .. } = problem.kind;
        Self::Refused {
            code: (*code).to_owned(),
            es: (*es).to_owned(),
            en: (*en).to_owned(),
            field: problem.field,
        }
    }
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        // The text may name an address, never a person; the officer's screen needs neither.
        tracing::warn!(%error, "the node was not reached");
        Self::Unreachable
    }
}

impl Desk {
    /// Asks for a resource.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        read(&self.client.get(path).await?)
    }

    /// Posts JSON.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = serde_json::to_vec(body).map_err(|_| Trouble::Form)?;
        read(&self.client.request(Method::POST, path, headers, body).await?)
    }

    /// Posts what the officer signed.
    pub(super) async fn say(&self, path: &str, signed: String) -> Result<Value, Trouble> {
        self.post(path, &serde_json::json!({ "statement": signed })).await
    }

    /// Submits a message that has to leave; answers its id.
    pub(super) async fn submit(&self, message: &Value) -> Result<String, Trouble> {
        let verdict = self.post("/v1/messages", message).await?;
        let rule = verdict.get("rule").and_then(|rule| serde_json::from_value(rule.clone()).ok());
        match text(&verdict, "verdict") {
            "accepted" | "redacted" => Ok(text(&verdict, "message_id").to_owned()),
            "held" => Err(Trouble::Held { rule }),
            "refused" => Err(Trouble::Stopped { rule }),
            _ => {
                let finding = verdict.pointer("/problems/0").ok_or(Trouble::Unreadable)?;
                Err(refusal(finding))
            }
        }
    }
}

fn read(answer: &Answer) -> Result<Value, Trouble> {
    let body: Value = answer.json().map_err(|_| Trouble::Unreadable)?;
    let media_type = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media_type == Some("application/problem+json") { Err(refusal(&body)) } else { Ok(body) }
}

/// What a problem, or a finding of a verdict, says.
fn refusal(said: &Value) -> Trouble {
    let owned = |name: &str| text(said, name).to_owned();
    let field = said.get("field").and_then(Value::as_str).map(str::to_owned);
    Trouble::Refused { code: owned("code"), es: owned("es"), en: owned("en"), field }
}

/// A text member of an answer; empty where there is none.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The members of a list in an answer.
pub(super) fn each<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A number of an answer, such as an instant in milliseconds.
pub(super) fn number(value: &Value, name: &str) -> Option<i64> {
    value.get(name).and_then(Value::as_i64)
}
