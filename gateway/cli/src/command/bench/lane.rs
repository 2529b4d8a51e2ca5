//! The lane of alerts beside bulk traffic: a peer is dead while a list of 100,000 rows and some alerts are submitted; it
//! returns; its queue drains while another list is imported and alerts go on.
//!
//! INVARIANT: alerts and rows go to the same peer, through the same two nodes and disks, at the same time; nothing is
//! switched off for either.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde::Serialize;
use tokio::task::spawn_blocking;

use puente_core::envelope::SignatureProfile;

use super::Bench;
use super::latency::Percentiles;
use super::medium;
use super::stage::Stage;
use super::trial::Rows;
use super::workload::Kind;

/// Alerts that wait for the dead peer.
const WAITING_ALERTS: u32 = 20;
/// Alerts per second while the queue drains: more than a region has in a bad hour.
const ALERT_PACE: u32 = 10;
/// Alerts that are measured while it does.
const ALERTS: u32 = 300;
/// Rows of the list that is imported meanwhile.
const IMPORTED: u32 = 20_000;
/// The queue is empty within this, or something is wrong.
const LONGEST_DRAIN: Duration = Duration::from_secs(900);
/// What an alert may take, 99 of 100, milliseconds (PROTOCOL.md section 1; issue 4).
const AIM_MS: f64 = 250.0;
/// What the last alert may take after a dead peer returns, seconds.
const RETURN_AIM_S: f64 = 5.0;

/// What was found with one kind of keys. Times in the unit of their name.
#[derive(Debug, Clone, Serialize)]
pub struct LaneReport {
    profile: SignatureProfile,
    /// Rows that waited when the peer returned.
    waiting_rows: f64,
    /// Rows that still waited when the last alert was receipted.
    left_rows: f64,
    /// From the peer's return to the receipt of the last alert that waited for it.
    return_s: f64,
    alerts: usize,
    alert_per_s: u32,
    alert_ms: Percentiles,
    imported_rows: usize,
    bulk_per_s: f64,
    bulk_seconds: f64,
    load_average: String,
    cores: usize,
    filesystem: String,
}

/// Runs one trial.
///
/// # Errors
/// When a node or a load fails, or a message got lost.
pub async fn run(asked: &Bench, folder: &Path, profile: SignatureProfile) -> anyhow::Result<LaneReport> {
    let mut stage = Stage::set(folder, profile).await?;
    let seed = |part: u64| asked.seed.wrapping_mul(1_000).wrapping_add(part);
    let alerts = |messages, part| Rows { kind: Kind::Alerts, ..Rows::of(messages, seed(part)) };
    Rows::of(2_048, seed(11)).start(asked, &stage)?.go()?.report()?;
    alerts(50, 12).start(asked, &stage)?.go()?.report()?;
    let imported = Rows::of(IMPORTED, seed(13)).start(asked, &stage)?;
    let measured = Rows { rate: Some(ALERT_PACE), ..alerts(ALERTS, 14) }.start(asked, &stage)?;

    stage.receiver.stop();
    let list = Rows { window: Some(asked.waiting), leave: true, ..Rows::of(asked.waiting, seed(15)) };
    list.start(asked, &stage)?.go()?.report()?;
    let waiting_alerts = alerts(WAITING_ALERTS, 16).start(asked, &stage)?.go()?;
    let waiting_rows = stage.sender.waiting("bulk")?;

    stage.receiver.start()?;
    stage.receiver.await_ready().await?;
    let returned = Instant::now();
    let (imported, measured) = (imported.go()?, measured.go()?);
    // The clients are processes; waiting for their word blocks a thread each.
    let last = spawn_blocking(move || waiting_alerts.report().map(|_| returned.elapsed()));
    let measured = spawn_blocking(move || measured.report());
    let imported = spawn_blocking(move || imported.report());
    let mut look = tokio::time::interval(Duration::from_millis(200));
    let mut left_rows = None;
    let bulk = loop {
        look.tick().await;
        let waiting = stage.sender.waiting("bulk")?;
        if measured.is_finished() {
            left_rows.get_or_insert(waiting);
        }
        if waiting == 0.0 && imported.is_finished() {
            break returned.elapsed();
        }
        ensure!(returned.elapsed() < LONGEST_DRAIN, "the queue does not drain");
    };
    let (last, measured, imported) = (last.await??, measured.await??, imported.await??);
    let left_rows = left_rows.unwrap_or_default();
    ensure!(measured.receipted == usize::try_from(ALERTS)?, "an alert did not leave");
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
    let rows = waiting_rows + imported.receipted as f64;
    Ok(LaneReport {
        profile,
        waiting_rows,
        left_rows,
        return_s: last.as_secs_f64(),
        alerts: measured.receipted,
        alert_per_s: ALERT_PACE,
        alert_ms: measured.end_to_end,
        imported_rows: imported.receipted,
        bulk_per_s: rows / bulk.as_secs_f64(),
        bulk_seconds: bulk.as_secs_f64(),
        load_average: load_average(),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        filesystem: medium::filesystem(folder),
    })
}

/// The machine's load of the last minute, as the kernel tells it.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

impl LaneReport {
    /// Whether alerts were as quick as they have to be.
    pub fn keeps_its_aims(&self) -> bool {
        self.alert_ms.p99_ms < AIM_MS && self.return_s < RETURN_AIM_S
    }

    /// A page, Spanish and English.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, to: &mut dyn Write) -> io::Result<()> {
        let (waiting, left) = (self.waiting_rows, self.left_rows);
        writeln!(to, "\n{:?}, {} núcleos / cores, {}", self.profile, self.cores, self.filesystem)?;
        writeln!(
            to,
            "  filas que esperaban, quedaban / rows that waited, were left  {waiting:.0} {left:.0}"
        )?;
        writeln!(
            to,
            "  alertas: p50, p99, máx. / alerts: p50, p99, max, ms ({} a {}/s)  {:.0} {:.0} {:.0}",
            self.alerts, self.alert_per_s, self.alert_ms.p50_ms, self.alert_ms.p99_ms, self.alert_ms.max_ms
        )?;
        writeln!(to, "  tras volver el par / after the peer's return, s               {:.2}", self.return_s)?;
        writeln!(
            to,
            "  filas por segundo / rows per second ({:.0} s, {} importadas / imported)  {:.0}",
            self.bulk_seconds, self.imported_rows, self.bulk_per_s
        )?;
        writeln!(to, "  carga / load average  {}", self.load_average)
    }
}
