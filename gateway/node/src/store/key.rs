//! The two keys of what is at rest, each in its file: the store's own, and the one that wraps those of subjects.
//!
//! Not here: the sealing (`sqlite::seal`), or keys of subjects, agencies and peers. Invariant: the bytes
//! are in one zeroized place and in a file that only its owner can read; `Debug` shows nothing.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::error::OpenError;

/// Length of the key: AES-256.
pub(super) const KEY_BYTES: usize = 32;

/// 32 secret bytes.
#[derive(Clone)]
pub struct StoreKey(Zeroizing<[u8; KEY_BYTES]>);

impl StoreKey {
    /// A key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key in this file; a fresh one if there is no file yet. An existing file is never changed.
    ///
    /// # Errors
    /// `KeyFile` when it is not exactly 32 bytes or others can read it, `Io` when the file system refuses.
    pub fn load_or_create(path: &Path) -> Result<Self, OpenError> {
        match Self::load(path) {
            Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                create(path)?;
                Self::load(path)
            }
            outcome => outcome,
        }
    }

    fn load(path: &Path) -> Result<Self, OpenError> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(OpenError::KeyFile("others than its owner can reach it, set mode 0600"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
        file.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        let bytes: [u8; KEY_BYTES] =
            bytes.as_slice().try_into().map_err(|_| OpenError::KeyFile("it is not 32 bytes long"))?;
        Ok(Self::from_bytes(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey([secret])")
    }
}

/// Wraps the keys of subjects and stands outside their file; 32 secret bytes.
#[derive(Clone, Debug)]
pub struct SubjectsKey(StoreKey);

impl SubjectsKey {
    /// A key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(StoreKey::from_bytes(bytes))
    }

    /// The key in this file; a fresh one if there is no file yet. An existing file is never changed.
    ///
    /// # Errors
    /// `KeyFile` when it is not exactly 32 bytes or others can read it, `Io` when the file system refuses.
    pub fn load_or_create(path: &Path) -> Result<Self, OpenError> {
        StoreKey::load_or_create(path).map(Self)
    }

    /// The secret under which subjects are hashed to their tags.
    #[must_use]
    pub fn tags(&self) -> hmac::Key {
        let wraps = hmac::Key::new(hmac::HMAC_SHA256, self.bytes());
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&wraps, b"puente subject tags 1").as_ref())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// Writes a random key beside `path`, then links it there: whole or not at all, and of two processes one wins.
fn create(path: &Path) -> Result<(), OpenError> {
    let mut secret = Zeroizing::new([0_u8; KEY_BYTES]);
    let mut suffix = [0_u8; 8];
    aws_lc_rs::rand::fill(secret.as_mut_slice()).map_err(|_| no_randomness())?;
    aws_lc_rs::rand::fill(&mut suffix).map_err(|_| no_randomness())?;
    let draft = path.with_extension(format!("new-{:016x}", u64::from_be_bytes(suffix)));

    let written = write_draft(&draft, secret.as_slice()).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let removed = fs::remove_file(&draft);
    written?;
    removed?;
    Ok(sync_folder(path)?)
}

fn write_draft(draft: &Path, secret: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(secret)?;
    file.sync_all()
}

/// Makes the entry of a new file durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn no_randomness() -> OpenError {
    OpenError::Unavailable("the system gives no randomness")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_key_is_created_once_for_its_owner_alone_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.key");
        let first = StoreKey::load_or_create(&path).unwrap();
        let again = StoreKey::load_or_create(&path).unwrap();
        assert_eq!(first.bytes(), again.bytes());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_short_or_readable_key_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.key");
        write_draft(&path, &[7; 31]).unwrap();
        assert!(matches!(StoreKey::load_or_create(&path), Err(OpenError::KeyFile(_))));
        assert_eq!(fs::read(&path).unwrap(), [7; 31]);

        fs::write(&path, [7; 32]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(StoreKey::load_or_create(&path), Err(OpenError::KeyFile(_))));
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        assert_eq!(format!("{:?}", StoreKey::from_bytes([65; 32])), "StoreKey([secret])");
    }
}
