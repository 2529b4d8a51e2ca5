//! Frame only: the policy branch replaces this file.

mod permit;
pub use permit::Permit;
