//! `puente approval`: held rows, and what officers say of them under their own key.

use clap::{Args, Subcommand};
use serde_json::Value;

use puente_core::approval::Verdict;
use puente_core::ids::ApprovalId;

use crate::command::answer::{each, text};
use crate::command::query::with_query;
use crate::command::statement::Say;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{Acting, AsAgency, read_json};

/// Filas retenidas / held rows.
#[derive(Debug, Subcommand)]
pub enum Approval {
    /// Las filas retenidas de la dependencia / the agency's held rows.
    List {
        #[command(flatten)]
        agency: AsAgency,
        /// Solo en este estado / only in this state: open, granted, refused, lapsed.
        #[arg(long)]
        state: Option<String>,
    },
    /// Lo presentado y lo que leería el otro país / what was submitted and what the other country would read.
    Show {
        #[command(flatten)]
        agency: AsAgency,
        /// Fila retenida / held row.
        approval: ApprovalId,
    },
    /// La libera, con otro funcionario / release it, together with another officer.
    Grant(State),
    /// La niega / refuse it.
    Refuse(State),
}

/// Lo que dice un funcionario / what an officer says.
#[derive(Debug, Args)]
pub struct State {
    #[command(flatten)]
    agency: AsAgency,
    /// Fila retenida / held row.
    approval: ApprovalId,
    #[command(flatten)]
    say: Say,
}

impl Approval {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::List { agency, state } => list(&agency.act(output)?, state, output).await,
            Self::Show { agency, approval } => {
                let value = fetch(&agency.act(output)?, approval).await?;
                output.answer(&value, |out| {
                    serde_json::to_writer_pretty(&mut *out, &value)?;
                    writeln!(out)
                })?;
                Ok(Exit::Done)
            }
            Self::Grant(state) => state.run(Verdict::Grant, output).await,
            Self::Refuse(state) => state.run(Verdict::Refuse, output).await,
        }
    }
}

async fn fetch(acting: &Acting, approval: ApprovalId) -> anyhow::Result<Value> {
    read_json(&acting.get(&format!("/v1/approvals/{approval}")).await?)
}

async fn list(acting: &Acting, state: Option<String>, output: &mut Output) -> anyhow::Result<Exit> {
    let value = read_json(&acting.get(&with_query("/v1/approvals", &[("state", state)])).await?)?;
    output.answer(&value, |out| {
        for row in each(&value, "approvals") {
            let said = |name: &str| text(row, name);
            writeln!(out, "{}  {}  {} → {}", said("approval_id"), said("state"), said("type"), said("to"))?;
            let rules: Vec<_> = each(row, "rules").filter_map(Value::as_str).collect();
            writeln!(out, "    {}", rules.join(", "))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

impl State {
    async fn run(self, verdict: Verdict, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let place = ("/v1/approvals", "/approval/preview");
        let value = self.say.state(&acting, place, self.approval, verdict).await?;
        output.answer(&value, |out| {
            let (es, en) = match value.get("state").and_then(Value::as_str) {
                Some("granted") => {
                    ("Liberada: sale hoy por la cola.", "Released: it goes out through the queue.")
                }
                Some("refused") => ("Negada: no sale.", "Refused: it does not go."),
                _ => ("Anotado: falta otro funcionario.", "Recorded: another officer is needed."),
            };
            writeln!(out, "{es}\n{en}")
        })?;
        Ok(Exit::Done)
    }
}
