//! `puente approval`: held rows, and what officers say of them under their own key.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::{Value, json};

use puente_core::approval::{Captured, Statement, TYP_STATEMENT, Verdict};
use puente_core::envelope::Sign as _;
use puente_core::ids::{ApprovalId, Digest, OfficerId};
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::keys::{KeyFile, KeyUse};

use crate::command::query::with_query;
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
    Grant(Say),
    /// La niega / refuse it.
    Refuse(Say),
}

/// Lo que dice un funcionario / what an officer says.
#[derive(Debug, Args)]
pub struct Say {
    #[command(flatten)]
    agency: AsAgency,
    /// Fila retenida / held row.
    approval: ApprovalId,
    /// Llave del funcionario, `officer-NOMBRE.key` / the officer's key, `officer-NAME.key`.
    #[arg(long, value_name = "FILE")]
    officer: PathBuf,
    /// Motivo, como código / reason, as a code.
    #[arg(long, default_value = "reviewed")]
    reason: String,
    /// Huella de la vista previa que se leyó; la actual si se omite / digest of the preview that was read; the present one when left out.
    #[arg(long, value_name = "DIGEST")]
    preview: Option<Digest>,
    /// Zona horaria de la oficina (IANA) / the office's time zone.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Cuándo se decidió, si no fue ahora / when it was decided, if not now (RFC 9557).
    #[arg(long, value_name = "INSTANT", requires = "captured")]
    occurred_at: Option<Zoned>,
    /// Cómo llegó al sistema / how it reached the system.
    #[arg(long, value_enum, default_value_t = Capture::Screen)]
    captured: Capture,
}

/// How a decision reached the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Capture {
    /// En pantalla / at a screen.
    Screen,
    /// De papel / from paper.
    Paper,
    /// Por teléfono / by telephone.
    Telephone,
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
            Self::Grant(say) => say.run(Verdict::Grant, output).await,
            Self::Refuse(say) => say.run(Verdict::Refuse, output).await,
        }
    }
}

async fn fetch(acting: &Acting, approval: ApprovalId) -> anyhow::Result<Value> {
    read_json(&acting.get(&format!("/v1/approvals/{approval}")).await?)
}

async fn list(acting: &Acting, state: Option<String>, output: &mut Output) -> anyhow::Result<Exit> {
    let value = read_json(&acting.get(&with_query("/v1/approvals", &[("state", state)])).await?)?;
    output.answer(&value, |out| {
        for row in value.get("approvals").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("-");
            writeln!(out, "{}  {}  {} → {}", text("approval_id"), text("state"), text("type"), text("to"))?;
            let rules = row.get("rules").and_then(Value::as_array).into_iter().flatten();
            let rules: Vec<_> = rules.filter_map(Value::as_str).collect();
            writeln!(out, "    {}", rules.join(", "))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

impl Say {
    async fn run(self, verdict: Verdict, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let preview = match self.preview {
            Some(preview) => preview,
            None => {
                let shown = fetch(&acting, self.approval).await?;
                let preview = shown.pointer("/approval/preview").and_then(Value::as_str).unwrap_or_default();
                preview.parse()?
            }
        };
        let statement = self.statement(&acting, preview, verdict)?;
        let key = KeyFile::load(&self.officer, KeyUse::Sign)?;
        let signed = key.signer()?.sign(TYP_STATEMENT, &serde_json::to_vec(&statement)?)?;
        let path = format!("/v1/approvals/{}/statements", self.approval);
        let body = serde_json::to_vec(&json!({ "statement": signed }))?;
        let value = read_json(&acting.post(&path, "application/json", None, body).await?)?;
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

    fn statement(&self, acting: &Acting, preview: Digest, verdict: Verdict) -> anyhow::Result<Statement> {
        let occurred_at = match &self.occurred_at {
            Some(instant) => instant.clone(),
            None => {
                let now = Timestamp::from_millisecond(SystemClock::default().now_ms())?;
                now.to_zoned(TimeZone::get(&self.zone)?)
            }
        };
        Ok(Statement {
            realm: acting.realm,
            country: acting.country.clone(),
            agency: acting.agency.clone(),
            officer: officer_of(&self.officer)?,
            approval: self.approval,
            preview,
            verdict,
            reason: self.reason.clone(),
            occurred_at,
            captured: match self.captured {
                Capture::Screen => Captured::Screen,
                Capture::Paper => Captured::Paper,
                Capture::Telephone => Captured::Telephone,
            },
        })
    }
}

/// The officer whose key this is, by the name of its file.
fn officer_of(key: &Path) -> anyhow::Result<OfficerId> {
    let name = key.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_prefix("officer-"));
    Ok(name.ok_or_else(|| anyhow::anyhow!("the officer's key is a file `officer-NAME.key`"))?.parse()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_name_of_the_key_names_the_officer() {
        assert_eq!(officer_of(Path::new("a/officer-ana.key")).unwrap().as_str(), "ana");
        assert_eq!(officer_of(Path::new("officer-ana.maria.key")).unwrap().as_str(), "ana.maria");
        assert!(officer_of(Path::new("client.key")).is_err());
        assert!(officer_of(Path::new("officer-.key")).is_err());
    }
}
