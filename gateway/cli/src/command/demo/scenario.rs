//! The course of the demonstration: set the stage, start, let both sides act, restart, ask both gateways, compare.
//!
//! Not here: what the sides do (`sender`, `receiver`), what is expected (data) and how it is told (`summary`).

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use puente_core::ids::OperationId;
use serde_json::Value;
use uuid::Uuid;

use super::journal::Entry;
use super::plan::{List, Plan};
use super::process::{ClientProcess, NodeProcess};
use super::progress::Progress;
use super::reconcile::reconcile;
use super::stage::Stage;
use super::{LISTS, Outcome, evidence};

/// A port that was free may be taken before a node listens on it: so often is the stage set anew.
const ATTEMPTS: usize = 3;

/// Where to play, and with which list.
pub struct Scenario {
    /// The folder of everything.
    pub folder: PathBuf,
    /// Another list than the one in the program.
    pub manifest: Option<PathBuf>,
}

impl Scenario {
    /// Plays; answers the stage, the nodes that still run, and what came of it.
    pub async fn play(&self, expected: &Value) -> anyhow::Result<(Stage, Vec<NodeProcess>, Outcome)> {
        let began = Instant::now();
        let progress = Progress::start();
        progress.step("cinco nodos, una federación", "five gateways, one federation");
        let (stage, nodes) = self.open().await?;
        let plan = self.plan(&stage)?;
        let path = self.folder.join("plan.json");
        plan.write(&path)?;
        let mut outcome = Outcome::default();
        let acted = act(&path, &progress, &mut outcome).await;
        progress.step("reinicia todos los nodos", "restarts every gateway");
        NodeProcess::stop_all(nodes).await?;
        let nodes = start(&stage).await?;
        match acted {
            Ok(()) => {
                progress.step("pregunta a ambos países", "asks both countries");
                let mut seen = evidence::gather(&plan).await?;
                let reconciled = reconcile(expected, &seen);
                outcome.failures.extend(reconciled.failures.iter().cloned());
                outcome.reconciled = Some(reconciled);
                if let Some(Value::Array(verdicts)) = seen.get_mut("verdicts").map(Value::take) {
                    outcome.verdicts = verdicts;
                }
            }
            Err(error) => outcome.failures.push(format!("{error:#}")),
        }
        outcome.seconds = began.elapsed().as_secs();
        Ok((stage, nodes, outcome))
    }

    /// Sets the stage and starts the nodes.
    async fn open(&self) -> anyhow::Result<(Stage, Vec<NodeProcess>)> {
        for _ in 1..ATTEMPTS {
            let stage = Stage::set(&self.folder)?;
            match start(&stage).await {
                Ok(nodes) => return Ok((stage, nodes)),
                // Nobody has used it yet; the next attempt takes other ports, the last one says why it fails.
                Err(_) => stage.strike()?,
            }
        }
        let stage = Stage::set(&self.folder)?;
        let nodes = start(&stage).await?;
        Ok((stage, nodes))
    }

    fn plan(&self, stage: &Stage) -> anyhow::Result<Plan> {
        let mut lists = match &self.manifest {
            Some(path) => vec![List::named(&std::path::absolute(path)?)?],
            None => self.carried()?,
        };
        let copies = lists.split_off(1);
        Ok(Plan {
            operation: OperationId(Uuid::now_v7()),
            cancelled: OperationId(Uuid::now_v7()),
            list: lists.pop().context("a list to send")?,
            copies,
            sender: stage.sending()?,
            receiver: stage.receiving()?,
        })
    }

    /// Writes out the lists that the program carries.
    fn carried(&self) -> anyhow::Result<Vec<List>> {
        let folder = self.folder.join("lists");
        std::fs::create_dir_all(&folder)?;
        LISTS
            .into_iter()
            .map(|(name, bytes)| {
                let path = folder.join(name);
                std::fs::write(&path, bytes)?;
                List::named(&path)
            })
            .collect()
    }
}

async fn start(stage: &Stage) -> anyhow::Result<Vec<NodeProcess>> {
    let mut nodes = stage
        .homes
        .iter()
        .map(|(country, home)| NodeProcess::start(country, home))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for node in &mut nodes {
        node.ready().await?;
    }
    Ok(nodes)
}

/// Lets both sides act until the sender reports; the receiver is ended then.
async fn act(plan: &std::path::Path, progress: &Progress, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut receiver = ClientProcess::start("receiver", plan)?;
    let mut sender = ClientProcess::start("sender", plan)?;
    loop {
        let entry = tokio::select! {
            entry = sender.next() => entry.context("Mexico's client")?,
            ended = receiver.next() => {
                ended.context("Guatemala's client")?;
                anyhow::bail!("Guatemala's client ended before Mexico's")
            }
        };
        match entry {
            Some(Entry::Step { es, en }) => progress.step(&es, &en),
            Some(Entry::Report { facts, failures }) => {
                outcome.facts = facts;
                outcome.failures.extend(failures);
            }
            None if outcome.facts.is_object() => return Ok(()),
            None => anyhow::bail!("Mexico's client ended without a report"),
        }
    }
}
