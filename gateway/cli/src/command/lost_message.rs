//! `puente message lost`: an officer states that the key to which a message is sealed is lost, so that it is sent again.
//!
//! Not here: opening, which `puente desk` does on the authority's machine, and sending again (`message send`, `replaces`).

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use puente_core::ids::MessageId;
use puente_core::opening::{Opening, Outcome, TYP_OPENING};

use crate::command::statement::Signed;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AsAgency, read_json};

/// Declara perdida la llave de un mensaje / state that the key of a message is lost.
#[derive(Debug, Args)]
pub struct Lost {
    #[command(flatten)]
    agency: AsAgency,
    /// Mensaje / message.
    message: MessageId,
    /// Motivo, como código / reason, as a code.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    signed: Signed,
}

impl Lost {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses: the key has to be ended first.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let (acting, message) = (self.agency.act(output)?, self.message);
        let sealed = read_json(&acting.get(&format!("/v1/messages/{message}/sealed")).await?)?;
        let release = sealed.get("release").and_then(Value::as_str).context("the node names no release")?;
        let says = Opening {
            message,
            release: release.parse()?,
            outcome: Outcome::KeyLost,
            reason: Some(self.reason),
            reply: None,
        };
        let path = format!("/v1/messages/{message}/opened");
        let value = self.signed.post(&acting, &path, TYP_OPENING, says).await?;
        output.answer(&value, |out| {
            writeln!(out, "{message}: quien lo envió recibe aviso para enviarlo de nuevo.")?;
            writeln!(out, "{message}: its sender is told to send it again.")
        })?;
        Ok(Exit::Done)
    }
}
