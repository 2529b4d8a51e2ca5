//! The I/O of a Puente node.

pub mod lists;
