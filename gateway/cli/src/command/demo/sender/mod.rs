//! The client process that acts as Mexico's migration system.
//!
//! Not here: Guatemala; what it says is only ever read from Mexico's gateway. INVARIANT: whatever is not as it should
//! be becomes a sentence in the report and ends nothing; only what cannot be asked ends the process.

mod announcing;
mod changing;
mod deciding;
mod determining;
mod documents;
mod settling;

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::desk::Desk;
use super::journal::Entry;
use super::plan::Plan;

/// How long one thing may take to happen: a delivery, an answer, the lapse of a held row.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long to wait for an event before looking again: a lapse and an answer each make one.
const LOOK_SECONDS: u64 = 2;

/// Mexico's migration system and what it has found so far.
struct Sender {
    plan: Plan,
    enforcement: Desk,
    consular: Desk,
    /// Events of the enforcement desk before this one have been seen.
    cursor: i64,
    facts: Map<String, Value>,
    failures: Vec<String>,
}

/// Sends the list, decides what was held, corrects, cancels, asks for a paper, and waits until all is answered.
pub async fn run(plan: Plan) -> anyhow::Result<()> {
    let enforcement = Desk::at(&plan.sender.enforcement)?;
    let consular = Desk::at(&plan.sender.consular)?;
    let mut sender =
        Sender { plan, enforcement, consular, cursor: 0, facts: Map::new(), failures: Vec::new() };
    sender.determine().await?;
    let promised = sender.ask_first().await?;
    sender.announce(promised).await?;
    let verdicts = sender.send_list().await?;
    sender.decide(&verdicts, promised).await?;
    sender.amend(&verdicts).await?;
    sender.cancel_another().await?;
    sender.ask_for_certificate().await?;
    sender.settle(&verdicts).await?;
    Entry::Report { facts: Value::Object(sender.facts), failures: sender.failures }.tell()
}

impl Sender {
    fn found(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    fn fail(&mut self, sentence: impl Into<String>) {
        self.failures.push(sentence.into());
    }

    /// Waits until the gateway says `wanted` of a resource; answers the last it said, wanted or not.
    async fn until(&mut self, path: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<(Value, bool)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.enforcement.get(path).await?.body;
            if wanted(&said) {
                return Ok((said, true));
            }
            if Instant::now() >= deadline {
                return Ok((said, false));
            }
            (_, self.cursor) = self.enforcement.events(self.cursor, LOOK_SECONDS).await?;
        }
    }

    /// Waits until the other gateway's receipt says that a message of ours was accepted.
    async fn until_accepted(&mut self, what: &str, verdict: &Value) -> anyhow::Result<()> {
        let id = verdict["message_id"].as_str().unwrap_or_default();
        let path = format!("/v1/messages/{id}");
        let accepted = |said: &Value| said["message"]["state"] == "accepted";
        let (said, done) = self.until(&path, accepted).await?;
        if !done {
            self.fail(format!("{what} was not accepted: {}", said["message"]["state"]));
        }
        Ok(())
    }
}

/// The verdicts that say this.
fn with_verdict<'v>(verdicts: &'v [Value], words: &'v [&str]) -> impl Iterator<Item = &'v Value> {
    verdicts.iter().filter(move |verdict| words.iter().any(|word| verdict["verdict"] == *word))
}
