//! A store and its key store are brought to one word at opening, whichever of them was restored from an older copy.
//!
//! Not here: marking the messages (`crate::subjects`). INVARIANT: afterwards each knows every erasure that either
//! knew, and no key that either calls destroyed stands.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::{Destroyed, Instance, SubjectKeyFile, SubjectKeyId};
use crate::store::error::OpenError;

/// Erasures looked at in one go.
const PAGE: u32 = 1_000;

/// Refuses another store's keys, then tells each file what the other one knows.
pub(in crate::store::sqlite) fn agree(
    store: &Connection,
    subjects: &SubjectKeyFile,
) -> Result<(), OpenError> {
    let transaction = Transaction::new_unchecked(store, TransactionBehavior::Immediate)?;
    check_instance(&transaction, subjects)?;
    tell_store(&transaction, subjects)?;
    transaction.commit()?;
    tell_subjects(store, subjects)
}

fn check_instance(store: &Connection, subjects: &SubjectKeyFile) -> Result<(), OpenError> {
    let known: Option<Instance> =
        store.query_row("SELECT instance FROM key_store", (), |row| row.get(0)).optional()?;
    match known {
        Some(instance) if instance == subjects.instance() => Ok(()),
        Some(_) => Err(OpenError::OtherSubjects),
        None => {
            store.execute("INSERT INTO key_store (only, instance) VALUES (1, ?1)", [subjects.instance()])?;
            Ok(())
        }
    }
}

/// What was destroyed after the copy that this store came from: its messages have to be marked again.
fn tell_store(store: &Connection, subjects: &SubjectKeyFile) -> Result<(), OpenError> {
    let mut after = 0;
    loop {
        let page = subjects.destroyed(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for entry in &page {
            store.execute(
                "INSERT INTO erasure (key, at_ms, settled) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING",
                params![entry.key.0, entry.at_ms],
            )?;
        }
    }
}

/// What was about to be destroyed when the node ended, or came back with an older copy of the key store.
fn tell_subjects(store: &Connection, subjects: &SubjectKeyFile) -> Result<(), OpenError> {
    let mut after = 0_i64;
    loop {
        let page = store
            .prepare_cached("SELECT seq, key, at_ms FROM erasure WHERE seq > ?1 ORDER BY seq LIMIT ?2")?
            .query_map(params![after, PAGE], |row| {
                Ok(Destroyed { seq: row.get(0)?, key: SubjectKeyId(row.get(1)?), at_ms: row.get(2)? })
            })?
            .collect::<rusqlite::Result<Vec<Destroyed>>>()?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        subjects.destroy(&page)?;
    }
}
