//! A federation in one thread: the core's own code between a simulated disk, network and clock, driven by a seed.
//!
//! Not a model of the core: steps, states, clocks, watches, rows, commits and retries are its own. What is simulated is
//! what a node's I/O does with them. INVARIANT: a schedule depends on its seed alone; no wall clock, no sleep, no thread.

mod disk;
mod fault;
mod line;
mod monitor;
mod network;
mod node;
mod random;
mod world;

pub use fault::Fault;
pub use world::{Finding, Setting, run};
