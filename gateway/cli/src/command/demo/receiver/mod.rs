//! The client process that acts as Guatemala's reception centre, child-protection authority and civil registry.
//!
//! Not here: Mexico; what it sends is only ever read from Guatemala's gateway. INVARIANT: every message is answered
//! once, because the cursor moves on only when the answers are durable.

mod answers;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::certificate;
use super::desk::Desk;
use super::plan::Plan;
use answers::{Answers, Report};

/// How long to wait for the next event.
const WAIT_SECONDS: u64 = 20;

/// Contents opened at once: enough to keep a gateway busy, few enough to leave it room for its peers.
const AT_ONCE: usize = 16;

/// Answers until the process is ended.
pub async fn run(plan: Plan) -> anyhow::Result<()> {
    let reception = Office::open(Desk::at(&plan.receiver.reception)?, Report::NoShowThenArrived);
    let children = Office::open(Desk::at(&plan.receiver.child_protection)?, Report::Arrived);
    let registry = Office::open(Desk::at(&plan.receiver.registry)?, Report::Arrived);
    tokio::try_join!(reception.serve(), children.serve(), registry.serve())?;
    Ok(())
}

/// One agency that answers what comes for it.
struct Office {
    desk: Desk,
    /// What the next person is reported as.
    report: Report,
}

impl Office {
    fn open(desk: Desk, report: Report) -> Self {
        Self { desk, report }
    }

    async fn serve(mut self) -> anyhow::Result<()> {
        let mut cursor = 0;
        loop {
            let (events, next) = self.desk.events(cursor, WAIT_SECONDS).await?;
            let received: Vec<String> = events
                .iter()
                .filter(|event| event["type"] == "puente.message_received")
                .filter_map(|event| event["data"]["message"].as_str().map(str::to_owned))
                .collect();
            let mut answers = Vec::new();
            for content in self.contents(received).await? {
                answers.extend(self.answer(&content).await?);
            }
            self.send(answers).await?;
            cursor = next;
        }
    }

    /// Reads messages, in the order in which they came.
    async fn contents(&self, ids: Vec<String>) -> anyhow::Result<Vec<Value>> {
        let mut contents = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let mut reading = JoinSet::new();
            for (place, id) in some.iter().enumerate() {
                let (desk, path) = (self.desk.clone(), format!("/v1/messages/{id}/content"));
                reading.spawn(async move { anyhow::Ok((place, desk.get(&path).await?.success()?)) });
            }
            let mut read = Vec::with_capacity(some.len());
            while let Some(content) = reading.join_next().await {
                read.push(content??);
            }
            read.sort_by_key(|(place, _)| *place);
            contents.extend(read.into_iter().map(|(_, content)| content));
        }
        Ok(contents)
    }

    /// What this office has to say to one message.
    async fn answer(&mut self, content: &Value) -> anyhow::Result<Vec<Value>> {
        let answers = Answers::to(content)?;
        Ok(match answers.message_type() {
            "return.notice" => vec![answers.notice_accepted()?],
            "return.manifest" => {
                let (status, unlisted) = self.report.next();
                let mut said = vec![answers.row_fine()?, answers.arrival(status)?];
                if unlisted {
                    said.push(answers.unlisted_arrival()?);
                }
                said
            }
            "return.manifest.amend" => vec![answers.amendment_fine()?],
            "return.cancel" => vec![answers.cancellation_seen()?],
            "document.request" => vec![answers.document(certificate::attach(&self.desk).await?)?],
            _ => Vec::new(),
        })
    }

    /// Submits the answers; each must leave.
    async fn send(&self, answers: Vec<Value>) -> anyhow::Result<()> {
        if answers.is_empty() {
            return Ok(());
        }
        let told = self.desk.post("/v1/messages/batch", &json!(answers)).await?.success()?;
        let verdicts = told["verdicts"].as_array().map(Vec::as_slice).unwrap_or_default();
        match verdicts.iter().find(|verdict| verdict["verdict"] != "accepted") {
            Some(verdict) => anyhow::bail!("an answer did not leave: {verdict}"),
            None => Ok(()),
        }
    }
}
