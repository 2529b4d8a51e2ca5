//! The domestic face: agencies' client certificates, and how an agency's own client knows its gateway.
//!
//! Not here: whether the agency is registered, revoked or entitled; the HTTP layer asks the register.
//! Invariant: whoever gets past the handshake holds a certificate of the country's own domestic
//! authority, valid now, that names an agency of this realm and country.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use puente_core::ids::{CountryCode, Realm};
use puente_core::problem::{CLIENT_EXPIRED, CLIENT_UNKNOWN, COUNTRY_MISMATCH, Kind, REALM_MISMATCH};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DistinguishedName, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::chain::{Acting, Chains, authorities, handshake_by_chains, is_expiry};
use super::{OnRejection, TlsError, provider};
use crate::keys::pki::Identity;

/// Judges agencies' client certificates against the domestic authorities in force.
pub struct DomesticClients {
    realm: Realm,
    country: CountryCode,
    authorities: RwLock<Arc<RootCertStore>>,
    on_rejection: OnRejection,
    chains: Chains,
}

impl fmt::Debug for DomesticClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomesticClients({}, {})", self.realm, self.country)
    }
}

impl DomesticClients {
    /// Trusts these authorities, more than one while one replaces another.
    ///
    /// # Errors
    /// `Authority` when none is given or one is not readable.
    pub fn new(
        realm: Realm,
        country: CountryCode,
        authorities: &[CertificateDer<'static>],
        on_rejection: OnRejection,
    ) -> Result<Self, TlsError> {
        let authorities = RwLock::new(all_readable(authorities)?);
        Ok(Self { realm, country, authorities, on_rejection, chains: Chains::new() })
    }

    /// Trusts these authorities instead, from the next handshake on.
    ///
    /// # Errors
    /// `Authority` as above; the former are then kept.
    pub fn replace(&self, authorities: &[CertificateDer<'static>]) -> Result<(), TlsError> {
        let next = all_readable(authorities)?;
        *self.authorities.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn judge(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), (&'static Kind, Error)> {
        let trusted = Arc::clone(&self.authorities.read().unwrap_or_else(PoisonError::into_inner));
        self.chains.verify(Acting::AsClient, certificate, intermediates, trusted, now).map_err(|error| {
            let kind = if is_expiry(&error) { &CLIENT_EXPIRED } else { &CLIENT_UNKNOWN };
            (kind, error)
        })?;
        let refused = |kind| (kind, CertificateError::ApplicationVerificationFailure.into());
        match Identity::from_certificate(certificate) {
            Ok(Identity::Agency { realm, .. }) if realm != self.realm => Err(refused(&REALM_MISMATCH)),
            Ok(Identity::Agency { country, .. }) if country != self.country => {
                Err(refused(&COUNTRY_MISMATCH))
            }
            Ok(Identity::Agency { .. }) => Ok(()),
            _ => Err(refused(&CLIENT_UNKNOWN)),
        }
    }
}

impl ClientCertVerifier for DomesticClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // No hints: an agency has one certificate for its gateway, and the authorities may change.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(end_entity, intermediates, now).map(|()| ClientCertVerified::assertion()).map_err(
            |(kind, error)| {
                (self.on_rejection)(kind);
                error
            },
        )
    }

    handshake_by_chains!();
}

/// How an agency's client knows its country's gateway: by host name, under the domestic authorities.
///
/// # Errors
/// `Authority` when none is given or one is not readable.
pub fn domestic_server(
    authorities: &[CertificateDer<'static>],
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(all_readable(authorities)?, provider())
        .build()
        .map_err(|_| TlsError::Authority)?;
    Ok(verifier)
}

fn all_readable(ders: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, TlsError> {
    let store = authorities(ders.iter().map(AsRef::as_ref));
    if store.is_empty() || store.len() != ders.len() { Err(TlsError::Authority) } else { Ok(store) }
}
