//! The shape of the tree: top-level entries, headers and lengths of files, names of modules, reasons of exceptions.
//!
//! Not formatting, which is rustfmt's. INVARIANT: a rule here can be checked by looking at one file or one name.

use crate::assert_none;
use crate::repository::{files, sources, text};
use crate::source::Source;

/// All that may stand at the top of the repository, dotfiles aside.
const TOP: &[&str] =
    &["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "gateway", "ops", "policies", "schemas", "tests"];

/// Names that say how code was sorted and not what it is about.
const VAGUE: &[&str] = &["common", "helper", "helpers", "misc", "shared", "types", "util", "utils"];

/// Lines at which a file is too long to be one concept, whatever it is.
const MAX_LINES: usize = 600;

/// Lines at which to think again; such files are printed, not refused.
const LONG_LINES: usize = 400;

/// The fewest words that can say what a file is.
const MIN_HEADER_WORDS: usize = 4;

/// Traces of one machine or of one network, cut in two so that this file does not hold them itself.
const TRACES: &[(&str, &str)] = &[
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/wo", "rk/"),
    ("/Us", "ers/"),
    (":\\Us", "ers\\"),
    ("index.cra", "tes.io"),
    ("static.cra", "tes.io"),
    ("registry.npm", "js.org"),
    ("files.python", "hosted.org"),
    ("pypi.", "org/simple"),
    ("deb.deb", "ian.org"),
    ("proxy.gol", "ang.org"),
];

fn in_gateway(source: &&Source) -> bool {
    source.file.starts_with("gateway/")
}

#[test]
fn the_top_of_the_repository_holds_only_the_rooms_of_the_design() {
    let is_foreign = |top: &&str| !top.starts_with('.') && !TOP.contains(top);
    let files = files();
    let mut foreign: Vec<_> = files
        .iter()
        .filter_map(|file| file.split('/').next())
        .filter(is_foreign)
        .map(str::to_owned)
        .collect();
    foreign.dedup();
    assert_none("top-level entries", &foreign);
}

#[test]
fn every_rust_file_opens_by_saying_what_it_is() {
    let says = |text: &str| {
        let paragraph = text.lines().map_while(|line| line.strip_prefix("//! "));
        paragraph.flat_map(str::split_whitespace).count() >= MIN_HEADER_WORDS
    };
    let findings: Vec<_> =
        sources().iter().filter(|source| !says(&source.text)).map(|source| source.file.clone()).collect();
    assert_none("a file opens with `//!` and a sentence: what it is", &findings);
}

#[test]
fn no_rust_file_is_longer_than_one_concept() {
    let mut findings = Vec::new();
    for source in sources() {
        match source.text.lines().count() {
            lines if lines > MAX_LINES => findings.push(format!("{} has {lines} lines", source.file)),
            lines if lines > LONG_LINES => println!("think again: {} has {lines} lines", source.file),
            _ => {}
        }
    }
    assert_none("split by concept", &findings);
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let sources = sources();
    let vague =
        sources.iter().filter(|source| source.module.iter().any(|segment| VAGUE.contains(&segment.as_str())));
    let findings: Vec<_> = vague.map(|source| source.file.clone()).collect();
    assert_none("a module is named after its concept", &findings);
}

#[test]
fn no_type_is_a_manager_helper_util_or_impl() {
    let mut findings = Vec::new();
    for source in sources() {
        for pair in source.tokens.windows(2) {
            let [keyword, name] = pair else { continue };
            let declares = ["struct", "enum", "trait", "type"].iter().any(|word| keyword.is(word));
            let vague =
                ["Manager", "Helper", "Util", "Utils", "Impl"].iter().any(|end| name.text.ends_with(end));
            if declares && vague {
                findings.push(format!("{}:{} {}", source.file, name.line, name.text));
            }
        }
    }
    assert_none("a type is a noun of the domain", &findings);
}

#[test]
fn every_exception_from_a_lint_has_its_reason() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(in_gateway) {
        for (index, inside) in ["allow", "expect"].iter().flat_map(|name| source.attributes(name)) {
            let reasoned = inside.iter().any(|token| token.is("reason"));
            if !reasoned && !source.is_test(index) {
                findings.push(format!("{}:{}", source.file, source.tokens[index].line));
            }
        }
    }
    assert_none("`#[expect(…, reason = \"…\")]` outside tests", &findings);
}

#[test]
fn no_input_is_flattened_or_untagged() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(in_gateway) {
        let derives: Vec<_> = source.attributes("derive").collect();
        for (index, inside) in source.attributes("serde") {
            let loose = inside.iter().any(|token| token.is("flatten") || token.is("untagged"));
            let derive = derives.iter().rev().find(|(at, _)| *at < index);
            let reads = derive.is_some_and(|(_, traits)| traits.iter().any(|name| name.is("Deserialize")));
            if loose && reads && !source.is_test(index) {
                findings.push(format!("{}:{}", source.file, source.tokens[index].line));
            }
        }
    }
    assert_none("serde flatten and untagged guess at what the sender meant", &findings);
}

#[test]
fn no_file_holds_a_trace_of_a_machine() {
    let mut findings = Vec::new();
    for file in files().iter().filter(|file| *file != "Cargo.lock") {
        let Some(text) = text(file) else { continue };
        for (number, line) in text.lines().enumerate() {
            let trace = TRACES.iter().map(|(a, b)| format!("{a}{b}")).find(|trace| line.contains(trace));
            findings.extend(trace.map(|trace| format!("{file}:{}: {trace}", number + 1)));
        }
    }
    assert_none("machine paths and registry hosts", &findings);
}
