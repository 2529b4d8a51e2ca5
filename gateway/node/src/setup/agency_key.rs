//! The keys that an agency holds itself, to sign its messages or to open what is for it: into the country's directory, and
//! out of use.
//!
//! Not here: private keys, which never leave the agency's machine. INVARIANT: a key has one holder and one use, and none
//! is taken off: with its last key gone an agency would silently be one for which its gateway may speak, or may read.

use std::path::Path;

use puente_core::ids::{AgencyId, KeyId, Role};
use puente_core::membership::AgencyKey;

use crate::clock::Clock;
use crate::home::Home;
use crate::keys::{KeyUse, PublicKeyFile};
use crate::register::{SealEntry, State};
use crate::setup::instant;
use crate::setup::lock::EditLock;
use crate::setup::{SetupError, agency, directory};

/// Most keys of one use of one agency: one in use and its successor, over many years.
pub const MAX_KEYS: usize = 32;

/// Largest file that is read as a public key.
const MAX_JWK_BYTES: usize = 4 * 1024;

/// What an agency holds a key for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldFor {
    /// To sign its messages; from then on its unsigned ones are refused.
    Signing,
    /// To open what is for it in this role; from then on nobody else can, its gateway neither.
    Opening(Role),
}

impl HeldFor {
    const fn usage(&self) -> KeyUse {
        match self {
            Self::Signing => KeyUse::Sign,
            Self::Opening(_) => KeyUse::Open,
        }
    }
}

/// Puts an agency's public key into the directory, valid from now for so many days; of several, the one that began last is
/// the one in use, and the others stand until they end.
///
/// # Errors
/// `PublicKey`, `KnownKey`, `Keys`, `RoleNotHeld`, `UnknownAgency`, `RevokedAgency`; otherwise what could not be read or
/// written.
pub fn add(
    home: &Home,
    agency: &AgencyId,
    held_for: &HeldFor,
    jwk: &Path,
    days: u16,
    clock: &dyn Clock,
) -> Result<AgencyKey, SetupError> {
    let bytes = std::fs::read(jwk).map_err(SetupError::file(jwk))?;
    let bytes = Some(bytes).filter(|bytes| bytes.len() <= MAX_JWK_BYTES);
    let read = bytes.and_then(|bytes| PublicKeyFile::read(&bytes, held_for.usage()));
    let public = read.ok_or_else(|| SetupError::PublicKey(jwk.to_owned(), held_for.usage()))?;
    let _alone = EditLock::take(home)?;
    let mut file = agency::read(home, agency)?;
    if file.state == State::Revoked {
        return Err(SetupError::RevokedAgency(agency.clone()));
    }
    if is_known(home, &public.kid)? {
        return Err(SetupError::KnownKey(public.kid));
    }
    let key = AgencyKey {
        kid: public.kid,
        jwk: public.jwk,
        not_before: instant::begins(clock),
        not_after: instant::ends(clock, days),
    };
    let held = match held_for {
        HeldFor::Signing => file.keys.len(),
        HeldFor::Opening(role) if !file.roles.contains(role) => {
            return Err(SetupError::RoleNotHeld(agency.clone(), role.clone()));
        }
        HeldFor::Opening(_) => file.seals.len(),
    };
    if held >= MAX_KEYS {
        return Err(SetupError::Keys);
    }
    match held_for {
        HeldFor::Signing => file.keys.push(key.clone()),
        HeldFor::Opening(role) => {
            file.seals.push(SealEntry { role: role.clone(), profile: public.profile, key: key.clone() })
        }
    }
    agency::write(home, &file)?;
    agency::republish(home, clock)?;
    Ok(key)
}

/// Whether the gateway or an agency, revoked ones among them, has or had this key.
fn is_known(home: &Home, kid: &KeyId) -> Result<bool, SetupError> {
    let gateways = directory::read(home)?.keys.iter().any(|key| key.kid == *kid);
    Ok(gateways || agency::list(home)?.iter().any(|file| file.held_keys().any(|key| key.kid == *kid)))
}

/// Ends an agency's key now: nothing signed with it is taken any more, and nothing is sealed to it, by this node or by
/// peers that have the directory. What was sealed to it before opens with it still.
///
/// # Errors
/// `UnknownAgency`, `UnknownKey`; otherwise what could not be written.
pub fn revoke(home: &Home, agency: &AgencyId, kid: &KeyId, clock: &dyn Clock) -> Result<(), SetupError> {
    let _alone = EditLock::take(home)?;
    let mut file = agency::read(home, agency)?;
    let mut held = file.keys.iter_mut().chain(file.seals.iter_mut().map(|entry| &mut entry.key));
    let key = held.find(|key| key.kid == *kid);
    let key = key.ok_or_else(|| SetupError::UnknownKey(kid.clone(), agency.clone()))?;
    key.not_after = key.not_after.min(clock.now_s());
    agency::write(home, &file)?;
    agency::republish(home, clock)
}
