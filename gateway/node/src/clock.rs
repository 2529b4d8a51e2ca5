//! The one place that reads the time; everything else is told.

use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time in milliseconds since the Unix epoch, UTC.
pub trait Clock: Send + Sync {
    /// Now.
    fn now_ms(&self) -> i64;

    /// Now, whole seconds.
    fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }
}

/// The machine's clock, shifted by `offset_ms` where a drill or a test needs a wrong one.
#[derive(Debug, Default)]
pub struct SystemClock {
    offset_ms: i64,
}

impl SystemClock {
    /// A clock that is wrong by this many milliseconds.
    #[must_use]
    pub const fn shifted(offset_ms: i64) -> Self {
        Self { offset_ms }
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the one reader of the machine's clock")]
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis());
        i64::try_from(since).unwrap_or(i64::MAX).saturating_add(self.offset_ms)
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at this instant.
    #[must_use]
    pub const fn at(now_ms: i64) -> Self {
        Self(AtomicI64::new(now_ms))
    }

    /// Moves forward (or back).
    pub fn advance_ms(&self, by: i64) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
