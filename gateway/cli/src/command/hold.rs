//! `puente hold`: a protection hold placed and lifted by an officer of the authority. There is no list, and no search.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use puente_core::ids::HoldId;
use puente_core::protection::{Hold, Lift, TYP_HOLD, TYP_LIFT};

use crate::command::answer::text;
use crate::command::statement::Signed;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::AsAgency;

/// Reservas de protección / protection holds.
#[derive(Debug, Subcommand)]
pub enum ProtectionHold {
    /// La pone: rige desde la respuesta / place it: in force from the answer on.
    Place {
        #[command(flatten)]
        agency: AsAgency,
        /// Lo que declara, JSON como `says` de `POST /v1/holds` / what it states, JSON as `says` of `POST /v1/holds`.
        #[arg(long, value_name = "FILE")]
        states: PathBuf,
        #[command(flatten)]
        signed: Signed,
    },
    /// La levanta / lift it.
    Lift {
        #[command(flatten)]
        agency: AsAgency,
        /// Reserva, como se respondió al ponerla / hold, as answered when it was placed.
        hold: HoldId,
        /// Motivo, como código / reason, as a code.
        #[arg(long, default_value = "ended")]
        reason: String,
        #[command(flatten)]
        signed: Signed,
    },
}

impl ProtectionHold {
    /// Does it.
    ///
    /// # Errors
    /// When the file is no hold, or the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Place { agency, states, signed } => {
                let bytes = std::fs::read(&states).with_context(|| format!("read `{}`", states.display()))?;
                // The parser's own words could repeat what the file says of a person.
                let hold: Hold = serde_json::from_slice(&bytes)
                    .map_err(|error| anyhow::anyhow!("line {} of the file is not of a hold", error.line()))?;
                let value = signed.post(&agency.act(output)?, "/v1/holds", TYP_HOLD, hold).await?;
                let id = text(&value, "hold_id").to_owned();
                output.answer(&value, |out| writeln!(out, "{id}  En vigor. / In force."))?;
            }
            Self::Lift { agency, hold, reason, signed } => {
                let path = format!("/v1/holds/{hold}/lift");
                let lift = Lift { hold, reason };
                let value = signed.post(&agency.act(output)?, &path, TYP_LIFT, lift).await?;
                output.answer(&value, |out| writeln!(out, "Levantada.\nLifted."))?;
            }
        }
        Ok(Exit::Done)
    }
}
