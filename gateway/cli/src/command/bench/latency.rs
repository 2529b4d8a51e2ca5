//! Percentiles of times that were all kept, so that none is rounded into a bucket.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long things took, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half of them took at most this.
    pub p50_ms: f64,
    /// 99 of 100 took at most this.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Percentiles {
    /// Of these times (nearest rank); zeros for none.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).max(1);
            times.get(rank - 1).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        Self { p50_ms: at(50), p99_ms: at(99), max_ms: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let of = Percentiles::of((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(of, Percentiles { p50_ms: 100.0, p99_ms: 198.0, max_ms: 200.0 });
        assert_eq!(Percentiles::of(Vec::new()), Percentiles { p50_ms: 0.0, p99_ms: 0.0, max_ms: 0.0 });
    }
}
