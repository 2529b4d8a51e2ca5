//! The federation face, in both directions: a peer is known by its country, under that member's authority.
//!
//! Not here: the membership itself; it is asked at every handshake, so that a change counts at once.
//! Invariant: a chain is verified against the authorities of the one member that the certificate
//! names, never against all of them, so that no member's authority can vouch for another country.

use std::fmt;
use std::sync::Arc;

use puente_core::ids::{CountryCode, Digest, Realm};
use puente_core::problem::{COUNTRY_MISMATCH, Kind, PEER_EXPIRED, PEER_UNKNOWN, REALM_MISMATCH};
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DistinguishedName, Error};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::OnRejection;
use super::chain::{Acting, Chains, authorities, handshake_by_chains, is_expiry};
use crate::keys::pki::{Identity, PeerCertificate};

/// What the membership says about a member's transport keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberTrust {
    /// The member's certificate authorities in DER; none trusts nobody.
    pub ca_der: Vec<Vec<u8>>,
    /// The public keys that its gateways may use; none leaves it to the authority.
    pub spki_pins: Vec<Digest>,
}

/// Looks a member up in the membership in force; `None` when the country is no member.
pub type Membership = Arc<dyn Fn(&CountryCode) -> Option<MemberTrust> + Send + Sync>;

/// Which member may stand at the other end.
#[derive(Debug, Clone)]
enum Expected {
    /// Whichever member the certificate names: the accepting side.
    AnyMember,
    /// This one: the connecting side.
    Only(CountryCode),
}

/// Judges peers' certificates by the membership in force.
#[derive(Clone)]
pub struct FederationVerifier {
    realm: Realm,
    expected: Expected,
    membership: Membership,
    on_rejection: OnRejection,
    chains: Arc<Chains>,
}

impl fmt::Debug for FederationVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FederationVerifier({}, {:?})", self.realm, self.expected)
    }
}

impl FederationVerifier {
    /// For the accepting side: any member of this realm.
    #[must_use]
    pub fn accepting(realm: Realm, membership: Membership, on_rejection: OnRejection) -> Self {
        Self {
            realm,
            expected: Expected::AnyMember,
            membership,
            on_rejection,
            chains: Arc::new(Chains::new()),
        }
    }

    /// For the connecting side: this member of this realm, whatever its address is called.
    #[must_use]
    pub fn connecting_to(
        country: CountryCode,
        realm: Realm,
        membership: Membership,
        on_rejection: OnRejection,
    ) -> Self {
        let expected = Expected::Only(country);
        Self { realm, expected, membership, on_rejection, chains: Arc::new(Chains::new()) }
    }

    /// Judges and reports a refusal.
    fn verify(
        &self,
        acting: Acting,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        self.judge(acting, certificate, intermediates, now).map_err(|(kind, error)| {
            (self.on_rejection)(kind);
            error
        })
    }

    fn judge(
        &self,
        acting: Acting,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), (&'static Kind, Error)> {
        let trust = self
            .trust(certificate)
            .map_err(|kind| (kind, CertificateError::ApplicationVerificationFailure.into()))?;
        let trusted = authorities(trust.ca_der.iter().map(Vec::as_slice));
        self.chains.verify(acting, certificate, intermediates, trusted, now).map_err(|error| {
            let kind = if is_expiry(&error) { &PEER_EXPIRED } else { &PEER_UNKNOWN };
            (kind, error)
        })
    }

    /// The trust in the member that the certificate names, if it may stand here.
    fn trust(&self, certificate: &CertificateDer<'_>) -> Result<MemberTrust, &'static Kind> {
        let peer = PeerCertificate::from_der(certificate).map_err(|_| &PEER_UNKNOWN)?;
        let Identity::Gateway { realm, country } = peer.identity else { return Err(&PEER_UNKNOWN) };
        if realm != self.realm {
            return Err(&REALM_MISMATCH);
        }
        if let Expected::Only(expected) = &self.expected
            && *expected != country
        {
            return Err(&COUNTRY_MISMATCH);
        }
        let trust = (self.membership)(&country).ok_or(&PEER_UNKNOWN)?;
        if trust.spki_pins.is_empty() || trust.spki_pins.contains(&peer.spki) {
            Ok(trust)
        } else {
            Err(&PEER_UNKNOWN)
        }
    }
}

impl ClientCertVerifier for FederationVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // No hints: a gateway has one certificate for the federation.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verify(Acting::AsClient, end_entity, intermediates, now)
            .map(|()| ClientCertVerified::assertion())
    }

    handshake_by_chains!();
}

impl ServerCertVerifier for FederationVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(Acting::AsServer, end_entity, intermediates, now)
            .map(|()| ServerCertVerified::assertion())
    }

    handshake_by_chains!();
}
