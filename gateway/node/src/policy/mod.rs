//! Policy sets as a node keeps them: whole folders by digest, tried on recorded facts before they count.
//!
//! Not here: what a rule says (`policies/`) and how one decides (`puente_core::policy`). INVARIANT: what
//! leaves this module about a recorded decision is ids, outcomes and rules, never a fact.

mod change;
mod keeper;
mod set;
mod simulate;
mod trust;

pub use change::{propose, show, state, summary};
pub use keeper::{InForceError, PolicyKeeper};
pub use set::{PolicySet, SetError};
pub use simulate::{MAX_NAMED, Move, Simulated, simulate};
pub use trust::{Trust, binding};
