//! Private files: written whole or not at all, readable by their owner alone.
//!
//! Not here: what the file holds. Invariant: a private file is never visible half written, and one
//! that others may read is refused, because what it held must be taken as known.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Largest private file: a PEM chain of a few certificates and a key is under 16 KiB.
const MAX_PRIVATE_FILE_BYTES: u64 = 64 << 10;

/// Mode bits that let the group or the world in.
const OTHERS: u32 = 0o077;

/// Why a private file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading or writing failed.
    #[error("private file `{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Group or world may read or write it.
    #[error("private file `{}` is open to others (mode {mode:03o}): set it to 600 and replace the key", path.display())]
    OpenToOthers {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not a plain file, or longer than any private file of ours.
    #[error("private file `{}` is not a plain file of at most {MAX_PRIVATE_FILE_BYTES} bytes", path.display())]
    NotPlain {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads a private file.
///
/// # Errors
/// When it cannot be read, is open to others, or is not a plain file of a sane size.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let failed = |source| FileError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    // The open file is asked, not the path, so that it cannot change in between.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() || metadata.len() > MAX_PRIVATE_FILE_BYTES {
        return Err(FileError::NotPlain { path: path.to_owned() });
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(FileError::OpenToOthers { path: path.to_owned(), mode });
    }
    let capacity = usize::try_from(metadata.len()).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    (&mut file).take(MAX_PRIVATE_FILE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Writes a private file with mode 0600: a temporary file beside it, synced, renamed, directory synced.
///
/// # Errors
/// When any of these steps fails; the former file then still stands.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Io { path: path.to_owned(), source };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let temporary = PathBuf::from(temporary);

    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(directory)?.sync_all()
    })();
    if written.is_err() {
        // The first error is the one to tell; a leftover of ours is of mode 0600 and harmless.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(failed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_of_mode_600_and_reads_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        write_private(&path, b"first").unwrap();
        write_private(&path, b"second").unwrap();
        assert_eq!(read_private(&path).unwrap().as_slice(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_the_group_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        write_private(&path, b"secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_private(&path), Err(FileError::OpenToOthers { mode: 0o640, .. })));
    }

    #[test]
    fn a_directory_is_no_private_file() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(read_private(directory.path()), Err(FileError::NotPlain { .. })));
    }
}
