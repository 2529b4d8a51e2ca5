//! Child processes of the demonstration: a node that serves, a client that acts.
//!
//! Not here: what they do. INVARIANT: a child never outlives its handle: dropping it kills it.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use http::Method;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use puente_core::ids::CountryCode;
use puente_node::client::AdminClient;
use puente_node::home::Home;

use super::journal::Entry;

/// How long a node may take to load its rules and listen, on a busy machine.
const STARTING: Duration = Duration::from_secs(60);

/// Between two looks at a node that starts.
const LOOK: Duration = Duration::from_millis(50);

/// How long a node may take to drain.
const STOPPING: Duration = Duration::from_secs(30);

/// What is shown of a log when a process ends badly, bytes.
const TAIL: usize = 2_000;

/// One gateway.
pub struct NodeProcess {
    country: CountryCode,
    home: Home,
    child: Child,
}

fn this_program(arguments: &[&str], log: &Path) -> anyhow::Result<Command> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("log `{}`", log.display()))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::null()).stderr(log).env("RUST_BACKTRACE", "0").kill_on_drop(true);
    Ok(command)
}

fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let end = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
    String::from_utf8_lossy(end).into_owned()
}

impl NodeProcess {
    /// Starts a node on its home.
    pub fn start(country: &CountryCode, home: &Home) -> anyhow::Result<Self> {
        let path = home.path().to_str().context("a home's path is not UTF-8")?;
        let mut command = this_program(&["serve", "--home", path], &home.path().join("serve.log"))?;
        let child = command.stdout(Stdio::null()).spawn().context("`puente serve` did not start")?;
        Ok(Self { country: country.clone(), home: home.clone(), child })
    }

    /// Waits until it answers on its admin socket.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let admin = AdminClient::at(&self.home.socket());
        let deadline = Instant::now() + STARTING;
        let mut look = interval(LOOK);
        loop {
            look.tick().await;
            if let Some(status) = self.child.try_wait()? {
                let log = tail(&self.home.path().join("serve.log"));
                anyhow::bail!("the gateway of {} ended with {status}: {log}", self.country);
            }
            match admin.request(Method::GET, "/v1/health").await {
                Ok(answer) if answer.status.is_success() => return Ok(()),
                _ => {
                    anyhow::ensure!(Instant::now() < deadline, "the gateway of {} is not ready", self.country)
                }
            }
        }
    }

    /// Asks all to end, and waits until the last has drained.
    pub async fn stop_all(nodes: Vec<Self>) -> anyhow::Result<()> {
        let mut stopping: JoinSet<_> = nodes.into_iter().map(Self::stop).collect();
        while let Some(stopped) = stopping.join_next().await {
            stopped??;
        }
        Ok(())
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        // Ctrl-C at a terminal reaches the whole group: it may have ended, or be about to.
        if self.child.try_wait()?.is_none() {
            terminate(&self.child)?;
        }
        let ended = tokio::time::timeout(STOPPING, self.child.wait()).await;
        let status = ended.with_context(|| format!("the gateway of {} does not end", self.country))??;
        anyhow::ensure!(status.success(), "the gateway of {} ended with {status}", self.country);
        Ok(())
    }
}

fn terminate(child: &Child) -> anyhow::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    kill_process(id.context("the process has already ended")?, Signal::TERM).context("SIGTERM")
}

/// One client process.
pub struct ClientProcess {
    child: Child,
    told: Lines<BufReader<ChildStdout>>,
    log: std::path::PathBuf,
}

impl ClientProcess {
    /// Starts one side on this plan.
    pub fn start(side: &str, plan: &Path) -> anyhow::Result<Self> {
        let log = plan.with_file_name(format!("{side}.log"));
        let plan = plan.to_str().context("the plan's path is not UTF-8")?;
        let mut command = this_program(&["demo-client", side, "--plan", plan], &log)?;
        let mut child =
            command.stdout(Stdio::piped()).spawn().context("`puente demo-client` did not start")?;
        let told = child.stdout.take().context("standard output of the client")?;
        Ok(Self { child, told: BufReader::new(told).lines(), log })
    }

    /// The next thing it tells; `None` when it has ended well.
    pub async fn next(&mut self) -> anyhow::Result<Option<Entry>> {
        match self.told.next_line().await? {
            Some(line) => Ok(Some(serde_json::from_str(&line).context("line of a client")?)),
            None => {
                let status = self.child.wait().await?;
                anyhow::ensure!(status.success(), "a client ended with {status}: {}", tail(&self.log));
                Ok(None)
            }
        }
    }
}
