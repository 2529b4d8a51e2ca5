//! The exit status of every command; scripts key on it.

use std::process::ExitCode;

use puente_node::client::ClientError;

/// How a command ended. Wrong usage, status 2, never gets as far as a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, and as expected: 0.
    Done,
    /// Refused, failed, or not as expected: 1.
    Refused,
    /// The node is not there: 3.
    Unreachable,
}

impl Exit {
    /// `Done` when it holds.
    #[must_use]
    pub const fn expect(holds: bool) -> Self {
        if holds { Self::Done } else { Self::Refused }
    }

    /// What an error ends with.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<ClientError>() {
            Some(error) if error.is_unreachable() => Self::Unreachable,
            _ => Self::Refused,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Unreachable => 3,
        })
    }
}
