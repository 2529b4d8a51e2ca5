//! TLS for an officer's browser on the agency's network: the desk shows its certificate, the browser shows none.
//!
//! Not here: who may look at the screens; the desk asks for a code. INVARIANT: TLS 1.3, never resumed, never early.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::{Alpn, CertificateHolder, TlsError, provider};
use crate::keys::KeyFile;

/// How a desk is served on a network.
#[derive(Debug, Clone)]
pub struct ScreensTls(Arc<ServerConfig>);

impl ScreensTls {
    /// With this chain, PEM with the desk's own certificate first, and its key.
    ///
    /// # Errors
    /// `Authority` when the chain is not readable, `Certificate` when it and the key do not belong together.
    pub fn new(chain: &[u8], key: &KeyFile, clock: Arc<dyn TimeProvider>) -> Result<Self, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|_| TlsError::Authority)?;
        let own = Arc::new(CertificateHolder::new(chain, key)?);
        let mut config = ServerConfig::builder_with_details(provider(), clock)
            .with_protocol_versions(&[&TLS13])
            .map_err(TlsError::Configuration)?
            .with_no_client_auth()
            .with_cert_resolver(own);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.alpn_protocols = Alpn::Http1.protocols();
        Ok(Self(Arc::new(config)))
    }

    /// The configuration, for who accepts connections.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}
