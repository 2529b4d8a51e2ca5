//! Holds and stops as a store keeps them. Fields marked *at rest* hold bytes that it encrypts under its own key.
//!
//! Not here: what the bytes say (`puente-node`). INVARIANT: nothing but an id and two instants of a hold is in the clear.

use super::stop::Stop;
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
    /// What was submitted, which holds it met, and what was said (*at rest*); empty in listings.
    pub record: Vec<u8>,
}
