//! Keys and what they do: JOSE tokens, private key files, certificates and TLS.
//!
//! Not here: who may use a key and when (`puente_core::membership`), or what a token says
//! (`puente_core::envelope`). Invariant: a private key never leaves this module except into a file
//! that only its owner reads, and the algorithm always belongs to the key, never to a message.

use std::collections::BTreeMap;

use puente_core::envelope::Open;
use puente_core::ids::KeyId;

mod file;
mod http_signature;
pub mod jose;
mod jwk;
mod pem;
pub mod pki;
mod private;
mod random;
pub mod tls;

pub use file::{FileError, read_private, write_private};
pub use http_signature::HttpSigner;
pub use jose::{Jose, Opener, Sealer, Signer, Verifier};
pub use jwk::PublicKeyFile;
pub use private::{KeyError, KeyFile, KeyUse};
pub use random::SystemRandom;

/// Private keys that open, each by its id.
pub type Openers = BTreeMap<KeyId, Box<dyn Open>>;

/// What opens with these keys.
///
/// # Errors
/// `Use` for a key that is for signing.
pub fn openers(keys: &[KeyFile]) -> Result<Openers, KeyError> {
    let opener = |key: &KeyFile| -> Result<(KeyId, Box<dyn Open>), KeyError> {
        Ok((key.key_id().clone(), Box::new(key.opener()?)))
    };
    keys.iter().map(opener).collect()
}
