//! TLS 1.3 on both faces: mutual, never resumed, never early.
//!
//! Not here: sockets and limits. Invariant: every connection runs the full handshake with both
//! certificates verified, because a resumed one would skip verification and outlive a revocation.

mod chain;
mod domestic;
mod federation;
mod holder;
mod receiver;
mod screens;

use std::sync::Arc;

use puente_core::problem::Kind;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::ClientCertVerifier;
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, CommonState, ServerConfig};

use super::pki::PeerCertificate;

pub use domestic::{DomesticClients, domestic_server};
pub use federation::{FederationVerifier, MemberTrust, Membership};
pub use holder::CertificateHolder;
pub use receiver::{Anonymous, Receiver};
pub use screens::ScreensTls;

/// Told of every certificate that a handshake refuses, by the problem it is counted under.
pub type OnRejection = Arc<dyn Fn(&'static Kind) + Send + Sync>;

/// Why a configuration or certificate cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Chain and key do not belong together, or are not readable.
    #[error("certificate chain and key cannot be used together: {0}")]
    Certificate(rustls::Error),
    /// An authority's certificate is not readable.
    #[error("certificate of an authority is not readable")]
    Authority,
    /// The cryptography of this build lacks what TLS 1.3 needs.
    #[error("configuration is not possible: {0}")]
    Configuration(rustls::Error),
}

/// The protocols that a face speaks over TLS (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpn {
    /// HTTP/2 alone, between gateways.
    Http2,
    /// HTTP/2 or HTTP/1.1, towards agencies.
    Http2OrHttp1,
    /// HTTP/1.1 alone: what every receiver of webhooks speaks.
    Http1,
}

impl Alpn {
    fn protocols(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http2 => vec![b"h2".to_vec()],
            Self::Http2OrHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Self::Http1 => vec![b"http/1.1".to_vec()],
        }
    }
}

/// aws-lc-rs with the hybrid post-quantum exchange first.
fn provider() -> Arc<CryptoProvider> {
    let kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1];
    Arc::new(CryptoProvider { kx_groups, ..default_provider() })
}

/// A server that demands a client certificate and lets `clients` judge it.
///
/// # Errors
/// `Configuration` when the provider cannot speak TLS 1.3.
pub fn server_config(
    own: Arc<CertificateHolder>,
    clients: Arc<dyn ClientCertVerifier>,
    clock: Arc<dyn TimeProvider>,
    alpn: Alpn,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_details(provider(), clock)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Configuration)?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(own);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = alpn.protocols();
    Ok(config)
}

/// A client that presents its own certificate, or none, and lets `server` judge the peer's.
///
/// # Errors
/// `Configuration` when the provider cannot speak TLS 1.3.
pub fn client_config(
    own: Arc<dyn ResolvesClientCert>,
    server: Arc<dyn ServerCertVerifier>,
    clock: Arc<dyn TimeProvider>,
    alpn: Alpn,
) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_details(provider(), clock)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Configuration)?
        .dangerous()
        .with_custom_certificate_verifier(server)
        .with_client_cert_resolver(own);
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.alpn_protocols = alpn.protocols();
    Ok(config)
}

/// The peer of a finished handshake; `None` before it is finished.
#[must_use]
pub fn peer_identity(connection: &CommonState) -> Option<PeerCertificate> {
    if connection.is_handshaking() {
        return None;
    }
    PeerCertificate::from_der(connection.peer_certificates()?.first()?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
