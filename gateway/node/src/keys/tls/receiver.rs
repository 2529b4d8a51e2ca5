//! How the node knows the receiver of a webhook: under the authorities that its agency named, by the key it named, or both.
//!
//! Not here: which address is called. INVARIANT: somebody vouches: with neither authority nor key nobody is trusted, and a
//! certificate without an authority still has to be in its time.

use std::fmt;
use std::sync::Arc;

use puente_core::ids::Digest;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::chain::{Chains, handshake_by_chains};
use super::{TlsError, domestic_server};

/// Judges one receiver's certificate.
pub struct Receiver {
    authorities: Option<Arc<dyn ServerCertVerifier>>,
    pin: Option<Digest>,
    chains: Chains,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver(pin: {})", self.pin.is_some())
    }
}

impl Receiver {
    /// Trusts under these authorities (PEM), this key (SHA-256 of SubjectPublicKeyInfo), or both together.
    ///
    /// # Errors
    /// `Authority` when neither is given or an authority is not readable.
    pub fn new(authority: Option<&str>, pin: Option<Digest>) -> Result<Self, TlsError> {
        let authorities = authority.map(named).transpose()?;
        if authorities.is_none() && pin.is_none() {
            return Err(TlsError::Authority);
        }
        Ok(Self { authorities, pin, chains: Chains::new() })
    }

    /// What an authority vouches for otherwise: that the certificate is the holder's now. The name is the key's.
    fn judge_alone(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
        let (_, read) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let (validity, now) = (read.validity(), i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        if now < validity.not_before.timestamp() {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > validity.not_after.timestamp() { Err(CertificateError::Expired.into()) } else { Ok(()) }
    }

    fn judge_key(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let Some(pin) = self.pin else { return Ok(()) };
        let (_, read) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let key = Digest::of(read.public_key().raw);
        if key == pin { Ok(()) } else { Err(CertificateError::ApplicationVerificationFailure.into()) }
    }
}

fn named(pem: &str) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let authorities: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    domestic_server(&authorities.map_err(|_| TlsError::Authority)?)
}

impl ServerCertVerifier for Receiver {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge_key(certificate)?;
        match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(certificate, intermediates, name, ocsp, now),
            None => self.judge_alone(certificate, now).map(|()| ServerCertVerified::assertion()),
        }
    }

    handshake_by_chains!();
}

/// A client that shows no certificate.
#[derive(Debug)]
pub struct Anonymous;

impl ResolvesClientCert for Anonymous {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
