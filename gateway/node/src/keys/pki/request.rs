//! What is taken from an agency's certificate request: its public key, and nothing else.
//!
//! Not here: subject, names and usages, which the authority sets. Invariant: a key is taken only from
//! a request that the key itself has signed (RFC 2986 section 3), so nobody can enrol another's key.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use super::PkiError;
use crate::keys::jwk::PublicKey;

/// Longest request: a P-256 request with a long subject is under 2 KiB.
const MAX_REQUEST_BYTES: usize = 16 << 10;

/// RFC 5480 section 2: the subject public key info of a P-256 key is this and its uncompressed point.
const P256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The P-256 key that a certificate is issued for.
pub(super) struct SubjectKey(Vec<u8>);

impl SubjectKey {
    /// The key, if it is of P-256.
    pub(super) fn new(public: PublicKey) -> Option<Self> {
        matches!(public, PublicKey::P256 { .. }).then(|| Self(public.to_bytes()))
    }

    /// The key of a PKCS#10 request in PEM, its own signature checked.
    pub(super) fn from_request(pem: &[u8]) -> Result<Self, PkiError> {
        if pem.len() > MAX_REQUEST_BYTES {
            return Err(PkiError::Request);
        }
        let der = CertificateSigningRequestDer::from_pem_slice(pem).map_err(|_| PkiError::Request)?;
        let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| PkiError::Request)?;
        let info = &request.certification_request_info;
        let point = info.subject_pki.raw.strip_prefix(&P256_SPKI_PREFIX).ok_or(PkiError::Request)?;
        let public = PublicKey::from_point(point).ok_or(PkiError::Request)?;
        if !rest.is_empty() {
            return Err(PkiError::Request);
        }
        ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
            .map_err(|_| PkiError::Request)?
            .verify_sig(info.raw, &request.signature_value.data)
            .map_err(|_| PkiError::RequestSignature)?;
        Self::new(public).ok_or(PkiError::Request)
    }
}

impl PublicKeyData for SubjectKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}
