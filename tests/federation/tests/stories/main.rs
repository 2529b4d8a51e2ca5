//! One named test per story of two countries; one binary, so that everything is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod approvals;
mod around;
mod cases;
mod consents;
mod delivery;
mod envelopes;
mod erasure;
mod holds;
mod policies;
mod refusals;
mod rights;
mod road;
mod statistics;
mod suspensions;
