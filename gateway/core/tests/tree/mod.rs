//! A folder of the repository as core reads it: every file by its path.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A path from the root of the repository.
pub fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Every file below a folder of the repository.
pub fn tree(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let root = root(folder);
    let mut files = BTreeMap::new();
    read(&root, &root, &mut files);
    files
}

fn read(root: &Path, under: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}
