//! A country's signature on an agreement between states, with its directory key.
//!
//! Not here: whether an agreement binds (`policy`). INVARIANT: what is signed is the text as it came, so that
//! every party signs the same bytes.

use puente_core::envelope::base64url;
use puente_core::membership::SignedDocument;
use puente_core::policy::{Agreements, TYP_AGREEMENT};

use crate::home::Home;
use crate::keys::KeyUse;
use crate::setup::{SetupError, credential};

/// Signs an agreement, plain or already signed by another party; answers the document.
///
/// # Errors
/// `Policy` when it is no agreement, `Key` or `Signing` when the country's directory key cannot sign.
pub fn sign(home: &Home, agreement: &[u8]) -> Result<SignedDocument, SetupError> {
    Agreements::load([("agreements/offered.json".to_owned(), agreement.to_vec())])?;
    let mut document = SignedDocument::read(agreement)
        .unwrap_or_else(|_| SignedDocument { payload: base64url(agreement), signatures: Vec::new() });
    let key = credential::load_key(home, credential::DIRECTORY, KeyUse::Sign)?;
    let signer = key.signer().map_err(SetupError::key(&home.key(credential::DIRECTORY)))?;
    document.sign(TYP_AGREEMENT, &signer)?;
    Ok(document)
}
