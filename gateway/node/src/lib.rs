//! The I/O of a Puente node: carries bytes and time into core and does what core asks.

pub mod store;
