//! `puente agency`: who may connect, as which agency and in which roles.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use puente_core::ids::{AgencyId, Role};
use puente_node::clock::SystemClock;
use puente_node::home::write_file;
use puente_node::keys::write_private;
use puente_node::register::{AgencyFile, State};
use puente_node::setup::agency::{self, Enrolled};

use crate::command::agency_key::{Key, SealKey};
use crate::command::officer::Officer;
use crate::command::webhook::AgencyWebhook;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::AtHome;

/// Dependencias / agencies.
#[derive(Debug, Subcommand)]
pub enum Agency {
    /// Inscribe una dependencia o le da otro certificado / register an agency or give it a further certificate.
    Add(Add),
    /// Las dependencias inscritas / the registered agencies.
    List {
        #[command(flatten)]
        at: AtHome,
    },
    /// Retira una dependencia, para siempre / take an agency out, for good.
    Revoke {
        #[command(flatten)]
        at: AtHome,
        /// Dependencia / agency.
        agency: AgencyId,
    },
    /// Funcionarios / officers.
    #[command(subcommand)]
    Officer(Officer),
    /// A dónde se envían sus avisos / where its events are sent.
    #[command(subcommand)]
    Webhook(AgencyWebhook),
    /// Claves con que la dependencia firma ella misma / keys with which the agency signs by itself.
    #[command(subcommand)]
    Key(Key),
    /// Llaves con que sólo la dependencia abre lo que es para ella / keys with which the agency alone opens what is for it.
    #[command(subcommand)]
    SealKey(SealKey),
}

/// Inscribe una dependencia / register an agency.
#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(flatten)]
    at: AtHome,
    /// Dependencia / agency.
    agency: AgencyId,
    /// Rol; repetible / role; may be repeated.
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    /// Solicitud PKCS#10 de la propia dependencia; sin ella se le genera la llave / the agency's own request; without it a key is made for it.
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    /// Carpeta para la credencial / folder for the credential. Default: the agency's id.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Agency {
    /// Does it.
    ///
    /// # Errors
    /// As `setup::agency` and `setup::officer` say.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Add(add) => add.run(output).await,
            Self::List { at } => list(&at, output),
            Self::Revoke { at, agency } => {
                agency::revoke(&at.home(), &agency, &SystemClock::default())?;
                output.answer(&json!({"agency": agency, "state": "revoked"}), |out| {
                    writeln!(out, "{agency}: retirada / revoked")
                })?;
                at.reload(output).await?;
                Ok(Exit::Done)
            }
            Self::Officer(officer) => officer.run(output).await,
            Self::Webhook(webhook) => webhook.run(output).await,
            Self::Key(key) => key.run(output).await,
            Self::SealKey(key) => key.run(output).await,
        }
    }
}

impl Add {
    async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let csr = self.csr.as_deref().map(std::fs::read).transpose()?;
        let out = self.out.unwrap_or_else(|| PathBuf::from(self.agency.as_str()));
        // Asked before anything is registered: a credential is never written over another.
        for name in ["client.pem", "client.key"] {
            anyhow::ensure!(!out.join(name).exists(), "`{}` already exists", out.join(name).display());
        }
        let home = self.at.home();
        let enrolled =
            agency::add(&home, &self.agency, &self.roles, csr.as_deref(), &SystemClock::default())?;
        write_credential(&out, &enrolled)?;
        let (agency, roles) = (&self.agency, &self.roles);
        output.answer(
            &json!({"agency": agency, "roles": roles, "out": out, "address": enrolled.address}),
            |w| {
                writeln!(w, "{agency}: inscrita; credencial en {}", out.display())?;
                writeln!(w, "{agency}: registered; credential in {}", out.display())
            },
        )?;
        self.at.reload(output).await?;
        Ok(Exit::Done)
    }
}

fn write_credential(out: &Path, enrolled: &Enrolled) -> anyhow::Result<()> {
    write_file(&out.join("client.pem"), enrolled.certificate.as_bytes())?;
    write_file(&out.join("ca.pem"), enrolled.authority.as_bytes())?;
    write_file(&out.join("address"), format!("{}\n", enrolled.address).as_bytes())?;
    if let Some(key) = &enrolled.key {
        write_private(&out.join("client.key"), key.as_bytes())?;
    }
    Ok(())
}

fn list(at: &AtHome, output: &mut Output) -> anyhow::Result<Exit> {
    let agencies = agency::list(&at.home())?;
    let value: Vec<_> = agencies.iter().map(shown).collect();
    output.answer(&json!({ "agencies": value }), |out| {
        for file in &agencies {
            let state = match file.state {
                State::Active => "activa / active",
                State::Revoked => "retirada / revoked",
            };
            writeln!(out, "{}  {state}", file.agency)?;
            let roles: Vec<_> = file.roles.iter().map(Role::as_str).collect();
            writeln!(out, "  roles         {}", roles.join(", "))?;
            writeln!(out, "  certificados  {}", file.certificates.len())?;
            let officers: Vec<_> = file
                .officers
                .iter()
                .filter(|entry| entry.state == State::Active)
                .map(|entry| entry.officer.as_str())
                .collect();
            writeln!(out, "  funcionarios  {}", officers.join(", "))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

/// What is listed of an agency; public keys are left out.
fn shown(file: &AgencyFile) -> serde_json::Value {
    let officers: Vec<_> = file
        .officers
        .iter()
        .map(|entry| json!({"officer": entry.officer, "person": entry.person, "state": entry.state}))
        .collect();
    json!({"agency": file.agency, "roles": file.roles, "state": file.state,
           "certificates": file.certificates, "officers": officers})
}
