//! A sheet as rows of cells, whatever file it came in.
//!
//! Not here: what a column means. Invariants: at most [`MAX_ROWS`] × [`MAX_COLUMNS`] cells and [`MAX_TEXT`]
//! bytes of text are held, and a row keeps the number that people see on the sheet.

pub mod csv;
mod encoding;
pub mod json;
mod unzip;
pub mod xlsx;

use jiff::civil::Date;
use puente_core::problem::{self, Problem};

pub use encoding::{Encoding, decode};

/// Rows of one list: the largest operations are a few hundred people; more is a mistake or an attack.
pub const MAX_ROWS: usize = 100_000;
/// Columns of one list: the template has 45.
pub const MAX_COLUMNS: usize = 64;
/// Characters of one cell: the longest honest cell is a list of needs.
pub const MAX_CELL_CHARS: usize = 2_000;
/// Bytes of text of one list in memory.
pub const MAX_TEXT: usize = 64 * 1024 * 1024;

/// What stands in one cell; no `Debug`, because it may be personal.
#[derive(Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing, or only space.
    Blank,
    /// Text, trimmed.
    Text(String),
    /// A date that the sheet itself knows to be one.
    Date(Date),
    /// A formula, or text that a spreadsheet would take for one.
    Formula,
    /// More than [`MAX_CELL_CHARS`] characters.
    TooLong,
    /// A quoted cell that never ends, or that something follows.
    Broken,
}

impl Cell {
    /// A cell from text as written.
    pub fn from_text(text: &str) -> Self {
        // A tab or carriage return starts a formula too when pasted, so look before trimming.
        if text.starts_with(['\t', '\r']) && !text.trim().is_empty() {
            return Self::Formula;
        }
        let text = text.trim();
        if text.is_empty() || text.chars().all(|c| matches!(c, '-' | '–' | '—')) {
            return Self::Blank;
        }
        if text.starts_with(['=', '+', '-', '@']) {
            return Self::Formula;
        }
        if text.len() > MAX_CELL_CHARS && text.chars().count() > MAX_CELL_CHARS {
            return Self::TooLong;
        }
        Self::Text(text.to_owned())
    }

    fn text_len(&self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
    }
}

/// One row of a sheet.
pub struct GridRow {
    /// The number that people see beside it; for JSON the element, counted from 1.
    pub number: u32,
    /// Its cells, from column A.
    pub cells: Vec<Cell>,
}

impl GridRow {
    /// Whether nothing stands in the row.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| *cell == Cell::Blank)
    }
}

/// A sheet within its bounds.
#[derive(Default)]
pub struct Grid {
    /// The rows that hold anything.
    pub rows: Vec<GridRow>,
    text: usize,
}

impl Grid {
    /// Adds a row; blank ones are left out.
    ///
    /// # Errors
    /// `sheet.too_large` beyond a bound.
    pub fn push(&mut self, row: GridRow) -> Result<(), Problem> {
        if row.is_blank() {
            return Ok(());
        }
        self.text += row.cells.iter().map(Cell::text_len).sum::<usize>();
        // One more than the rows of people: the header.
        if self.rows.len() > MAX_ROWS || row.cells.len() > MAX_COLUMNS || self.text > MAX_TEXT {
            return Err(Problem::new(&problem::SHEET_TOO_LARGE)
                .because("at most 100000 rows, 64 columns and 64 MiB of text"));
        }
        self.rows.push(row);
        Ok(())
    }
}

/// The letters of a column counted from 0: A, B, ... Z, AA.
pub fn letters(column: usize) -> String {
    const ALPHABET: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut rest = column + 1;
    let mut reversed = Vec::new();
    while rest > 0 {
        rest -= 1;
        reversed.push(ALPHABET.get(rest % 26).copied().map_or('?', char::from));
        rest /= 26;
    }
    reversed.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn columns_are_lettered_as_spreadsheets_do() {
        assert_eq!([0, 25, 26, 701, 702].map(letters), ["A", "Z", "AA", "ZZ", "AAA"]);
    }
}
