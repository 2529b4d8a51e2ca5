//! When to try again: exponential with jitter, starting within a second, capped at minutes.
//!
//! Not here: whether to try again at all; that follows from the problem's `Retry`.

/// The shape of the retries toward a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySchedule {
    /// First delay, milliseconds.
    pub first_ms: i64,
    /// Longest delay, milliseconds.
    pub cap_ms: i64,
}

impl RetrySchedule {
    /// Starts at half a second; four seconds at most, so that a queue drains within five of the peer's return.
    ///
    /// A probe costs one connection attempt per peer and lane, whatever the length of the queue.
    pub const PROBE: Self = Self { first_ms: 500, cap_ms: 4_000 };
    /// For one message that the peer asked to have again later: starts at a second, five minutes at most.
    pub const MESSAGE: Self = Self { first_ms: 1_000, cap_ms: 300_000 };
}

/// The instant of the next attempt (milliseconds), after `attempts` failures, with a jitter of up to half
/// the delay taken from `random`.
#[must_use]
pub fn next_attempt(schedule: RetrySchedule, now_ms: i64, attempts: u32, random: u64) -> i64 {
    let doubled = schedule.first_ms.saturating_mul(1_i64.checked_shl(attempts.min(30)).unwrap_or(i64::MAX));
    let delay = doubled.min(schedule.cap_ms).max(1);
    let jitter = i64::try_from(random % u64::try_from(delay / 2 + 1).unwrap_or(1)).unwrap_or(0);
    now_ms.saturating_add(delay / 2).saturating_add(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_within_a_second_and_never_exceeds_the_cap() {
        for attempts in 0..64 {
            for random in [0, 1, 12_345, u64::MAX] {
                let delay = next_attempt(RetrySchedule::MESSAGE, 1_000, attempts, random) - 1_000;
                assert!((1..=RetrySchedule::MESSAGE.cap_ms).contains(&delay), "{attempts} {delay}");
                assert!(attempts > 0 || delay <= 1_000);
            }
        }
    }
}
