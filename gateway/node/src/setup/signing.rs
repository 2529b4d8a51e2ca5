//! The keys with which an agency signs its messages itself: into the country's directory, and out of use.
//!
//! Not here: private keys, which never leave the agency's machine. INVARIANT: a key has one holder and one use, and none
//! is taken off: with its last key gone an agency would silently be one for which its gateway may speak.

use std::path::Path;

use puente_core::ids::{AgencyId, KeyId};
use puente_core::membership::AgencyKey;

use crate::clock::Clock;
use crate::home::Home;
use crate::keys::signing_key;
use crate::register::State;
use crate::setup::instant;
use crate::setup::lock::EditLock;
use crate::setup::{SetupError, agency, directory};

/// Most signing keys of one agency: one in use and its successor, over many years.
pub const MAX_KEYS: usize = 32;

/// Largest file that is read as a public key.
const MAX_JWK_BYTES: usize = 4 * 1024;

/// Puts an agency's public key into the directory, valid from now for so many days; from then on its unsigned messages
/// are refused, here and by every peer that has the directory.
///
/// # Errors
/// `PublicKey`, `KnownKey`, `Keys`, `UnknownAgency`, `RevokedAgency`; otherwise what could not be read or written.
pub fn add(
    home: &Home,
    agency: &AgencyId,
    jwk: &Path,
    days: u16,
    clock: &dyn Clock,
) -> Result<AgencyKey, SetupError> {
    let bytes = std::fs::read(jwk).map_err(SetupError::file(jwk))?;
    let bytes = Some(bytes).filter(|bytes| bytes.len() <= MAX_JWK_BYTES);
    let read = bytes.and_then(|bytes| signing_key(&bytes));
    let (kid, public) = read.ok_or_else(|| SetupError::PublicKey(jwk.to_owned()))?;
    let _alone = EditLock::take(home)?;
    let mut file = agency::read(home, agency)?;
    if file.state == State::Revoked {
        return Err(SetupError::RevokedAgency(agency.clone()));
    }
    let known = directory::read(home)?;
    let mut agencies = known.agencies.iter().flat_map(|listed| listed.keys.iter().map(|key| &key.kid));
    if known.keys.iter().any(|key| key.kid == kid) || agencies.any(|listed| *listed == kid) {
        return Err(SetupError::KnownKey(kid));
    }
    if file.keys.len() >= MAX_KEYS {
        return Err(SetupError::Keys);
    }
    let key = AgencyKey {
        kid,
        jwk: public,
        not_before: instant::begins(clock),
        not_after: instant::ends(clock, days),
    };
    file.keys.push(key.clone());
    agency::write(home, &file)?;
    agency::republish(home, clock)?;
    Ok(key)
}

/// Ends an agency's key now: nothing signed with it is taken any more, by this node or by peers that have the directory.
///
/// # Errors
/// `UnknownAgency`, `UnknownKey`; otherwise what could not be written.
pub fn revoke(home: &Home, agency: &AgencyId, kid: &KeyId, clock: &dyn Clock) -> Result<(), SetupError> {
    let _alone = EditLock::take(home)?;
    let mut file = agency::read(home, agency)?;
    let key = file.keys.iter_mut().find(|key| key.kid == *kid);
    let key = key.ok_or_else(|| SetupError::UnknownKey(kid.clone(), agency.clone()))?;
    key.not_after = key.not_after.min(clock.now_s());
    agency::write(home, &file)?;
    agency::republish(home, clock)
}
