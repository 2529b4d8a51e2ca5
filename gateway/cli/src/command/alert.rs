//! `puente alert`: alerts by their clock, and what officers sign to stop it.
//!
//! Not here: sending an alert; that is a message like any other. INVARIANT: lists and ladders show ids, hours and names of the
//! duty roster; nothing of a child.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use puente_core::duty::{Acted, TYP_ACTED, TYP_TAKEN, TYP_TELEPHONE, Taken, Telephoned};
use puente_core::ids::MessageId;
use puente_core::json::{MAX_DEPTH, parse};
use puente_core::personal::Personal;

use crate::command::answer::{each, text, text_at};
use crate::command::signed_message::{self, Asked};
use crate::command::statement::Signed;
use crate::command::verdict;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{Acting, AsAgency, read_json};

/// Alertas que una persona debe responder / alerts that a person has to answer.
#[derive(Debug, Subcommand)]
pub enum Alert {
    /// Las que esta dependencia debe responder o liberar, o cuya respuesta espera; primero la más urgente / those that this agency has to answer or release, or waits for; the most urgent first.
    List {
        #[command(flatten)]
        agency: AsAgency,
    },
    /// Dónde está una alerta y a quién se llamó / where an alert stands, and who was called.
    Show {
        #[command(flatten)]
        agency: AsAgency,
        /// Alerta / alert.
        alert: MessageId,
    },
    /// Acusa recibo con la firma de una persona oficial / answer it, under an officer's signature.
    Ack(Ack),
    /// Lo primero que se hizo por la niña o niño / the first thing done for the child.
    Action {
        #[command(flatten)]
        agency: AsAgency,
        /// Alerta / alert.
        alert: MessageId,
        /// Qué se hizo, como código, sin datos personales / what was done, as a code, without personal data.
        action: String,
        #[command(flatten)]
        signed: Signed,
    },
    /// Anota que la otra autoridad contestó por teléfono / record that the other authority answered by telephone.
    Telephone {
        #[command(flatten)]
        agency: AsAgency,
        /// Alerta / alert.
        alert: MessageId,
        /// Quién contestó / who answered there.
        #[arg(long)]
        answered_by: String,
        /// En qué número, E.164 / at which number, E.164.
        #[arg(long)]
        number: String,
        #[command(flatten)]
        signed: Signed,
    },
}

/// Un acuse / an acknowledgement.
#[derive(Debug, Args)]
pub struct Ack {
    #[command(flatten)]
    agency: AsAgency,
    /// Alerta / alert.
    alert: MessageId,
    /// Teléfono de quien la toma, a toda hora, E.164 / telephone at any hour of who takes it, E.164.
    #[arg(long)]
    phone: String,
    /// Oficina que la toma / the office that takes it.
    #[arg(long)]
    office: String,
    /// No la toma esta oficina: la refirió a la nombrada / this office does not take it: it referred it to the one named.
    #[arg(long)]
    referred_on: bool,
    /// Lo que la política debe saber de la persona, JSON, como `subject` de un mensaje / what policy has to know of the person, JSON, as a message's `subject`.
    #[arg(long, value_name = "FILE")]
    subject: PathBuf,
    /// La dependencia firma ella misma sus mensajes, con esta clave / the agency signs its messages by itself, with this key.
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
    #[command(flatten)]
    signed: Signed,
}

impl Alert {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::List { agency } => {
                let value = read_json(&agency.act(output)?.get("/v1/alerts").await?)?;
                output.answer(&value, |out| each(&value, "alerts").try_for_each(|alert| told(out, alert)))?;
                Ok(Exit::Done)
            }
            Self::Show { agency, alert } => {
                let value = fetch(&agency.act(output)?, alert).await?;
                output.answer(&value, |out| {
                    told(out, &value)?;
                    each(&value, "calls").try_for_each(|call| called(out, call))
                })?;
                Ok(Exit::Done)
            }
            Self::Ack(ack) => ack.run(output).await,
            Self::Action { agency, alert, action, signed } => {
                let acting = agency.act(output)?;
                let path = format!("/v1/alerts/{alert}/action");
                let value = signed.post(&acting, &path, TYP_ACTED, Acted { alert, action }).await?;
                output.answer(&value, |out| told(out, &value))?;
                Ok(Exit::Done)
            }
            Self::Telephone { agency, alert, answered_by, number, signed } => {
                let acting = agency.act(output)?;
                let path = format!("/v1/alerts/{alert}/telephone");
                let says =
                    Telephoned { alert, officer: Personal::new(answered_by), number: Personal::new(number) };
                let value = signed.post(&acting, &path, TYP_TELEPHONE, says).await?;
                output.answer(&value, |out| told(out, &value))?;
                Ok(Exit::Done)
            }
        }
    }
}

