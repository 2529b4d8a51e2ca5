//! The rows of a node's operation: suspensions, and the policies that were put in force.
//!
//! Not here: what a suspension stops (`suspension`) and who may activate (`approval`). Instants are
//! milliseconds since the Unix epoch, UTC; nothing here is personal data but pseudonyms of officers.

use serde::{Deserialize, Serialize};

use crate::delivery::ApprovalState;
use crate::ids::{AgencyId, ApprovalId, Digest, OfficerId, PersonId};
use crate::suspension::Target;

/// One suspension from its placing to its lifting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspensionRow {
    /// What is suspended.
    pub target: Target,
    /// Why, as a code of the deployment.
    pub reason: String,
    /// When it was placed.
    pub placed_ms: i64,
    /// When it was lifted; `None` while it stands.
    pub lifted_ms: Option<i64>,
}

/// The officer who proposed a set of policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposer {
    /// The officer's agency.
    pub agency: AgencyId,
    /// The officer.
    pub officer: OfficerId,
    /// The natural person, pseudonymous.
    pub person: PersonId,
}

/// A set of policies that was proposed, and what became of it: `Granted` is put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChangeRow {
    /// Names it; officers state on it as on an approval.
    pub change: ApprovalId,
    /// Digest of the whole set.
    pub set: Digest,
    /// Digest of the files that decide, as messages name it.
    pub policy: Digest,
    /// The set that was in force when it was proposed.
    pub base: Digest,
    /// Digest of what officers must have seen: sets, differences, simulation.
    pub preview: Digest,
    /// Who proposed it; `None` for the set of the first start.
    pub proposer: Option<Proposer>,
    /// The signed proposal, compact JWS; empty for the set of the first start.
    pub proposal: String,
    /// What officers see, as JSON.
    pub summary: Vec<u8>,
    /// The files as JSON, path to text; empty in listings.
    pub files: Vec<u8>,
    /// When it was proposed.
    pub opened_ms: i64,
    /// When it lapses.
    pub lapses_ms: i64,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was put in force, refused or lapsed.
    pub closed_ms: Option<i64>,
}
