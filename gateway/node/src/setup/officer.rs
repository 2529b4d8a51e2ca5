//! An agency's officers: giving a person a credential, taking it back.
//!
//! Not here: what officers say (`core::approval`). INVARIANT: an officer id stands for one credential for ever,
//! because statements are recorded under it.

use zeroize::Zeroizing;

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{AgencyId, OfficerId, PersonId};

use crate::home::Home;
use crate::keys::{KeyFile, KeyUse};
use crate::register::{OfficerEntry, State};
use crate::setup::lock::EditLock;
use crate::setup::{SetupError, agency};

/// Enrols an officer; answers the private key in PEM, which is kept nowhere else.
///
/// `person` is the pseudonym of the natural person: the same for every credential of one human.
///
/// # Errors
/// `UnknownAgency`, `RevokedAgency`, `KnownOfficer`; otherwise what could not be made or written.
pub fn add(
    home: &Home,
    agency: &AgencyId,
    officer: &OfficerId,
    person: &PersonId,
) -> Result<Zeroizing<String>, SetupError> {
    let _alone = EditLock::take(home)?;
    let mut file = agency::read(home, agency)?;
    if file.state == State::Revoked {
        return Err(SetupError::RevokedAgency(agency.clone()));
    }
    if file.officers.iter().any(|entry| entry.officer == *officer) {
        return Err(SetupError::KnownOfficer(officer.clone()));
    }
    // P-256 whatever the node's profile: officers' tokens and cards speak it.
    let key =
        KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).map_err(SetupError::key(&home.agencies()))?;
    file.officers.push(OfficerEntry {
        officer: officer.clone(),
        person: person.clone(),
        kid: key.key_id().clone(),
        jwk: key.public_jwk(),
        state: State::Active,
    });
    agency::write(home, &file)?;
    Ok(key.to_pem())
}

/// Takes an officer's credential back; what was said before stands recorded, but no longer counts as a grant.
///
/// # Errors
/// `UnknownAgency`, `UnknownOfficer`; otherwise what could not be written.
pub fn revoke(home: &Home, agency: &AgencyId, officer: &OfficerId) -> Result<(), SetupError> {
    let _alone = EditLock::take(home)?;
    let mut file = agency::read(home, agency)?;
    let entry = file.officers.iter_mut().find(|entry| entry.officer == *officer);
    entry.ok_or_else(|| SetupError::UnknownOfficer(officer.clone(), agency.clone()))?.state = State::Revoked;
    agency::write(home, &file)
}
