//! The one thread that writes: takes what waits, writes it in one transaction, answers after its fsync.
//!
//! Not here: what a write does (`write_*`). Invariant: an answer of success is sent only after COMMIT
//! under `synchronous=FULL` has returned, and a commit whose guard fails leaves no row behind.

use std::sync::Arc;
use std::time::Instant;

use puente_core::catalogue::Lane;
use puente_core::delivery::Write;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::ledger::{Failure, Ledger};
use super::queue::{Queue, Ticket, Urgency};
use super::seal::Sealer;
use super::write;
use crate::store::CommitObserver;
use crate::store::error::StoreError;

/// Commits that share an fsync at most: beyond about a hundred the fsync is under a tenth of the cost,
/// and an alert waits for at most one group.
const MAX_GROUP_COMMITS: usize = 128;
/// Bytes that share an fsync at most: a few chunks of an attachment, some 20 ms of a plain disk.
const MAX_GROUP_BYTES: usize = 4 * 1024 * 1024;

/// Work for the writer: applied inside the group's transaction, answered after it.
pub(super) trait Job: Send {
    /// Bytes it brings, about.
    fn bytes(&self) -> usize;
    /// Writes it makes, for the metric.
    fn writes(&self) -> usize;
    /// Does the work.
    fn apply(&mut self, ledger: Ledger<'_>) -> Result<(), Failure>;
    /// Tells the caller; nobody listening is no error.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

pub(super) type WriteQueue = Queue<Box<dyn Job>>;

/// All writes of one commit.
pub(super) struct CommitJob {
    pub(super) writes: Vec<Write>,
    pub(super) reply: oneshot::Sender<Result<(), StoreError>>,
}

impl CommitJob {
    /// A commit that carries an alert goes first.
    pub(super) fn urgency(writes: &[Write]) -> Urgency {
        let alert = writes.iter().any(|write| match write {
            Write::Outbound(row) => row.message.lane == Lane::Alert,
            Write::Inbound(row) => row.message.lane == Lane::Alert,
            _ => false,
        });
        if alert { Urgency::Urgent } else { Urgency::Routine }
    }
}

impl Job for CommitJob {
    fn bytes(&self) -> usize {
        self.writes.iter().map(write::bytes).sum()
    }

    fn writes(&self) -> usize {
        self.writes.len()
    }

    fn apply(&mut self, ledger: Ledger<'_>) -> Result<(), Failure> {
        for (position, write) in self.writes.iter().enumerate() {
            write::apply(ledger, write).map_err(|failure| match failure {
                Failure::Guard { what, .. } => Failure::Guard { write: position, what },
                other => other,
            })?;
        }
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let _ = self.reply.send(outcome);
    }
}

/// One change outside a commit, such as a chunk; `T` is what it finds out.
pub(super) struct SingleJob<T, F> {
    pub(super) bytes: usize,
    pub(super) change: F,
    pub(super) found: Option<T>,
    pub(super) reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for SingleJob<T, F>
where
    T: Send,
    F: FnMut(Ledger<'_>) -> Result<T, Failure> + Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn writes(&self) -> usize {
        1
    }

    fn apply(&mut self, ledger: Ledger<'_>) -> Result<(), Failure> {
        self.found = Some((self.change)(ledger)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { found, reply, .. } = *self;
        let _ = reply.send(outcome.and_then(|()| found.ok_or(StoreError::Closed)));
    }
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) sealer: Arc<Sealer>,
    pub(super) queue: Arc<WriteQueue>,
    pub(super) observer: Arc<dyn CommitObserver>,
}

impl Writer {
    /// Works until the queue is closed and worked off.
    pub(super) fn run(self) {
        let _attendance = Attendance(&self.queue);
        while let Some(first) = self.queue.wait() {
            let group = self.gather(first);
            self.settle(group);
        }
    }

    /// Takes what waits already, without waiting for more: the load itself makes the groups.
    fn gather(&self, first: Ticket<Box<dyn Job>>) -> Vec<Ticket<Box<dyn Job>>> {
        let mut bytes = first.job.bytes();
        let mut group = vec![first];
        while group.len() < MAX_GROUP_COMMITS && bytes < MAX_GROUP_BYTES {
            let Some(next) = self.queue.poll() else { break };
            bytes = bytes.saturating_add(next.job.bytes());
            group.push(next);
        }
        group
    }

    fn settle(&self, mut group: Vec<Ticket<Box<dyn Job>>>) {
        let started = Instant::now();
        match self.write(&mut group) {
            Ok(outcomes) => {
                let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                let writes = group.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
                let writes = writes.map(|(ticket, _)| ticket.job.writes()).sum();
                let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.observer.committed(done, writes, micros);
                for (ticket, outcome) in group.into_iter().zip(outcomes) {
                    ticket.job.answer(outcome);
                }
            }
            Err(failure) => {
                let error = StoreError::from(failure);
                for ticket in group {
                    ticket.job.answer(Err(error.clone()));
                }
            }
        }
    }

    /// One transaction for the group, one savepoint per job; an error of the medium undoes it all.
    fn write(&self, group: &mut [Ticket<Box<dyn Job>>]) -> Result<Vec<Result<(), StoreError>>, Failure> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let ledger = Ledger { connection: &transaction, sealer: &self.sealer };
        let mut outcomes = Vec::with_capacity(group.len());
        for ticket in group {
            ledger.run("SAVEPOINT job", ())?;
            let outcome = match ticket.job.apply(ledger) {
                Ok(()) => Ok(()),
                Err(failure) if failure.is_own() => {
                    ledger.run("ROLLBACK TO job", ())?;
                    Err(StoreError::from(failure))
                }
                Err(failure) => return Err(failure),
            };
            ledger.run("RELEASE job", ())?;
            outcomes.push(outcome);
        }
        transaction.commit()?;
        Ok(outcomes)
    }
}

/// While it lives somebody works the queue off; when it goes, even by a panic, nobody waits in vain.
pub(super) struct Attendance<'a, J>(pub(super) &'a Queue<J>);

impl<J> Drop for Attendance<'_, J> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
