//! Why a store did not do what it was asked; never names a value of a row.
//!
//! Not here: what a caller answers for it (problem codes belong to the faces). Invariant: `Conflict` is
//! the only variant that says something about the rows; every other one leaves them as they were.

/// Which guard of a write did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Guard {
    /// The id, or the agency's idempotency key, is taken.
    #[error("is already stored")]
    Taken,
    /// No such row.
    #[error("is not stored")]
    Absent,
    /// The stored release is another one.
    #[error("is stored with another release")]
    OtherRelease,
    /// The state is final.
    #[error("is in a final state")]
    Final,
    /// The approval is closed.
    #[error("is no longer open")]
    NotOpen,
    /// This person has spoken on this approval.
    #[error("already has a statement of this person")]
    Spoken,
    /// Others have spoken on this approval since.
    #[error("has had further statements since")]
    Overtaken,
    /// The key of its subject is gone or about to go: repeated, it gets a new one.
    #[error("is of a subject that is being erased")]
    Erased,
    /// A legal hold stands on the subject.
    #[error("is under a legal hold")]
    LegalHold,
    /// Somebody changed it since it was read.
    #[error("was changed meanwhile")]
    Changed,
    /// The owner has too many bytes that no message names.
    #[error("would be more than its owner's quota")]
    OverQuota,
    /// The same chunk was stored with other bytes.
    #[error("is stored with other bytes")]
    OtherContent,
}

/// Why a store refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A guard did not hold: nothing of this commit is written, other commits are untouched.
    #[error("write {write} of the commit refers to a row that {what}")]
    Conflict {
        /// Position of the write within its commit; 0 where there is only one.
        write: usize,
        /// The guard.
        what: Guard,
    },
    /// More work waits than the store can take: shed it, try later.
    #[error("the store has too much work waiting")]
    Overloaded,
    /// The medium refused (disk full, I/O error): nothing is acknowledged. Whether a later crash
    /// recovery finds the rows is open, so the same ids must be used again.
    #[error("the store is unavailable: {0}")]
    Unavailable(&'static str),
    /// A stored row cannot be read back: altered, or sealed under another key.
    #[error("a row of `{0}` cannot be read back")]
    Damaged(&'static str),
    /// The key of the subject was destroyed: what was sealed under it cannot be read by anybody.
    #[error("what was asked for was erased")]
    Erased,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a store or its key could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store is in use by another process")]
    InUse,
    /// The file is a database of something else.
    #[error("the file is not a store of this program")]
    NotAStore,
    /// A newer program wrote it.
    #[error("the store has schema {found}, this program knows up to {known}")]
    Newer {
        /// Version in the file.
        found: i64,
        /// Latest version known here.
        known: i64,
    },
    /// It belongs to another country or realm.
    #[error("the store belongs to `{country}` in realm `{realm}`")]
    Foreign {
        /// Country in the file.
        country: String,
        /// Realm in the file.
        realm: String,
    },
    /// It was sealed under another key.
    #[error("the store was sealed under another key")]
    WrongKey,
    /// The key store of subjects is not the one that the store was written with.
    #[error("the store was written with another key store of subjects")]
    OtherSubjects,
    /// The key file is not 32 bytes that only its owner can read.
    #[error("the store key file is not usable: {0}")]
    KeyFile(&'static str),
    /// The medium refused.
    #[error("the store cannot be opened: {0}")]
    Unavailable(&'static str),
    /// The file system refused.
    #[error("the store cannot be opened")]
    Io(#[from] std::io::Error),
}
