//! All standing holds by their marks, for a look per outgoing row.
//!
//! Not here: the holds' names (they stay sealed in the store). INVARIANT: at most [`MAX_HOLDS`] holds, and one look
//! compares with at most [`MAX_COMPARED`] of them before it says that it cannot tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use jiff::Timestamp;

use super::hold::{Authority, Hold};
use super::likeness::{Likeness, likeness};
use super::marks::{Marks, Tag};
use crate::ids::HoldId;

/// Holds of one country at once: ten times the open claims of the largest members' border regions, some 100 MB.
pub const MAX_HOLDS: usize = 100_000;

/// Neighbours that one look compares: of the commonest surnames and initials some thousand, and only a row that states no birth
/// meets those of all years.
const MAX_COMPARED: usize = 40_000;

/// A hold that a row met.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which.
    pub hold: HoldId,
    /// How well they agree.
    pub likeness: Likeness,
    /// Who placed it.
    pub authority: Authority,
    /// What it states; its names and numbers were taken out.
    pub states: Arc<Hold>,
}

/// More neighbours than a look may compare: the row has to be treated as if it met a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many holds resemble the row to compare them all")]
pub struct Crowded;

struct Entry {
    hold: HoldId,
    marks: Marks,
}

struct Standing {
    authority: Authority,
    states: Arc<Hold>,
    slots: Vec<u32>,
}

/// Tags are keyed digests already: hashing them again would only cost.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// The standing holds.
#[derive(Default)]
pub struct HoldIndex {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    blocks: HashMap<Tag, Vec<u32>, BuildHasherDefault<AsIs>>,
    holds: BTreeMap<HoldId, Standing>,
}

impl HoldIndex {
    /// How many holds stand.
    #[must_use]
    pub fn len(&self) -> usize {
        self.holds.len()
    }

    /// Whether none stands.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    /// Whether no further hold fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.holds.len() >= MAX_HOLDS
    }

    /// Takes in a hold under the marks of its person; a second time under one id changes nothing.
    pub fn place(&mut self, hold: HoldId, authority: Authority, mut states: Hold, marks: Vec<Marks>) {
        if self.holds.contains_key(&hold) {
            return;
        }
        states.person.names = Vec::new();
        states.person.numbers = Vec::new();
        states.person.sex = None;
        states.person.born = super::hold::Born::Unknown;
        let mut slots = Vec::with_capacity(marks.len());
        for marks in marks {
            let tags: BTreeSet<Tag> = marks.filed_under().into_iter().collect();
            let entry = Some(Entry { hold, marks });
            let slot = match self.free.pop() {
                Some(slot) => {
                    if let Some(place) = self.entries.get_mut(slot as usize) {
                        *place = entry;
                    }
                    slot
                }
                None => {
                    self.entries.push(entry);
                    u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
                }
            };
            for tag in tags {
                self.blocks.entry(tag).or_default().push(slot);
            }
            slots.push(slot);
        }
        self.holds.insert(hold, Standing { authority, states: Arc::new(states), slots });
    }

    /// Takes a hold out.
    pub fn lift(&mut self, hold: HoldId) {
        let Some(standing) = self.holds.remove(&hold) else { return };
        for slot in standing.slots {
            let Some(entry) = self.entries.get_mut(slot as usize).and_then(Option::take) else { continue };
            for tag in entry.marks.filed_under() {
                if let Some(slots) = self.blocks.get_mut(&tag) {
                    slots.retain(|other| *other != slot);
                    if slots.is_empty() {
                        self.blocks.remove(&tag);
                    }
                }
            }
            self.free.push(slot);
        }
    }

    /// Takes out what has ended; answers what that was.
    pub fn end(&mut self, now: Timestamp) -> Vec<(HoldId, Authority)> {
        let ended: Vec<_> = self
            .holds
            .iter()
            .filter(|(_, standing)| standing.states.until.is_some_and(|until| until <= now))
            .map(|(hold, standing)| (*hold, standing.authority.clone()))
            .collect();
        for (hold, _) in &ended {
            self.lift(*hold);
        }
        ended
    }

    /// Every standing hold that the row may be about, the earliest placed first.
    ///
    /// # Errors
    /// `Crowded` when more resemble it than can be compared.
    pub fn find(&self, row: &Marks, now: Timestamp) -> Result<Vec<Found>, Crowded> {
        let mut neighbours: Vec<u32> = Vec::new();
        for slots in row.looked_for_under().iter().filter_map(|tag| self.blocks.get(tag)) {
            neighbours.extend(slots);
            if neighbours.len() > MAX_COMPARED {
                return Err(Crowded);
            }
        }
        neighbours.sort_unstable();
        neighbours.dedup();
        let mut best: BTreeMap<HoldId, Likeness> = BTreeMap::new();
        for slot in neighbours {
            let Some(Some(entry)) = self.entries.get(slot as usize) else { continue };
            if let Some(found) = likeness(&entry.marks, row) {
                best.entry(entry.hold).and_modify(|known| *known = found.max(*known)).or_insert(found);
            }
        }
        Ok(best.into_iter().filter_map(|(hold, likeness)| self.found(hold, likeness, now)).collect())
    }

    fn found(&self, hold: HoldId, likeness: Likeness, now: Timestamp) -> Option<Found> {
        let standing = self.holds.get(&hold)?;
        let stands = standing.states.until.is_none_or(|until| until > now);
        stands.then(|| Found {
            hold,
            likeness,
            authority: standing.authority.clone(),
            states: Arc::clone(&standing.states),
        })
    }
}
