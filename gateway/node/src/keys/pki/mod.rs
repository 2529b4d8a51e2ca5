//! Certificates: two authorities per country, and what a certificate says about its holder.
//!
//! Not here: handshakes (`tls`), revocation and entitlement (the register of agencies, the membership).
//! Invariant: the identity of a certificate is its one `urn:puente:` name, set by the authority and
//! never taken from a request.

mod authority;
mod certificate;
mod identity;
mod request;

pub use authority::{Authority, Issued, Validity};
pub use certificate::{PeerCertificate, certified_key, to_pem};
pub use identity::{AuthorityKind, Identity};

/// Why a certificate cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The certificate is not X.509 in DER, or has bytes after its end.
    #[error("certificate is not readable")]
    Unreadable,
    /// The certificate names no identity of ours, or more than one.
    #[error("certificate does not have exactly one `urn:puente:` name")]
    Identity,
    /// The authority's certificate is not that of an authority.
    #[error("certificate is not that of an authority of Puente")]
    NotAuthority,
    /// The key is not the one in the authority's certificate.
    #[error("key is not that of the authority's certificate")]
    WrongKey,
    /// This authority does not issue certificates of this kind.
    #[error("a {0} authority does not issue this certificate")]
    WrongAuthority(AuthorityKind),
    /// The request is not PKCS#10 in PEM of a P-256 key.
    #[error("request is not PKCS#10 in PEM with a P-256 key")]
    Request,
    /// The request is not signed by the key that it carries.
    #[error("request is not signed by its own key")]
    RequestSignature,
    /// The names are none, too many, or not host names or addresses.
    #[error("expected 1 to {max} host names or addresses", max = authority::MAX_NAMES)]
    Names,
    /// The validity does not end after it starts, or lies outside what X.509 can say.
    #[error("validity is not a span of time that a certificate can state")]
    Validity,
    /// The key could not be made.
    #[error(transparent)]
    Key(#[from] super::KeyError),
    /// The certificate could not be signed.
    #[error("certificate could not be signed")]
    Signing,
}
