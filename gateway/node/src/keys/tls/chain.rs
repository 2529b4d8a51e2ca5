//! The path from a presented certificate to an authority, and the handshake's signature.
//!
//! Not here: which authority counts for whom. Invariant: a chain ends at one of the authorities given,
//! at this instant, for this use; there is no other trust store.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerIncompatible, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};

/// What the holder of a certificate does in the handshake.
#[derive(Debug, Clone, Copy)]
pub(super) enum Acting {
    AsClient,
    AsServer,
}

/// Verifies chains and signatures with one provider's algorithms.
#[derive(Debug)]
pub(super) struct Chains(Arc<CryptoProvider>);

impl Chains {
    pub(super) fn new() -> Self {
        Self(super::provider())
    }

    /// Verifies that the certificate leads to one of the authorities.
    pub(super) fn verify(
        &self,
        acting: Acting,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        authorities: Arc<RootCertStore>,
        now: UnixTime,
    ) -> Result<(), Error> {
        match acting {
            Acting::AsClient => WebPkiClientVerifier::builder_with_provider(authorities, Arc::clone(&self.0))
                .build()
                .map_err(|_| Error::InvalidCertificate(CertificateError::UnknownIssuer))?
                .verify_client_cert(certificate, intermediates, now)
                .map(|_| ()),
            Acting::AsServer => verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(certificate)?,
                &authorities,
                intermediates,
                now,
                self.0.signature_verification_algorithms.all,
            ),
        }
    }

    /// Verifies the handshake's signature with the certificate's key.
    pub(super) fn verify_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    pub(super) fn schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What every verifier says of the handshake itself, by its `chains`: TLS 1.3 alone, with the provider's algorithms.
macro_rules! handshake_by_chains {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _cert: &rustls_pki_types::CertificateDer<'_>,
            _dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Err(super::chain::no_tls12())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &rustls_pki_types::CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            self.chains.verify_signature(message, cert, dss)
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            self.chains.schemes()
        }
    };
}
pub(super) use handshake_by_chains;

/// What a signature of TLS 1.2 is answered with.
pub(super) const fn no_tls12() -> Error {
    Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled)
}

/// The authorities as trust anchors; one that is not readable is left out, and none trusts nobody.
pub(super) fn authorities<'a>(ders: impl IntoIterator<Item = &'a [u8]>) -> Arc<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(ders.into_iter().map(|der| CertificateDer::from(der.to_vec())));
    Arc::new(store)
}

/// Whether the refusal is only because of the time.
pub(super) const fn is_expiry(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })
    )
}
