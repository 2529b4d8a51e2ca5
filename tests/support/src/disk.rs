//! What lies on a disk, as whoever takes it sees it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Every file under a folder with its bytes; sockets are none.
///
/// # Errors
/// When one cannot be read.
pub fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.is_file() {
            found.insert(path.clone(), std::fs::read(&path)?);
        }
    }
    Ok(found)
}
