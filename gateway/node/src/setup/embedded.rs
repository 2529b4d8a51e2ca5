//! The catalogue and the policies of this build, carried in the program and written out into a new home.
//!
//! Not here: which are in force; a node reads those of its home. INVARIANT: what is written out is what stood
//! in `schemas/` and `policies/` when the program was built.

use std::fs::File;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::home::Home;
use crate::setup::SetupError;

static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../schemas");
static POLICIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../policies");

/// Every file of `policies/` as built in: path below it, and bytes.
#[must_use]
pub fn built_in_policies() -> Vec<(String, Vec<u8>)> {
    every_file(&POLICIES)
}

/// Every file of `schemas/` as built in: path below it, and bytes.
#[must_use]
pub fn built_in_schemas() -> Vec<(String, Vec<u8>)> {
    every_file(&SCHEMAS)
}

fn every_file(tree: &'static Dir<'_>) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![tree];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(
            folder.files().map(|file| (file.path().to_string_lossy().into_owned(), file.contents().to_vec())),
        );
    }
    files
}

/// The file of `policies/` with this path, as built in.
pub(super) fn policy_file(path: &str) -> Option<&'static [u8]> {
    POLICIES.get_file(path).map(include_dir::File::contents)
}

/// Writes catalogue and policies into the home; durable when it returns.
///
/// # Errors
/// `File` when one cannot be written.
pub(super) fn write_out(home: &Home) -> Result<(), SetupError> {
    let mut written = Vec::new();
    for (tree, folder) in [(&SCHEMAS, home.schemas()), (&POLICIES, home.policies())] {
        write_tree(tree, &folder, &mut written)?;
    }
    // After all is written, so that the file system's journal takes it in a few steps and not in hundreds.
    for path in written {
        File::open(&path).and_then(|file| file.sync_all()).map_err(SetupError::file(&path))?;
    }
    Ok(())
}

fn write_tree(tree: &Dir<'_>, folder: &Path, written: &mut Vec<PathBuf>) -> Result<(), SetupError> {
    let below = folder.join(tree.path());
    std::fs::create_dir_all(&below).map_err(SetupError::file(&below))?;
    for file in tree.files() {
        let path = folder.join(file.path());
        std::fs::write(&path, file.contents()).map_err(SetupError::file(&path))?;
        written.push(path);
    }
    written.push(below);
    tree.dirs().try_for_each(|below| write_tree(below, folder, written))
}
