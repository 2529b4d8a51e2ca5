//! The upload of a list, as Mexico's migration system makes it.
//!
//! INVARIANT: the same list under the same key is taken once, however often it is sent.

use anyhow::Context as _;
use http::Method;
use serde_json::Value;

use super::desk::Desk;
use super::message::{AGREEMENT, ETA, ORIGIN, PORT, VEHICLE};
use super::plan::{List, Plan};

/// Whether an upload takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The rows leave.
    Send,
    /// Only what would happen is answered.
    Ask,
}

/// Uploads a list; answers the verdict on each row.
pub async fn upload(desk: &Desk, plan: &Plan, list: &List, effect: Effect) -> anyhow::Result<Vec<Value>> {
    let bytes = std::fs::read(&list.path).with_context(|| format!("list `{}`", list.path.display()))?;
    let ask = serde_urlencoded::to_string([
        ("destination", "GT"),
        ("agreement", AGREEMENT),
        ("mode", "land"),
        ("origin", ORIGIN),
        ("port_of_entry", PORT),
        ("eta", ETA),
        ("vehicle", VEHICLE),
        ("dry_run", if effect == Effect::Ask { "true" } else { "false" }),
    ])?;
    let path = format!("/v1/operations/{}/manifest?{ask}", plan.operation);
    let key = plan.upload_key();
    let key = (effect == Effect::Send).then_some(key.as_str());
    let mut answer = desk.send(Method::POST, &path, &list.media, key, bytes).await?.success()?;
    match answer.get_mut("verdicts").map(Value::take) {
        Some(Value::Array(verdicts)) => Ok(verdicts),
        _ => anyhow::bail!("the answer to the upload holds no verdicts"),
    }
}
