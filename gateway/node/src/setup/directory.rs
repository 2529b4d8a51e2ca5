//! The country's directory: reading it, signing the next version, carrying it to another home.
//!
//! Not here: what peers make of it (`core::membership`). INVARIANT: the unsigned form is written before the
//! signed one, so that after a crash no version is signed a second time with other contents.

use std::path::PathBuf;

use puente_core::ids::CountryCode;
use puente_core::membership::{Directory, TYP_DIRECTORY, sign_document};

use crate::clock::Clock;
use crate::home::{Home, write_file};
use crate::keys::KeyUse;
use crate::register::Register;
use crate::setup::instant::{self, DIRECTORY_DAYS};
use crate::setup::lock::EditLock;
use crate::setup::{SetupError, credential};

/// The country's own directory, as it was last signed.
///
/// # Errors
/// `File` or `Form` when it cannot be read.
pub fn read(home: &Home) -> Result<Directory, SetupError> {
    let path = home.own_directory();
    let bytes = std::fs::read(&path).map_err(SetupError::file(&path))?;
    serde_json::from_slice(&bytes).map_err(|_| SetupError::Form { path, expected: "a directory" })
}

/// Signs the next version with the agencies that may now be addressed; answers the signed document.
///
/// # Errors
/// `Busy` when another process edits the home; otherwise what could not be read, signed or written.
pub fn publish(home: &Home, register: &Register, clock: &dyn Clock) -> Result<Vec<u8>, SetupError> {
    let _alone = EditLock::take(home)?;
    next(home, clock, |directory| take_up(directory, register))
}

/// Signs the next version with another address of the gateway; pins and keys stay.
///
/// # Errors
/// As [`publish`].
pub fn move_gateway(home: &Home, address: &str, clock: &dyn Clock) -> Result<Vec<u8>, SetupError> {
    let _alone = EditLock::take(home)?;
    next(home, clock, |directory| {
        for gateway in &mut directory.gateways {
            address.clone_into(&mut gateway.address);
        }
    })
}

/// Carries a country's own signed directory into another member's home, as peers do over the wire.
///
/// # Errors
/// `File` when it cannot be read or written.
pub fn copy(from: &Home, to: &Home) -> Result<(), SetupError> {
    let country = read(from)?.country;
    let (source, target) = (signed_path(from, &country), signed_path(to, &country));
    let bytes = std::fs::read(&source).map_err(SetupError::file(&source))?;
    write_file(&target, &bytes).map_err(SetupError::file(&target))
}

/// Where a country's signed directory lies in a home.
#[must_use]
pub fn signed_path(home: &Home, country: &CountryCode) -> PathBuf {
    home.membership().join("directories").join(format!("{country}.json"))
}

/// Brings a directory up to the agencies as they are now, with the keys that they hold themselves.
pub(super) fn take_up(directory: &mut Directory, register: &Register) {
    directory.agencies = register.addressable();
    directory.keys.retain(|key| key.agency.is_none());
    directory.keys.extend(register.sealing_keys());
}

/// Signs one version more than the last; whoever calls holds the lock.
pub(super) fn next(
    home: &Home,
    clock: &dyn Clock,
    change: impl FnOnce(&mut Directory),
) -> Result<Vec<u8>, SetupError> {
    let mut directory = read(home)?;
    change(&mut directory);
    directory.version = directory.version.saturating_add(1);
    directory.expires = instant::ends(clock, DIRECTORY_DAYS);
    sign(home, &directory)
}

/// Writes this version, unsigned and signed; answers the signed document.
pub(super) fn sign(home: &Home, directory: &Directory) -> Result<Vec<u8>, SetupError> {
    let path = home.own_directory();
    let unwritable = |_| SetupError::Form { path: path.clone(), expected: "a directory" };
    let unsigned = serde_json::to_vec_pretty(directory).map_err(unwritable)?;
    let key = credential::load_key(home, credential::DIRECTORY, KeyUse::Sign)?;
    let signer = key.signer().map_err(SetupError::key(&home.key(credential::DIRECTORY)))?;
    let document = sign_document(TYP_DIRECTORY, directory, &[&signer])?;
    let signed = serde_json::to_vec(&document).map_err(unwritable)?;
    write_file(&path, &unsigned).map_err(SetupError::file(&path))?;
    let target = signed_path(home, &directory.country);
    write_file(&target, &signed).map_err(SetupError::file(&target))?;
    Ok(signed)
}
