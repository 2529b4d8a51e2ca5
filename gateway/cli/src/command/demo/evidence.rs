//! What both gateways say of the operation through their APIs, after they were restarted.
//!
//! Not here: judging it (`reconcile`). The list is uploaded once more under its first key: the gateway answers from its
//! store what it answered then, and sends nothing twice. INVARIANT: nothing here comes from the client processes.

use serde_json::{Value, json};

use super::desk::Desk;
use super::list::{Effect, upload};
use super::plan::Plan;

/// Asks both sides.
pub async fn gather(plan: &Plan) -> anyhow::Result<Value> {
    let sender = Desk::at(&plan.sender.enforcement)?;
    let (operation, cancelled) =
        (format!("/v1/operations/{}", plan.operation), format!("/v1/operations/{}", plan.cancelled));
    let mut receivers = Vec::new();
    for folder in [&plan.receiver.reception, &plan.receiver.child_protection] {
        let desk = Desk::at(folder)?;
        let seen = desk.get(&operation).await?.body;
        receivers.push(json!({"operation": seen, "events": desk.all_events().await?}));
    }
    Ok(json!({
        "verdicts": upload(&sender, plan, &plan.list, Effect::Send).await?,
        "sender": sender.get(&operation).await?.body,
        "cancelled": sender.get(&cancelled).await?.body,
        "approvals": sender.get("/v1/approvals").await?.success()?["approvals"],
        "receivers": receivers,
    }))
}
