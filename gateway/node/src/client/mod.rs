//! Clients of a node: an agency's system over mTLS, and the operator's tools over the Unix socket.
//!
//! Not here: what is asked. INVARIANT: a request whose fate is unknown is never repeated here; the caller repeats
//! it under the same `Idempotency-Key`.

mod admin;
mod agency;
mod answer;
mod connection;
mod error;
mod officer;
#[cfg(test)]
mod tests;

pub use admin::AdminClient;
pub use agency::{AgencyClient, AgencyCredential};
pub use answer::Answer;
pub use error::ClientError;
pub use officer::{Decided, Decides, Officer};
