//! Alerts that a person has to release or to answer: the clock, the escalation, who is on duty.
//!
//! Not here: sending (`puente-node::duty`). INVARIANT: an alert's clock is stopped by an officer's act and by nothing
//! else; what nobody stops is told to somebody else, on both sides.

mod act;
mod broadcast;
mod ladder;
mod notice;
mod record;
mod roster;
mod watch;

#[cfg(test)]
mod tests;

pub use act::{Acted, TYP_ACTED, TYP_TAKEN, TYP_TELEPHONE, Taken, Telephoned};
pub use broadcast::{BROADCAST, CANCEL, Reach, SIGHTING, recipients};
pub use ladder::{DEADLINES, LadderError, Ladders, Rung, Term, Wake};
pub use notice::{Call, Notice, notice};
pub use record::{Channel, Summons, SummonsState, WatchRow};
pub use roster::{Contact, Gap, Roster, RosterError};
pub use watch::{Answered, Awaits, Due, Silence, Watch};
