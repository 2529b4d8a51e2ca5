//! Deletion: no policy and no rule can go without a worked case that fails or an invariant that loses its keeper.
//!
//! Not a proof of its own: that a keeper is needed is proved in `safety`. INVARIANT: what is deleted is the text of the
//! shipped file, and the rest is loaded by the engine that the gateway runs.

use std::collections::BTreeSet;

use puente_core::policy::{PolicyEngine, cases};

use crate::assert_none;
use crate::invariant::invariants;
use crate::profile::profiles;
use crate::shipped::{Clause, Files, Shipped};

/// The shipped files without some policies.
fn without(files: &Files, gone: &[&Clause]) -> Files {
    let mut rest = files.clone();
    for clause in gone {
        if let Some(file) = rest.get_mut(&clause.file) {
            let text = std::str::from_utf8(file).expect("policies are UTF-8");
            *file = cut(text, &clause.id).into_bytes();
        }
    }
    rest
}

/// A file's text without one policy: from the line of its `@id` to the line of the next.
fn cut(text: &str, id: &str) -> String {
    let own = format!("@id(\"{id}\")");
    let mut inside = false;
    let keeps = |line: &&str| {
        if line.starts_with("@id(") {
            inside = line.starts_with(&own);
        }
        !inside
    };
    text.lines().filter(keeps).flat_map(|line| [line, "\n"]).collect()
}

/// The worked cases that ship, by file.
fn worked(files: &Files) -> Vec<&[u8]> {
    let cases = files.iter().filter(|(path, _)| path.starts_with("cases/"));
    cases.map(|(_, bytes)| bytes.as_slice()).collect()
}

/// Whether policies that cannot be loaded, or a worked case, tell that something is gone.
fn is_noticed(files: Files) -> bool {
    let cases: Vec<Vec<u8>> = worked(&files).into_iter().map(<[u8]>::to_vec).collect();
    let Ok(engine) = PolicyEngine::load(files) else { return true };
    cases.iter().any(|bytes| {
        let reports = cases::run(&engine, bytes).expect("the worked cases can be read");
        reports.iter().any(|report| !report.passed)
    })
}

fn keepers(files: &Files) -> BTreeSet<String> {
    invariants(files).into_iter().flat_map(|invariant| invariant.keepers).collect()
}

#[test]
fn nothing_is_noticed_while_nothing_is_gone() {
    assert!(!is_noticed(Shipped::load().files), "every shipped case passes");
}

#[test]
fn no_policy_can_be_deleted_unnoticed() {
    let shipped = Shipped::load();
    let keepers = keepers(&shipped.files);
    let unproved = shipped.clauses.iter().filter(|clause| !keepers.contains(&clause.id));
    let findings: Vec<_> = unproved
        .filter(|clause| !is_noticed(without(&shipped.files, &[clause])))
        .map(|clause| format!("{}: {}", clause.file, clause.id))
        .collect();
    assert_none("neither a proof nor a case misses this policy", &findings);
}

#[test]
fn no_rule_can_be_deleted_unnoticed() {
    let shipped = Shipped::load();
    let keepers = keepers(&shipped.files);
    let rule = |clause: &Clause| clause.policy.annotation("rule").unwrap_or_default().to_owned();
    let rules: BTreeSet<_> = shipped.clauses.iter().map(rule).collect();
    let findings: Vec<_> = rules
        .into_iter()
        .filter(|name| {
            let gone: Vec<_> = shipped.clauses.iter().filter(|clause| rule(clause) == *name).collect();
            !gone.iter().any(|clause| keepers.contains(&clause.id))
                && !is_noticed(without(&shipped.files, &gone))
        })
        .collect();
    assert_none("neither a proof nor a case misses this rule", &findings);
}

/// What was collected for reintegration, beside the categories that R-FW-01 names in every message.
const REINTEGRATION: [&str; 3] = ["economic", "education", "skills.work"];

#[test]
fn no_profile_that_enforcement_receives_carries_reintegration_data() {
    let findings: Vec<_> = profiles(&Shipped::load().files)
        .into_iter()
        .filter(|profile| profile.recipients.iter().any(|role| role == "migration_enforcement"))
        .filter(|profile| profile.categories.iter().any(|name| REINTEGRATION.contains(&name.as_str())))
        .map(|profile| profile.message)
        .collect();
    assert_none("R-MIN-01 keeps reintegration data from enforcement only while this is empty", &findings);
}
