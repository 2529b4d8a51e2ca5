//! The operations listener (health, metrics) and the admin socket (the CLI's way to a running node).
//!
//! INVARIANT: neither shows payload: ids, states, counts and codes only.

mod operations;
mod policy;
mod socket;
mod suspension;
mod webhook;

pub use operations::{refresh, router as operations_router};
pub use socket::{Admin, router as admin_router, serve_socket};
