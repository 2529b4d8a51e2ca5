//! One named test per story of two countries; one binary, so that everything is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod alerts;
mod approvals;
mod around;
mod attachments;
mod authorities;
mod broadcasts;
mod browser;
mod cases;
mod clocks;
mod consents;
mod corrections;
mod decisions;
mod delivery;
mod desk;
mod determinations;
mod envelopes;
mod erasure;
mod held_alerts;
mod holds;
mod officer;
mod on_duty;
mod policies;
mod reception;
mod refusals;
mod rights;
mod road;
mod sealed;
mod show;
mod signing;
mod statistics;
mod streams;
mod suspensions;
mod webhooks;
mod wire_cases;
