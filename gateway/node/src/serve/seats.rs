//! Seats for what stays open after its request was answered: so many in all, and a part of them for one client.
//!
//! Not here: requests in progress (`shed`). INVARIANT: a seat is taken as long as its `Seat` lives, and no longer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A client may have one of so many parts of the seats.
const PARTS: usize = 4;

/// The seats of one kind.
pub struct Seats {
    most: usize,
    taken: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// One of them.
pub struct Seat {
    client: String,
    taken: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Seats {
    /// So many seats.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A seat for this client; `None` when it has its part or all are taken.
    #[must_use]
    pub fn take(&self, client: &str) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(client).copied().unwrap_or(0);
        if own >= self.most.div_ceil(PARTS) || taken.values().sum::<usize>() >= self.most {
            return None;
        }
        taken.insert(client.to_owned(), own + 1);
        Some(Seat { client: client.to_owned(), taken: Arc::clone(&self.taken) })
    }

    /// How many are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.client) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_takes_its_part_and_all_take_no_more_than_there_are() {
        let seats = Seats::new(8);
        let two: Vec<_> = (0..3).map_while(|_| seats.take("a")).collect();
        assert_eq!((two.len(), seats.taken()), (2, 2));
        let rest: Vec<_> =
            ["b", "b", "c", "c", "d", "d", "e"].into_iter().map_while(|of| seats.take(of)).collect();
        assert_eq!((rest.len(), seats.taken()), (6, 8));
        drop(two);
        assert!(seats.take("e").is_some());
        drop(rest);
        assert_eq!(seats.taken(), 0);
    }
}
