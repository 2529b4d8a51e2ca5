//! The bounded queue before a store thread: asynchronous on one side, blocking on the other.
//!
//! Not here: what the work is. Invariants: what waits is bounded in size and in callers; urgent work
//! goes first yet never starves the rest; after `close` what was taken in is still worked off, and after
//! `abandon` nobody waits for an answer that cannot come.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::store::error::StoreError;

/// Work that waits per urgency, in KiB: some ten thousand messages of 2 KiB, half a second of the disk.
const ROOM_KIB: u32 = 32 * 1024;
/// Callers that may wait for room before the next one is turned away: about one per open HTTP stream.
const MAX_WAITING: u32 = 1_024;
/// Urgent work in a row before one routine piece gets its turn, so that a flood of alerts stops nothing.
const URGENT_RUN: u32 = 16;

/// How soon work must be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Alerts: before everything else.
    Urgent,
    /// The rest, in order.
    Routine,
}

/// A piece of work and the room it takes until it is dropped.
pub(super) struct Ticket<J> {
    pub(super) job: J,
    _room: OwnedSemaphorePermit,
}

pub(super) struct Queue<J> {
    waiting: Mutex<Waiting<J>>,
    filled: Condvar,
    urgent: Door,
    routine: Door,
}

struct Waiting<J> {
    urgent: VecDeque<Ticket<J>>,
    routine: VecDeque<Ticket<J>>,
    urgent_run: u32,
    closed: bool,
}

struct Door {
    room: Arc<Semaphore>,
    callers: AtomicU32,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                urgent: VecDeque::new(),
                routine: VecDeque::new(),
                urgent_run: 0,
                closed: false,
            }),
            filled: Condvar::new(),
            urgent: Door::new(),
            routine: Door::new(),
        }
    }

    /// Puts work in line, waiting for room if need be.
    ///
    /// # Errors
    /// `Overloaded` when too many wait for room already, `Closed` after `close`.
    pub(super) async fn push(&self, urgency: Urgency, bytes: usize, job: J) -> Result<(), StoreError> {
        let door = match urgency {
            Urgency::Urgent => &self.urgent,
            Urgency::Routine => &self.routine,
        };
        let ticket = Ticket { job, _room: door.enter(bytes).await? };
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        match urgency {
            Urgency::Urgent => waiting.urgent.push_back(ticket),
            Urgency::Routine => waiting.routine.push_back(ticket),
        }
        self.filled.notify_one();
        Ok(())
    }

    /// The next piece of work, waiting for it; `None` once closed and worked off.
    pub(super) fn wait(&self) -> Option<Ticket<J>> {
        let mut waiting = self.lock();
        loop {
            if let Some(ticket) = waiting.take() {
                return Some(ticket);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next piece of work, if there is one now.
    pub(super) fn poll(&self) -> Option<Ticket<J>> {
        self.lock().take()
    }

    /// Takes nothing more in.
    pub(super) fn close(&self) {
        self.urgent.room.close();
        self.routine.room.close();
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Closes and drops what waits: its callers learn that the store is closed.
    pub(super) fn abandon(&self) {
        self.close();
        let (urgent, routine) = {
            let mut waiting = self.lock();
            (std::mem::take(&mut waiting.urgent), std::mem::take(&mut waiting.routine))
        };
        drop((urgent, routine));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Waiting<J> {
    fn take(&mut self) -> Option<Ticket<J>> {
        let turn_of_routine = self.urgent_run >= URGENT_RUN && !self.routine.is_empty();
        if !turn_of_routine && let Some(ticket) = self.urgent.pop_front() {
            self.urgent_run = self.urgent_run.saturating_add(1);
            return Some(ticket);
        }
        self.urgent_run = 0;
        self.routine.pop_front()
    }
}

impl Door {
    fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM_KIB as usize)), callers: AtomicU32::new(0) }
    }

    async fn enter(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        // A piece larger than all the room waits for all of it, and then goes alone.
        let kib = u32::try_from(bytes / 1024).unwrap_or(ROOM_KIB).clamp(1, ROOM_KIB);
        match Arc::clone(&self.room).try_acquire_many_owned(kib) {
            Ok(permit) => return Ok(permit),
            Err(TryAcquireError::Closed) => return Err(StoreError::Closed),
            Err(TryAcquireError::NoPermits) => {}
        }
        let _caller = Caller::at(&self.callers)?;
        Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| StoreError::Closed)
    }
}

/// One who waits at a door; leaves it when dropped, even if cancelled.
struct Caller<'a>(&'a AtomicU32);

impl<'a> Caller<'a> {
    fn at(callers: &'a AtomicU32) -> Result<Self, StoreError> {
        let caller = Self(callers);
        if callers.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            return Err(StoreError::Overloaded);
        }
        Ok(caller)
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const WHOLE_ROOM: usize = ROOM_KIB as usize * 1024;

    fn now<F: Future>(future: F) -> Poll<F::Output> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn jobs(queue: &Queue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.poll()).map(|ticket| ticket.job).collect()
    }

    #[test]
    fn urgent_work_overtakes_but_routine_work_gets_its_turn() {
        let queue = Queue::new();
        assert_eq!(now(queue.push(Urgency::Routine, 1, 1_000)), Poll::Ready(Ok(())));
        for job in 0..20 {
            assert_eq!(now(queue.push(Urgency::Urgent, 1, job)), Poll::Ready(Ok(())));
        }
        let order = jobs(&queue);
        assert_eq!(order.first(), Some(&0));
        assert_eq!(order.iter().position(|job| *job == 1_000), Some(URGENT_RUN as usize));
    }

    #[test]
    fn a_full_queue_lets_callers_wait_then_turns_them_away_and_alerts_still_pass() {
        let queue = Queue::new();
        assert_eq!(now(queue.push(Urgency::Routine, WHOLE_ROOM, 0)), Poll::Ready(Ok(())));
        let mut waiting: Vec<_> =
            (0..MAX_WAITING).map(|job| Box::pin(queue.push(Urgency::Routine, 1, job))).collect();
        for caller in &mut waiting {
            assert_eq!(now(caller.as_mut()), Poll::Pending);
        }
        assert_eq!(now(queue.push(Urgency::Routine, 1, 1)), Poll::Ready(Err(StoreError::Overloaded)));
        assert_eq!(now(queue.push(Urgency::Urgent, 1, 2)), Poll::Ready(Ok(())));
        drop(waiting);
        assert_eq!(jobs(&queue), [2, 0]);
        assert_eq!(now(queue.push(Urgency::Routine, WHOLE_ROOM, 3)), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_closed_queue_works_off_what_it_took_in_and_takes_nothing_more() {
        let queue = Queue::new();
        assert_eq!(now(queue.push(Urgency::Routine, 1, 7)), Poll::Ready(Ok(())));
        queue.close();
        assert_eq!(now(queue.push(Urgency::Urgent, 1, 8)), Poll::Ready(Err(StoreError::Closed)));
        assert_eq!(queue.wait().map(|ticket| ticket.job), Some(7));
        assert!(queue.wait().is_none());
    }
}
