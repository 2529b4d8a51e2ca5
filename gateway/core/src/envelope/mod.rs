//! The message on the wire: signed, selectively disclosable, sealed (PROTOCOL.md section 1).
//!
//! Not here: how a signature or a cipher is computed; that comes in by the traits of `crypto`.

mod crypto;
mod disclosure;
mod header;
mod inner;
mod issue;
mod mode;
mod outer;
mod release;
pub mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use crypto::{CryptoFailure, Jwk, KeyFactory, Open, Randomness, Seal, Sign, SignatureProfile, Verify};
pub use disclosure::{Disclosure, digest_ladder};
pub use header::{
    AttachmentRef, BasisRef, BindingClaims, Confirmation, ConsentExtract, Handling, Header, IssuerClaims,
    PolicyRef, RecipientRef, SealContext, Sections, SenderRef, StepRef,
};
pub use inner::{VerifiedInner, verify_inner};
pub use issue::{Issued, Statement, claimed_issuer, disclosed, issue, read_issued};
pub use mode::{SenderKeys, presentation_digest, signed_by_agency};
pub use outer::{
    CLOCK_TOLERANCE_S, MAX_LIFE_S, OwnHeader, Receiving, VerifiedOuter, claimed_key, own_header, own_seal,
    read_stored, verify_outer,
};
pub use release::{Draft, Release, ReleaseError, release, release_issued};

/// `typ` of a message that goes through the gateway: issuer is the gateway itself.
pub const TYP_DIRECT: &str = "puente-direct+sd-jwt";
/// `typ` of a message that an agency signed.
pub const TYP_AGENCY: &str = "puente+sd-jwt";
/// `typ` of the gateway's release of a message that an agency signed (RFC 9901 section 4.3).
pub const TYP_BINDING: &str = "kb+jwt";

/// Bytes as base64url without padding (RFC 7515 section 2).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict base64url: no padding, no stray bits, nothing outside the alphabet.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