/// An alert with who was called over it.
///
/// # Errors
/// When the node is not there or refuses.
pub async fn fetch(acting: &Acting, alert: MessageId) -> anyhow::Result<Value> {
    read_json(&acting.get(&format!("/v1/alerts/{alert}")).await?)
}

impl Ack {
    /// Reads the alert for whom to answer, which tells its sender that it was opened; signs the act; sends the answer.
    async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let alert = read_json(&acting.get(&format!("/v1/messages/{}/content", self.alert)).await?)?;
        let taken = Taken { alert: self.alert, phone: Some(Personal::new(self.phone.clone())) };
        let statement = self.signed.sign(&acting, TYP_TAKEN, taken)?;
        let message = self.message(&alert, &statement)?;
        let body = match &self.sign {
            None => message,
            Some(file) => match signed_message::sign(&acting, &signed_message::key(file)?, message).await? {
                Asked::Signed(message) => message,
                Asked::Refused(would) => {
                    output.answer(&would, |out| verdict::write(out, &would))?;
                    return Ok(Exit::Refused);
                }
            },
        };
        // The alert has one answer of this office: the same again is the same.
        let key = format!("ack-{}", self.alert);
        let body = serde_json::to_vec(&body)?;
        let answer = acting.post("/v1/messages", "application/json", Some(&key), body).await?;
        let value = read_json(&answer)?;
        output.answer(&value, |out| verdict::write(out, &value))?;
        Ok(Exit::expect(verdict::is_taken(&value)))
    }

    fn message(&self, alert: &Value, statement: &str) -> anyhow::Result<Value> {
        let from = alert.get("from").context("alert without a sender")?;
        let at = self.signed.occurred_at()?;
        Ok(json!({
            "type": format!("{}.ack", text_at(alert, "/header/type")),
            "in_reply_to": self.alert,
            "recipient": from,
            "role": text_at(alert, "/header/recipient/role"),
            "purpose": text_at(alert, "/header/purpose"),
            "legal_basis": {"type": "best_interests"},
            "subject": subject(&self.subject)?,
            "sections": {"ops.metadata": {
                "status": if self.referred_on { "referred_on" } else { "taken" },
                "office": self.office,
                "officer": self.signed.officer()?,
                "phone": self.phone,
                "at": at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
                "zone": at.time_zone().iana_name().filter(|name| name.contains('/')).unwrap_or("Etc/UTC"),
                "statement": statement,
            }},
            "case": text_at(alert, "/header/case"),
        }))
    }
}

fn subject(file: &Path) -> anyhow::Result<Value> {
    let bytes = std::fs::read(file).with_context(|| format!("`{}`", file.display()))?;
    Ok(parse(&bytes, MAX_DEPTH)?)
}

/// An instant of an answer, milliseconds, as it is shown.
fn instant(value: &Value, name: &str) -> String {
    let at = value.get(name).and_then(Value::as_i64).and_then(|at| Timestamp::from_millisecond(at).ok());
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}

fn told(out: &mut dyn Write, alert: &Value) -> io::Result<()> {
    let (by, state) = (instant(alert, "answer_by_ms"), text(alert, "state"));
    let (side, kind, peer) = (text(alert, "side"), text(alert, "type"), text(alert, "peer"));
    writeln!(out, "{by}  {state}  {side}  {kind}  {peer}  {}", text(alert, "alert_id"))?;
    if alert.get("act_by_ms").is_some_and(Value::is_i64) && alert.get("acted_ms").is_some_and(Value::is_null)
    {
        writeln!(out, "    actuar antes de / act before: {}", instant(alert, "act_by_ms"))?;
    }
    let silences: Vec<&str> = each(alert, "told").filter_map(Value::as_str).collect();
    if !silences.is_empty() {
        writeln!(out, "    avisado / told: {}", silences.join(", "))?;
    }
    Ok(())
}

fn called(out: &mut dyn Write, call: &Value) -> io::Result<()> {
    let (made, at) = (instant(call, "made_ms"), instant(call, "at_ms"));
    let said = |name: &str| text(call, name);
    writeln!(
        out,
        "  {made}  {}  {}  {}  {}  {} {at}",
        said("as"),
        said("contact"),
        said("channel"),
        said("why"),
        said("state")
    )
}
