//! The three documents of membership, as they are signed.

use serde::{Deserialize, Serialize};

use crate::envelope::{Jwk, SignatureProfile};
use crate::ids::{AgencyId, CountryCode, Digest, KeyId, Realm, Role};

/// A key that signs documents of membership.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegatedKey {
    /// RFC 7638 thumbprint.
    pub kid: KeyId,
    /// Public key.
    pub jwk: Jwk,
}

/// Who may sign `root` and `members`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Realm.
    pub realm: Realm,
    /// Counts up by one.
    pub version: u64,
    /// Seconds since the epoch.
    pub expires: i64,
    /// Keys that sign `root`.
    pub root_keys: Vec<DelegatedKey>,
    /// How many distinct ones are needed.
    pub root_threshold: usize,
    /// Keys that sign `members`.
    pub members_keys: Vec<DelegatedKey>,
    /// How many distinct ones are needed.
    pub members_threshold: usize,
}

/// What the federation says of one country: whose word counts, not what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Country.
    pub country: CountryCode,
    /// Keys that sign its directory.
    pub directory_keys: Vec<DelegatedKey>,
    /// How many distinct ones are needed.
    pub directory_threshold: usize,
    /// Certificates (DER, base64url) of the authorities that issue its gateway certificates.
    pub authorities: Vec<String>,
    /// Valid from, seconds.
    pub valid_from: i64,
    /// Valid until, seconds.
    pub valid_to: i64,
}

/// The list of members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// Realm.
    pub realm: Realm,
    /// Never goes back.
    pub version: u64,
    /// Seconds since the epoch.
    pub expires: i64,
    /// One entry per country.
    pub members: Vec<Member>,
}

/// What a key of a directory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// Signs messages.
    Message,
    /// Signs receipts.
    Receipt,
    /// Opens what is sealed to a role.
    Seal,
}

/// One key of a country, with its window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryKey {
    /// RFC 7638 thumbprint.
    pub kid: KeyId,
    /// What it is for.
    #[serde(rename = "use")]
    pub key_use: KeyUse,
    /// The role, for sealing keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The agency that alone has the private half, for sealing keys; the gateway's own when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyId>,
    /// Which algorithms it belongs to.
    pub profile: SignatureProfile,
    /// Public key.
    pub jwk: Jwk,
    /// Valid from, seconds.
    pub not_before: i64,
    /// Valid until, seconds.
    pub not_after: i64,
}

/// Where a country's gateway answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// `host:port` of the federation face.
    pub address: String,
    /// SHA-256 of the certificate's SubjectPublicKeyInfo; any of these, or none for "the authority suffices".
    pub pins: Vec<Digest>,
}

/// A key with which an agency signs its messages itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyKey {
    /// RFC 7638 thumbprint.
    pub kid: KeyId,
    /// Public key.
    pub jwk: Jwk,
    /// Valid from, seconds.
    pub not_before: i64,
    /// Valid until, seconds.
    pub not_after: i64,
}

/// An agency and the roles it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// Its id.
    pub agency: AgencyId,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Its own keys; with any here, ended ones too, it signs by itself, and with none through the gateway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<AgencyKey>,
}

/// A country's own directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Realm.
    pub realm: Realm,
    /// Country.
    pub country: CountryCode,
    /// Never goes back.
    pub version: u64,
    /// Seconds since the epoch.
    pub expires: i64,
    /// Gateways.
    pub gateways: Vec<Gateway>,
    /// Keys.
    pub keys: Vec<DirectoryKey>,
    /// Agencies that may be addressed.
    pub agencies: Vec<Agency>,
}
