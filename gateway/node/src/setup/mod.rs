//! Setting a node up on disk and reading back what was set up: keys, certificates, directory, agencies, officers.
//!
//! The command line, the demonstration and the tests go through here. Not here: a running node (`run`), and
//! ceremonies between states on machines without a network. INVARIANT: a key is written once and never over
//! another; a directory version is signed once; whoever edits a home is alone in it.

pub mod agency;
pub mod agency_key;
pub mod agreement;
mod check;
mod credential;
pub mod directory;
mod embedded;
mod error;
pub mod federation;
mod init;
mod instant;
pub mod load;
mod lock;
pub mod officer;
mod roles;
#[cfg(test)]
mod tests;

pub use check::{CheckFinding, Level, check};
pub use embedded::{built_in_policies, built_in_schemas};
pub use error::SetupError;
pub use init::{Init, Initialised, init};
