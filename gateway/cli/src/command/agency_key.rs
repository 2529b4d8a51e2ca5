//! `puente agency key`: the keys with which an agency signs its messages itself.
//!
//! `generate` runs on the agency's machine and `add` at the node: only the public half goes from one to the other.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{AgencyId, KeyId};
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::home::write_file;
use puente_node::keys::{KeyFile, KeyUse};
use puente_node::setup::{agency, signing};

use crate::exit::Exit;
use crate::output::Output;
use crate::reach::AtHome;

/// Claves de firma / signing keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// En la máquina de la dependencia: hace la clave / on the agency's machine: make the key.
    Generate {
        /// Carpeta para `signing.key` (privada) y `signing.jwk` (pública, para el nodo) / folder for `signing.key` (private) and
        /// `signing.jwk` (public, for the node).
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// La inscribe en el directorio del país; desde entonces lo que la dependencia no firme se niega / put it into the country's
    /// directory; from then on what the agency does not sign is refused.
    Add {
        #[command(flatten)]
        at: AtHome,
        /// Dependencia / agency.
        agency: AgencyId,
        /// Clave pública (JWK) / public key (JWK).
        jwk: PathBuf,
        /// Vigencia en días / days of validity.
        #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    /// La termina ya / end it now.
    Revoke {
        #[command(flatten)]
        at: AtHome,
        /// Dependencia / agency.
        agency: AgencyId,
        /// Clave / key (`kid`).
        kid: KeyId,
    },
    /// Las claves de cada dependencia / every agency's keys.
    List {
        #[command(flatten)]
        at: AtHome,
    },
}

impl Key {
    /// Does it.
    ///
    /// # Errors
    /// As `setup::signing` says, or when a key cannot be made or written.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Generate { out } => {
                let (private, public) = (out.join("signing.key"), out.join("signing.jwk"));
                for path in [&private, &public] {
                    anyhow::ensure!(!path.exists(), "`{}` already exists", path.display());
                }
                std::fs::create_dir_all(&out)?;
                // P-256 whatever the node's profile: tokens and cards speak it.
                let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign)?;
                key.store(&private)?;
                write_file(&public, &serde_json::to_vec_pretty(&key.public_jwk())?)?;
                output.answer(&json!({"kid": key.key_id(), "key": private, "jwk": public}), |w| {
                    writeln!(w, "{}", key.key_id())?;
                    writeln!(
                        w,
                        "Entregue sólo {} al operador del nodo; {} no sale de esta máquina.",
                        public.display(),
                        private.display()
                    )?;
                    writeln!(
                        w,
                        "Hand only {} to the node's operator; {} does not leave this machine.",
                        public.display(),
                        private.display()
                    )
                })?;
            }
            Self::Add { at, agency, jwk, days } => {
                let key = signing::add(&at.home(), &agency, &jwk, days, &SystemClock::default())?;
                output.answer(
                    &json!({"agency": agency, "kid": key.kid, "not_before": key.not_before, "not_after": key.not_after}),
                    |w| writeln!(w, "{agency}: {} inscrita / registered", key.kid),
                )?;
                at.reload(output).await?;
            }
            Self::Revoke { at, agency, kid } => {
                signing::revoke(&at.home(), &agency, &kid, &SystemClock::default())?;
                output.answer(&json!({"agency": agency, "kid": kid, "state": "revoked"}), |w| {
                    writeln!(w, "{kid}: terminada / ended")
                })?;
                at.reload(output).await?;
            }
            Self::List { at } => list(&at, output)?,
        }
        Ok(Exit::Done)
    }
}

fn list(at: &AtHome, output: &mut Output) -> anyhow::Result<()> {
    let now = SystemClock::default().now_s();
    let mut keys = Vec::new();
    for file in agency::list(&at.home())? {
        for key in file.keys {
            let stands = key.not_before <= now && now < key.not_after;
            keys.push(json!({"agency": file.agency, "kid": key.kid, "not_before": key.not_before,
                             "not_after": key.not_after, "stands": stands}));
        }
    }
    output.answer(&json!({ "keys": keys }), |out| {
        for key in &keys {
            let text = |name: &str| key.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            let stands = key.get("stands") == Some(&json!(true));
            let state = if stands { "vigente / in force" } else { "terminada / ended" };
            writeln!(out, "{}  {}  {state}", text("agency"), text("kid"))?;
        }
        Ok(())
    })
}
