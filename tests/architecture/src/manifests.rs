//! Manifests: which crate may depend on what, one table of versions, no dependency that nobody names.
//!
//! Not the licences and bans, see `dependencies`. INVARIANT: the lists here are allow-lists.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::debt::assert_only_shrinks;
use crate::repository::{crate_name, members, sources, toml};

/// All that core may depend on: data, rules, hashes, calendar arithmetic.
const CORE: &[&str] = &[
    "base64",
    "cedar-policy",
    "jiff",
    "jsonschema",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "uuid",
    "zeroize",
];

/// Features of core's dependencies that bring neither clock, randomness nor files. `jiff/std` has a clock; the
/// `.clippy.toml` of core forbids to ask it.
const CORE_FEATURES: &[(&str, &[&str])] = &[
    ("uuid", &["serde"]),
    ("jiff", &["std", "alloc", "serde", "tzdb-bundle-always"]),
    ("jsonschema", &[]),
    ("cedar-policy", &["datetime"]),
];

/// Which of our crates may depend on which others of ours, outside their tests.
const OURS: &[(&str, &[&str])] = &[
    ("puente-core", &[]),
    ("puente-node", &["puente-core"]),
    ("puente", &["puente-core", "puente-node"]),
    ("puente-test-support", &["puente-core", "puente-node"]),
    ("puente-test-architecture", &[]),
];

/// Words of one tool that stays at one place: what a person sees is the business of the command line alone.
const NOT_IN_NODE: &[&str] = &["anyhow", "clap", "indicatif"];

fn table<'m>(manifest: &'m toml::Table, key: &str) -> impl Iterator<Item = (&'m String, &'m toml::Value)> {
    manifest.get(key).and_then(toml::Value::as_table).into_iter().flatten()
}

fn features(value: &toml::Value) -> BTreeSet<&str> {
    let list = value.get("features").and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

fn manifest(name: &str) -> toml::Table {
    let found = members().into_iter().find(|(_, manifest)| crate_name(manifest) == name);
    found.unwrap_or_else(|| panic!("{name} is not a member")).1
}

#[test]
fn core_depends_only_on_its_allow_list() {
    let manifest = manifest("puente-core");
    let names =
        table(&manifest, "dependencies").chain(table(&manifest, "build-dependencies")).map(|(name, _)| name);
    let findings: Vec<_> = names.filter(|name| !CORE.contains(&name.as_str())).cloned().collect();
    assert_none("core is pure; its dependencies are an allow-list", &findings);
    assert!(manifest.get("target").is_none(), "core is the same on every target");
}

#[test]
fn core_takes_neither_clock_nor_randomness_from_its_dependencies() {
    let (workspace, core) = (toml("Cargo.toml"), manifest("puente-core"));
    let mut findings = Vec::new();
    for (name, allowed) in CORE_FEATURES {
        let shared = &workspace["workspace"]["dependencies"][*name];
        for feature in features(shared)
            .union(&features(&core["dependencies"][*name]))
            .filter(|feature| !allowed.contains(feature))
        {
            findings.push(format!("{name}/{feature}"));
        }
    }
    assert_none("features that core may not turn on", &findings);
}

#[test]
fn our_crates_depend_on_each_other_only_downwards() {
    let mut findings = Vec::new();
    for (_, manifest) in members() {
        let name = crate_name(&manifest);
        let Some((_, below)) = OURS.iter().find(|(own, _)| *own == name) else {
            // A test crate that stands outside the gateway sees the binary and HTTP, not our types.
            let inner = table(&manifest, "dependencies").chain(table(&manifest, "dev-dependencies"));
            let barred = inner
                .filter(|(dependency, _)| name.contains("conformance") && dependency.starts_with("puente"));
            findings.extend(barred.map(|(dependency, _)| format!("{name} -> {dependency}")));
            continue;
        };
        let ours =
            table(&manifest, "dependencies").filter(|(dependency, _)| dependency.starts_with("puente"));
        let above = ours.filter(|(dependency, _)| !below.contains(&dependency.as_str()));
        findings.extend(above.map(|(dependency, _)| format!("{name} -> {dependency}")));
    }
    assert_none("core <- node <- cli", &findings);
}

#[test]
fn node_has_no_dependency_of_the_command_line() {
    let manifest = manifest("puente-node");
    let findings: Vec<_> = table(&manifest, "dependencies")
        .filter(|(name, _)| NOT_IN_NODE.contains(&name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    assert_none("errors of node are typed, and it speaks to no terminal", &findings);
}

#[test]
fn every_version_stands_in_the_workspace_table_and_every_crate_takes_the_lints() {
    let mut findings = Vec::new();
    for (folder, manifest) in members() {
        for (name, value) in ["dependencies", "dev-dependencies", "build-dependencies"]
            .iter()
            .flat_map(|key| table(&manifest, key))
        {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                findings.push(format!("{folder}: {name} does not take its version from the workspace"));
            }
        }
        let lints =
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        if lints != Some(true) {
            findings.push(format!("{folder}: does not take the lints of the workspace"));
        }
    }
    assert_none("one table of versions and lints", &findings);
}

#[test]
fn every_dependency_is_named_in_the_sources_of_its_crate() {
    let sources = sources();
    let mut idle = BTreeSet::new();
    let mut declared = BTreeSet::new();
    for (folder, manifest) in members() {
        for (name, _) in ["dependencies", "dev-dependencies"].iter().flat_map(|key| table(&manifest, key)) {
            declared.insert(name.clone());
            let word = name.replace('-', "_");
            let mut own = sources.iter().filter(|source| source.file.starts_with(&format!("{folder}/")));
            if !own.any(|source| source.tokens.iter().any(|token| token.is(&word))) {
                idle.insert(format!("{} {name}", crate_name(&manifest)));
            }
        }
    }
    let workspace = toml("Cargo.toml");
    let offered =
        workspace["workspace"]["dependencies"].as_table().expect("the workspace has a table of versions");
    idle.extend(
        offered.keys().filter(|name| !declared.contains(*name)).map(|name| format!("workspace {name}")),
    );
    assert_only_shrinks("dependencies", "declared and never named: remove it", &idle);
}
