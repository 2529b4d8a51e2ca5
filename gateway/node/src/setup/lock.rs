//! One editor of a home at a time, so that two of them do not sign the same directory version twice.

use std::fs::{File, OpenOptions, TryLockError};

use crate::home::Home;
use crate::setup::SetupError;

/// Held while a home is edited; the system lets go of it when the process ends.
pub(super) struct EditLock(#[expect(dead_code, reason = "held for its lock")] File);

impl EditLock {
    /// Takes the lock, without waiting.
    ///
    /// # Errors
    /// `Busy` when another process edits the home, `File` when there is no home.
    pub(super) fn take(home: &Home) -> Result<Self, SetupError> {
        let path = home.path().join(".edit.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(SetupError::file(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(SetupError::Busy(home.path().to_owned())),
            Err(TryLockError::Error(source)) => Err(SetupError::File { path, source }),
        }
    }
}
