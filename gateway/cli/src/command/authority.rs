//! `puente authority`: what an authority's officers approve, refuse and take back under their own key.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::Value;

use puente_core::approval::Verdict;
use puente_core::authority::{Approves, Determines, TYP_APPROVES, TYP_DETERMINES, TYP_TAKES_BACK, TakesBack};
use puente_core::ids::{ActId, ApprovalId, Digest};
use puente_core::personal::Personal;
use puente_core::policy::{Approval, Flag};

use crate::command::answer::{each, text};
use crate::command::statement::Signed;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{Acting, AsAgency, read_json};

/// Lo que sólo una autoridad deja salir / what only an authority lets go.
#[derive(Debug, Subcommand)]
pub enum Authority {
    /// Lo que espera a la autoridad / what waits for the authority.
    List {
        #[command(flatten)]
        agency: AsAgency,
    },
    /// Lo que se presentó y lo que leería el otro país / what was submitted and what the other country would read.
    Show {
        #[command(flatten)]
        agency: AsAgency,
        /// Fila retenida / held row.
        approval: ApprovalId,
    },
    /// La aprueba hasta un día / approve it until a day.
    Approve(Say),
    /// La niega: una basta / refuse it: one is enough.
    Refuse(Say),
    /// Lo que la autoridad ha aprobado / what the authority has approved.
    Acts {
        #[command(flatten)]
        agency: AsAgency,
    },
    /// Determina un hecho sobre una persona, hasta un día / determine a fact about a person, until a day.
    Determine(Determine),
    /// Lo que la autoridad ha determinado / what the authority has determined.
    Determinations {
        #[command(flatten)]
        agency: AsAgency,
    },
    /// Retira una determinación / take a determination back.
    Undetermine {
        #[command(flatten)]
        agency: AsAgency,
        /// Determinación / determination.
        act: ActId,
        #[command(flatten)]
        signed: Signed,
    },
    /// Retira una aprobación / take an approval back.
    Withdraw {
        #[command(flatten)]
        agency: AsAgency,
        /// Acto / act.
        act: ActId,
        #[command(flatten)]
        signed: Signed,
    },
}

/// Lo que dice la autoridad / what the authority says.
#[derive(Debug, Args)]
pub struct Say {
    #[command(flatten)]
    agency: AsAgency,
    /// Fila retenida / held row.
    approval: ApprovalId,
    /// Qué aprobación: sender_child_protection, missing_child_authority / which approval.
    #[arg(long, value_parser = approval)]
    gives: Approval,
    /// Hasta cuándo vale / until when it stands (RFC 3339).
    #[arg(long, value_name = "INSTANT")]
    until: Timestamp,
    /// Motivo, como código / reason, as a code.
    #[arg(long, default_value = "reviewed")]
    reason: String,
    /// Huella de la vista previa que se leyó; la actual si se omite / digest of the preview that was read; the present one when left out.
    #[arg(long, value_name = "DIGEST")]
    preview: Option<Digest>,
    #[command(flatten)]
    signed: Signed,
}

/// Lo que la autoridad determina sobre una persona / what the authority determines about a person.
#[derive(Debug, Args)]
pub struct Determine {
    #[command(flatten)]
    agency: AsAgency,
    /// Archivo con la referencia de la persona y nada más: un argumento se ve en la lista de procesos / file with the person's
    /// reference and nothing else: an argument shows in the list of processes.
    #[arg(long, value_name = "FILE")]
    about: PathBuf,
    /// Hecho: bid_positive, caregiver_assessed, written_waiver / fact.
    #[arg(long, value_parser = fact)]
    fact: Flag,
    /// No es así / it is not so.
    #[arg(long)]
    denies: bool,
    /// Hasta cuándo vale / until when it stands (RFC 3339).
    #[arg(long, value_name = "INSTANT")]
    until: Timestamp,
    /// Motivo, como código / reason, as a code.
    #[arg(long, default_value = "reviewed")]
    reason: String,
    #[command(flatten)]
    signed: Signed,
}

fn fact(text: &str) -> Result<Flag, String> {
    let known = Flag::ALL.iter().find(|fact| fact.code() == text);
    known.copied().ok_or_else(|| "not a fact of the vocabulary".to_owned())
}

fn approval(text: &str) -> Result<Approval, String> {
    let known = Approval::ALL.into_iter().find(|approval| approval.code() == text);
    known.ok_or_else(|| {
        let codes: Vec<_> = Approval::ALL.iter().map(|approval| approval.code()).collect();
        format!("expected one of {}", codes.join(", "))
    })
}

