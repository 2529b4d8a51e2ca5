//! Frame only: the catalogue's own branch replaces this file.

use serde::{Deserialize, Serialize};

/// Which of a peer's queues a message goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Overtakes everything; no predecessor.
    Alert,
    /// Withdrawals, cancellations, control: overtakes bulk; no predecessor.
    Control,
    /// Everything else, in order per case.
    Bulk,
}
