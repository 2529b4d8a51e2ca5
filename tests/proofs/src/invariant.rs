//! The invariants: `policies/invariants/*.cedar`, each a set of requests that must never be allowed.
//!
//! Not rules: the engine never loads them. INVARIANT: each says what it claims and which policies keep it; an invariant
//! without a keeper, or whose keeper is gone, is refused.

use crate::shipped::{Clause, Files, Shipped, clauses};

/// One claim: no request that it matches is allowed.
pub struct Invariant {
    /// The forbidden requests, written as a permit that must never coincide with ours.
    pub clause: Clause,
    /// The policies that keep it, each needed and together enough.
    pub keepers: Vec<String>,
}

/// The invariants in the order of their files.
pub fn invariants(files: &Files) -> Vec<Invariant> {
    clauses(files, "invariants/").into_iter().map(invariant).collect()
}

fn invariant(clause: Clause) -> Invariant {
    let kept_by = clause.policy.annotation("kept_by").unwrap_or_default();
    let keepers: Vec<_> = kept_by.split_whitespace().map(str::to_owned).collect();
    assert!(!keepers.is_empty(), "{}: `{}` names no policy in `@kept_by`", clause.file, clause.id);
    let says = clause.policy.annotation("never").unwrap_or_default();
    assert!(!says.is_empty(), "{}: `{}` does not say what never happens", clause.file, clause.id);
    assert!(clause.permits(), "{}: `{}` is written as a permit", clause.file, clause.id);
    Invariant { clause, keepers }
}

impl Invariant {
    /// Its keepers among the shipped policies.
    ///
    /// # Errors
    /// The id of the first keeper that does not ship.
    pub fn keepers<'s>(&self, shipped: &'s Shipped) -> Result<Vec<&'s Clause>, String> {
        let find = |id: &String| shipped.clauses.iter().find(|clause| clause.id == *id).ok_or(id.clone());
        self.keepers.iter().map(find).collect()
    }
}
