//! `puente case`: children's cases between two authorities, as the agency that is party to them sees them.
//!
//! Not here: sending a step; that is a message like any other. INVARIANT: ids, stages and instants; nothing of a child.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::Value;

use puente_core::ids::{CaseId, MessageId};

use crate::command::answer::{each, text};
use crate::command::query::with_query;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AsAgency, read_json};

/// Casos de niñez / children's cases.
#[derive(Debug, Subcommand)]
pub enum Case {
    /// Casos en los que algo se debe; primero lo que vence antes / cases in which something is owed; what runs out first comes first.
    List(List),
    /// En qué paso está un caso, qué se debe y qué puede seguir / where a case stands, what is owed and what may follow.
    Show {
        #[command(flatten)]
        agency: AsAgency,
        /// Caso / case.
        case: CaseId,
    },
}

/// Qué casos / which cases.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    agency: AsAgency,
    /// Sólo lo que vence a más tardar entonces / only what runs out by then.
    #[arg(long, value_name = "INSTANT")]
    due: Option<Timestamp>,
    /// Después de esta transferencia / after this transfer.
    #[arg(long, value_name = "TRANSFER")]
    after: Option<MessageId>,
}

impl Case {
    /// Shows them.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let (agency, path) = match self {
            Self::Show { agency, case } => (agency, format!("/v1/cases/{case}")),
            Self::List(List { agency, due, after }) => {
                let due = due.map(|at| at.as_millisecond().to_string());
                let after = after.map(|transfer| transfer.to_string());
                (agency, with_query("/v1/cases", &[("due", due), ("after", after)]))
            }
        };
        let value = read_json(&agency.act(output)?.get(&path).await?)?;
        output.answer(&value, |out| {
            for transfer in each(&value, "transfers") {
                told(out, transfer)?;
            }
            match value.get("next").and_then(Value::as_str) {
                Some(next) => writeln!(out, "Siga con / go on with: --after {next}"),
                None => Ok(()),
            }
        })?;
        Ok(Exit::Done)
    }
}

fn instant(value: &Value, name: &str) -> String {
    let at = value.get(name).and_then(Value::as_i64).context("no instant");
    at.and_then(|at| Ok(Timestamp::from_millisecond(at)?))
        .map_or_else(|_| "-".to_owned(), |at| at.to_string())
}

fn told(out: &mut dyn std::io::Write, transfer: &Value) -> std::io::Result<()> {
    let (case, id) = (text(transfer, "case"), text(transfer, "transfer"));
    let (with, side, stage) = (text(transfer, "with"), text(transfer, "we_are"), text(transfer, "stage"));
    writeln!(out, "{case}  {stage}  {with}  {side}  {id}")?;
    for step in each(transfer, "steps") {
        writeln!(out, "  {}  {}  {}", instant(step, "happened_ms"), text(step, "by"), text(step, "type"))?;
    }
    for step in each(transfer, "waiting") {
        writeln!(out, "  espera al anterior / waits for the one before: {}", text(step, "type"))?;
    }
    for void in each(transfer, "void") {
        let kind = void.get("step").map_or("-", |step| text(step, "type"));
        writeln!(out, "  sin efecto / void: {kind} ({})", text(void, "reason"))?;
    }
    for clock in each(transfer, "clocks") {
        let (due, what, owes) = (instant(clock, "due_ms"), text(clock, "what"), text(clock, "owed_by"));
        writeln!(out, "  {due}  se debe / owed: {what} ({owes})")?;
    }
    let allowed: Vec<&str> = each(transfer, "allowed").filter_map(Value::as_str).collect();
    writeln!(out, "  puede seguir / may follow: {}", allowed.join(", "))
}
