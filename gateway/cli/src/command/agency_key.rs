//! `puente agency key` and `puente agency seal-key`: the keys with which an agency signs its messages itself, and alone
//! opens what is for it.
//!
//! `generate` runs on the agency's machine and `add` at the node: only the public half goes from one to the other.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{AgencyId, KeyId, Role};
use puente_core::membership::AgencyKey;
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::home::write_file;
use puente_node::keys::{KeyFile, KeyUse};
use puente_node::register::AgencyFile;
use puente_node::setup::agency;
use puente_node::setup::agency_key::{self, HeldFor};

use crate::exit::Exit;
use crate::output::Output;
use crate::reach::AtHome;

/// How the names of files with keys that open begin.
const SEALING: &str = "sealing-";

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
    Add(Add),
    /// La termina ya / end it now.
    Revoke(Revoke),
    /// Las claves de cada dependencia / every agency's keys.
    List {
        #[command(flatten)]
        at: AtHome,
    },
}

/// Llaves de sellado propias / sealing keys of an agency's own.
#[derive(Debug, Subcommand)]
pub enum SealKey {
    /// En la máquina de la dependencia: hace la llave / on the agency's machine: make the key.
    Generate {
        /// Carpeta para `sealing-ID.key` (privada, para `puente desk`) y `sealing-ID.jwk` (pública, para el nodo); las anteriores se
        /// quedan / folder for `sealing-ID.key` (private, for `puente desk`) and `sealing-ID.jwk` (public, for the node); former
        /// ones stay.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// La inscribe en el directorio del país; desde entonces lo que es para la dependencia en ese rol sólo lo abre ella / put it
    /// into the country's directory; from then on the agency alone opens what is for it in that role.
    Add {
        /// Rol / role.
        #[arg(long)]
        role: Role,
        #[command(flatten)]
        add: Add,
    },
    /// La termina ya: nada más se sella con ella / end it now: nothing more is sealed to it.
    Revoke(Revoke),
    /// Las llaves de cada dependencia / every agency's keys.
    List {
        #[command(flatten)]
        at: AtHome,
    },
}

/// Inscribe / register.
#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(flatten)]
    at: AtHome,
    /// Dependencia / agency.
    agency: AgencyId,
    /// Clave pública (JWK) / public key (JWK).
    jwk: PathBuf,
    /// Vigencia en días / days of validity.
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
}

/// Termina / end.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    #[command(flatten)]
    at: AtHome,
    /// Dependencia / agency.
    agency: AgencyId,
    /// Clave / key (`kid`).
    kid: KeyId,
}

impl Key {
    /// Does it.
    ///
    /// # Errors
    /// As `setup::agency_key` says, or when a key cannot be made or written.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Generate { out } => generate(&out, KeyUse::Sign, |_| "signing".to_owned(), output)?,
            Self::Add(add) => add.run(&HeldFor::Signing, output).await?,
            Self::Revoke(revoke) => revoke.run(output).await?,
            Self::List { at } => {
                list(&at, output, |file| file.keys.iter().map(|key| (None, key.clone())).collect())?
            }
        }
        Ok(Exit::Done)
    }
}

impl SealKey {
    /// Does it.
    ///
    /// # Errors
    /// As `setup::agency_key` says, or when a key cannot be made or written.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Generate { out } => {
                generate(&out, KeyUse::Open, |kid| format!("{SEALING}{kid}"), output)?;
            }
            Self::Add { role, add } => add.run(&HeldFor::Opening(role), output).await?,
            Self::Revoke(revoke) => revoke.run(output).await?,
            Self::List { at } => list(&at, output, |file| {
                file.seals.iter().map(|entry| (Some(entry.role.clone()), entry.key.clone())).collect()
            })?,
        }
        Ok(Exit::Done)
    }
}

fn generate(
    out: &Path,
    usage: KeyUse,
    name: impl Fn(&KeyId) -> String,
    output: &mut Output,
) -> anyhow::Result<()> {
    // P-256 whatever the node's profile: tokens and cards speak it.
    let key = KeyFile::generate(SignatureProfile::P256, usage)?;
    let name = name(key.key_id());
    let (private, public) = (out.join(format!("{name}.key")), out.join(format!("{name}.jwk")));
    for path in [&private, &public] {
        anyhow::ensure!(!path.exists(), "`{}` already exists", path.display());
    }
    std::fs::create_dir_all(out)?;
    key.store(&private)?;
    write_file(&public, &serde_json::to_vec_pretty(&key.public_jwk())?)?;
    output.answer(&json!({"kid": key.key_id(), "key": private, "jwk": public}), |w| {
        let (private, public) = (private.display(), public.display());
        writeln!(w, "{}", key.key_id())?;
        writeln!(w, "Entregue sólo {public} al operador del nodo; {private} no sale de esta máquina.")?;
        writeln!(w, "Hand only {public} to the node's operator; {private} does not leave this machine.")
    })
}

impl Add {
    async fn run(self, held_for: &HeldFor, output: &mut Output) -> anyhow::Result<()> {
        let Self { at, agency, jwk, days } = self;
        let key = agency_key::add(&at.home(), &agency, held_for, &jwk, days, &SystemClock::default())?;
        output.answer(
            &json!({"agency": agency, "kid": key.kid, "not_before": key.not_before, "not_after": key.not_after}),
            |w| writeln!(w, "{agency}: {} inscrita / registered", key.kid),
        )?;
        at.reload(output).await
    }
}

impl Revoke {
    async fn run(self, output: &mut Output) -> anyhow::Result<()> {
        let Self { at, agency, kid } = self;
        agency_key::revoke(&at.home(), &agency, &kid, &SystemClock::default())?;
        output.answer(&json!({"agency": agency, "kid": kid, "state": "revoked"}), |w| {
            writeln!(w, "{kid}: terminada / ended")
        })?;
        at.reload(output).await
    }
}

/// Lists keys of one use, each with the role that it is for, if it is for one.
fn list(
    at: &AtHome,
    output: &mut Output,
    of: impl Fn(&AgencyFile) -> Vec<(Option<Role>, AgencyKey)>,
) -> anyhow::Result<()> {
    let now = SystemClock::default().now_s();
    let mut keys = Vec::new();
    for file in agency::list(&at.home())? {
        for (role, key) in of(&file) {
            let stands = key.not_before <= now && now < key.not_after;
            let mut listed = json!({"agency": file.agency, "kid": key.kid, "not_before": key.not_before,
                                    "not_after": key.not_after, "stands": stands});
            if let (Some(role), Some(members)) = (role, listed.as_object_mut()) {
                members.insert("role".to_owned(), json!(role));
            }
            keys.push(listed);
        }
    }
    output.answer(&json!({ "keys": keys }), |out| {
        for key in &keys {
            let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
            let stands = key.get("stands") == Some(&json!(true));
            let state = if stands { "vigente / in force" } else { "terminada / ended" };
            writeln!(out, "{}  {}  {}  {state}", text("agency"), text("kid"), text("role"))?;
        }
        Ok(())
    })
}
