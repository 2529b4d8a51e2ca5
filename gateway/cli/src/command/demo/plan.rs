//! What the demonstration's clients are told: where they connect, as whom, and which list they send.
//!
//! Not here: what they do with it. INVARIANT: sender and receiver learn nothing of each other from it; whatever
//! passes between them passes through the gateways.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use puente_core::ids::{AgencyId, OfficerId, OperationId};

/// Everything the client processes need, as one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The return operation that is carried out.
    pub operation: OperationId,
    /// Another one, which is announced and cancelled.
    pub cancelled: OperationId,
    /// The list that is sent.
    pub list: List,
    /// The same list in other forms; they are only asked about.
    pub copies: Vec<List>,
    /// Mexico's side.
    pub sender: Sending,
    /// Guatemala's side.
    pub receiver: Receiving,
}

/// One file with a list of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Where it lies.
    pub path: PathBuf,
    /// Its media type, as the upload states it.
    pub media: String,
}

/// Mexico's side: who sends, who asks for documents, who decides on held rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sending {
    /// The agency that carries out the return.
    pub agency: AgencyId,
    /// The folder of its credential.
    pub enforcement: PathBuf,
    /// The folder of the consulate's credential.
    pub consular: PathBuf,
    /// Its officers, three persons.
    pub officers: Vec<Officer>,
    /// The folder of the child-protection authority's credential.
    pub protection: PathBuf,
    /// Its officer.
    pub determining: Officer,
}

/// A person who may decide on held rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Officer {
    /// The credential's id.
    pub id: OfficerId,
    /// The file of the private key, PEM.
    pub key: PathBuf,
}

/// Guatemala's side: folders of credentials.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiving {
    /// Reception centre.
    pub reception: PathBuf,
    /// Child-protection authority.
    pub child_protection: PathBuf,
    /// Civil registry.
    pub registry: PathBuf,
}

impl Plan {
    /// The key under which the list is uploaded: asking again with it answers what was answered then.
    pub fn upload_key(&self) -> String {
        format!("manifest-{}", self.operation)
    }

    /// Reads a plan.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("plan `{}`", path.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("plan `{}`", path.display()))
    }

    /// Writes it.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        std::fs::write(path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("plan `{}`", path.display()))
    }
}

impl List {
    /// A list whose form follows from the name of its file.
    pub fn named(path: &Path) -> anyhow::Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let media = match ending.to_ascii_lowercase().as_str() {
            "csv" => "text/csv",
            "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "json" => "application/json",
            _ => anyhow::bail!("list `{}` is neither .csv nor .xlsx nor .json", path.display()),
        };
        Ok(Self { path: path.to_owned(), media: media.to_owned() })
    }
}
