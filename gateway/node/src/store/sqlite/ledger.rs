//! One connection inside a transaction, with the sealer: what every read and write works on.
//!
//! Not here: transactions themselves (`writer`, `reader`). Invariant: a failure carries no value of a row.

use std::sync::Arc;

use puente_core::delivery::SubjectTag;
use rusqlite::{CachedStatement, Connection, ErrorCode, Params, Row};

use super::seal::{Place, Sealer};
use super::subjects::SubjectKey;
use crate::store::error::{Guard, StoreError};
use crate::store::query::MAX_PAGE;

/// Why one statement did not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// A guard did not hold; the write's position is added by the commit.
    Guard { write: usize, what: Guard },
    /// SQLite says no.
    Database(rusqlite::Error),
    /// A stored value does not read back.
    Damaged(&'static str),
    /// The cipher or the system's randomness failed.
    Sealing,
    /// The key of a subject was destroyed.
    Erased,
    /// A reader holds the log of the subject keys, so that it cannot be emptied.
    Busy,
}

impl Failure {
    /// Whether the transaction around it can go on once this commit's own writes are undone; otherwise
    /// the medium is at fault and every commit of the group shares its fate.
    pub(super) fn is_own(&self) -> bool {
        match self {
            Self::Guard { .. } | Self::Damaged(_) | Self::Erased => true,
            Self::Sealing | Self::Busy => false,
            Self::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)
            ),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Guard> for Failure {
    fn from(what: Guard) -> Self {
        Self::Guard { write: 0, what }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Guard { write, what } => Self::Conflict { write, what },
            Failure::Database(error) => Self::Unavailable(reason(&error)),
            Failure::Damaged(table) => Self::Damaged(table),
            Failure::Erased => Self::Erased,
            Failure::Busy => Self::Unavailable("the log of the subject keys is in use"),
            Failure::Sealing => Self::Unavailable("the cipher or the system's randomness failed"),
        }
    }
}

/// SQLite's own words for its result code: never the statement's message, which may quote a value.
pub(super) fn reason(error: &rusqlite::Error) -> &'static str {
    match error {
        rusqlite::Error::SqliteFailure(code, _) => rusqlite::ffi::code_to_str(code.extended_code),
        _ => "a row has another shape than expected",
    }
}

/// A connection in a transaction, and the key for what lies in it.
#[derive(Clone, Copy)]
pub(super) struct Ledger<'a> {
    pub(super) connection: &'a Connection,
    pub(super) sealer: &'a Sealer,
}

impl<'a> Ledger<'a> {
    pub(super) fn statement(&self, sql: &str) -> Result<CachedStatement<'a>, Failure> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Runs a change; answers how many rows it touched.
    pub(super) fn run(&self, sql: &str, values: impl Params) -> Result<usize, Failure> {
        Ok(self.statement(sql)?.execute(values)?)
    }

    /// The first row, read by `read`.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let mut statement = self.statement(sql)?;
        let mut rows = statement.query(values)?;
        rows.next()?.map(read).transpose()
    }

    /// Every row, each read by `read`.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        self.statement(sql)?.query_and_then(values, read)?.collect()
    }

    /// Seals under the key of the subject, or under the store's when the row names none.
    pub(super) fn seal(
        &self,
        subject: Option<SubjectTag>,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        match subject {
            Some(subject) => self.subject_key(subject)?.seal(place, plain),
            None => self.sealer.seal(place, plain),
        }
    }

    /// The key of a subject for what is written now.
    ///
    /// # Errors
    /// The guard `Erased` when it is gone or about to go: what was to be written must get a new one first.
    pub(super) fn subject_key(&self, subject: SubjectTag) -> Result<Arc<SubjectKey>, Failure> {
        let key = self.sealer.subjects().of(subject)?.ok_or(Guard::Erased)?;
        match self.one("SELECT 1 FROM erasure WHERE key = ?1", [key.id().0], |_| Ok(()))? {
            None => Ok(key),
            Some(()) => Err(Guard::Erased.into()),
        }
    }
}

/// A page's size as asked, within its bound.
pub(super) fn page(limit: u32) -> u32 {
    limit.min(MAX_PAGE)
}
