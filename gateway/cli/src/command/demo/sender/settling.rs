//! The operation is settled when every row that left is acknowledged and accounted for, and nothing is held any more.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Sender, with_verdict};
use crate::command::demo::journal::Entry;

/// Messages of this type that left and were accepted over there.
fn delivered<'o>(operation: &'o Value, message_type: &'o str) -> impl Iterator<Item = &'o Value> {
    let messages = operation["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    messages.iter().filter(move |message| {
        message["direction"] == "out" && message["type"] == message_type && message["state"] == "accepted"
    })
}

fn is_answered_by(message: &Value, answer_type: &str) -> bool {
    message["answers"].as_array().is_some_and(|all| all.iter().any(|answer| answer["type"] == answer_type))
}

impl Sender {
    /// Waits for every answer.
    pub(super) async fn settle(&mut self, verdicts: &[Value]) -> anyhow::Result<()> {
        self.receive_certificate().await?;
        Entry::step("espera acuses y llegadas", "waits for acknowledgements and arrivals").tell()?;
        let left = with_verdict(verdicts, &["accepted", "redacted"]).count()
            + usize::from(self.facts.contains_key("granted_message"));
        let amended = self.facts.contains_key("amendment");
        let settled = |operation: &Value| {
            let rows = delivered(operation, "return.manifest");
            let answered = rows.filter(|row| {
                is_answered_by(row, "return.manifest.ack") && is_answered_by(row, "return.arrival")
            });
            let unlisted = operation["unsolicited"].as_array().is_some_and(|reports| !reports.is_empty());
            let correction = delivered(operation, "return.manifest.amend")
                .any(|amendment| is_answered_by(amendment, "return.manifest.amend.ack"));
            answered.count() == left && (unlisted || left == 0) && (correction || !amended)
        };
        let path = format!("/v1/operations/{}", self.plan.operation);
        if !self.until(&path, settled).await?.1 {
            self.fail("not every row that left was acknowledged and accounted for");
        }
        let cancelled = |operation: &Value| {
            delivered(operation, "return.cancel").any(|message| is_answered_by(message, "return.cancel.ack"))
        };
        let path = format!("/v1/operations/{}", self.plan.cancelled);
        if !self.until(&path, cancelled).await?.1 {
            self.fail("the cancellation was not acknowledged");
        }
        self.until_lapsed(verdicts).await
    }

    /// Waits until nothing is open: what nobody decides lapses.
    async fn until_lapsed(&mut self, verdicts: &[Value]) -> anyhow::Result<()> {
        let held = with_verdict(verdicts, &["held"]).count();
        if held == 0 {
            return Ok(());
        }
        Entry::step("lo que nadie decide caduca", "what nobody decides lapses").tell()?;
        let none = |open: &Value| open["approvals"].as_array().is_some_and(Vec::is_empty);
        let (open, done) = self.until("/v1/approvals?state=open", none).await?;
        if !done {
            let left = open["approvals"].as_array().context("list of approvals")?.len();
            self.fail(format!("{left} held rows did not lapse"));
        }
        self.found("held", json!(held));
        Ok(())
    }
}
