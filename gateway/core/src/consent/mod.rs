//! Consent as a signed record with signed events, and what it says about one message at an instant.
//!
//! The record is after ISO/IEC TS 27560 with the additions of DOMAIN.md 4.1. Not here: whether what it says
//! suffices (`policy`, rules R-CON-01 to R-CON-10) and where it is kept (`puente-node`). INVARIANT: nothing in
//! this module can make a consent cover more than its record names; every event shrinks it or ends it.

mod evaluate;
mod event;
mod record;
#[cfg(test)]
mod tests;
mod text;
mod verify;
mod vouched;

pub use evaluate::{Evaluation, Standing, evaluate, leaves, left};
pub use event::{EventState, StatusEvent};
pub use record::{
    Assent, AssentAnswer, AssentForm, Evidence, EvidenceKind, FirstEvent, FirstState, Giver, Interpreter,
    Principal, Process, Record, SCHEMA_VERSION, Shown,
};
pub use text::{ApprovedTexts, TextsError};
pub use verify::{Verified, VerifiedEvent, VerifiedRecord, verify_event, verify_record};
pub use vouched::{Relied, vouched};

/// `typ` of a consent record (PROTOCOL.md section 7).
pub const TYP_RECORD: &str = "puente-consent+jwt";

/// `typ` of a status event on one.
pub const TYP_EVENT: &str = "puente-consent-event+jwt";
