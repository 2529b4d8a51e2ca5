//! The roles that policy knows: whoever sends or receives in some profile.
//!
//! Not here: what a role may do (`core::policy`). INVARIANT: a role outside every profile is unknown, so that a
//! slip of the pen makes an error and not an agency that nobody can address.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use puente_core::ids::Role;

use crate::home::Home;
use crate::setup::{SetupError, embedded};

/// Where the profiles stand under `policies/`.
const PROFILES: &str = "profiles.json";

/// The ends of a profile; its other members are not asked for here.
#[derive(Deserialize)]
struct Ends {
    senders: BTreeSet<Role>,
    recipients: BTreeSet<Role>,
}

/// The roles of the policies built into the program.
///
/// # Errors
/// `Form` when the profiles are not of their form.
pub(super) fn built_in() -> Result<BTreeSet<Role>, SetupError> {
    parse(embedded::policy_file(PROFILES).unwrap_or_default(), Path::new(PROFILES))
}

/// The roles of the policies in force in a home.
///
/// # Errors
/// `File` or `Form` when the profiles cannot be read.
pub(super) fn in_force(home: &Home) -> Result<BTreeSet<Role>, SetupError> {
    let path = home.policies().join(PROFILES);
    parse(&std::fs::read(&path).map_err(SetupError::file(&path))?, &path)
}

fn parse(bytes: &[u8], path: &Path) -> Result<BTreeSet<Role>, SetupError> {
    let profiles: BTreeMap<String, Ends> = serde_json::from_slice(bytes)
        .map_err(|_| SetupError::Form { path: path.to_owned(), expected: "a file of profiles" })?;
    Ok(profiles.into_values().flat_map(|ends| ends.senders.into_iter().chain(ends.recipients)).collect())
}
