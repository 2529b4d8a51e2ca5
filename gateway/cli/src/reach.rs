//! How a command reaches what it works on: a home on disk, the node that runs on it, a node as an agency.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{HeaderMap, Method, header};
use puente_core::ids::{AgencyId, CountryCode, Realm};
use puente_node::client::{AdminClient, AgencyClient, AgencyCredential, Answer, ClientError};
use puente_node::clock::{Clock, SystemClock};
use puente_node::home::Home;
use puente_node::keys::pki::Identity;
use serde::Serialize;
use serde_json::Value;

use crate::output::Output;

/// The home of a node.
#[derive(Debug, Clone, clap::Args)]
pub struct AtHome {
    /// Carpeta del nodo / folder of the node.
    #[arg(long, env = "PUENTE_HOME", value_name = "DIR")]
    home: PathBuf,
}

impl AtHome {
    /// The folder.
    #[must_use]
    pub fn home(&self) -> Home {
        Home::at(&self.home)
    }

    /// The node that runs on it.
    #[must_use]
    pub fn node(&self) -> AdminClient {
        AdminClient::at(&self.home().socket())
    }

    /// Lets a running node take up what was changed on disk; without one there is nothing to do.
    ///
    /// # Errors
    /// When the node refuses what is on disk.
    pub async fn reload(&self, output: &mut Output) -> anyhow::Result<()> {
        match self.node().request(Method::POST, "/v1/reload").await {
            Ok(answer) => {
                read_json(&answer)?;
                output.note("El nodo ya lo aplica.", "The running node applies it now.")
            }
            Err(error) if error.is_unreachable() => output.note(
                "Ningún nodo está en marcha en esta carpeta; vale desde el arranque.",
                "No node runs on this folder; it counts from the start.",
            ),
            Err(error) => Err(error.into()),
        }
    }
}

/// A credential of an agency, as `puente agency add` wrote it.
#[derive(Debug, Clone, clap::Args)]
pub struct AsAgency {
    /// Carpeta con la credencial de la dependencia / folder with the agency's credential.
    #[arg(long = "as", env = "PUENTE_AS", value_name = "DIR")]
    folder: PathBuf,
}

/// An agency and its connection.
pub struct Acting {
    /// The realm of its certificate.
    pub realm: Realm,
    /// Its country.
    pub country: CountryCode,
    /// Itself.
    pub agency: AgencyId,
    client: AgencyClient,
}

impl AsAgency {
    /// A credential in another folder than that of `--as`.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Takes the credential up; people are told when nothing they do is real.
    ///
    /// # Errors
    /// When the credential cannot be used.
    pub fn act(&self, output: &mut Output) -> anyhow::Result<Acting> {
        let credential = AgencyCredential::read(&self.folder)?;
        let Identity::Agency { realm, country, agency } = credential.identity()? else {
            anyhow::bail!("certificate in `{}` is not an agency's", self.folder.display());
        };
        if realm != Realm::Production {
            output.note("ADIESTRAMIENTO: ninguna persona es real.", "TRAINING: no person is real.")?;
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        Ok(Acting { realm, country, agency, client: AgencyClient::new(&credential, clock)? })
    }
}

impl AsAgency {
    /// Signs as the agency, with the key of its certificate.
    ///
    /// # Errors
    /// When the credential cannot be used.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> anyhow::Result<String> {
        Ok(AgencyCredential::read(&self.folder)?.sign(typ, &serde_json::to_vec(claims)?)?)
    }
}

impl Acting {
    /// The connection alone.
    #[must_use]
    pub fn into_client(self) -> AgencyClient {
        self.client
    }

    /// Asks for a resource.
    ///
    /// # Errors
    /// `RefusedByNode` for a problem, `ClientError` without an answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        accepted(self.client.get(path).await?)
    }

    /// Posts a body; with `key`, as often as one likes with one effect.
    ///
    /// # Errors
    /// As [`Acting::get`].
    pub async fn post(
        &self,
        path: &str,
        media_type: &'static str,
        key: Option<&str>,
        body: Vec<u8>,
    ) -> anyhow::Result<Answer> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
        if let Some(key) = key {
            headers.insert("idempotency-key", key.parse()?);
        }
        accepted(self.client.request(Method::POST, path, headers, body).await?)
    }
}

/// A problem that the node answered (RFC 9457).
#[derive(Debug)]
pub struct RefusedByNode(Value);

impl RefusedByNode {
    /// The problem as it came.
    #[must_use]
    pub const fn problem(&self) -> &Value {
        &self.0
    }
}

impl std::error::Error for RefusedByNode {}

impl fmt::Display for RefusedByNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: &str| self.0.get(name).and_then(Value::as_str);
        let said = ["es", "en"].into_iter().filter_map(text).collect::<Vec<_>>().join(" / ");
        write!(f, "{} [{}]", said, text("code").unwrap_or("unknown"))?;
        [" ", ": "]
            .into_iter()
            .zip(["field", "detail"])
            .filter_map(|(before, name)| Some((before, text(name)?)))
            .try_for_each(|(before, said)| write!(f, "{before}{said}"))
    }
}

/// Lets an answer through that is no problem.
///
/// # Errors
/// `RefusedByNode` for a problem.
pub fn accepted(answer: Answer) -> anyhow::Result<Answer> {
    let media_type = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media_type == Some("application/problem+json") {
        return Err(RefusedByNode(answer.json()?).into());
    }
    Ok(answer)
}

/// The JSON of an answer that is no problem.
///
/// # Errors
/// `RefusedByNode` for a problem, `ClientError::Form` for what is not JSON.
pub fn read_json(answer: &Answer) -> anyhow::Result<Value> {
    let answer = accepted(answer.clone())?;
    answer.json().map_err(|error: ClientError| error.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_problem_speaks_spanish_first_and_names_its_code() {
        let problem =
            RefusedByNode(json!({"es": "Falta", "en": "Missing", "code": "field.missing", "field": "/to"}));
        assert_eq!(problem.to_string(), "Falta / Missing [field.missing] /to");
    }

    #[test]
    fn a_node_that_is_not_there_has_its_own_exit_status() {
        let gone = ClientError::Unreachable { address: "a".to_owned(), why: "w".to_owned() };
        assert_eq!(Exit::of(&anyhow::Error::new(gone).context("while asking")), Exit::Unreachable);
        let unanswered = ClientError::Unanswered { address: "a".to_owned(), why: "w".to_owned() };
        assert_eq!(Exit::of(&unanswered.into()), Exit::Refused);
    }
}
