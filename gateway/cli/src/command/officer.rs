//! `puente agency officer`: persons who may decide held rows.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use puente_core::ids::{AgencyId, OfficerId, PersonId};
use puente_node::keys::write_private;
use puente_node::setup::officer;

use crate::exit::Exit;
use crate::output::Output;
use crate::reach::AtHome;

/// Funcionarios / officers.
#[derive(Debug, Subcommand)]
pub enum Officer {
    /// Inscribe a una persona y escribe su llave / register a person and write the key.
    Add {
        #[command(flatten)]
        at: AtHome,
        /// Dependencia / agency.
        agency: AgencyId,
        /// Credencial / credential.
        officer: OfficerId,
        /// Seudónimo de la persona: el mismo en todas sus credenciales / pseudonym of the person: the same in every credential.
        #[arg(long)]
        person: PersonId,
        /// Carpeta para la llave / folder for the key. Default: the agency's id.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Retira una credencial, para siempre / take a credential back, for good.
    Revoke {
        #[command(flatten)]
        at: AtHome,
        /// Dependencia / agency.
        agency: AgencyId,
        /// Credencial / credential.
        officer: OfficerId,
    },
}

impl Officer {
    /// Does it.
    ///
    /// # Errors
    /// As `setup::officer` says.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Add { at, agency, officer, person, out } => {
                let folder = out.unwrap_or_else(|| PathBuf::from(agency.as_str()));
                let path = folder.join(format!("officer-{officer}.key"));
                anyhow::ensure!(!path.exists(), "`{}` already exists", path.display());
                std::fs::create_dir_all(&folder)?;
                let key = officer::add(&at.home(), &agency, &officer, &person)?;
                write_private(&path, key.as_bytes())?;
                output.answer(&json!({"agency": agency, "officer": officer, "key": path}), |w| {
                    writeln!(
                        w,
                        "{officer}: llave en {}; entréguela a la persona y bórrela de aquí",
                        path.display()
                    )?;
                    writeln!(
                        w,
                        "{officer}: key in {}; hand it to the person and delete it here",
                        path.display()
                    )
                })?;
                at.reload(output).await?;
            }
            Self::Revoke { at, agency, officer } => {
                officer::revoke(&at.home(), &agency, &officer)?;
                output.answer(&json!({"agency": agency, "officer": officer, "state": "revoked"}), |w| {
                    writeln!(w, "{officer}: retirada / revoked")
                })?;
                at.reload(output).await?;
            }
        }
        Ok(Exit::Done)
    }
}
