//! The digest of what officers see before they release a row.
//!
//! Not here: their statements (`approvals`). INVARIANT: its agency's signature is part of it, so that what officers release is
//! what was submitted.

use std::collections::{BTreeMap, BTreeSet};

use puente_core::ids::{Category, Digest};
use puente_core::problem::{self, Problem};

use crate::domestic::submit::form::{Removal, Submission};

/// Digest of what officers see before they release it: the submission, what would be delivered of it, and why not the
/// rest. Of what a protection hold removes it knows the neutral reason alone, or it could be tried out. The thread is not
/// part of it: a new one is only given once the row is held.
///
/// # Errors
/// When the submission cannot be serialised.
pub(super) fn preview_digest(
    submission: &Submission,
    deliver: &BTreeSet<Category>,
    removed: &[Removal],
) -> Result<Digest, Problem> {
    let seen = Submission { case: None, ..submission.clone() };
    let removed: BTreeMap<_, _> =
        removed.iter().map(|removal| (&removal.category, &removal.rule.id)).collect();
    let bytes =
        serde_json::to_vec(&(seen, deliver, removed)).map_err(|_| Problem::new(&problem::INTERNAL))?;
    Ok(Digest::of(&bytes))
}
