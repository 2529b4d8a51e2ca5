//! The code of others: licences, sources, bans and duplicates, by the rules of `.deny.toml`.
//!
//! Not a replacement of cargo-deny's advisories. INVARIANT: the rules stand only in `.deny.toml`, and a key that this
//! reader does not know fails, so that no rule is written there and silently skipped here.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::assert_none;
use crate::licence::is_satisfied;
use crate::repository::{root, toml};

/// The registry that cargo knows by itself, as cargo writes it in a lock file.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// One ban of `.deny.toml`.
struct Ban {
    name: String,
    wrappers: Vec<String>,
    only_once: bool,
    reason: String,
}

fn cargo(arguments: &[&str]) -> String {
    let mut command = Command::new(std::env!("CARGO"));
    let output = command
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn strings(value: Option<&toml::Value>) -> Vec<String> {
    let items = value.and_then(toml::Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str()).map(str::to_owned).collect()
}

fn bans() -> Vec<Ban> {
    let rules = toml(".deny.toml");
    let entries = rules["bans"]["deny"].as_array().expect("bans.deny is a list");
    entries.iter().map(|entry| ban(entry.as_table().expect("a ban is a table"))).collect()
}

fn ban(entry: &toml::Table) -> Ban {
    for key in entry.keys() {
        assert!(
            ["crate", "wrappers", "reason", "deny-multiple-versions"].contains(&key.as_str()),
            "unknown key `{key}`"
        );
    }
    let text = |key| entry.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let only_once = entry.get("deny-multiple-versions").and_then(toml::Value::as_bool).unwrap_or(false);
    Ban { name: text("crate"), wrappers: strings(entry.get("wrappers")), only_once, reason: text("reason") }
}

/// What is built on any target with any of our features: name and versions. The lock file alone holds more.
fn built() -> BTreeMap<String, BTreeSet<String>> {
    let listed = cargo(&[
        "tree",
        "--workspace",
        "--all-features",
        "--target",
        "all",
        "-e",
        "normal,build,dev",
        "--prefix",
        "none",
        "-f",
        "{p}",
    ]);
    let mut built = BTreeMap::<String, BTreeSet<String>>::new();
    for line in listed.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            built.entry(name.to_owned()).or_default().insert(version.trim_start_matches('v').to_owned());
        }
    }
    assert!(built.contains_key("puente-core"), "cargo tree lists the workspace");
    built
}

/// The packages that are built, as `cargo metadata` describes them.
fn packages(metadata: &Value) -> Vec<&Value> {
    let built = built();
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let is_built = |package: &&Value| {
        let versions = built.get(package["name"].as_str().unwrap_or_default());
        versions.is_some_and(|versions| versions.contains(package["version"].as_str().unwrap_or_default()))
    };
    packages.iter().filter(is_built).collect()
}

fn metadata() -> Value {
    let text = cargo(&["metadata", "--format-version", "1", "--all-features"]);
    serde_json::from_str(&text).expect("cargo metadata writes JSON")
}

/// The names of the crates that name `name` as a dependency of theirs, among those that are built.
fn parents(name: &str) -> BTreeSet<String> {
    let listed = cargo(&[
        "tree",
        "--workspace",
        "--all-features",
        "--target",
        "all",
        "-e",
        "normal,build,dev",
        "--prefix",
        "depth",
        "-f",
        " {p}",
        "--no-dedupe",
        "-i",
        name,
        "--depth",
        "1",
    ]);
    let direct = listed.lines().filter_map(|line| line.strip_prefix("1 "));
    direct.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn every_licence_is_on_the_allow_list() {
    let allowed = strings(toml(".deny.toml")["licenses"].get("allow"));
    let metadata = metadata();
    let mut findings = Vec::new();
    for package in packages(&metadata) {
        let expression = package["license"].as_str().unwrap_or_default();
        if !is_satisfied(expression, &allowed) {
            findings.push(format!("{} {}: `{expression}`", package["name"], package["version"]));
        }
    }
    assert_none("licences", &findings);
}

#[test]
fn every_package_comes_from_the_public_registry_or_from_here() {
    let metadata = metadata();
    let foreign = |package: &&Value| package["source"].as_str().is_some_and(|source| source != REGISTRY);
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let findings: Vec<_> = packages
        .iter()
        .filter(foreign)
        .map(|package| format!("{}: {}", package["name"], package["source"]))
        .collect();
    assert_none("sources", &findings);
}

#[test]
fn no_banned_crate_is_built() {
    let built = built();
    let mut findings = Vec::new();
    for ban in bans().iter().filter(|ban| !ban.only_once && built.contains_key(&ban.name)) {
        let strangers = parents(&ban.name).into_iter().filter(|parent| !ban.wrappers.contains(parent));
        findings.extend(strangers.map(|parent| format!("{} below {parent}: {}", ban.name, ban.reason)));
    }
    assert_none("banned crates", &findings);
}

#[test]
fn what_decides_is_built_in_one_version() {
    let built = built();
    let mut findings = Vec::new();
    for ban in bans().iter().filter(|ban| ban.only_once) {
        match built.get(&ban.name).map(BTreeSet::len) {
            Some(1) => {}
            Some(_) => findings.push(format!("{} is built in {:?}", ban.name, built[&ban.name])),
            None => findings.push(format!("{} is not built at all: strike the rule out", ban.name)),
        }
    }
    assert_none("duplicate versions", &findings);
}

#[test]
fn every_ban_has_a_reason_and_every_wrapper_is_needed() {
    let built = built();
    let mut findings = Vec::new();
    for ban in bans().iter().filter(|ban| !ban.only_once) {
        if ban.reason.is_empty() {
            findings.push(format!("{} is banned without a reason", ban.name));
        }
        let parents = if built.contains_key(&ban.name) { parents(&ban.name) } else { BTreeSet::new() };
        let idle = ban.wrappers.iter().filter(|wrapper| !parents.contains(*wrapper));
        findings.extend(idle.map(|wrapper| format!("{wrapper} no longer needs {}", ban.name)));
    }
    assert_none("bans", &findings);
}
