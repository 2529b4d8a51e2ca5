//! `puente demo`: five gateways on this machine, and a real return between two of them.
//!
//! Not here: the gateway; every node is `puente serve`, and both client processes know only the API. INVARIANT: the exit
//! status is 0 only if every expectation held, and the counts come from the gateways, never from the clients.

mod certificate;
mod client;
mod desk;
mod evidence;
mod folder;
mod journal;
mod list;
mod message;
mod plan;
mod process;
mod progress;
mod receiver;
mod reconcile;
mod scenario;
mod sender;
mod stage;
mod summary;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub use client::DemoClient;

use crate::exit::Exit;
use crate::output::Output;

use folder::Folder;
use process::NodeProcess;
use reconcile::Reconciled;
use scenario::Scenario;

/// The list and its copies, carried in the program so that the demonstration runs anywhere.
const LISTS: [(&str, &[u8]); 3] = [
    ("manifest.csv", include_bytes!("../../../../../ops/demo/manifest.csv")),
    ("manifest.xlsx", include_bytes!("../../../../../ops/demo/manifest.xlsx")),
    ("manifest-windows-1252.csv", include_bytes!("../../../../../ops/demo/manifest-windows-1252.csv")),
];

/// The verdict that each row must get.
const EXPECTED: &[u8] = include_bytes!("../../../../../ops/demo/expected.json");

/// Largest file of expectations: a few hundred bytes for each of the most rows that a list may have.
const MAX_EXPECTED_BYTES: u64 = 64 << 20;

/// Arguments.
#[derive(Debug, Args)]
pub struct Demo {
    /// Termina al concluir; estado 0 sólo si todo fue como se esperaba / end when done; status 0 only if all was as expected.
    #[arg(long)]
    exit: bool,
    /// Otra lista, CSV o XLSX / another list, CSV or XLSX.
    #[arg(long, value_name = "FILE", requires = "expect")]
    manifest: Option<PathBuf>,
    /// El dictamen de cada renglón / the verdict that each row must get (JSON, as `ops/demo/expected.json`).
    #[arg(long, value_name = "FILE", requires = "manifest")]
    expect: Option<PathBuf>,
    /// Carpeta para los cinco nodos; temporal si no se da / folder for the five nodes; a temporary one by default.
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Conserva la carpeta temporal / keep the temporary folder.
    #[arg(long)]
    keep: bool,
}

/// What came of it.
#[derive(Debug, Default)]
struct Outcome {
    /// What the gateways said, counted and compared; nothing when it did not come to that.
    reconciled: Option<Reconciled>,
    /// The verdict on each row.
    verdicts: Vec<Value>,
    /// Facts that the sender told, for the ones who want to look further.
    facts: Value,
    /// What was expected and is not so.
    failures: Vec<String>,
    /// How long it took.
    seconds: u64,
}

impl Demo {
    /// Plays it.
    ///
    /// # Errors
    /// When the stage cannot be set, or a gateway does not start or end; what was not as expected is no error.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let folder = Folder::make(self.home.as_deref(), self.keep)?;
        let expected = self.expectations()?;
        let scenario = Scenario { folder: folder.path().to_owned(), manifest: self.manifest.clone() };
        let mut interruption = Interruption::watch()?;
        let played = tokio::select! {
            played = scenario.play(&expected) => Some(played?),
            () = interruption.comes() => None,
        };
        let Some((stage, nodes, outcome)) = played else { return Ok(Exit::Refused) };
        output.answer(&summary::line(&outcome, folder.path()), |out| {
            summary::rows(out, &outcome.verdicts)?;
            summary::closing(out, &outcome)?;
            if self.exit { Ok(()) } else { summary::addresses(out, &stage, &outcome) }
        })?;
        if !self.exit {
            output.note("\nCtrl-C termina.", "Ctrl-C ends it.")?;
            interruption.comes().await;
        }
        NodeProcess::stop_all(nodes).await?;
        let as_expected = outcome.failures.is_empty();
        if !as_expected {
            let place = folder.stay().display().to_string();
            output.note(&format!("Las bitácoras quedan en {place}"), &format!("The logs stay in {place}"))?;
        }
        Ok(Exit::expect(as_expected))
    }

    fn expectations(&self) -> anyhow::Result<Value> {
        let bytes = match &self.expect {
            None => EXPECTED.to_vec(),
            Some(path) => {
                let named = || format!("expectations `{}`", path.display());
                let size = std::fs::metadata(path).with_context(named)?.len();
                anyhow::ensure!(size <= MAX_EXPECTED_BYTES, "{} is too large", named());
                std::fs::read(path).with_context(named)?
            }
        };
        let expected: Value = serde_json::from_slice(&bytes).context("expectations are not JSON")?;
        anyhow::ensure!(expected["rows"].is_array(), "expectations hold no `rows`");
        Ok(expected)
    }
}

/// Ctrl-C or SIGTERM.
struct Interruption {
    interrupt: Signal,
    terminate: Signal,
}

impl Interruption {
    fn watch() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn comes(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
