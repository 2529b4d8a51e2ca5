//! Lists of known shortcomings that may only shrink.
//!
//! Not a place to park a new one: what is not on the list fails at once. INVARIANT: an entry that is mended must leave
//! the list; `PUENTE_DEBT=shrink` in the environment of the tests strikes it out, and nothing adds one.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::repository::{root, text};

/// Compares what is wrong now with `debt/<list>.txt`: nothing new, and nothing listed that is already mended.
pub fn assert_only_shrinks(list: &str, rule: &str, wrong: &BTreeSet<String>) {
    let file = format!("tests/architecture/debt/{list}.txt");
    let old = text(&file).unwrap_or_else(|| panic!("{file} is missing"));
    let is_entry = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let listed: BTreeSet<_> = old.lines().filter(is_entry).map(str::to_owned).collect();

    let new: Vec<_> = wrong.difference(&listed).cloned().collect();
    assert_none(rule, &new);

    let mended: Vec<_> = listed.difference(wrong).cloned().collect();
    #[expect(
        clippy::disallowed_methods,
        reason = "the wish of the one who runs the tests, not a setting of the gateway"
    )]
    let shrink = std::env::var_os("PUENTE_DEBT").is_some_and(|wish| wish == "shrink");
    if shrink {
        let kept = old.lines().filter(|line| !mended.iter().any(|entry| entry == line));
        let shorter: String = kept.flat_map(|line| [line, "\n"]).collect();
        std::fs::write(root().join(&file), shorter).unwrap_or_else(|error| panic!("{file}: {error}"));
    } else {
        assert_none(&format!("mended, so strike it out of {file} (PUENTE_DEBT=shrink does it)"), &mended);
    }
}
