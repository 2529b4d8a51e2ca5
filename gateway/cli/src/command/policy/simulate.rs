//! `puente policy simulate`: the running node decides its recorded decisions again by another set.
//!
//! The facts stay sealed in the node; what comes back is ids, outcomes and rules.

use std::path::PathBuf;

use clap::Args;
use jiff::{Span, SpanRelativeTo};
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::policy::Simulated;
use serde_json::json;

use super::read_set;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AtHome, accepted};

/// Repite decisiones registradas con otro conjunto / decide recorded decisions again by another set.
#[derive(Debug, Args)]
pub struct Simulate {
    #[command(flatten)]
    at: AtHome,
    /// El conjunto nuevo / the new set.
    new: PathBuf,
    /// Desde hace cuánto: 7d, 12h / since how long ago: 7d, 12h.
    #[arg(long, default_value = "7d", value_name = "SPAN")]
    since: Span,
}

impl Simulate {
    /// Does it, page by page; ends with 1 when something would release more, or the record does not repeat.
    ///
    /// # Errors
    /// When the set cannot be read, or no node runs, or it refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let set = read_set(Some(&self.new))?;
        let back = self.since.to_duration(SpanRelativeTo::days_are_24_hours())?;
        let back_ms = i64::try_from(back.as_millis())?;
        let since_ms = SystemClock::default().now_ms().saturating_sub(back_ms.saturating_abs());
        let mut all = Simulated::default();
        let mut before = None;
        loop {
            let body = json!({"files": set.files(), "since_ms": since_ms, "before": before});
            let answer = self.at.node().post("/v1/policy/simulate", serde_json::to_vec(&body)?).await?;
            let page: Simulated = accepted(answer)?.json()?;
            all.extend(page);
            before = all.next;
            if before.is_none() {
                break;
            }
            output.note(
                &format!("{} decisiones repetidas…", all.replayed),
                &format!("{} decisions decided again…", all.replayed),
            )?;
        }
        let more = all.releases_more();
        output.answer(&all, |out| {
            for moved in &all.moves {
                let shift = moved.shift.as_deref().unwrap_or("same");
                let mark = if shift == "releases_more" { "!!" } else { "  " };
                let (old, new, rule) = (&moved.old, &moved.new, &moved.rule);
                writeln!(out, "{mark} {old} → {new}  {rule}  {shift}  {}", moved.count)?;
                if moved.shift.is_some() {
                    moved.messages.iter().try_for_each(|message| writeln!(out, "       {message}"))?;
                }
            }
            writeln!(
                out,
                "{} decisiones; {} ilegibles; {more} dejarían salir más",
                all.replayed, all.unreadable
            )?;
            writeln!(
                out,
                "{} decisions; {} unreadable; {more} would release more",
                all.replayed, all.unreadable
            )?;
            if all.unrepeated > 0 {
                writeln!(out, "DEFECTO: {} no se repiten con sus propias políticas", all.unrepeated)?;
                writeln!(out, "DEFECT: {} are not repeated by their own policies", all.unrepeated)?;
                let named = &all.unrepeated_decisions;
                named.iter().try_for_each(|decision| writeln!(out, "       {decision}"))?;
            }
            Ok(())
        })?;
        Ok(Exit::expect(more == 0 && all.unrepeated == 0))
    }
}
