//! An agency's file: roles, certificates, officers, and the keys that it holds itself, to sign or to open.

use std::path::Path;

use serde::{Deserialize, Serialize};

use puente_core::envelope::{Jwk, SignatureProfile};
use puente_core::ids::{AgencyId, Digest, KeyId, OfficerId, PersonId, Role};
use puente_core::membership::AgencyKey;

/// Whether an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It counts.
    Active,
    /// It no longer does; it stays in the file so that the refusal can say why.
    Revoked,
}

/// A client certificate of the agency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateEntry {
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki: Digest,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Valid until, seconds since the epoch.
    pub not_after: i64,
    /// Whether it counts.
    pub state: State,
    /// Its public key, with which the agency signs consent records; a certificate listed without it signs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk: Option<Jwk>,
}

/// An officer's credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficerEntry {
    /// Its id within the agency.
    pub officer: OfficerId,
    /// The natural person, pseudonymous: the same for every credential of one human.
    pub person: PersonId,
    /// RFC 7638 thumbprint of the key.
    pub kid: KeyId,
    /// Public key.
    pub jwk: Jwk,
    /// Whether it counts.
    pub state: State,
}

/// A key to which what is for the agency in one role is sealed; the agency alone has the private half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealEntry {
    /// The role.
    pub role: Role,
    /// Which algorithms it belongs to.
    pub profile: SignatureProfile,
    /// The key, with its window.
    pub key: AgencyKey,
}

/// An agency's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyFile {
    /// Its id.
    pub agency: AgencyId,
    /// Its roles; policy keys on them.
    pub roles: Vec<Role>,
    /// Whether it counts.
    pub state: State,
    /// Its client certificates.
    pub certificates: Vec<CertificateEntry>,
    /// Its officers.
    #[serde(default)]
    pub officers: Vec<OfficerEntry>,
    /// Its own signing keys, as they stand in the directory; with any, ended ones too, it signs by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<AgencyKey>,
    /// Its own keys for what is sealed to it, as they stand in the directory; in the role of any, ended ones too, it alone
    /// opens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seals: Vec<SealEntry>,
}

impl AgencyFile {
    /// Every key that it holds itself, ended ones too.
    pub fn held_keys(&self) -> impl Iterator<Item = &AgencyKey> {
        self.keys.iter().chain(self.seals.iter().map(|entry| &entry.key))
    }

    /// Reads the file of one agency.
    ///
    /// # Errors
    /// When it cannot be read or is not of its form.
    pub fn read(folder: &Path, agency: &AgencyId) -> std::io::Result<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(folder, agency))?).map_err(std::io::Error::other)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let bytes = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        crate::home::write_file(&Self::path(folder, &self.agency), &bytes)
    }

    fn path(folder: &Path, agency: &AgencyId) -> std::path::PathBuf {
        folder.join(format!("{agency}.json"))
    }
}
