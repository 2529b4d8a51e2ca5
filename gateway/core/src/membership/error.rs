//! Why a document of membership is not believed.

use crate::envelope::CryptoFailure;
use crate::ids::{CountryCode, Realm};

/// Why membership cannot be trusted as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// A document is not of its form.
    #[error("membership document is not of its form: {0}")]
    Form(&'static str),
    /// Too few distinct keys signed.
    #[error("{have} of {need} required keys signed")]
    Threshold {
        /// Distinct listed keys that signed.
        have: usize,
        /// Keys that are needed.
        need: usize,
    },
    /// A signature or key failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailure),
    /// A document is of another realm.
    #[error("membership document is of realm `{0}`")]
    Realm(Realm),
    /// A document is older than the one in force.
    #[error("{what} of version {offered} is older than {held}")]
    Rollback {
        /// Which document.
        what: &'static str,
        /// Offered version.
        offered: u64,
        /// Version in force.
        held: u64,
    },
    /// A directory speaks for another country, or names one twice.
    #[error("directory of `{0}` does not belong to it")]
    Country(CountryCode),
}
