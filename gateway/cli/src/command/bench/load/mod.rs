//! The load client, a process of its own: 16 senders and one reader of the inbox, as a ministry would run them.
//!
//! It makes its rows first, says `ready` on standard output, waits for a line on standard input, and ends with
//! one JSON line. End to end is from the request's first byte to the event in the sender's inbox that says the
//! peer's signed receipt is committed here. INVARIANT: a batch that was turned away (503) or not answered is sent
//! again under the same idempotency key, so that no row is counted twice.

mod inbox;
mod journey;
mod sender;

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use puente_node::client::{AgencyClient, AgencyCredential};
use puente_node::clock::SystemClock;

use super::cpu;
use super::latency::Percentiles;
use super::workload::{Kind, Workload};
use crate::exit::Exit;
use crate::output::Output;
use journey::Journeys;
use sender::{Batch, Sender};

/// Without a receipt for this long, the rest will not come.
const SILENCE: Duration = Duration::from_secs(60);

/// What a load client is started with.
#[derive(Debug, Clone, Args)]
pub struct Load {
    /// Folder with the agency's credential.
    #[arg(long)]
    credential: PathBuf,
    /// Rows to submit.
    #[arg(long)]
    messages: usize,
    /// Connections that submit at once.
    #[arg(long)]
    senders: usize,
    /// Rows in one request.
    #[arg(long)]
    batch: usize,
    /// Seed of the rows.
    #[arg(long)]
    seed: u64,
    /// Most rows between submission and receipt.
    #[arg(long)]
    window: usize,
    /// Rows per second; as fast as the window lets when absent.
    #[arg(long)]
    rate: Option<u32>,
    /// What is submitted.
    #[arg(long, value_enum, default_value_t = Kind::Rows)]
    kind: Kind,
    /// Ends once everything is submitted; no receipt is waited for.
    #[arg(long)]
    leave: bool,
}

/// What a load client saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadReport {
    /// Rows that left and were receipted by the peer.
    pub receipted: usize,
    /// Of those, the ones that policy stripped of a category.
    pub redacted: usize,
    /// Rows that did not leave: held, refused or malformed.
    pub stayed: usize,
    /// Requests that were turned away or not answered, and repeated.
    pub repeated: usize,
    /// From the first request to the last receipt, seconds.
    pub elapsed_s: f64,
    /// End to end.
    pub end_to_end: Percentiles,
    /// Processor time of the load client itself, microseconds per row.
    pub client_cpu_us: f64,
}

impl Load {
    /// Runs one load to its end.
    ///
    /// # Errors
    /// When the node cannot be reached, answers something else, or receipts stay away.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let credential = AgencyCredential::read(&self.credential).context("credential of the load client")?;
        let connect = || AgencyClient::new(&credential, Arc::new(SystemClock::default()));
        let work = Arc::new(Mutex::new(self.batches()));
        let journeys = Arc::new(Journeys::new(Semaphore::new(self.window.max(self.batch))));
        let mut senders = Vec::with_capacity(self.senders);
        for _ in 0..self.senders {
            let client = connect()?;
            client.get("/v1/catalogue").await.context("first contact")?;
            senders.push(Sender {
                client,
                journeys: Arc::clone(&journeys),
                key: format!("bench-{}", self.seed),
            });
        }
        let reader = connect()?;
        let cursor = inbox::end(&reader).await?;

        await_the_word(output)?;
        let before = cpu::used(std::process::id())?;
        let started = Instant::now();
        let watching = tokio::spawn(inbox::watch(reader, cursor, Arc::clone(&journeys)));
        let mut sending = JoinSet::new();
        for sender in senders {
            let (work, rate) = (Arc::clone(&work), self.rate);
            sending.spawn(async move { sender.work_off(&work, started, rate).await });
        }
        while let Some(sender) = sending.join_next().await {
            sender??;
        }
        if !self.leave {
            journeys.all_settled(SILENCE).await?;
        }
        let elapsed = journeys.last_settled().saturating_duration_since(started);
        watching.abort();
        let used = cpu::used(std::process::id())?.saturating_sub(before);
        output.bytes(format!("{}\n", serde_json::to_string(&journeys.report(elapsed, used))?).as_bytes())?;
        Ok(Exit::Done)
    }

    /// Every request body, made before the clock starts; the first batch stands last.
    fn batches(&self) -> Vec<Batch> {
        let mut workload = Workload::seeded(self.seed, self.kind);
        let mut left = self.messages;
        let mut batches = Vec::with_capacity(self.messages / self.batch.max(1) + 1);
        while left > 0 {
            let rows = left.min(self.batch.max(1));
            let first_row = self.messages - left;
            batches.push(Batch { number: batches.len(), first_row, rows, body: workload.batch(rows).into() });
            left -= rows;
        }
        batches.reverse();
        batches
    }
}

fn await_the_word(output: &mut Output) -> anyhow::Result<()> {
    output.bytes(b"ready\n")?;
    let mut word = String::new();
    std::io::stdin().lock().read_line(&mut word)?;
    if word.trim() == "go" { Ok(()) } else { bail!("the load client was not told to go") }
}
