//! The catalogue and the policies of this build, carried in the program and written out into a new home.
//!
//! Not here: which are in force; a node reads those of its home. INVARIANT: what is written out is what stood
//! in `schemas/` and `policies/` when the program was built.

use include_dir::{Dir, include_dir};

use crate::home::{Home, write_file};
use crate::setup::SetupError;

static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../schemas");
static POLICIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../policies");

/// The file of `policies/` with this path, as built in.
pub(super) fn policy_file(path: &str) -> Option<&'static [u8]> {
    POLICIES.get_file(path).map(include_dir::File::contents)
}

/// Writes catalogue and policies into the home.
///
/// # Errors
/// `File` when one cannot be written.
pub(super) fn write_out(home: &Home) -> Result<(), SetupError> {
    for (tree, folder) in [(&SCHEMAS, home.schemas()), (&POLICIES, home.policies())] {
        write_tree(tree, &folder)?;
    }
    Ok(())
}

fn write_tree(tree: &Dir<'_>, folder: &std::path::Path) -> Result<(), SetupError> {
    for file in tree.files() {
        let path = folder.join(file.path());
        write_file(&path, file.contents()).map_err(SetupError::file(&path))?;
    }
    tree.dirs().try_for_each(|below| write_tree(below, folder))
}
