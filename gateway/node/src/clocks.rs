//! How far this node's clock is from those of its peers (PROTOCOL.md, "Time").
//!
//! Not here: asking them (`federation::clocks`). INVARIANT: a clock is wrong only by the word of a majority, its own
//! counted: with one peer nobody can tell whose it is, and both go on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use puente_core::envelope::CLOCK_TOLERANCE_S;
use puente_core::ids::CountryCode;

/// How far each peer's clock was ahead of ours when it was last asked, milliseconds.
#[derive(Default)]
pub struct Clocks(Mutex<BTreeMap<CountryCode, i64>>);

impl Clocks {
    /// Notes how far a peer is ahead, milliseconds.
    pub fn note(&self, peer: &CountryCode, ahead_ms: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(peer.clone(), ahead_ms);
    }

    /// How far the median of all clocks is ahead of ours, milliseconds.
    pub fn median_ms(&self) -> i64 {
        median_ahead(self.0.lock().unwrap_or_else(PoisonError::into_inner).values().copied())
    }

    /// Whether ours is so far off that what it dates would be refused: then nothing new is begun.
    pub fn is_alone(&self) -> bool {
        self.median_ms().saturating_abs() > CLOCK_TOLERANCE_S * 1000
    }
}

/// The median of all clocks as far as it is ahead of ours; of two in the middle, the one nearer to ours.
#[must_use]
pub fn median_ahead(peers: impl Iterator<Item = i64>) -> i64 {
    let mut all: Vec<i64> = peers.chain([0]).collect();
    all.sort_unstable();
    let middle = [(all.len() - 1) / 2, all.len() / 2].into_iter().filter_map(|place| all.get(place));
    middle.copied().min_by_key(|ahead| ahead.saturating_abs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_majority_makes_a_clock_wrong() {
        let median = |peers: &[i64]| median_ahead(peers.iter().copied());
        assert_eq!(median(&[]), 0);
        assert_eq!(median(&[300_000]), 0, "one against one");
        assert_eq!(median(&[300_000, 0]), 0, "the other is wrong");
        assert_eq!(median(&[300_000, 299_000]), 299_000, "two against one");
        assert_eq!(median(&[-300_000, -301_000, 0]), 0);
        assert_eq!(median(&[-300_000, -301_000, -300_500, 0]), -300_000);
    }
}
