//! The file of subject keys: whose it is, its statements, and how a key is taken off the medium.
//!
//! Not here: who asks (`mod`, `thread`). INVARIANT: a key row is never deleted or moved: it is overwritten where it
//! stands with as many zeros, because SQLite may leave a copy of a row that it moved in the slack of a page.

use std::path::Path;
use std::time::Duration;

use puente_core::delivery::SubjectTag;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::key::{SubjectKeyId, Wrapper};
use super::{Destroyed, Instance};
use crate::store::StoreOwner;
use crate::store::error::OpenError;
use crate::store::key::sync_folder;
use crate::store::sqlite::ledger::Failure;
use crate::store::sqlite::seal::Place;

/// "PUEK" in the file's header.
const APPLICATION_ID: i64 = 0x5055_454B;
/// The schema that this program writes.
const VERSION: i64 = 1;
const SCHEMA: &str = include_str!("schema.sql");
/// Only a reader of one row can be in the way.
const BUSY: Duration = Duration::from_secs(5);
/// What is wrapped in the file to recognise the key outside it.
const KEY_CHECK: &[u8] = b"puente subjects";
const KEY_PLACE: Place<'_> = Place { table: "meta", key: b"key_check" };
/// Statements kept prepared per connection: all there are, with room.
const PREPARED: usize = 16;

/// A key as it stands in the file.
pub(super) struct Row {
    pub(super) id: SubjectKeyId,
    pub(super) wrapped: Vec<u8>,
}

/// The connection that writes, and which file it is.
pub(super) fn writer(
    path: &Path,
    owner: &StoreOwner,
    wrapper: &Wrapper,
) -> Result<(Connection, Instance), OpenError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT COUNT(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        return Err(OpenError::NotAStore);
    }
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > VERSION {
        return Err(OpenError::Newer { found, known: VERSION });
    }
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Exclusive)?;
    if found == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        let mut instance: Instance = [0; 16];
        aws_lc_rs::rand::fill(&mut instance).map_err(|_| Failure::Sealing)?;
        transaction.execute(
            "INSERT INTO meta (only, country, realm, instance, key_check) VALUES (1, ?1, ?2, ?3, ?4)",
            params![
                owner.country.as_str(),
                owner.realm.as_str(),
                instance,
                wrapper.wrap(KEY_PLACE, KEY_CHECK)?
            ],
        )?;
    }
    let instance = check_owner(&transaction, owner, wrapper)?;
    transaction.commit()?;
    restrict(path)?;
    sync_folder(path)?;
    Ok((connection, instance))
}

/// A connection that can only read.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(connection)
}

/// For its owner alone, as the key beside it.
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

fn check_owner(file: &Connection, owner: &StoreOwner, wrapper: &Wrapper) -> Result<Instance, OpenError> {
    let (country, realm, instance, key_check) = file
        .query_row("SELECT country, realm, instance, key_check FROM meta", (), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get::<_, Vec<u8>>(3)?))
        })
        .optional()?
        .ok_or(OpenError::NotAStore)?;
    if country != owner.country.as_str() || realm != owner.realm.as_str() {
        return Err(OpenError::Foreign { country, realm });
    }
    match wrapper.open(KEY_PLACE, &key_check) {
        Ok(plain) if plain == KEY_CHECK => Ok(instance),
        _ => Err(OpenError::WrongKey),
    }
}

/// The key of a subject.
pub(super) fn live(file: &Connection, subject: &SubjectTag) -> Result<Option<Row>, Failure> {
    let row = file
        .prepare_cached("SELECT key, wrapped FROM subject_key WHERE subject = ?1")?
        .query_row(params![subject.0], |row| Ok(Row { id: SubjectKeyId(row.get(0)?), wrapped: row.get(1)? }))
        .optional()?;
    Ok(row)
}

/// The key of this id and whose it is; `None` when it was destroyed or never stood here.
pub(super) fn by_id(file: &Connection, id: SubjectKeyId) -> Result<Option<(SubjectTag, Row)>, Failure> {
    let row = file
        .prepare_cached(
            "SELECT subject, wrapped FROM subject_key k
             WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM destroyed d WHERE d.key = k.key)",
        )?
        .query_row(params![id.0], |row| Ok((SubjectTag(row.get(0)?), Row { id, wrapped: row.get(1)? })))
        .optional()?;
    Ok(row)
}

/// Whether this key is on the list of those that were destroyed.
pub(super) fn is_destroyed(file: &Connection, id: SubjectKeyId) -> Result<bool, Failure> {
    Ok(file.prepare_cached("SELECT 1 FROM destroyed WHERE key = ?1")?.exists(params![id.0])?)
}

/// The list of destroyed keys after a place in it.
pub(super) fn destroyed(file: &Connection, after: i64, limit: u32) -> Result<Vec<Destroyed>, Failure> {
    file.prepare_cached("SELECT seq, key, at_ms FROM destroyed WHERE seq > ?1 ORDER BY seq LIMIT ?2")?
        .query_and_then(params![after, limit], |row| {
            Ok(Destroyed { seq: row.get(0)?, key: SubjectKeyId(row.get(1)?), at_ms: row.get(2)? })
        })?
        .collect()
}

/// A new key enters the file.
pub(super) fn insert(
    file: &Connection,
    subject: &SubjectTag,
    id: SubjectKeyId,
    wrapped: &[u8],
) -> Result<(), Failure> {
    file.prepare_cached("INSERT INTO subject_key (key, subject, wrapped) VALUES (?1, ?2, ?3)")?
        .execute(params![id.0, subject.0, wrapped])?;
    Ok(())
}

/// Overwrites a key where it stands and puts it on the list.
pub(super) fn destroy(file: &Connection, id: SubjectKeyId, at_ms: i64) -> Result<(), Failure> {
    let nobody = [id.0, id.0].concat();
    file.prepare_cached(
        "UPDATE subject_key SET subject = ?2, wrapped = zeroblob(length(wrapped)) WHERE key = ?1",
    )?
    .execute(params![id.0, nobody])?;
    file.prepare_cached("INSERT INTO destroyed (key, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![id.0, at_ms])?;
    Ok(())
}

/// Folds the log back and empties it, so that no earlier form of a row is left in it.
pub(super) fn empty_log(file: &Connection) -> Result<(), Failure> {
    let busy: i64 = file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
    if busy == 0 { Ok(()) } else { Err(Failure::Busy) }
}
