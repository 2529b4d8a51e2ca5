//! `puente agency webhook` and `puente webhook dead`: where events are sent, and those that nobody took.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use http::Method;
use puente_core::delivery::EventKind;
use puente_core::ids::{AgencyId, Digest, MessageType, WebhookId};
use serde_json::{Value, json};

use crate::command::answer::{each, text};
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AtHome, read_json};

/// Webhooks de las dependencias / webhooks of the agencies.
#[derive(Debug, Subcommand)]
pub enum AgencyWebhook {
    /// Registra a dónde se envían los avisos / register where events are sent.
    Add(Add),
    /// Los webhooks y hasta dónde van / the webhooks, and how far they are.
    List {
        #[command(flatten)]
        at: AtHome,
    },
    /// Deja de llamar hasta que se reanude / no calls until it is resumed.
    Pause(One),
    /// Sigue con lo pendiente / go on with what is owed.
    Resume(One),
    /// Lo quita, con sus avisos no entregados / remove it, with its dead letters.
    Remove(One),
}

/// Registra un webhook / register a webhook.
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    at: AtHome,
    /// Dependencia / agency.
    agency: AgencyId,
    /// Dirección https / https address.
    #[arg(long)]
    url: String,
    /// Autoridades que respaldan al receptor, PEM / authorities that vouch for the receiver, PEM.
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// SHA-256 de la llave del receptor, en base64url / SHA-256 of the receiver's key, in base64url.
    #[arg(long)]
    pin: Option<Digest>,
    /// Llama sin mostrar certificado / call without showing a certificate.
    #[arg(long)]
    anonymous: bool,
    /// Clase de aviso; repetible / kind of event; may be repeated. Default: every kind.
    #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
    kinds: Vec<EventKind>,
    /// Tipo de mensaje; repetible / type of message; may be repeated. Default: every type.
    #[arg(long = "message-type", value_name = "TYPE")]
    message_types: Vec<MessageType>,
    /// Después de este cursor / after this cursor. Default: from now on.
    #[arg(long)]
    after: Option<i64>,
}

/// Un webhook / one webhook.
#[derive(Debug, Args)]
pub struct One {
    #[command(flatten)]
    at: AtHome,
    /// Webhook.
    webhook: WebhookId,
}

/// Avisos que ningún receptor tomó / events that no receiver took.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Los no entregados / the dead letters.
    #[command(subcommand)]
    Dead(Dead),
}

/// Los no entregados / the dead letters.
#[derive(Debug, Subcommand)]
pub enum Dead {
    /// Cuáles y por qué / which ones and why.
    List {
        #[command(flatten)]
        at: AtHome,
        /// Después de este lugar / after this place.
        #[arg(long, default_value_t = 0)]
        after: i64,
    },
    /// Los envía otra vez / send them once more.
    Resend {
        #[command(flatten)]
        at: AtHome,
        /// Webhook.
        webhook: WebhookId,
        /// Sólo este aviso / this event only.
        #[arg(long)]
        event: Option<i64>,
    },
}

fn kind(text: &str) -> Result<EventKind, String> {
    let known = || EventKind::ALL.map(EventKind::as_str).join(", ");
    EventKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("one of {}", known()))
}

impl AgencyWebhook {
    /// Does it.
    ///
    /// # Errors
    /// When no node runs, or it refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Add(add) => add.run(output).await,
            Self::List { at } => {
                let value = read_json(&at.node().request(Method::GET, "/v1/webhooks").await?)?;
                show(&value, value.get("webhooks"), output)
            }
            Self::Pause(one) => one.act("pause", output).await,
            Self::Resume(one) => one.act("resume", output).await,
            Self::Remove(one) => one.act("remove", output).await,
        }
    }
}

impl Add {
    async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let authority = self.authority.as_deref().map(std::fs::read_to_string).transpose()?;
        let body = json!({"agency": self.agency, "webhook": {
            "url": self.url, "authority": authority, "pin": self.pin, "present_certificate": !self.anonymous,
            "kinds": self.kinds, "message_types": self.message_types, "after": self.after,
        }});
        let value = read_json(&self.at.node().post("/v1/webhooks", serde_json::to_vec(&body)?).await?)?;
        show(&value, Some(&json!([value])), output)
    }
}

impl One {
    async fn act(self, act: &str, output: &mut Output) -> anyhow::Result<Exit> {
        let path = format!("/v1/webhooks/{}/{act}", self.webhook);
        let value = read_json(&self.at.node().request(Method::POST, &path).await?)?;
        if act == "remove" {
            output.answer(&value, |out| writeln!(out, "{}: quitado / removed", self.webhook))?;
            return Ok(Exit::Done);
        }
        show(&value, Some(&json!([value])), output)
    }
}

impl Webhook {
    /// Does it.
    ///
    /// # Errors
    /// When no node runs, or it refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let Self::Dead(dead) = self;
        match dead {
            Dead::List { at, after } => {
                let path = format!("/v1/dead-letters?after={after}");
                let value = read_json(&at.node().request(Method::GET, &path).await?)?;
                output.answer(&value, |out| {
                    for letter in each(&value, "dead_letters") {
                        let event = letter.get("event").and_then(Value::as_i64).unwrap_or_default();
                        writeln!(out, "{}  {event:>8}  {}", text(letter, "webhook"), text(letter, "code"))?;
                    }
                    Ok(())
                })?;
            }
            Dead::Resend { at, webhook, event } => {
                let body = serde_json::to_vec(&json!({"webhook": webhook, "event": event}))?;
                let value = read_json(&at.node().post("/v1/dead-letters/resend", body).await?)?;
                let count = value.get("resent").and_then(Value::as_u64).unwrap_or_default();
                output.answer(&value, |out| {
                    writeln!(out, "{count}: se envían otra vez, fuera de orden.")?;
                    writeln!(out, "{count}: are sent once more, out of order.")
                })?;
            }
        }
        Ok(Exit::Done)
    }
}

fn show(value: &Value, rows: Option<&Value>, output: &mut Output) -> anyhow::Result<Exit> {
    output.answer(value, |out| {
        for row in rows.and_then(Value::as_array).into_iter().flatten() {
            let said = |name: &str| text(row, name);
            let count = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
            writeln!(out, "{}  {}  {}", said("webhook_id"), said("agency"), said("url"))?;
            writeln!(out, "  estado / state                   {} {}", said("state"), said("reason"))?;
            writeln!(out, "  cursor                           {}", count("cursor"))?;
            writeln!(out, "  no entregados / dead letters     {}", count("dead_letters"))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}
