//! Decisions remembered by their normalised facts.
//!
//! Not here: instants; they are judged before a question is asked, so nothing here can go stale while
//! the policies stand. Invariant: bounded; a full shard is emptied, never grown.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Sixteen shards keep writers of different messages apart.
const SHARDS: usize = 16;
/// 256 questions a shard, 4096 in all: a busy node sees a few hundred distinct ones. A question with its answer comes to
/// 2 to 4 KiB (sets of short codes), so both ends together stay below 32 MiB.
const PER_SHARD: usize = 256;

/// How often a question had been asked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheCounts {
    /// Answers found.
    pub hits: u64,
    /// Answers worked out.
    pub misses: u64,
}

/// A bounded memory of answers.
pub(super) struct DecisionCache<Q, A> {
    shards: [Mutex<HashMap<Q, Arc<A>>>; SHARDS],
    hasher: RandomState,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<Q: Hash + Eq, A> DecisionCache<Q, A> {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(HashMap::new())),
            hasher: RandomState::new(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The answer to a question, worked out at most once while it is remembered.
    pub(super) fn answer(&self, question: Q, work_out: impl FnOnce(&Q) -> A) -> Arc<A> {
        let index = usize::try_from(self.hasher.hash_one(&question) % SHARDS as u64).unwrap_or_default();
        let Some(shard) = self.shards.get(index) else { return Arc::new(work_out(&question)) };
        // A poisoned shard is only a memory: what it holds was whole when it was put there.
        let known = shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&question).cloned();
        if let Some(answer) = known {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return answer;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let answer = Arc::new(work_out(&question));
        let mut shard = shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if shard.len() >= PER_SHARD {
            shard.clear();
        }
        shard.insert(question, Arc::clone(&answer));
        answer
    }

    pub(super) fn counts(&self) -> CacheCounts {
        CacheCounts { hits: self.hits.load(Ordering::Relaxed), misses: self.misses.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    impl<Q: Hash + Eq, A> DecisionCache<Q, A> {
        fn remembered(&self) -> usize {
            self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
        }
    }

    #[test]
    fn a_flood_of_new_questions_never_grows_the_memory_past_its_bound() {
        let cache = DecisionCache::new();
        for question in 0..100_000_u32 {
            assert_eq!(*cache.answer(question, |asked| asked + 1), question + 1);
            assert!(question % 1_000 != 0 || cache.remembered() <= SHARDS * PER_SHARD);
        }
        assert!(cache.remembered() <= SHARDS * PER_SHARD);
        assert_eq!(cache.counts(), CacheCounts { hits: 0, misses: 100_000 });
    }
}
