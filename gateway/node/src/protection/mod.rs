//! Protection holds in a running node: compared with every row that goes out, at submission and again before it leaves.
//!
//! Meets both faces, belongs to neither. INVARIANT: a hold is in force here before its placing is answered; the index holds
//! keyed tags and what the authority states, never a name; what cannot be compared does not leave.

mod blind;
mod load;
mod people;
mod questions;
mod record;
mod sift;
mod stops;
mod watch;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError, RwLock};

use jiff::Timestamp;

use puente_core::ids::{CountryCode, Digest, HoldId, MessageId};
use puente_core::protection::{Authority, Crowded, Found, Hold, HoldIndex, Marks};

use blind::HmacBlind;
use questions::Questions;
use stops::Tried;

pub use load::{HoldsError, load};
pub use people::named_in;
pub use record::{HoldRecord, StopRecord};
pub use sift::sift;
pub use stops::{Stopped, event, open_stop, seal_record};
pub use watch::watch;

/// The standing holds of this country.
pub struct Holds {
    blind: HmacBlind,
    index: RwLock<HoldIndex>,
    /// Rows of which an authority has said that they are somebody else's: hold and `clearance`.
    cleared: RwLock<BTreeSet<(HoldId, Digest)>>,
    /// Messages of which some bytes may already be with the peer.
    tried: Mutex<Tried>,
    questions: Mutex<Questions>,
    started_ms: i64,
}

impl Holds {
    /// No holds yet; their tags are made under a key of their own, drawn from the node's secret.
    #[must_use]
    pub fn new(secret: &aws_lc_rs::hmac::Key, started_ms: i64) -> Self {
        Self {
            blind: HmacBlind::drawn_from(secret),
            index: RwLock::default(),
            cleared: RwLock::default(),
            tried: Mutex::default(),
            questions: Mutex::default(),
            started_ms,
        }
    }

    /// The tags of people, for comparison.
    pub fn blind(&self) -> &dyn puente_core::protection::Blind {
        &self.blind
    }

    /// Whether no further hold fits.
    pub fn is_full(&self) -> bool {
        self.index.read().unwrap_or_else(PoisonError::into_inner).is_full()
    }

    /// Puts a hold in force.
    pub fn place(&self, hold: HoldId, authority: Authority, states: Hold) {
        let marks = states.person.marks(&self.blind);
        self.index.write().unwrap_or_else(PoisonError::into_inner).place(hold, authority, states, marks);
    }

    /// Takes a hold out of force.
    pub fn lift(&self, hold: HoldId) {
        self.index.write().unwrap_or_else(PoisonError::into_inner).lift(hold);
        let mut cleared = self.cleared.write().unwrap_or_else(PoisonError::into_inner);
        cleared.retain(|(of, _)| *of != hold);
    }

    /// Takes out what has reached its end; answers what that was.
    fn end(&self, now: Timestamp) -> Vec<(HoldId, Authority)> {
        self.index.write().unwrap_or_else(PoisonError::into_inner).end(now)
    }

    /// Remembers that somebody is not the person of a hold, toward one country.
    pub fn clear(&self, hold: HoldId, clearance: Digest) {
        self.cleared.write().unwrap_or_else(PoisonError::into_inner).insert((hold, clearance));
    }

    /// Forgets it, because it could not be recorded.
    pub fn unclear(&self, hold: HoldId, clearance: Digest) {
        self.cleared.write().unwrap_or_else(PoisonError::into_inner).remove(&(hold, clearance));
    }

    /// The holds that people on their way to `peer` meet, save those of which the authority has said that they are
    /// somebody else; each hold once, the earliest placed first.
    ///
    /// # Errors
    /// `Crowded` when it cannot be told.
    pub fn find(&self, people: &[Marks], peer: &CountryCode, now: Timestamp) -> Result<Vec<Found>, Crowded> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        if index.is_empty() {
            return Ok(Vec::new());
        }
        let mut found: Vec<Found> = Vec::new();
        for person in people {
            for met in index.find(person, now)? {
                if !self.is_cleared(met.hold, person, peer) {
                    match found.iter_mut().find(|known| known.hold == met.hold) {
                        Some(known) => known.likeness = known.likeness.max(met.likeness),
                        None => found.push(met),
                    }
                }
            }
        }
        drop(index);
        found.sort_by_key(|met| met.hold);
        Ok(found)
    }

    fn is_cleared(&self, hold: HoldId, person: &Marks, peer: &CountryCode) -> bool {
        let cleared = self.cleared.read().unwrap_or_else(PoisonError::into_inner);
        !cleared.is_empty() && cleared.contains(&(hold, clearance(person, peer)))
    }

    /// Counts rows that an agency asks about without sending them.
    ///
    /// # Errors
    /// `rate.limited` beyond `per_hour`: then none of them is answered.
    pub fn ask(
        &self,
        agency: &puente_core::ids::AgencyId,
        rows: usize,
        per_hour: u32,
        now_ms: i64,
    ) -> Result<(), puente_core::problem::Problem> {
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        questions.take(agency, rows, per_hour, now_ms)
    }

    /// Notes that bytes of these messages may have left without an answer.
    pub fn note_tried(&self, messages: impl Iterator<Item = MessageId>) {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).note(messages);
    }

    /// Whether bytes of a message may have left: it was tried since the node started, or waits since before.
    fn may_be_there(&self, message: MessageId, created_ms: i64, attempts: u32) -> bool {
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        attempts > 0 || created_ms < self.started_ms || tried.has(message)
    }
}

/// What an authority's "somebody else" is about: exactly these marks, toward this country.
#[must_use]
pub fn clearance(person: &Marks, peer: &CountryCode) -> Digest {
    let marks = serde_json::to_vec(person).unwrap_or_default();
    Digest::of(&[peer.as_str().as_bytes(), b"\n", &marks].concat())
}
