//! The I/O of a Puente node: carries bytes and time into core and does what core asks.
//!
//! Not here: what is true and what happens next (`puente-core`). INVARIANT: `domestic` and `federation`
//! never import each other; they meet in `store` and in `run`.

pub mod admin;
mod answered;
pub mod attachment;
mod authority;
pub mod cases;
mod chunks;
pub mod client;
pub mod clock;
pub mod clocks;
pub mod config;
pub mod consent;
pub mod desk;
pub mod domestic;
pub mod duty;
pub mod federation;
pub mod home;
pub mod keys;
pub mod lists;
pub mod node;
pub mod opening;
pub mod policy;
pub mod protection;
pub mod receipts;
pub mod register;
pub mod restriction;
pub mod run;
pub mod serve;
pub mod setup;
pub mod store;
pub mod subjects;
pub mod suspension;
pub mod telemetry;
pub mod webhook;
