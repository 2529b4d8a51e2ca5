//! Names that others script against: problem codes and metrics are declared once and used.
//!
//! Not their meaning, which stands where they are declared. INVARIANT: no code is dead, and no alert or dashboard watches
//! a metric that no node exports.

use std::collections::BTreeSet;

use crate::debt::assert_only_shrinks;
use crate::repository::{files, sources, text};
use crate::source::Source;
use crate::token::Sort;

const CATALOGUE: &str = "gateway/core/src/problem.rs";

/// The endings that Prometheus adds to the name of a histogram.
const HISTOGRAM: &[&str] = &["_bucket", "_count", "_sum"];

/// The names and codes of the table in `problem.rs`: `NAME = "code", status, …`.
fn problems(catalogue: &Source) -> Vec<(String, String)> {
    let declares = |window: &&[crate::token::Token]| {
        window[0].sort == Sort::Word && window[1].is("=") && window[2].sort == Sort::Text && window[3].is(",")
    };
    let declared = catalogue.tokens.windows(4).filter(declares);
    declared.map(|window| (window[0].text.clone(), window[2].text.clone())).collect()
}

/// Names like `puente_queue_depth` in a text that is not Rust.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'));
    words.filter(|word| is_metric(word)).map(|word| base(word).to_owned()).collect()
}

fn is_metric(word: &str) -> bool {
    let own = ["puente_core", "puente_node", "puente_test"];
    word.starts_with("puente_") && !own.iter().any(|name| word.starts_with(name))
}

fn base(metric: &str) -> &str {
    HISTOGRAM.iter().find_map(|end| metric.strip_suffix(end)).unwrap_or(metric)
}

fn exported(sources: &[Source]) -> BTreeSet<String> {
    let telemetry = sources.iter().filter(|source| source.stands_under("puente_node::telemetry"));
    let literals = telemetry.flat_map(|source| source.tokens.iter().filter(|token| token.sort == Sort::Text));
    literals.flat_map(|token| metrics(&token.text)).collect()
}

#[test]
fn every_problem_code_is_used_outside_its_catalogue() {
    let sources = sources();
    let catalogue =
        sources.iter().find(|source| source.file == CATALOGUE).expect("the catalogue of problems is there");
    let problems = problems(catalogue);
    assert!(problems.len() > 50, "the table of problems is read: {}", problems.len());
    let others = || sources.iter().filter(|source| source.file != CATALOGUE);
    let words: BTreeSet<_> =
        others().flat_map(|source| source.tokens.iter().map(|token| token.text.as_str())).collect();
    let is_dead =
        |(name, code): &&(String, String)| !words.contains(name.as_str()) && !words.contains(code.as_str());
    let dead = problems.iter().filter(is_dead).map(|(_, code)| code.clone()).collect();
    assert_only_shrinks("problems", "a problem code that nothing can answer", &dead);
}

#[test]
fn every_metric_that_is_watched_or_counted_is_in_the_list_of_telemetry() {
    let sources = sources();
    let exported = exported(&sources);
    let mut named = BTreeSet::new();
    for file in
        files().iter().filter(|file| file.starts_with("ops/alerts/") || file.starts_with("ops/dashboards/"))
    {
        named.extend(metrics(&text(file).unwrap_or_default()));
    }
    let literals =
        sources.iter().filter(|source| source.file.starts_with("gateway/")).flat_map(|source| &source.tokens);
    named.extend(
        literals
            .filter(|token| token.sort == Sort::Text && is_metric(&token.text))
            .map(|token| base(&token.text).to_owned()),
    );
    let missing = named.difference(&exported).cloned().collect();
    assert_only_shrinks("metrics", "a metric that gateway/node/src/telemetry does not list", &missing);
}
