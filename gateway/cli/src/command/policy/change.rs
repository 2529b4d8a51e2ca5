//! `puente policy propose|changes|show|grant|refuse|history`: a set of policies on its way into force.
//!
//! The operator of the node hands a set in under an officer's signature; two other officers state on it.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use http::Method;
use puente_core::approval::Verdict;
use puente_core::envelope::Sign as _;
use puente_core::ids::{AgencyId, ApprovalId};
use puente_core::proposal::{Proposal, TYP_PROPOSAL};
use puente_node::config::Config;
use puente_node::keys::{KeyFile, KeyUse};
use serde_json::{Value, json};

use super::read_set;
use crate::command::answer::{each, text, text_at};
use crate::command::statement::{Say, When, officer_of};
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AsAgency, AtHome, read_json};

/// Propone un conjunto / propose a set.
#[derive(Debug, Args)]
pub struct Propose {
    #[command(flatten)]
    at: AtHome,
    /// Carpeta del conjunto / folder of the set.
    set: PathBuf,
    /// Dependencia de quien propone / agency of the one who proposes.
    #[arg(long)]
    agency: AgencyId,
    /// Llave de quien propone, `officer-NOMBRE.key` / key of the one who proposes, `officer-NAME.key`.
    #[arg(long, value_name = "FILE")]
    officer: PathBuf,
    /// Motivo, como código / reason, as a code.
    #[arg(long, default_value = "revision")]
    reason: String,
    #[command(flatten)]
    when: When,
}

/// Lista las propuestas / list the proposals.
#[derive(Debug, Args)]
pub struct Changes {
    #[command(flatten)]
    agency: AsAgency,
}

/// Muestra una propuesta / show a proposal.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    agency: AsAgency,
    /// Propuesta / proposal.
    change: ApprovalId,
}

/// Lo que se dice de una propuesta / what is said of a proposal.
#[derive(Debug, Args)]
pub struct State {
    #[command(flatten)]
    agency: AsAgency,
    /// Propuesta / proposal.
    change: ApprovalId,
    #[command(flatten)]
    say: Say,
}

/// La historia de lo vigente / the history of what was in force.
#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    at: AtHome,
}

impl Propose {
    /// Does it; shows what the two officers will see.
    ///
    /// # Errors
    /// When the set or the key cannot be read, no node runs, or it refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let set = read_set(Some(&self.set))?;
        let config = Config::read(&self.at.home().config())?;
        let proposal = Proposal {
            realm: config.realm,
            country: config.country,
            agency: self.agency,
            officer: officer_of(&self.officer)?,
            set: set.digest(),
            reason: self.reason,
            occurred_at: self.when.occurred_at()?,
            captured: self.when.captured(),
        };
        let key = KeyFile::load(&self.officer, KeyUse::Sign)?;
        let signed = key.signer()?.sign(TYP_PROPOSAL, &serde_json::to_vec(&proposal)?)?;
        let body = serde_json::to_vec(&json!({"files": set.files(), "proposal": signed}))?;
        let value = read_json(&self.at.node().post("/v1/policy/changes", body).await?)?;
        output.answer(&value, |out| {
            write_shown(out, &value)?;
            writeln!(out, "Propuesta: la ponen en vigor dos personas oficiales, ninguna quien propuso.")?;
            writeln!(out, "Proposed: two officers put it in force, neither of them who proposed it.")
        })?;
        Ok(Exit::Done)
    }
}

impl Changes {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let value = read_json(&self.agency.act(output)?.get("/v1/policies").await?)?;
        output.answer(&value, |out| {
            let changes = value.get("changes").and_then(Value::as_array);
            changes.into_iter().flatten().try_for_each(|change| write_change(out, change))
        })?;
        Ok(Exit::Done)
    }
}

impl Show {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let path = format!("/v1/policies/{}", self.change);
        let value = read_json(&self.agency.act(output)?.get(&path).await?)?;
        output.answer(&value, |out| write_shown(out, &value))?;
        Ok(Exit::Done)
    }
}

impl State {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, verdict: Verdict, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let place = ("/v1/policies", "/change/preview");
        let value = self.say.state(&acting, place, self.change, verdict).await?;
        output.answer(&value, |out| {
            let (es, en) = match value.get("state").and_then(Value::as_str) {
                Some("granted") => ("En vigor desde ahora.", "In force from now on."),
                Some("refused") => ("Negada: sigue lo vigente.", "Refused: what is in force stays."),
                _ => ("Anotado: falta otro funcionario.", "Recorded: another officer is needed."),
            };
            writeln!(out, "{es}\n{en}")
        })?;
        Ok(Exit::Done)
    }
}

impl History {
    /// Does it.
    ///
    /// # Errors
    /// When no node runs, or it refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let value = read_json(&self.at.node().request(Method::GET, "/v1/policy/changes").await?)?;
        output.answer(&value, |out| {
            writeln!(out, "vigente / in force: {}", text(&value, "in_force"))?;
            for shown in each(&value, "changes") {
                write_change(out, shown.get("change").unwrap_or(&Value::Null))?;
                write_statements(out, shown)?;
            }
            Ok(())
        })?;
        Ok(Exit::Done)
    }
}

fn write_change(out: &mut dyn Write, change: &Value) -> io::Result<()> {
    let when = change.get("closed_ms").or_else(|| change.get("opened_ms")).and_then(Value::as_i64);
    let when = when.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let when = when.map_or_else(|| "-".to_owned(), |when| when.to_string());
    let (id, state, set) =
        (text_at(change, "/change_id"), text_at(change, "/state"), text_at(change, "/set"));
    writeln!(out, "{id}  {state}  {when}  {set}")?;
    match change.get("proposer") {
        Some(Value::Object(_)) => {
            writeln!(
                out,
                "    propuso / proposed: {} {}",
                text_at(change, "/proposer/agency"),
                text_at(change, "/proposer/officer")
            )
        }
        _ => writeln!(out, "    primer arranque / first start"),
    }
}

fn write_statements(out: &mut dyn Write, shown: &Value) -> io::Result<()> {
    for said in each(shown, "statements") {
        writeln!(
            out,
            "    {}: {} {}",
            text_at(said, "/verdict"),
            text_at(said, "/agency"),
            text_at(said, "/officer")
        )?;
    }
    Ok(())
}

fn write_shown(out: &mut dyn Write, shown: &Value) -> io::Result<()> {
    write_change(out, shown.get("change").unwrap_or(&Value::Null))?;
    write_statements(out, shown)?;
    writeln!(out, "    vista previa / preview: {}", text_at(shown, "/change/preview"))?;
    let summary = shown.get("summary").unwrap_or(&Value::Null);
    serde_json::to_writer_pretty(&mut *out, summary)?;
    writeln!(out)
}
