//! One trial with one kind of keys: warm-up, saturating load, paced load, floor.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use puente_core::envelope::SignatureProfile;

use super::Bench;
use super::floor::{self, Floor};
use super::load::LoadReport;
use super::stage::Stage;
use super::workload::Kind;

/// Rows that fill caches, stores and connections before anything is measured.
const WARM_UP: u32 = 2_048;
/// The rate of the paced load, rows per second: a bus of returned people every tenth of a second.
pub const PACE: u32 = 500;
/// How long the paced load lasts.
const PACED_SECONDS: u32 = 10;
/// Rows of the floor: enough that the kernel's clock of 10 ms is exact to a percent.
const FLOOR_MESSAGES: usize = 4_096;

/// What one trial found.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Which keys.
    pub profile: SignatureProfile,
    /// The saturating load.
    pub load: LoadReport,
    /// The paced load.
    pub paced: LoadReport,
    /// Processor time of the sending node during the saturating load.
    pub sender_cpu: Duration,
    /// Processor time of the receiving node.
    pub receiver_cpu: Duration,
    /// Share of decisions that were remembered, at the sending node.
    pub hit_rate: f64,
    /// The floor.
    pub floor: Floor,
}

/// Runs one trial.
///
/// # Errors
/// When a node, the load or the floor fails, or a message got lost.
pub async fn run(asked: &Bench, folder: &Path, profile: SignatureProfile) -> anyhow::Result<Trial> {
    let mut stage = Stage::set(folder, profile).await?;
    // Each load has rows of its own: none may meet an idempotency key or a row of another.
    let seed = |part: u64| asked.seed.wrapping_mul(1_000).wrapping_add(part);
    Rows::of(WARM_UP, seed(1)).start(asked, &stage)?.go()?.report()?;

    let load = Rows::of(asked.messages, seed(2)).start(asked, &stage)?;
    let before = (stage.sender.cpu()?, stage.receiver.cpu()?, stage.sender.questions()?);
    let load = load.go()?.report()?;
    ensure!(load.receipted > 0, "no row was receipted");
    let sender_cpu = stage.sender.cpu()?.saturating_sub(before.0);
    let receiver_cpu = stage.receiver.cpu()?.saturating_sub(before.1);
    let hit_rate = stage.sender.questions()?.hit_rate_since(before.2);

    let paced = Rows { rate: Some(PACE), ..Rows::of(PACE * PACED_SECONDS, seed(3)) };
    let paced = paced.start(asked, &stage)?.go()?.report()?;
    stage.stop();
    let batch = usize::try_from(asked.batch)?;
    let floor = floor::measure(&stage, seed(4), FLOOR_MESSAGES, batch).await.context("floor")?;
    Ok(Trial { profile, load, paced, sender_cpu, receiver_cpu, hit_rate, floor })
}

/// A load to be run by a client process.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// How many.
    pub messages: u32,
    /// From which seed.
    pub seed: u64,
    /// How many a second; as fast as the window lets for `None`.
    pub rate: Option<u32>,
    /// What.
    pub kind: Kind,
    /// Most under way at once; as asked for `None`.
    pub window: Option<u32>,
    /// Whether receipts are not waited for.
    pub leave: bool,
}

/// A client that is ready, or under way.
pub struct Client {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Rows {
    /// Rows of lists, as many as this, as fast as the window lets.
    pub const fn of(messages: u32, seed: u64) -> Self {
        Self { messages, seed, rate: None, kind: Kind::Rows, window: None, leave: false }
    }

    /// Starts the client and waits until its rows are made and its connections stand.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start(&self, asked: &Bench, stage: &Stage) -> anyhow::Result<Client> {
        let mut command = Command::new(std::env::current_exe()?);
        // An alert is submitted alone, on the authority's one connection.
        let (credential, kind, senders, batch) = match self.kind {
            Kind::Rows => (stage.credential(), "rows", asked.senders, asked.batch),
            Kind::Alerts => (stage.authority_credential(), "alerts", 4, 1),
        };
        command.arg("bench-load").arg("--credential").arg(credential).args(["--kind", kind]);
        for (name, value) in [
            ("--messages", u64::from(self.messages)),
            ("--senders", senders.into()),
            ("--batch", batch.into()),
            ("--window", self.window.unwrap_or(asked.window).into()),
            ("--seed", self.seed),
        ] {
            command.arg(name).arg(value.to_string());
        }
        if self.leave {
            command.arg("--leave");
        }
        if let Some(rate) = self.rate {
            command.arg("--rate").arg(rate.to_string());
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(process.stdout.take().context("the client has no output")?);
        let mut client = Client { process, output };
        match client.line()?.trim() {
            "ready" => Ok(client),
            other => bail!("the load client said `{other}` instead of `ready`"),
        }
    }
}

impl Client {
    /// Lets it begin.
    ///
    /// # Errors
    /// When it is gone.
    pub fn go(mut self) -> anyhow::Result<Self> {
        let mut input = self.process.stdin.take().context("the client has no input")?;
        input.write_all(b"go\n")?;
        Ok(self)
    }

    /// What it saw, once it is done.
    ///
    /// # Errors
    /// When it failed.
    pub fn report(mut self) -> anyhow::Result<LoadReport> {
        let report: LoadReport = serde_json::from_str(&self.line()?).context("report of the load client")?;
        if !self.process.wait()?.success() {
            bail!("the load client failed");
        }
        Ok(report)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the load client ended without a word");
        }
        Ok(line)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
