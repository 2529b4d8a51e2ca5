//! What an officer says under their own key: on a held row or a proposed set of policies, or as an act of its own.
//!
//! Not here: what two words come to; the node says it. The key never leaves the officer's machine.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use puente_core::approval::{Captured, Verdict};
use puente_core::ids::{ApprovalId, Digest, OfficerId};
use puente_node::client::{Decided, Decides, Officer};
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::keys::{KeyFile, KeyUse};
use serde::Serialize;
use serde_json::{Value, json};

use crate::reach::{Acting, read_json};

/// When something was decided, and how it reached the system.
#[derive(Debug, Args)]
pub struct When {
    /// Zona horaria de la oficina (IANA) / the office's time zone.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Cuándo se decidió, si no fue ahora / when it was decided, if not now (RFC 9557).
    #[arg(long, value_name = "INSTANT", requires = "captured")]
    occurred_at: Option<Zoned>,
    /// Cómo llegó al sistema / how it reached the system.
    #[arg(long, value_enum, default_value_t = Capture::Screen)]
    captured: Capture,
}

/// How a decision reached the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Capture {
    /// En pantalla / at a screen.
    Screen,
    /// De papel / from paper.
    Paper,
    /// Por teléfono / by telephone.
    Telephone,
}

impl When {
    /// The instant, with its zone.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn occurred_at(&self) -> anyhow::Result<Zoned> {
        match &self.occurred_at {
            Some(instant) => Ok(instant.clone()),
            None => {
                let now = Timestamp::from_millisecond(SystemClock::default().now_ms())?;
                Ok(now.to_zoned(TimeZone::get(&self.zone)?))
            }
        }
    }

    /// Both, as an officer signs them.
    ///
    /// # Errors
    /// As [`When::occurred_at`].
    fn decided(&self) -> anyhow::Result<Decided> {
        Ok(Decided { at: self.occurred_at()?, captured: self.captured() })
    }

    /// How it was captured.
    pub const fn captured(&self) -> Captured {
        match self.captured {
            Capture::Screen => Captured::Screen,
            Capture::Paper => Captured::Paper,
            Capture::Telephone => Captured::Telephone,
        }
    }
}

/// Lo que dice un funcionario / what an officer says.
#[derive(Debug, Args)]
pub struct Say {
    /// Llave del funcionario, `officer-NOMBRE.key` / the officer's key, `officer-NAME.key`.
    #[arg(long, value_name = "FILE")]
    officer: PathBuf,
    /// Motivo, como código / reason, as a code.
    #[arg(long, default_value = "reviewed")]
    reason: String,
    /// Huella de la vista previa que se leyó; la actual si se omite / digest of the preview that was read; the present one when left out.
    #[arg(long, value_name = "DIGEST")]
    preview: Option<Digest>,
    #[command(flatten)]
    when: When,
}

impl Say {
    /// States on what stands under `collection` (`/v1/approvals`, `/v1/policies`) with this id; `preview` points
    /// at the preview's digest in what the node shows of it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn state(
        &self,
        acting: &Acting,
        (collection, preview): (&str, &str),
        id: ApprovalId,
        verdict: Verdict,
    ) -> anyhow::Result<Value> {
        let preview = match self.preview {
            Some(seen) => seen,
            None => {
                let shown = read_json(&acting.get(&format!("{collection}/{id}")).await?)?;
                shown.pointer(preview).and_then(Value::as_str).unwrap_or_default().parse()?
            }
        };
        let decides = Decides { approval: id, preview, verdict, reason: self.reason.clone() };
        let signed = acting_officer(acting, &self.officer)?.states(decides, self.when.decided()?)?;
        let body = serde_json::to_vec(&json!({ "statement": signed }))?;
        let path = format!("{collection}/{id}/statements");
        read_json(&acting.post(&path, "application/json", None, body).await?)
    }
}

/// Acto de un funcionario / an officer's act.
#[derive(Debug, Args)]
pub struct Signed {
    /// Llave del funcionario, `officer-NOMBRE.key` / the officer's key, `officer-NAME.key`.
    #[arg(long, value_name = "FILE")]
    officer: PathBuf,
    #[command(flatten)]
    when: When,
}

impl Signed {
    /// Signs what is said as an act of this kind, and posts it.
    ///
    /// # Errors
    /// When the key cannot be used, or the node is not there or refuses.
    pub async fn post<T: Serialize>(
        &self,
        acting: &Acting,
        path: &str,
        typ: &str,
        says: T,
    ) -> anyhow::Result<Value> {
        let body = serde_json::to_vec(&json!({ "statement": self.sign(acting, typ, says)? }))?;
        read_json(&acting.post(path, "application/json", None, body).await?)
    }

    /// Signs what is said as an act of this kind: compact JWS.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn sign<T: Serialize>(&self, acting: &Acting, typ: &str, says: T) -> anyhow::Result<String> {
        Ok(acting_officer(acting, &self.officer)?.acts(typ, says, self.when.decided()?)?)
    }

    /// Whose act it is.
    ///
    /// # Errors
    /// When the file of the key is not named after its officer.
    pub fn officer(&self) -> anyhow::Result<OfficerId> {
        officer_of(&self.officer)
    }

    /// When the act was done, with its zone.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn occurred_at(&self) -> anyhow::Result<Zoned> {
        self.when.occurred_at()
    }
}

/// The officer of the acting agency whose key this is.
///
/// # Errors
/// When the file is not named `officer-NAME.key`, or its key cannot be used.
pub fn acting_officer(acting: &Acting, key: &Path) -> anyhow::Result<Officer> {
    let of = (acting.realm, acting.country.clone(), acting.agency.clone());
    Ok(Officer::new(of, officer_of(key)?, &KeyFile::load(key, KeyUse::Sign)?)?)
}

/// The officer whose key this is, by the name of its file.
///
/// # Errors
/// When the file is not named `officer-NAME.key`.
pub fn officer_of(key: &Path) -> anyhow::Result<OfficerId> {
    let name = key.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_prefix("officer-"));
    Ok(name.ok_or_else(|| anyhow::anyhow!("the officer's key is a file `officer-NAME.key`"))?.parse()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_name_of_the_key_names_the_officer() {
        assert_eq!(officer_of(Path::new("a/officer-ana.key")).unwrap().as_str(), "ana");
        assert_eq!(officer_of(Path::new("officer-ana.maria.key")).unwrap().as_str(), "ana.maria");
        assert!(officer_of(Path::new("client.key")).is_err());
        assert!(officer_of(Path::new("officer-.key")).is_err());
    }
}
