//! Whose content is kept under which key, until when, and how it goes: by erasure or because its time is over.
//!
//! Not here: the keys themselves (`store`), who may ask for an erasure (`domestic`). INVARIANT: content goes before
//! anybody is told that it went, and receipts, decisions and leaves stay.

mod erase;
mod keeping;
mod retention;
mod tag;

pub use erase::{Erasure, erase_subject, in_backups_by, legal_hold, settle_erasures};
pub use keeping::keeping;
pub use retention::keep_retention;
pub use tag::SubjectOf;
