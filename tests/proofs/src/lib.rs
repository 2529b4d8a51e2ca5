//! Proofs over the shipped policies: what must never happen, what must stay possible, and that every rule is missed.
//!
//! Not the engine, which is tested beside its code: here the policies themselves are asked, by an SMT solver and for
//! every request there can be. INVARIANT: a solver that is missing, times out, answers "unknown" or cannot type an
//! invariant is a failed proof, never a skipped one.

#![cfg_attr(
    test,
    allow(
        clippy::expect_used,
        clippy::panic,
        clippy::print_stdout,
        reason = "a proof that cannot be made fails, and says how long the others took"
    )
)]

#[cfg(test)]
mod deletion;
#[cfg(test)]
mod invariant;
#[cfg(test)]
mod liveness;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod prover;
#[cfg(test)]
mod replayed;
#[cfg(test)]
mod safety;
#[cfg(test)]
mod shipped;

/// Fails with every finding, one a line, so that one run tells all there is to mend.
#[cfg(test)]
fn assert_none(claim: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{claim}:\n  {}", findings.join("\n  "));
}
