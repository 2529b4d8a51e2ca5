//! Holds and stops as a store keeps them. Fields marked *at rest* hold bytes that it encrypts: a draft under its subject's key, the
//! rest under its own.
//!
//! Not here: what the bytes say (`puente-node`). INVARIANT: nothing but an id and two instants of a hold is in the clear.

use super::stop::Stop;
use crate::delivery::SubjectTag;
use crate::ids::HoldId;

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Names it.
    pub hold: HoldId,
    /// Counts its changes: a change on another state of it is refused.
    pub revision: u32,
    /// When it was placed (milliseconds since the epoch).
    pub placed_ms: i64,
    /// When it was lifted or ended.
    pub ended_ms: Option<i64>,
    /// Statements, authority, and whom it was found not to be about (*at rest*).
    pub record: Vec<u8>,
}

/// A stopped row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopRow {
    /// Where it stands (*at rest*, save the two agencies and the instant of the next alarm).
    pub stop: Stop,
    /// Counts its changes: a change on another state of it is refused.
    pub revision: u32,
    /// Which hold it met, whom it named, blinded, and what was said (*at rest*); empty in listings.
    pub record: Vec<u8>,
    /// What was submitted (*at rest*), with the subject whose key seals it; none in listings, for a message that was
    /// sealed before it stopped, and once it is erased or past its keeping. A change leaves it as it is.
    pub draft: Option<StopDraft>,
}

/// What was submitted as a row that stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopDraft {
    /// The subject; not known where it is read back.
    pub subject: Option<SubjectTag>,
    /// The submission, JSON.
    pub bytes: Vec<u8>,
}

impl StopRow {
    /// The row's next state after `revision`.
    #[must_use]
    pub const fn changed(stop: Stop, revision: u32, record: Vec<u8>) -> Self {
        Self { stop, revision: revision.saturating_add(1), record, draft: None }
    }
}
