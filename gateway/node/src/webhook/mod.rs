//! Webhooks: events that the node itself brings to an agency's system, signed.
//!
//! Not here: long-poll and stream (`domestic`), the form of an event (`puente_core::delivery`). INVARIANT: only 2xx is a
//! delivery; at least once, in order, to an address that the operator's list of networks lets through at that very call.

mod call;
mod deliver;
mod endpoint;
mod registry;
#[cfg(test)]
mod tests;

pub use call::{Caller, Resolve, Resolved, SystemResolver};
pub use deliver::run_webhooks;
pub use endpoint::Endpoint;
pub use registry::{Act, WebhookForm, act, dead_letters, list, register, resend};
