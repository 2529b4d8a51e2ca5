//! `puente drill`: an exercise alert about nobody, sent as a real one, and how long each rung of its ladder took.
//!
//! Not here: the ladder; it is the nodes' own. INVARIANT: only credentials of the training realm are used: a drill never
//! reaches a node in production, and every notice of it says that it is one.

mod exercise;
mod report;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use puente_core::ids::{AgencyId, CountryCode, MessageId, Realm};

use puente_node::clock::{Clock as _, SystemClock};

use crate::command::{alert, verdict};
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{Acting, AsAgency, read_json};

use report::Report;

/// Between two looks at the ladder.
const LOOK: Duration = Duration::from_secs(2);

/// After the last rung, a call that no channel took is waited for no longer than this.
const LAST_CALLS: Duration = Duration::from_secs(60);

/// The ways in which a ladder ends, when somebody has answered or nobody will.
const ENDS: [&str; 4] = ["answered", "acted", "no_answer", "not_taken"];

/// Un simulacro / a drill.
///
/// Sends an exercise alert from one protection authority to another and watches who is called until an officer answers or the
/// term ends. Exit status 0 says that an officer answered in time.
#[derive(Debug, Args)]
pub struct Drill {
    #[command(flatten)]
    agency: AsAgency,
    /// País al que se alerta / the country that is alerted.
    #[arg(long, value_name = "COUNTRY")]
    to: CountryCode,
    /// Su autoridad de protección, si importa cuál / its protection authority, where it matters which.
    #[arg(long, value_name = "AGENCY")]
    to_agency: Option<AgencyId>,
    /// Carpeta con la credencial de la otra autoridad, para ver también a quién se llamó allí / the other authority's credential, to see as well who was called there.
    #[arg(long, value_name = "DIR")]
    there: Option<std::path::PathBuf>,
    /// Hasta que alguien actúe, no sólo hasta que conteste / until somebody has acted, not only answered.
    #[arg(long)]
    to_action: bool,
    /// Sigue mirando un simulacro ya enviado / go on watching a drill that was sent before.
    #[arg(long, value_name = "ALERT")]
    alert: Option<MessageId>,
}

impl Drill {
    /// Sends, watches, reports.
    ///
    /// # Errors
    /// In another realm than training, and when a node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let there = match &self.there {
            Some(folder) => Some(AsAgency::at(folder).act(output)?),
            None => None,
        };
        for acting in std::iter::once(&acting).chain(&there) {
            anyhow::ensure!(
                acting.realm == Realm::Training,
                "a drill is for the training realm; this credential is of `{}`",
                acting.realm
            );
        }
        let alert = match self.alert {
            Some(alert) => alert,
            None => match self.send(&acting, output).await? {
                Some(alert) => alert,
                None => return Ok(Exit::Refused),
            },
        };
        output.note(
            &format!("Simulacro {alert}: se mira la escalera hasta su fin."),
            &format!("Drill {alert}: its ladder is watched to the end."),
        )?;
        let report = self.watch(&acting, there.as_ref(), alert).await?;
        output.answer(&report, |out| report.write_text(out))?;
        Ok(Exit::expect(report.is_answered()))
    }

    /// Sends the exercise; `None` when it was not let go, and why was told.
    async fn send(&self, acting: &Acting, output: &mut Output) -> anyhow::Result<Option<MessageId>> {
        let now = Timestamp::from_millisecond(SystemClock::default().now_ms())?;
        let today = now.to_zoned(TimeZone::UTC).date();
        let body = serde_json::to_vec(&exercise::alert(&self.to, self.to_agency.as_ref(), today))?;
        let key = uuid::Uuid::new_v4().to_string();
        let answer = acting.post("/v1/messages", "application/json", Some(&key), body).await?;
        let said = read_json(&answer)?;
        match said.get("message_id").and_then(Value::as_str) {
            Some(id) => Ok(Some(id.parse().context("message id")?)),
            None => {
                output.answer(&said, |out| verdict::write(out, &said))?;
                Ok(None)
            }
        }
    }

    async fn watch(
        &self,
        acting: &Acting,
        there: Option<&Acting>,
        alert: MessageId,
    ) -> anyhow::Result<Report> {
        let mut look = tokio::time::interval(LOOK);
        let mut ended: Option<Instant> = None;
        loop {
            look.tick().await;
            let here = alert::fetch(acting, alert).await?;
            let over = self.is_over(&here);
            let mut sides = vec![here];
            if let Some(there) = there {
                // Not yet there, or there and the node away for a moment: the next look sees it.
                sides.extend(alert::fetch(there, alert).await.ok());
            }
            if over {
                let ended = *ended.get_or_insert_with(Instant::now);
                let report = Report::of(&sides).context("alert without its hours")?;
                if !report.has_calls_under_way() || ended.elapsed() >= LAST_CALLS {
                    return Ok(report);
                }
            }
        }
    }

    fn is_over(&self, alert: &Value) -> bool {
        let state = alert.get("state").and_then(Value::as_str).unwrap_or_default();
        let told = |silence: &str| {
            alert
                .get("told")
                .and_then(Value::as_array)
                .is_some_and(|told| told.iter().any(|of| of == silence))
        };
        match (self.to_action, state) {
            (true, "answered") => told("no_action"),
            _ => ENDS.contains(&state),
        }
    }
}
