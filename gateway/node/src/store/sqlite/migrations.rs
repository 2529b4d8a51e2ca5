//! The schema's versions, forward only; the file's `user_version` counts those it has.
//!
//! Not here: what the tables mean (the SQL files say it). Invariant: a released migration is never
//! edited, and all that are missing are applied in the caller's one transaction.

use rusqlite::Connection;

/// In order; position + 1 is the version.
const MIGRATIONS: [&str; 13] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_never_accepted.sql"),
    include_str!("migrations/0003_subjects.sql"),
    include_str!("migrations/0004_operation.sql"),
    include_str!("migrations/0005_protection.sql"),
    include_str!("migrations/0006_consent.sql"),
    include_str!("migrations/0007_chunk_owner.sql"),
    include_str!("migrations/0008_webhook.sql"),
    include_str!("migrations/0009_duty.sql"),
    include_str!("migrations/0010_authority.sql"),
    include_str!("migrations/0011_cases.sql"),
    include_str!("migrations/0012_determination.sql"),
    include_str!("migrations/0013_coming.sql"),
];

/// The version that this program writes.
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// The version of the file; 0 is an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Applies what is missing; answers whether the file was empty.
pub(super) fn migrate(transaction: &Connection) -> rusqlite::Result<bool> {
    let found = version(transaction)?;
    for (migration, number) in MIGRATIONS.iter().zip(1_i64..) {
        if number > found {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", number)?;
        }
    }
    Ok(found == 0)
}
