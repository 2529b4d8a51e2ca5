//! Alerts that people have to release or to answer, in a running node: the clocks, who is called over them, and by which way.
//!
//! Meets both faces, belongs to neither. INVARIANT: a clock begins in the commit that queues or accepts its alert and
//! stops in the commit that records an officer's act; whoever is called is called at least once, and told nothing.

mod answer;
mod call;
mod clock;
mod held;
mod hook;
mod mail;
mod people;
mod rosters;

pub use answer::{answer_came, is_answer, receipted, state_event};
pub use call::{Ways, WaysError, call_due};
pub use clock::{begins, step};
pub use held::{look_again, waits_for_release};
pub use rosters::{Rosters, RostersError, answering_roles, gap_minutes};
