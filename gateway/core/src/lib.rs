//! What is true and what happens next in a Puente node.
//!
//! Pure: no clock, socket, file, thread, async runtime or C library. Time, randomness, signing and
//! sealing come in by argument or trait, so a whole federation runs in one test from a seed.
//!
//! Not here: anything that touches the world (`puente-node`) or a person (`puente`).

pub mod approval;
pub mod authority;
pub mod cases;
pub mod catalogue;
pub mod consent;
pub mod delivery;
pub mod duty;
pub mod envelope;
pub mod evidence;
pub mod ids;
pub mod json;
pub mod matching;
pub mod membership;
pub mod opening;
pub mod personal;
pub mod policy;
pub mod problem;
pub mod proposal;
pub mod protection;
pub mod rights;
pub mod statistics;
pub mod suspension;
