//! The import arrows: data <- core <- node <- cli, and the walls inside node.
//!
//! Not the dependency lists of manifests, see `manifests`. INVARIANT: a path is judged wherever it is named, in a `use`
//! or in an expression, by tests too; only to read the data of the repository tests may open files anywhere.

use crate::assert_none;
use crate::repository::sources;
use crate::source::Mention;

/// Who may not name what, and why.
const WALLS: &[(&str, &[&str], &str)] = &[
    (
        "puente_core",
        &[
            "tokio",
            "std::net",
            "std::fs",
            "std::thread",
            "std::process",
            "std::env",
            "std::time::SystemTime",
            "std::time::Instant",
        ],
        "core is pure: what it needs from the world is an argument or a trait",
    ),
    (
        "puente_node::domestic",
        &["puente_node::federation"],
        "the two faces meet only in the store and in `run`",
    ),
    (
        "puente_node::federation",
        &["puente_node::domestic"],
        "the two faces meet only in the store and in `run`",
    ),
    ("puente_node::store", FACES, "the store is below the faces and does not know them"),
    ("puente_node::keys", FACES, "the keys are below the faces and do not know them"),
    ("puente_node::lists", FACES, "lists are functions over bytes and know no face"),
    (
        "puente_node::desk",
        &["puente_node::domestic", "puente_node::federation", "puente_node::store", "puente_node::node"],
        "a desk knows its node as any other system does, by the domestic API",
    ),
    ("puente_node::telemetry", FACES, "telemetry is below the faces and does not know them"),
    (
        "puente",
        &["puente_node::store"],
        "one process owns a store: the command line asks the node, or its admin socket",
    ),
];

/// Where a wall has a door, and why: the floor of the benchmark is the same rows written without a node around them.
const DOORS: &[(&str, &str)] = &[("puente_node::store", "gateway/cli/src/command/bench/floor/")];

const FACES: &[&str] =
    &["puente_node::domestic", "puente_node::federation", "puente_node::admin", "puente_node::run"];

/// A dependency that one room of the gateway owns, and why.
const OWNED: &[(&str, &str, &str)] = &[
    ("josekit", "puente_node::keys", "the facade is the only way to JOSE (decision 0006)"),
    ("rcgen", "puente_node::keys", "certificates are made in one place"),
    ("askama", "puente_node::desk", "pages are rendered in one place, by templates that escape"),
    ("rusqlite", "puente_node::store", "the store is one trait, and SQL stays behind it (decision 0007)"),
    ("prometheus", "puente_node::telemetry", "every metric stands in one list"),
    ("calamine", "puente_node::lists", "spreadsheets are read within bounds in one place"),
    ("rust_xlsxwriter", "puente_node::lists", "spreadsheets are written formula-safe in one place"),
    ("cedar_policy", "puente_core::policy", "the engine is asked by one function, which catches its errors"),
    ("jsonschema", "puente_core::catalogue", "schemas are compiled and asked in one place"),
];

#[test]
fn no_module_names_what_stands_above_or_beside_it() {
    let mut findings = Vec::new();
    for source in sources() {
        for (inside, barred, reason) in WALLS.iter().filter(|(inside, ..)| source.stands_under(inside)) {
            let beyond = |mention: &&Mention| barred.iter().any(|root| mention.is_under(root));
            let reads_data = |mention: &Mention| mention.in_test && mention.is_under("std::fs");
            let has_door = |mention: &Mention| {
                DOORS.iter().any(|(root, at)| mention.is_under(root) && source.file.starts_with(at))
            };
            let kept_out = |mention: &&Mention| !reads_data(mention) && !has_door(mention);
            for mention in source.mentions().iter().filter(beyond).filter(kept_out) {
                let (line, path) = (mention.line, mention.path.join("::"));
                findings.push(format!("{}:{line} names {path} in {inside}: {reason}", source.file));
            }
        }
    }
    assert_none("import arrows", &findings);
}

#[test]
fn a_dependency_with_an_owner_is_named_only_by_its_owner() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.file.starts_with("gateway/")) {
        for (dependency, owner, reason) in OWNED.iter().filter(|(_, owner, _)| !source.stands_under(owner)) {
            // A test may play the outsider, such as an agency that makes its own certificate request.
            let in_gateway = |mention: &&Mention| !mention.in_test && mention.is_under(dependency);
            for mention in source.mentions().iter().filter(in_gateway) {
                findings.push(format!(
                    "{}:{} names {dependency}, which {owner} owns: {reason}",
                    source.file, mention.line
                ));
            }
        }
    }
    assert_none("one room owns a dependency", &findings);
}

#[test]
fn tests_neither_sleep_nor_read_the_clock() {
    let barred = [
        ("sleep", "wait for the event; time moves because the test moves it"),
        ("SystemTime::now", "the test says what time it is"),
        ("Timestamp::now", "the test says what time it is"),
        ("Zoned::now", "the test says what time it is"),
    ];
    let mut findings = Vec::new();
    for source in sources() {
        for mention in source.mentions().iter().filter(|mention| mention.in_test) {
            let path = format!("::{}", mention.path.join("::"));
            for (end, reason) in barred.iter().filter(|(end, _)| path.ends_with(&format!("::{end}"))) {
                findings.push(format!("{}:{} uses {end}: {reason}", source.file, mention.line));
            }
        }
    }
    assert_none("tests own their time", &findings);
}
