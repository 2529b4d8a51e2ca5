//! The folder that the demonstration plays in: a given one, or a temporary one that goes away.
//!
//! INVARIANT: a folder that was given is never removed.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

/// Where the homes lie.
pub enum Folder {
    /// Stays.
    Kept(PathBuf),
    /// Goes when it is dropped.
    Temporary(TempDir),
}

impl Folder {
    /// Makes it.
    pub fn make(given: Option<&Path>, keep: bool) -> anyhow::Result<Self> {
        if let Some(path) = given {
            std::fs::create_dir_all(path).with_context(|| format!("folder `{}`", path.display()))?;
            return Ok(Self::Kept(std::path::absolute(path)?));
        }
        let temporary =
            tempfile::Builder::new().prefix("puente-demo-").tempdir().context("temporary folder")?;
        Ok(if keep { Self::Kept(temporary.keep()) } else { Self::Temporary(temporary) })
    }

    /// Lets it stay, for somebody to look at.
    pub fn stay(self) -> PathBuf {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.keep(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}
