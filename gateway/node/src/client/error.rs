//! Why a request has no answer.

use puente_core::envelope::CryptoFailure;

use crate::keys::KeyError;
use crate::keys::tls::TlsError;

/// Why a request has no answer; an answer that says no is an answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection to the node.
    #[error("node at `{address}` is not reachable: {why}")]
    Unreachable {
        /// Address or socket.
        address: String,
        /// What the system or TLS said.
        why: String,
    },
    /// The connection ended, or time ran out, before the answer was whole; the request may have had its effect.
    #[error("no answer from `{address}` ({why}): repeat it under the same idempotency key")]
    Unanswered {
        /// Address or socket.
        address: String,
        /// How it ended.
        why: String,
    },
    /// The answer is longer than any of ours.
    #[error("answer of `{0}` is longer than allowed")]
    TooLong(String),
    /// The answer is not of its form.
    #[error("answer is not of its form")]
    Form,
    /// The request cannot be stated in HTTP.
    #[error("request cannot be stated: {0}")]
    Request(#[from] http::Error),
    /// The address is not `host:port`.
    #[error("`{0}` is not `host:port`")]
    Address(String),
    /// A file of the credential cannot be read.
    #[error("credential `{}`: {source}", path.display())]
    Credential {
        /// Which file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A certificate of the credential is not readable.
    #[error("certificate of the credential is not one of ours in PEM")]
    Certificate,
    /// The private key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The private key does not sign.
    #[error(transparent)]
    Signing(#[from] CryptoFailure),
    /// Certificate and key cannot be used for TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl ClientError {
    /// Whether the node was not there at all, so that asking another time is safe.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}
