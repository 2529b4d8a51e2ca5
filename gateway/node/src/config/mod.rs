//! The configuration of a node; these structs are its manual.
//!
//! `ops/config/reference.toml` is generated from here by `reference` and compared in a test. Secrets are
//! never in the file: keys lie in the node's home. Unknown names are refused.

mod duty;
mod network;
mod reference;

use serde::{Deserialize, Serialize};

use puente_core::ids::{CountryCode, Realm, Role};

pub use duty::{Duty, MailSecurity};
pub use network::{Network, NotANetwork, may_call};
pub use reference::reference;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration `{path}` cannot be read")]
    Read {
        /// Path as given.
        path: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The file is not valid; the message names the line and the field.
    #[error("configuration is not valid: {0}")]
    Form(String),
}

/// Everything an operator sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// This country, ISO 3166-1 alpha-2.
    pub country: CountryCode,
    /// production, training or conformance.
    pub realm: Realm,
    /// Where the node listens.
    #[serde(default)]
    pub listen: Listen,
    /// How much is taken at once.
    #[serde(default)]
    pub limits: Limits,
    /// How long things wait.
    #[serde(default)]
    pub times: Times,
    /// How long things are kept.
    #[serde(default)]
    pub retention: Retention,
    /// Who puts policies in force.
    #[serde(default)]
    pub policy: PolicyChanges,
    /// How people are called over an alert.
    #[serde(default)]
    pub duty: Duty,
    /// Calls to agencies' systems.
    #[serde(default)]
    pub webhooks: Webhooks,
}

/// Addresses of the three listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Domestic face: the country's own systems, mTLS.
    pub domestic: String,
    /// Federation face: the other members' gateways, mTLS.
    pub federation: String,
    /// Operations: health and metrics, plain HTTP; keep it on loopback or a management network.
    pub operations: String,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            domestic: "127.0.0.1:8443".to_owned(),
            federation: "0.0.0.0:9443".to_owned(),
            operations: "127.0.0.1:9090".to_owned(),
        }
    }
}

/// Bounds on what is taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest request body on the domestic face, bytes.
    pub domestic_body_bytes: usize,
    /// Largest request body on the federation face, bytes.
    pub federation_body_bytes: usize,
    /// Most messages in one submitted batch.
    pub batch_messages: usize,
    /// Most rows in one list.
    pub list_rows: usize,
    /// Largest attachment, bytes.
    pub attachment_bytes: u64,
    /// Most bytes of attachments that one agency may have put and not yet named in a message.
    pub unnamed_attachment_bytes: u64,
    /// Requests in progress at once on each face; more are answered 503 with Retry-After.
    pub concurrent_requests: usize,
    /// Connections at once on each face.
    pub connections: usize,
    /// Most messages in one delivery to a peer.
    pub delivery_messages: usize,
    /// Most rows that one agency may ask about in an hour without sending them (dry run).
    pub questions_per_hour: u32,
    /// Streams of events open at once, a quarter of them for one agency.
    pub event_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            domestic_body_bytes: 8 * 1024 * 1024,
            federation_body_bytes: 16 * 1024 * 1024,
            batch_messages: 500,
            list_rows: 100_000,
            attachment_bytes: 20 * 1024 * 1024,
            unnamed_attachment_bytes: 512 * 1024 * 1024,
            concurrent_requests: 256,
            connections: 512,
            delivery_messages: 256,
            questions_per_hour: 20_000,
            event_streams: 64,
        }
    }
}

/// Durations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Times {
    /// A body that does not arrive within this many seconds is given up.
    pub body_seconds: u64,
    /// A TLS handshake that does not end within this many seconds is given up.
    pub handshake_seconds: u64,
    /// A connection without a request for this many seconds is closed.
    pub idle_seconds: u64,
    /// A connection older than this many seconds is closed after its current request.
    pub connection_age_seconds: u64,
    /// Longest wait of a long-poll, seconds.
    pub long_poll_seconds: u64,
    /// A held row lapses after this many seconds without two officers.
    pub approval_seconds: u64,
    /// A referred row alarms when its authority has not reviewed it after this many seconds.
    pub referral_seconds: u64,
    /// A refused row alarms when its sender has not answered this many seconds before the transport leaves.
    pub refusal_before_departure_seconds: u64,
    /// The same where no departure is known: seconds after the refusal.
    pub refusal_seconds: u64,
    /// An answer to an idempotency key is kept for this many hours.
    pub idempotency_hours: u64,
    /// On shutdown, requests in progress have this many seconds to end.
    pub drain_seconds: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            body_seconds: 30,
            handshake_seconds: 10,
            idle_seconds: 120,
            connection_age_seconds: 600,
            long_poll_seconds: 30,
            approval_seconds: 14_400,
            referral_seconds: 3_600,
            refusal_before_departure_seconds: 7_200,
            refusal_seconds: 14_400,
            idempotency_hours: 72,
            drain_seconds: 20,
        }
    }
}

/// How long content is kept, beyond what each message says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// The agency is told this many days before a message's content is erased.
    pub notice_days: u32,
    /// Attachment chunks that no message names are erased after this many hours.
    pub orphan_chunk_hours: u32,
    /// What was submitted and held is erased this many days after it was decided.
    pub draft_days: u32,
    /// Copies of the key store live this many days at most; erasures are confirmed with that date.
    pub key_backup_days: u32,
    /// Metadata, receipts, decisions and approvals go after this many years.
    pub record_years: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { notice_days: 14, orphan_chunk_hours: 72, draft_days: 30, key_backup_days: 7, record_years: 7 }
    }
}

/// Changes of policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyChanges {
    /// Officers of agencies with this role may put policies in force, two of them together.
    pub activating_role: Role,
    /// A proposed set lapses after this many seconds without two officers.
    pub change_seconds: u64,
}

impl Default for PolicyChanges {
    fn default() -> Self {
        Self { activating_role: Role::supervisory_authority(), change_seconds: 604_800 }
    }
}

/// Calls to agencies' systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Networks that may be called; none is called that is not listed.
    pub networks: Vec<Network>,
    /// Connecting may take so many seconds, and so may the answer.
    pub answer_seconds: u64,
    /// An event that was refused so often becomes a dead letter.
    pub attempts: u32,
    /// A receiver in trouble (5xx, no answer) is moreover given so many hours.
    pub failing_hours: u32,
    /// A webhook whose receiver nobody reached for so many hours is paused.
    pub unreachable_hours: u32,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            answer_seconds: 10,
            attempts: 12,
            failing_hours: 6,
            unreachable_hours: 24,
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, names something unknown or has a wrong value.
    pub fn read(path: &std::path::Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// When it names something unknown or has a wrong value.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::Form(error.to_string()))
    }

    /// The defaults of a country and realm.
    #[must_use]
    pub fn new(country: CountryCode, realm: Realm) -> Self {
        Self {
            country,
            realm,
            listen: Listen::default(),
            limits: Limits::default(),
            times: Times::default(),
            retention: Retention::default(),
            policy: PolicyChanges::default(),
            duty: Duty::default(),
            webhooks: Webhooks::default(),
        }
    }
}
