//! The one thread that writes keys: makes what is missing and destroys what must go, in groups.
//!
//! Not here: who needs a key. INVARIANT: an answer is given only after COMMIT under `synchronous=FULL`, and of
//! a destruction only after the log was emptied too.

use std::sync::Arc;

use puente_core::delivery::SubjectTag;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::key::{SubjectKey, SubjectKeyId};
use super::{Shared, file};
use crate::store::error::StoreError;
use crate::store::sqlite::ledger::Failure;
use crate::store::sqlite::queue::Ticket;
use crate::store::sqlite::writer::Attendance;

/// Errands that share an fsync at most, as for the commits that wait for them.
const MAX_GROUP: usize = 128;

/// What is asked of the thread.
pub(super) enum Errand {
    /// Every one of these subjects is to have a key.
    Ensure { subjects: Vec<SubjectTag>, reply: oneshot::Sender<Result<(), StoreError>> },
    /// This key is to go, as of this instant.
    Destroy { key: SubjectKeyId, at_ms: i64, reply: oneshot::Sender<Result<(), StoreError>> },
}

impl Errand {
    fn answer(self, outcome: Result<(), StoreError>) {
        let (Self::Ensure { reply, .. } | Self::Destroy { reply, .. }) = self;
        // Nobody listening is no error.
        let _ = reply.send(outcome);
    }
}

/// What a group changed, for the cache.
#[derive(Default)]
struct Changed {
    made: Vec<(SubjectTag, Arc<SubjectKey>)>,
    gone: Vec<SubjectKeyId>,
}

pub(super) struct Minter {
    pub(super) connection: Connection,
    pub(super) shared: Arc<Shared>,
}

impl Minter {
    /// Works until the queue is closed and worked off.
    pub(super) fn run(self) {
        let _attendance = Attendance(&self.shared.errands);
        while let Some(first) = self.shared.errands.wait() {
            let mut group = vec![first];
            while group.len() < MAX_GROUP {
                let Some(next) = self.shared.errands.poll() else { break };
                group.push(next);
            }
            let outcome = self.write(&group).map_err(StoreError::from);
            for Ticket { job, .. } in group {
                job.answer(outcome.clone());
            }
        }
    }

    fn write(&self, group: &[Ticket<Errand>]) -> Result<(), Failure> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let mut changed = Changed::default();
        for Ticket { job, .. } in group {
            match job {
                Errand::Ensure { subjects, .. } => {
                    for subject in subjects {
                        self.ensure(&transaction, subject, &mut changed)?;
                    }
                }
                Errand::Destroy { key, at_ms, .. } => {
                    file::destroy(&transaction, *key, *at_ms)?;
                    changed.gone.push(*key);
                }
            }
        }
        transaction.commit()?;
        let mut memory = self.shared.memory();
        for (subject, key) in changed.made {
            memory.cache.insert(subject, key);
        }
        for key in &changed.gone {
            memory.cache.remove(key);
        }
        // Asked under the lock, so that no reader of the file is in the way.
        if changed.gone.is_empty() { Ok(()) } else { file::empty_log(&self.connection) }
    }

    fn ensure(&self, file: &Connection, subject: &SubjectTag, changed: &mut Changed) -> Result<(), Failure> {
        let key = match file::live(file, subject)? {
            Some(row) => self.shared.wrapper.unwrap(row.id, &row.wrapped)?,
            None => {
                let (key, wrapped) = self.shared.wrapper.mint()?;
                file::insert(file, subject, key.id(), &wrapped)?;
                key
            }
        };
        changed.made.push((*subject, Arc::new(key)));
        Ok(())
    }
}
