//! The key store of subjects: one random key per subject, in a file of its own, wrapped by a key outside it.
//!
//! Not here: what is sealed under them (`write`, `read`). INVARIANTS: a key that was given out is durable; a
//! key that was destroyed is neither in the file, nor in its log, nor in memory; memory is bounded.

mod agree;
mod cache;
mod file;
mod key;
#[cfg(test)]
mod tests;
mod thread;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use puente_core::delivery::SubjectTag;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::ledger::Failure;
use super::open::{Tenancy, occupy};
use super::queue::{Queue, Urgency};
use crate::store::StoreOwner;
use crate::store::error::{OpenError, StoreError};
use crate::store::key::SubjectsKey;
pub(super) use agree::agree;
use cache::Cache;
use key::Wrapper;
pub(super) use key::{SubjectKey, SubjectKeyId, split};
use thread::{Errand, Minter};

/// Names one file of keys for ever, so that a store is not opened with another one.
pub(super) type Instance = [u8; 16];

/// What is known of a key by its id.
pub(super) enum Known {
    /// It stands.
    Live(Arc<SubjectKey>),
    /// It was destroyed, and that is on record.
    Destroyed,
    /// It never was in this file.
    Never,
}

/// The key store of a node, opened; a store takes it over. One process at a time.
pub struct SubjectKeyFile {
    connection: Connection,
    wrapper: Wrapper,
    instance: Instance,
    path: PathBuf,
    tenancy: Tenancy,
}

impl SubjectKeyFile {
    /// Opens the key store at `path`, creating it if there is none.
    ///
    /// # Errors
    /// `OpenError` says what is wrong: in use, foreign, newer, another key, or the medium.
    pub fn open(path: &Path, owner: &StoreOwner, key: &SubjectsKey) -> Result<Self, OpenError> {
        let tenancy = occupy(path)?;
        let wrapper = Wrapper::new(key)?;
        let (connection, instance) = file::writer(path, owner, &wrapper)?;
        Ok(Self { connection, wrapper, instance, path: path.to_owned(), tenancy })
    }

    /// Which file of keys this is.
    pub(super) const fn instance(&self) -> Instance {
        self.instance
    }

    /// Destroys again what the store says was destroyed and this file, restored from an older copy, still holds.
    pub(super) fn destroy(&self, keys: &[Destroyed]) -> Result<(), Failure> {
        let mut gone = false;
        for entry in keys {
            if !file::is_destroyed(&self.connection, entry.key)? {
                file::destroy(&self.connection, entry.key, entry.at_ms)?;
                gone = true;
            }
        }
        if gone { file::empty_log(&self.connection) } else { Ok(()) }
    }

    /// Every key that was destroyed, with the instant, in that order, after a place in the list.
    pub(super) fn destroyed(&self, after: i64, limit: u32) -> Result<Vec<Destroyed>, Failure> {
        file::destroyed(&self.connection, after, limit)
    }

    /// Begins to give out keys.
    pub(super) fn start(self) -> Result<SubjectKeys, OpenError> {
        let memory = Mutex::new(Memory { cache: Cache::default(), file: Some(file::reader(&self.path)?) });
        let shared = Arc::new(Shared { memory, wrapper: self.wrapper, errands: Queue::new() });
        let minter = Minter { connection: self.connection, shared: Arc::clone(&shared) };
        let thread =
            std::thread::Builder::new().name("subject-keys".to_owned()).spawn(move || minter.run())?;
        Ok(SubjectKeys { shared, thread: Some(thread), _tenancy: self.tenancy })
    }
}

/// One entry of the list of destroyed keys, in either file.
pub(super) struct Destroyed {
    /// Its place.
    pub(super) seq: i64,
    /// Which key.
    pub(super) key: SubjectKeyId,
    /// When, milliseconds since the epoch.
    pub(super) at_ms: i64,
}

/// The keys of all subjects of a node.
pub(super) struct SubjectKeys {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    _tenancy: Tenancy,
}

/// What the thread that writes and everybody who asks have in common.
struct Shared {
    memory: Mutex<Memory>,
    wrapper: Wrapper,
    errands: Queue<Errand>,
}

/// Read and filled under one lock, so that a key cannot enter the cache after it was destroyed.
struct Memory {
    cache: Cache,
    /// Let go before the writer ends: only a writer that closes the file last moves the log into it.
    file: Option<Connection>,
}

impl Memory {
    fn file(&self) -> Result<&Connection, Failure> {
        self.file.as_ref().ok_or(Failure::Damaged("subject_key"))
    }
}

impl SubjectKeys {
    /// Sees to it that every subject has a key, durable when answered.
    ///
    /// # Errors
    /// Those of the queue and of the medium: then no key may be used.
    pub(super) async fn ensure(&self, subjects: Vec<SubjectTag>) -> Result<(), StoreError> {
        let missing: Vec<SubjectTag> = {
            let mut memory = self.shared.memory();
            subjects.into_iter().filter(|subject| memory.cache.of(subject).is_none()).collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        self.send(Errand::Ensure { subjects: missing, reply }).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Destroys a key: when answered it is gone from the file and its log. One that is gone is no error.
    ///
    /// # Errors
    /// Those of the queue and of the medium: then it must be asked again.
    pub(super) async fn destroy(&self, key: SubjectKeyId, at_ms: i64) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Errand::Destroy { key, at_ms, reply }).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// The key of a subject, if it has one.
    pub(super) fn of(&self, subject: SubjectTag) -> Result<Option<Arc<SubjectKey>>, Failure> {
        let mut memory = self.shared.memory();
        if let Some(key) = memory.cache.of(&subject) {
            return Ok(Some(key));
        }
        let Some(row) = file::live(memory.file()?, &subject)? else { return Ok(None) };
        let key = Arc::new(self.shared.wrapper.unwrap(row.id, &row.wrapped)?);
        memory.cache.insert(subject, Arc::clone(&key));
        Ok(Some(key))
    }

    /// The key of this id, or what became of it.
    pub(super) fn by_id(&self, id: SubjectKeyId) -> Result<Known, Failure> {
        let mut memory = self.shared.memory();
        if let Some(key) = memory.cache.by_id(&id) {
            return Ok(Known::Live(key));
        }
        match file::by_id(memory.file()?, id)? {
            Some((subject, row)) => {
                let key = Arc::new(self.shared.wrapper.unwrap(row.id, &row.wrapped)?);
                memory.cache.insert(subject, Arc::clone(&key));
                Ok(Known::Live(key))
            }
            None if file::is_destroyed(memory.file()?, id)? => Ok(Known::Destroyed),
            None => Ok(Known::Never),
        }
    }

    async fn send(&self, errand: Errand) -> Result<(), StoreError> {
        self.shared.errands.push(Urgency::Routine, 0, errand).await
    }
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SubjectKeys {
    fn drop(&mut self) {
        self.shared.memory().file = None;
        self.shared.errands.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the subject keys had panicked");
        }
    }
}
