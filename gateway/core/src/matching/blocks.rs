//! Which rows are compared with which: those that share a block, so that long lists stay cheap.
//!
//! Not here: the comparison. Invariant: a row meets at most [`MAX_KEYS`] × [`WINDOW`] later rows.

use std::collections::BTreeMap;

use super::Folded;

/// Blocks one row may stand in: four surnames' words by three initials, its words together, and its numbers.
const MAX_KEYS: usize = 21;

/// Later rows of its block that one row is compared with. In a larger block (a very common surname on a
/// list of many thousands) rows are ordered by birth first, so that the likeliest are still neighbours.
const WINDOW: usize = 64;

/// The blocks of one list: key to row positions.
pub(super) struct Blocks {
    blocks: BTreeMap<String, Vec<usize>>,
}

impl Blocks {
    /// Sorts rows into blocks.
    pub(super) fn of(rows: &[Folded<'_>]) -> Self {
        let mut blocks: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (position, row) in rows.iter().enumerate() {
            for key in keys(row) {
                blocks.entry(key).or_default().push(position);
            }
        }
        blocks.retain(|_, members| members.len() > 1);
        for members in blocks.values_mut() {
            members.sort_by_key(|&position| rows.get(position).map(|row| row.birth.sort_key()));
        }
        Self { blocks }
    }

    /// Every pair of positions to compare; a pair may come more than once.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.blocks.values().flat_map(|members| {
            members.iter().enumerate().flat_map(move |(at, &left)| {
                members.iter().skip(at + 1).take(WINDOW).map(move |&right| (left, right))
            })
        })
    }
}

/// The blocks of one row: each surname with each initial, all its words sorted, each of its numbers.
fn keys(row: &Folded<'_>) -> Vec<String> {
    let mut keys: Vec<String> = row
        .surnames
        .sounds()
        .iter()
        .take(4)
        .flat_map(|surname| row.given.initials().take(3).map(move |initial| format!("s {initial} {surname}")))
        .collect();
    let mut words: Vec<&str> =
        row.given.sounds().iter().chain(row.surnames.sounds()).map(String::as_str).collect();
    words.sort_unstable();
    keys.push(format!("w {}", words.join(" ")));
    keys.extend(row.numbers.iter().map(|(country, kind, value)| format!("n {country} {kind} {value}")));
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(MAX_KEYS);
    keys
}