impl Authority {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::List { agency } => {
                let waiting = "/v1/approvals?state=open&for_authority=true";
                let value = read_json(&agency.act(output)?.get(waiting).await?)?;
                rows(&value, "approvals", &["approval_id", "type", "to", "preview"], output)
            }
            Self::Show { agency, approval } => {
                let value = fetch(&agency.act(output)?, approval).await?;
                output.answer(&value, |out| {
                    serde_json::to_writer_pretty(&mut *out, &value)?;
                    writeln!(out)
                })?;
                Ok(Exit::Done)
            }
            Self::Approve(say) => say.run(Verdict::Grant, output).await,
            Self::Refuse(say) => say.run(Verdict::Refuse, output).await,
            Self::Acts { agency } => {
                let value = read_json(&agency.act(output)?.get("/v1/acts").await?)?;
                rows(&value, "acts", &["act_id", "approval", "type", "to", "officer"], output)
            }
            Self::Determine(determine) => determine.run(output).await,
            Self::Determinations { agency } => {
                let value = read_json(&agency.act(output)?.get("/v1/determinations").await?)?;
                rows(&value, "determinations", &["determination_id", "fact", "officer"], output)
            }
            Self::Undetermine { agency, act, signed } => {
                let acting = agency.act(output)?;
                let path = format!("/v1/determinations/{act}/withdraw");
                let value = signed.post(&acting, &path, TYP_TAKES_BACK, TakesBack { act }).await?;
                output.answer(&value, |out| writeln!(out, "Retirada.\nTaken back."))?;
                Ok(Exit::Done)
            }
            Self::Withdraw { agency, act, signed } => {
                let acting = agency.act(output)?;
                let path = format!("/v1/acts/{act}/withdraw");
                let value = signed.post(&acting, &path, TYP_TAKES_BACK, TakesBack { act }).await?;
                output.answer(&value, |out| writeln!(out, "Retirada.\nTaken back."))?;
                Ok(Exit::Done)
            }
        }
    }
}

async fn fetch(acting: &Acting, approval: ApprovalId) -> anyhow::Result<Value> {
    read_json(&acting.get(&format!("/v1/approvals/{approval}")).await?)
}

fn rows(value: &Value, list: &str, fields: &[&str], output: &mut Output) -> anyhow::Result<Exit> {
    output.answer(value, |out| {
        for row in each(value, list) {
            let texts: Vec<_> = fields.iter().map(|name| text(row, name)).collect();
            writeln!(out, "{}", texts.join("  "))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

impl Determine {
    async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let about = std::fs::read_to_string(&self.about)
            .with_context(|| format!("reference `{}`", self.about.display()))?;
        let says = Determines {
            about: Personal::new(about.trim().to_owned()),
            fact: self.fact,
            holds: !self.denies,
            until: self.until,
            reason: self.reason,
        };
        let value = self.signed.post(&acting, "/v1/determinations", TYP_DETERMINES, says).await?;
        output.answer(&value, |out| {
            let id = text(&value, "determination_id");
            writeln!(out, "Anotada, cuenta desde ahora: {id}\nRecorded, it counts from now on.")
        })?;
        Ok(Exit::Done)
    }
}

impl Say {
    async fn run(self, verdict: Verdict, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let preview = match self.preview {
            Some(seen) => seen,
            None => {
                let shown = fetch(&acting, self.approval).await?;
                shown.pointer("/approval/preview").and_then(Value::as_str).unwrap_or_default().parse()?
            }
        };
        let says = Approves {
            approval: self.gives,
            row: self.approval,
            preview,
            verdict,
            until: self.until,
            reason: self.reason,
        };
        let path = format!("/v1/approvals/{}/authority", self.approval);
        let value = self.signed.post(&acting, &path, TYP_APPROVES, says).await?;
        output.answer(&value, |out| {
            let (es, en) = match value.get("state").and_then(Value::as_str) {
                Some("granted") => {
                    ("Aprobada: sale por la cola.", "Approved: it goes out through the queue.")
                }
                Some("refused") => ("Negada: no sale.", "Refused: it does not go."),
                _ => ("Anotado: otra regla la retiene todavía.", "Recorded: another rule still holds it."),
            };
            writeln!(out, "{es}\n{en}")
        })?;
        Ok(Exit::Done)
    }
}
