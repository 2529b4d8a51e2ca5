//! A wrapper for personal data whose `Debug` shows nothing.
//!
//! Invariant: the value inside reaches a log, a metric or an error text only by an explicit `reveal`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal data: readable by `reveal`, silent everywhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks a value as personal data.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the code that carries it to where it may go.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

#[cfg(test)]
mod tests {
    use super::Personal;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Personal::new("María Tzoc")), "[personal]");
    }
}
