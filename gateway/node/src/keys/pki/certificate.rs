//! What a node keeps of a peer's certificate once the handshake has accepted it.
//!
//! Not here: the verification of the chain (`tls`). Invariant: reading a certificate here proves
//! nothing about it; only a certificate that came out of a finished handshake is believed.

use jiff::Timestamp;
use puente_core::envelope::Jwk;
use puente_core::ids::Digest;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use super::identity::PREFIX;
use super::{Identity, PkiError};
use crate::keys::{jwk, pem};

/// Who a certificate stands for, and by which numbers registers and pins know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Its holder.
    pub identity: Identity,
    /// Its serial number in lower-case hexadecimal, unique within its authority.
    pub serial: String,
    /// SHA-256 of its subject public key info: the same over renewals that keep the key.
    pub spki: Digest,
    /// The last instant of its validity.
    pub not_after: Timestamp,
}

impl PeerCertificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// `Unreadable` when it is no certificate, `Identity` when it does not have exactly one name of ours.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        let (rest, certificate) = parse_x509_certificate(der).map_err(|_| PkiError::Unreadable)?;
        if !rest.is_empty() {
            return Err(PkiError::Unreadable);
        }
        let names = certificate.subject_alternative_name().map_err(|_| PkiError::Unreadable)?;
        let mut ours =
            names.iter().flat_map(|extension| &extension.value.general_names).filter_map(|name| match name {
                GeneralName::URI(uri) if uri.starts_with(PREFIX) => Some(*uri),
                _ => None,
            });
        let (Some(name), None) = (ours.next(), ours.next()) else { return Err(PkiError::Identity) };
        Ok(Self {
            identity: name.parse().map_err(|_| PkiError::Identity)?,
            serial: certificate.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
            spki: Digest::of(certificate.public_key().raw),
            not_after: Timestamp::from_second(certificate.validity().not_after.timestamp())
                .map_err(|_| PkiError::Unreadable)?,
        })
    }
}

impl Identity {
    /// The identity in a certificate in DER.
    ///
    /// # Errors
    /// As [`PeerCertificate::from_der`].
    pub fn from_certificate(der: &[u8]) -> Result<Self, PkiError> {
        PeerCertificate::from_der(der).map(|certificate| certificate.identity)
    }
}

/// The public key of a certificate in DER as a JWK with its thumbprint; `None` when it is not on P-256.
#[must_use]
pub fn certified_key(der: &[u8]) -> Option<Jwk> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let point = &certificate.public_key().subject_public_key.data;
    jwk::PublicKey::from_point(point).map(jwk::PublicKey::to_jwk)
}

/// A certificate in PEM (RFC 7468 section 5).
#[must_use]
pub fn to_pem(der: &[u8]) -> String {
    pem::encode("CERTIFICATE", der).to_string()
}
