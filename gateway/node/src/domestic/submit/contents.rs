//! The digests of a submission's content that an authority's act binds.
//!
//! Not here: what the officers of the sender see (`prepare`). INVARIANT: a change of any value, of the person, the purpose or
//! the basis is another content; only the thread, the row's number and, in the second digest, the recipient are not in it.

use puente_core::ids::Digest;
use puente_core::problem::{self, Problem};

use crate::domestic::submit::form::Submission;

/// Digest of the content for its recipient, and of the same content for any.
///
/// # Errors
/// When it cannot be serialised.
pub fn contents(submission: &Submission) -> Result<[Digest; 2], Problem> {
    let internal = |_| Problem::new(&problem::INTERNAL);
    let plain = Submission { case: None, row: None, ..submission.clone() };
    let mut anywhere = serde_json::to_value(&plain).map_err(internal)?;
    if let Some(members) = anywhere.as_object_mut() {
        members.remove("recipient");
    }
    let whole = serde_json::to_vec(&plain).map_err(internal)?;
    let anywhere = serde_json::to_vec(&anywhere).map_err(internal)?;
    Ok([Digest::of(&whole), Digest::of(&anywhere)])
}
