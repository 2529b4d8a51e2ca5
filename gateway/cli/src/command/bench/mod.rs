//! `puente bench`: how fast two real nodes are on this machine, and how far that is from the floor.
//!
//! Not here: profiling. INVARIANT: nothing is switched off for it: mTLS, signatures, sealing, policy, fsync and
//! stored signed receipts are those of any node. The client has a process of its own and is not counted.

mod cpu;
mod draw;
mod floor;
mod lane;
mod latency;
mod load;
mod medium;
mod person;
mod report;
mod stage;
mod trial;
mod workload;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use puente_core::envelope::SignatureProfile;

use crate::exit::Exit;
use crate::output::Output;

pub use load::Load;
use report::Report;

/// Mide dos nodos en esta máquina, y el suelo / measure two nodes on this machine, and the floor beside them.
///
/// Everything is on: mTLS, signatures, sealing, policy, fsync, stored signed receipts. See tests/bench/README.md.
#[derive(Debug, Clone, Args)]
pub struct Bench {
    /// Mensajes que se miden / messages that are measured, after the warm-up.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    messages: u32,
    /// Conexiones que envían a la vez / connections that submit at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    senders: u32,
    /// Filas por solicitud / rows in one request.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=500))]
    batch: u32,
    /// Filas entre envío y acuse, a lo sumo / most rows between submission and receipt.
    #[arg(long, default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    window: u32,
    /// Llaves de los nodos / which keys the nodes have.
    #[arg(long, value_enum, default_value_t = Keys::Both)]
    profile: Keys,
    /// Semilla de las filas / seed of the rows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Mide el carril de alertas mientras una lista espera / measure the lane of alerts while a list waits.
    #[arg(long)]
    lane: bool,
    /// Filas que esperan en la cola mientras se miden las alertas / rows that wait in the queue while alerts are measured.
    #[arg(long, default_value_t = 100_000, requires = "lane", value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    waiting: u32,
    /// Carpeta en un disco real / folder on a real disk, in which the nodes live while they are measured.
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
}

/// Which algorithms to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Keys {
    /// ES256 and ECDH on P-256.
    P256,
    /// Ed25519 and X25519.
    #[value(name = "25519")]
    Curve25519,
    /// One after the other.
    Both,
}

impl Keys {
    const fn profiles(self) -> &'static [SignatureProfile] {
        match self {
            Self::P256 => &[SignatureProfile::P256],
            Self::Curve25519 => &[SignatureProfile::Curve25519],
            Self::Both => &[SignatureProfile::P256, SignatureProfile::Curve25519],
        }
    }
}

impl Bench {
    /// Measures, and answers with the figures.
    ///
    /// # Errors
    /// When a node, the load or the floor fails: there are no figures then.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let folder = match &self.work_dir {
            Some(folder) => folder.clone(),
            None => medium::durable_folder()?,
        };
        if self.lane {
            return self.run_lane(&folder, output).await;
        }
        let mut trials = Vec::new();
        for profile in self.profile.profiles() {
            trials.push(trial::run(&self, &folder, *profile).await.with_context(|| format!("{profile:?}"))?);
        }
        let report =
            Report::new(&self, medium::filesystem(&folder), &trials).context("nothing was measured")?;
        output.answer(&report, |out| report.write_text(out))?;
        Ok(Exit::Done)
    }

    async fn run_lane(&self, folder: &std::path::Path, output: &mut Output) -> anyhow::Result<Exit> {
        let mut reports = Vec::new();
        for profile in self.profile.profiles() {
            reports.push(lane::run(self, folder, *profile).await.with_context(|| format!("{profile:?}"))?);
        }
        output.answer(&reports, |out| reports.iter().try_for_each(|report| report.write_text(out)))?;
        Ok(Exit::expect(reports.iter().all(lane::LaneReport::keeps_its_aims)))
    }
}
