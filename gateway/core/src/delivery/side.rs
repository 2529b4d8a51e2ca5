//! The two ends of what one country sends another: an alert, a transfer.

use serde::{Deserialize, Serialize};

/// Which end somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who sent it: offered the case, waits for the answer.
    Sender,
    /// To whom it was sent: takes the case or not, has to answer.
    Receiver,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Sender, Self::Receiver];
}
