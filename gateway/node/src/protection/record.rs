//! What is kept, sealed under the store's key, of a hold and of a stopped row.
//!
//! Not here: who may read it. INVARIANT: the officers' signed statements are kept as they came.

use serde::{Deserialize, Serialize};

use puente_core::ids::{Digest, HoldId};
use puente_core::protection::{Act, Authority, Hold, Marks};

/// A hold; without `Debug`, for the statement holds a person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRecord {
    /// Who placed it.
    pub authority: Authority,
    /// The statement that placed it, compact JWS.
    pub placed: String,
    /// The statement that lifted it.
    #[serde(default)]
    pub lifted: Option<String>,
    /// Rows of which the authority has said that they are somebody else's.
    #[serde(default)]
    pub cleared: Vec<Digest>,
}

impl HoldRecord {
    /// What the officer stated; verified when it was placed, and sealed since.
    #[must_use]
    pub fn states(&self) -> Option<Act<Hold>> {
        let payload = puente_core::envelope::from_base64url(self.placed.split('.').nth(1)?)?;
        serde_json::from_slice(&payload).ok()
    }
}

/// A stopped row; the draft is kept apart, under its subject's key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRecord {
    /// The hold it met.
    pub hold: HoldId,
    /// The people the row named, blinded: what a release clears.
    pub people: Vec<Marks>,
    /// What was signed about it, in time.
    #[serde(default)]
    pub statements: Vec<String>,
}
