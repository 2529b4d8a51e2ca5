//! The house rules that a compiler does not check: import arrows, allow-lists, the shape of files, dead codes.
//!
//! Not a linter: what clippy can forbid stands in `.clippy.toml`. INVARIANT: the rules are tables of data at the top of
//! each file, every row with its reason, and a failure names the file, the line and that reason.

#![cfg_attr(
    test,
    allow(
        clippy::expect_used,
        clippy::panic,
        clippy::print_stdout,
        reason = "a test that cannot read the repository fails, and a warning of a test is printed"
    )
)]

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod debt;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod licence;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod shape;
#[cfg(test)]
mod source;
#[cfg(test)]
mod token;
#[cfg(test)]
mod vocabulary;

/// Fails with every finding, one a line, so that one run tells all there is to mend.
#[cfg(test)]
fn assert_none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}
