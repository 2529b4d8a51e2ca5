//! The home of a node on disk: where each file lies, and how it is written.
//!
//! Not here: what the files mean. INVARIANT: a file is either the old one or the new one, never half.

use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Paths below a node's home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The home at this path.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `puente.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("puente.toml")
    }

    /// Private keys, mode 0700.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// A private key by name.
    #[must_use]
    pub fn key(&self, name: &str) -> PathBuf {
        self.keys().join(format!("{name}.pem"))
    }

    /// Certificates.
    #[must_use]
    pub fn certificate(&self, name: &str) -> PathBuf {
        self.0.join("certificates").join(format!("{name}.pem"))
    }

    /// `root.json`, `members.json` and `directories/<country>.json`.
    #[must_use]
    pub fn membership(&self) -> PathBuf {
        self.0.join("membership")
    }

    /// The country's own directory before it is signed.
    #[must_use]
    pub fn own_directory(&self) -> PathBuf {
        self.0.join("directory.json")
    }

    /// One file per agency.
    #[must_use]
    pub fn agencies(&self) -> PathBuf {
        self.0.join("agencies")
    }

    /// Duty rosters: one file per agency.
    #[must_use]
    pub fn rosters(&self) -> PathBuf {
        self.0.join("rosters")
    }

    /// Policies in force.
    #[must_use]
    pub fn policies(&self) -> PathBuf {
        self.0.join("policies")
    }

    /// Catalogue in force.
    #[must_use]
    pub fn schemas(&self) -> PathBuf {
        self.0.join("schemas")
    }

    /// The embedded store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.0.join("store").join("node.db")
    }

    /// The keys of subjects: apart from the store, because a copy of the store must never contain them.
    #[must_use]
    pub fn subjects(&self) -> PathBuf {
        self.0.join("subjects").join("subjects.db")
    }

    /// The admin listener's Unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }
}

/// Makes a folder that only its owner may enter, unless it is there.
///
/// # Errors
/// When the file system refuses.
pub fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a whole file: temporary, fsync, rename, fsync of the folder.
///
/// # Errors
/// When any of these fail; then the old file stands.
pub fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().ok_or_else(|| std::io::Error::other("path without a folder"))?;
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().ok_or_else(|| std::io::Error::other("path without a name"))?;
    let temporary = folder.join(format!(".{}.new", name.to_string_lossy()));
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    std::fs::File::open(folder)?.sync_all()
}

/// Every file below a folder as (relative path with `/`, bytes), sorted; hidden files are passed over.
///
/// # Errors
/// When a folder or file cannot be read, or there are more than `MAX_FILES`.
pub fn read_tree(folder: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((path, prefix)) = folders.pop() {
        for entry in std::fs::read_dir(&path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), relative));
            } else {
                files.push((relative, std::fs::read(entry.path())?));
            }
            if files.len() > MAX_FILES {
                return Err(std::io::Error::other("too many files"));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A catalogue of every message type has a few hundred files; ten times that is a mistake.
const MAX_FILES: usize = 5_000;
