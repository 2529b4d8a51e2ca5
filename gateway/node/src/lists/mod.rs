//! Lists as people use them: spreadsheets and paper in and out.
//!
//! Pure functions over bytes: no socket, file, clock or store. Not here: deciding about rows (`core::policy`)
//! and showing possible duplicates (`core::matching`).
//! Invariant: a malformed row costs that row, and no problem text repeats what a cell holds.

pub mod arrivals;
pub mod candidate;
pub mod codes;
pub mod columns;
mod grid;
pub mod import;
pub mod print;
mod row;
pub mod submission;
pub mod template;
mod value;

pub use import::{CellProblem, Imported, ImportedRow, OperationDefaults, Sheet, Warning};
pub use submission::SubmissionRow;
