//! Opening the file: whose it is, which schema, under which key; and connections to it.
//!
//! Not here: threads (`mod`). Invariants: one process at a time; a file of another owner, program, key
//! or newer schema is refused before anything is changed in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::ledger::{Failure, reason};
use super::migrations;
use super::seal::{Place, StoreCipher};
use crate::store::StoreOwner;
use crate::store::error::{OpenError, StoreError};
use crate::store::key::sync_folder;

/// "PUEN" in the file's header, so that `file` and we tell it from another database.
const APPLICATION_ID: i64 = 0x5055_454E;
/// Statements kept prepared per connection: all there are, with room.
const PREPARED: usize = 96;
/// Pages in the log before it is folded back: 32 MiB, so that index pages are folded once per many groups.
const CHECKPOINT_PAGES: i64 = 8_192;
/// Page cache per connection in KiB: the upper levels of every index.
const CACHE_KIB: i64 = 16 * 1024;
/// Only a checkpoint on another connection can be in the way, and not for long.
const BUSY: Duration = Duration::from_secs(5);
/// What is sealed into the file to recognise the key.
const KEY_CHECK: &[u8] = b"puente store";
const KEY_PLACE: Place<'_> = Place { table: "meta", key: b"key_check" };

/// The file lock that makes this process the only one; released by the system when the process ends.
pub(super) struct Tenancy(#[expect(dead_code, reason = "held for its lock")] File);

/// Takes the lock beside the store.
pub(super) fn occupy(path: &Path) -> Result<Tenancy, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(name)?;
    match file.try_lock() {
        Ok(()) => Ok(Tenancy(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// The connection that writes, to a file that is checked, migrated and durable.
pub(super) fn writer(path: &Path, owner: &StoreOwner, own: &StoreCipher) -> Result<Connection, OpenError> {
    // Made by us before SQLite would, so that it and its log are readable by their owner alone.
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    recognise(&connection)?;
    tune(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is erased is overwritten and not only forgotten.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;

    let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Exclusive)?;
    if migrations::version(&transaction)? > 0 {
        check_owner(&transaction, owner, own)?;
    }
    let fresh = migrations::migrate(&transaction)?;
    if fresh {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        let sealed = own.seal(KEY_PLACE, KEY_CHECK)?;
        transaction.execute(
            "INSERT INTO meta (only, country, realm, key_check) VALUES (1, ?1, ?2, ?3)",
            params![owner.country.as_str(), owner.realm.as_str(), sealed],
        )?;
    }
    transaction.commit()?;
    sync_folder(path)?;
    Ok(connection)
}

/// A connection that can only read.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    tune(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn tune(connection: &Connection) -> Result<(), OpenError> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    // Without it a statement that might use a partial index is planned anew for every value bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(())
}

/// Refuses what is not ours or newer than we are; only reads.
fn recognise(connection: &Connection) -> Result<(), OpenError> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT COUNT(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        return Err(OpenError::NotAStore);
    }
    let found = migrations::version(connection)?;
    let known = migrations::LATEST;
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok(()) }
}

fn check_owner(transaction: &Connection, owner: &StoreOwner, own: &StoreCipher) -> Result<(), OpenError> {
    let stored = transaction
        .query_row("SELECT country, realm, key_check FROM meta", (), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?))
        })
        .optional()?;
    let (country, realm, key_check) = stored.ok_or(OpenError::NotAStore)?;
    if country != owner.country.as_str() || realm != owner.realm.as_str() {
        return Err(OpenError::Foreign { country, realm });
    }
    match own.open(KEY_PLACE, &key_check) {
        Ok(plain) if plain == KEY_CHECK => Ok(()),
        _ => Err(OpenError::WrongKey),
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::NotAStore,
            _ => Self::Unavailable(reason(&error)),
        }
    }
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        match StoreError::from(failure) {
            StoreError::Unavailable(reason) => Self::Unavailable(reason),
            _ => Self::WrongKey,
        }
    }
}
