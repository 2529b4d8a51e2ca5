//! Keys in memory: those that were used lately, in two generations, so that forgetting costs nothing.
//!
//! Not here: the file. INVARIANT: at most twice `GENERATION` keys are held, and one that is removed is in
//! neither generation.

use std::collections::HashMap;
use std::sync::Arc;

use puente_core::delivery::SubjectTag;

use super::key::{SubjectKey, SubjectKeyId};

/// Keys per generation: the people of some thirty flights, about a kilobyte each.
const GENERATION: usize = 4_096;

#[derive(Default)]
struct Generation {
    keys: HashMap<SubjectKeyId, (SubjectTag, Arc<SubjectKey>)>,
    ids: HashMap<SubjectTag, SubjectKeyId>,
}

/// The keys used lately.
#[derive(Default)]
pub(super) struct Cache {
    young: Generation,
    old: Generation,
}

impl Cache {
    /// The key of a subject, if it is held; one that is used stays young.
    pub(super) fn of(&mut self, subject: &SubjectTag) -> Option<Arc<SubjectKey>> {
        let id = *self.young.ids.get(subject).or_else(|| self.old.ids.get(subject))?;
        self.by_id(&id)
    }

    /// The key of this id, if it is held.
    pub(super) fn by_id(&mut self, id: &SubjectKeyId) -> Option<Arc<SubjectKey>> {
        if let Some((_, key)) = self.young.keys.get(id) {
            return Some(Arc::clone(key));
        }
        let (subject, key) = self.old.keys.get(id).cloned()?;
        self.insert(subject, Arc::clone(&key));
        Some(key)
    }

    /// Holds a key; when the generation is full it becomes the old one, and the old one is forgotten.
    pub(super) fn insert(&mut self, subject: SubjectTag, key: Arc<SubjectKey>) {
        if self.young.keys.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.ids.insert(subject, key.id());
        self.young.keys.insert(key.id(), (subject, key));
    }

    /// Forgets a key.
    pub(super) fn remove(&mut self, id: &SubjectKeyId) {
        for generation in [&mut self.young, &mut self.old] {
            if let Some((subject, _)) = generation.keys.remove(id) {
                generation.ids.remove(&subject);
            }
        }
    }

    /// How many keys are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.keys.len() + self.old.keys.len()
    }

    /// The most that are ever held.
    #[cfg(test)]
    pub(super) const MOST: usize = 2 * GENERATION;
}
