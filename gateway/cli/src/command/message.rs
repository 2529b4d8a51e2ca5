//! `puente message`: send one or many, see what became of one, state that the key of one is lost.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use puente_core::ids::MessageId;
use puente_core::json::{MAX_DEPTH, parse};

use crate::command::lost_message::Lost;
use crate::command::signed_message::{self, Asked};
use crate::command::verdict;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{Acting, AsAgency, AtHome, read_json};

/// Mensajes / messages.
#[derive(Debug, Subcommand)]
pub enum Message {
    /// Envía uno (objeto JSON) o varios (arreglo) / send one (JSON object) or many (array).
    Send(Send),
    /// Qué fue de un mensaje / what became of a message.
    Show(Show),
    /// La llave con que se selló está perdida: que se envíe de nuevo / the key it is sealed to is lost: have it sent again.
    Lost(Lost),
}

/// Envía / send.
#[derive(Debug, Args)]
pub struct Send {
    #[command(flatten)]
    agency: AsAgency,
    /// Archivo JSON / JSON file; `-` is standard input.
    file: PathBuf,
    /// Solo pregunta qué saldría y qué se quitaría / only ask what would leave and what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// Clave con la que repetir no duplica; nueva si se omite / key under which repeating has no double effect; new when left out.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// La dependencia firma ella misma, con esta clave / the agency signs by itself, with this key.
    #[arg(long, value_name = "KEYFILE", conflicts_with = "dry_run")]
    sign: Option<PathBuf>,
}

/// Qué fue de un mensaje / what became of a message.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("place").required(true).args(["folder", "home"]))]
pub struct Show {
    /// Mensaje / message.
    message: MessageId,
    #[command(flatten)]
    agency: Option<AsAgency>,
    #[command(flatten)]
    at: Option<AtHome>,
    /// Abre el contenido, y el acuse lo dice / open the content, and the receipt says so.
    #[arg(long, requires = "folder")]
    content: bool,
}

impl Message {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Send(send) => send.run(output).await,
            Self::Show(show) => show.run(output).await,
            Self::Lost(lost) => lost.run(output).await,
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(|error| anyhow::anyhow!("`{}`: {error}", file.display()))
}

impl Send {
    async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let body = read(&self.file)?;
        let many = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        anyhow::ensure!(!(many && self.dry_run), "a dry run asks about one message");
        let acting = self.agency.act(output)?;
        let body = match &self.sign {
            None => body,
            Some(file) => match signed(&acting, file, &body).await? {
                Ok(body) => body,
                Err(would) => {
                    output.answer(&would, |out| verdict::write(out, &would))?;
                    return Ok(Exit::expect(false));
                }
            },
        };
        let key = self.idempotency_key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let (path, key) = match (self.dry_run, many) {
            (true, _) => ("/v1/messages/dry-run", None),
            (false, true) => ("/v1/messages/batch", Some(key)),
            (false, false) => ("/v1/messages", Some(key)),
        };
        let answered = acting.post(path, "application/json", key.as_deref(), body).await;
        let answer = answered.inspect_err(|_| {
            // The key is what makes a second try safe, so it is told before the failure.
            let key = key.as_deref().unwrap_or_default();
            let _ = output.note(&format!("Clave para repetir: {key}"), &format!("Key to repeat with: {key}"));
        })?;
        let value = read_json(&answer)?;
        let verdicts = match value.get("verdicts").and_then(Value::as_array) {
            Some(verdicts) => verdicts.clone(),
            None => vec![value.clone()],
        };
        output.answer(&value, |out| verdicts.iter().try_for_each(|each| verdict::write(out, each)))?;
        Ok(Exit::expect(verdicts.iter().all(verdict::is_taken)))
    }
}

/// The body with every message signed, or the verdict on the first that would not be taken: nothing is sent then.
async fn signed(acting: &Acting, file: &Path, body: &[u8]) -> anyhow::Result<Result<Vec<u8>, Value>> {
    let key = signed_message::key(file)?;
    let (messages, many) = match parse(body, MAX_DEPTH)? {
        Value::Array(messages) => (messages, true),
        one => (vec![one], false),
    };
    let mut signed = Vec::with_capacity(messages.len());
    for message in messages {
        match signed_message::sign(acting, &key, message).await? {
            Asked::Signed(message) => signed.push(message),
            Asked::Refused(would) => return Ok(Err(would)),
        }
    }
    let body = if many { Value::Array(signed) } else { signed.pop().unwrap_or_default() };
    Ok(Ok(serde_json::to_vec(&body)?))
}

impl Show {
    async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let id = self.message;
        let value = match (self.agency, self.at) {
            (Some(agency), _) => {
                let acting = agency.act(output)?;
                let path = if self.content {
                    format!("/v1/messages/{id}/content")
                } else {
                    format!("/v1/messages/{id}")
                };
                read_json(&acting.get(&path).await?)?
            }
            (None, Some(at)) => {
                read_json(&at.node().request(Method::GET, &format!("/v1/messages/{id}")).await?)?
            }
            (None, None) => json!(null),
        };
        output.answer(&value, |out| {
            serde_json::to_writer_pretty(&mut *out, &value)?;
            writeln!(out)
        })?;
        Ok(Exit::Done)
    }
}
