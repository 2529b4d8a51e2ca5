//! The certificate that a face presents, replaceable while it serves.
//!
//! Not here: when to renew. Invariant: a handshake sees the former certificate or the new one, whole,
//! and a replacement that does not fit its key changes nothing.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{TlsError, provider};
use crate::keys::KeyFile;
use crate::keys::pki::PeerCertificate;

/// Own chain and key, for serving and for connecting.
#[derive(Debug)]
pub struct CertificateHolder {
    current: RwLock<Arc<CertifiedKey>>,
}

impl CertificateHolder {
    /// Holds this chain, the own certificate first, with its key.
    ///
    /// # Errors
    /// `Certificate` when they do not belong together.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: &KeyFile) -> Result<Self, TlsError> {
        Ok(Self { current: RwLock::new(certified(chain, key)?) })
    }

    /// Presents another chain from the next handshake on.
    ///
    /// # Errors
    /// `Certificate` when chain and key do not belong together; the former is then kept.
    pub fn replace(&self, chain: Vec<CertificateDer<'static>>, key: &KeyFile) -> Result<(), TlsError> {
        let next = certified(chain, key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// The last instant of the presented certificate's validity, for the metric of days left.
    #[must_use]
    pub fn not_after(&self) -> Option<Timestamp> {
        let current = self.current();
        let own = current.end_entity_cert().ok()?;
        PeerCertificate::from_der(own).ok().map(|certificate| certificate.not_after)
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: &KeyFile) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.pkcs8().to_vec()));
    let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(TlsError::Certificate)?;
    Ok(Arc::new(certified))
}

impl ResolvesServerCert for CertificateHolder {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for CertificateHolder {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
