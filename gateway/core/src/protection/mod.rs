//! Protection holds: what an authority states of a person in its own country's node, and what follows for rows that go out.
//!
//! Not here: where holds are kept and who is told (`puente-node`). INVARIANT: a hold only ever takes away: it
//! stops a row or makes it wait, and nothing that a submitter states softens it. A match tells the submitter one
//! neutral thing, whatever the reason.

mod act;
mod hold;
mod index;
mod judge;
mod likeness;
mod marks;
mod named;
mod rows;
mod stop;

pub use act::{Act, TYP_ANSWER, TYP_HOLD, TYP_LIFT, TYP_REVIEW, VerifiedAct, act_speaker, verify_act};
pub use hold::{Against, Authority, Described, Hold, HoldReason, Lift, may_place};
pub use index::{Crowded, Found, HoldIndex, MAX_HOLDS};
pub use judge::{Judged, Ruling, judge};
pub use likeness::Likeness;
pub use marks::{Blind, Marks, Tag};
pub use named::{Belonging, Named};
pub use rows::{HoldRow, StopDraft, StopRow};
pub use stop::{
    Alarm, Answer, Answered, NEUTRAL_RULE, Review, Reviewed, SenderSide, Stop, StopKind, StopSchedule,
    neutral,
};

#[cfg(test)]
mod tests;
