//! The figures: one JSON object, or a page for people.
//!
//! INVARIANT: the names of the JSON object stay; others script against them.

use std::io::{self, Write};

use serde::Serialize;

use puente_core::envelope::SignatureProfile;

use super::Bench;
use super::trial::{PACE, Trial};

/// The figures of one profile. Times in the unit of their name.
#[derive(Debug, Clone, Serialize)]
struct Figures {
    profile: SignatureProfile,
    messages: usize,
    end_to_end_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us_per_message: f64,
    floor_cpu_us_per_message: f64,
    cpu_to_floor: f64,
    sender_cpu_us_per_message: f64,
    receiver_cpu_us_per_message: f64,
    client_cpu_us_per_message: f64,
    paced_per_s: u32,
    paced_p50_ms: f64,
    paced_p99_ms: f64,
    cache_hit_rate: f64,
    decision_cold_us: f64,
    decision_warm_us: f64,
    sign_us: f64,
    decision_cold_to_sign: f64,
    decision_warm_to_sign: f64,
    redacted: usize,
    stayed: usize,
    repeated: usize,
}

/// The whole report: the first profile's figures, what was asked, and the other profiles.
#[derive(Debug, Serialize)]
pub struct Report {
    #[serde(flatten)]
    first: Figures,
    senders: u32,
    batch: u32,
    window: u32,
    seed: u64,
    cores: usize,
    filesystem: String,
    other_profiles: Vec<Figures>,
}

impl Figures {
    #[expect(clippy::cast_precision_loss, reason = "counts of messages are small")]
    fn of(trial: &Trial) -> Self {
        let messages = trial.load.receipted;
        let per_message = |time: std::time::Duration| time.as_secs_f64() * 1e6 / messages.max(1) as f64;
        let (sender, receiver) = (per_message(trial.sender_cpu), per_message(trial.receiver_cpu));
        Self {
            profile: trial.profile,
            messages,
            end_to_end_per_s: messages as f64 / trial.load.elapsed_s,
            p50_ms: trial.load.end_to_end.p50_ms,
            p99_ms: trial.load.end_to_end.p99_ms,
            cpu_us_per_message: sender + receiver,
            floor_cpu_us_per_message: trial.floor.cpu_us,
            cpu_to_floor: (sender + receiver) / trial.floor.cpu_us,
            sender_cpu_us_per_message: sender,
            receiver_cpu_us_per_message: receiver,
            client_cpu_us_per_message: trial.load.client_cpu_us,
            paced_per_s: PACE,
            paced_p50_ms: trial.paced.end_to_end.p50_ms,
            paced_p99_ms: trial.paced.end_to_end.p99_ms,
            cache_hit_rate: trial.hit_rate,
            decision_cold_us: trial.floor.decision_cold_us,
            decision_warm_us: trial.floor.decision_warm_us,
            sign_us: trial.floor.sign_us,
            decision_cold_to_sign: trial.floor.decision_cold_us / trial.floor.sign_us,
            decision_warm_to_sign: trial.floor.decision_warm_us / trial.floor.sign_us,
            redacted: trial.load.redacted,
            stayed: trial.load.stayed,
            repeated: trial.load.repeated,
        }
    }

    const fn name(&self) -> &'static str {
        match self.profile {
            SignatureProfile::P256 => "ES256 / ECDH P-256",
            SignatureProfile::Curve25519 => "Ed25519 / X25519",
        }
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "\n{}", self.name())?;
        writeln!(to, "  mensajes con acuse / receipted messages      {:>10}", self.messages)?;
        writeln!(to, "  por segundo / per second                     {:>10.0}", self.end_to_end_per_s)?;
        writeln!(
            to,
            "  p50, p99 a plena carga / at full load, ms    {:>10.0} {:>8.0}",
            self.p50_ms, self.p99_ms
        )?;
        writeln!(
            to,
            "  p50, p99 a {}/s / at {}/s, ms              {:>10.0} {:>8.0}",
            self.paced_per_s, self.paced_per_s, self.paced_p50_ms, self.paced_p99_ms
        )?;
        writeln!(to, "  CPU por mensaje / per message, µs            {:>10.0}", self.cpu_us_per_message)?;
        writeln!(
            to,
            "    emisor, receptor / sender, receiver        {:>10.0} {:>8.0}",
            self.sender_cpu_us_per_message, self.receiver_cpu_us_per_message
        )?;
        writeln!(
            to,
            "    cliente, aparte / client, apart            {:>10.0}",
            self.client_cpu_us_per_message
        )?;
        writeln!(
            to,
            "  suelo / floor, µs                            {:>10.0}",
            self.floor_cpu_us_per_message
        )?;
        writeln!(to, "  CPU : suelo / CPU to floor                   {:>10.2}", self.cpu_to_floor)?;
        writeln!(
            to,
            "  decisiones recordadas / remembered decisions {:>9.1} %",
            self.cache_hit_rate * 100.0
        )?;
        writeln!(
            to,
            "  decisión nueva, repetida / cold, warm, µs    {:>10.0} {:>8.1}",
            self.decision_cold_us, self.decision_warm_us
        )?;
        writeln!(
            to,
            "  firma; nueva, repetida : firma / signature, µs; cold, warm to it {:>6.0} {:>6.1} {:>6.2}",
            self.sign_us, self.decision_cold_to_sign, self.decision_warm_to_sign
        )?;
        writeln!(
            to,
            "  recortados, no salieron, repetidos / redacted, stayed, repeated  {} {} {}",
            self.redacted, self.stayed, self.repeated
        )
    }
}

impl Report {
    /// The report of these trials; `None` for none.
    pub fn new(asked: &Bench, filesystem: String, trials: &[Trial]) -> Option<Self> {
        let mut figures = trials.iter().map(Figures::of);
        Some(Self {
            first: figures.next()?,
            senders: asked.senders,
            batch: asked.batch,
            window: asked.window,
            seed: asked.seed,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            filesystem,
            other_profiles: figures.collect(),
        })
    }

    /// A page, Spanish and English.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(
            to,
            "{} emisores, lotes de {}, ventana {}, semilla {} / {} senders, batches of {}, window {}, seed {}",
            self.senders,
            self.batch,
            self.window,
            self.seed,
            self.senders,
            self.batch,
            self.window,
            self.seed
        )?;
        writeln!(
            to,
            "{} núcleos, disco {} / {} cores, disk {}",
            self.cores, self.filesystem, self.cores, self.filesystem
        )?;
        std::iter::once(&self.first).chain(&self.other_profiles).try_for_each(|figures| figures.write(to))
    }
}
