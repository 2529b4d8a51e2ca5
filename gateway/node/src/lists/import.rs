//! Reads a list of people: rows to submit, rows at fault, and what was left out.
//!
//! Not here: submitting. Invariants: a malformed row costs that row; an exact copy costs the copy; every row that
//! holds anything is answered for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Zoned;
use puente_core::ids::{AgreementId, CountryCode, Digest, MessageType, OperationId, Purpose};
use puente_core::problem::{self, Kind, Problem};
use serde::Serialize;

use super::codes::Codes;
use super::columns::{self, Column};
use super::grid::{self, Cell, Grid, GridRow};
use super::row;
use super::submission::{Stated, SubmissionRow};
use super::value;

pub use super::grid::Encoding;

/// Rows from the top among which the header is looked for: people put a title above it.
const HEADER_WITHIN: usize = 10;
/// Columns that make a row a header.
const HEADER_COLUMNS: usize = 3;

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Text with comma, semicolon or tab.
    Csv,
    /// An Excel workbook; its first sheet.
    Xlsx,
    /// An array of flat objects named like the columns.
    Json,
}

impl Sheet {
    /// The form with this media type, parameters aside.
    #[must_use]
    pub fn of(media: &str) -> Option<Self> {
        match media.split(';').next().unwrap_or_default().trim() {
            "text/csv" => Some(Self::Csv),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => Some(Self::Xlsx),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// What every row of one operation has in common.
#[derive(Debug, Clone)]
pub struct OperationDefaults {
    /// The operation.
    pub operation: OperationId,
    /// The country that sends the list.
    pub sender: CountryCode,
    /// The country that people return to.
    pub destination: CountryCode,
    /// The message type of each row.
    pub message_type: MessageType,
    /// What for.
    pub purpose: Purpose,
    /// The agreement that it rests on.
    pub agreement: AgreementId,
    /// `air`, `land` or `sea`.
    pub mode: String,
    /// Place of departure.
    pub origin: String,
    /// Port of entry.
    pub port_of_entry: String,
    /// Hour of arrival in the port's zone; ages are reckoned at its local date.
    pub eta: Zoned,
    /// Flight or vehicle.
    pub vehicle: Option<String>,
    /// The code lists to read by.
    pub codes: Arc<Codes>,
}

/// One cell at fault: where, which problem, and what to do; never what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellProblem {
    /// The column's Spanish header.
    pub column: &'static str,
    /// The cell as a spreadsheet names it, `F17`; for JSON a pointer.
    pub cell: String,
    /// Which problem.
    pub kind: &'static Kind,
    /// What is wrong and what to do, in Spanish.
    pub es: String,
    /// The same in English.
    pub en: String,
}

/// Something that was not read and that the sender should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Where: a column's letters, or the sheet.
    pub at: String,
    /// In Spanish.
    pub es: &'static str,
    /// In English.
    pub en: &'static str,
}

/// One row of the list, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRow {
    /// The row as people see it on the sheet.
    pub row: u32,
    /// What to submit, or the cells at fault.
    pub outcome: Result<SubmissionRow, Vec<CellProblem>>,
}

/// A list, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its rows in order.
    pub rows: Vec<ImportedRow>,
    /// The encoding it was in.
    pub encoding: Encoding,
    /// What was not read.
    pub warnings: Vec<Warning>,
}

/// Where each known column stands.
pub(super) struct Layout {
    pub(super) columns: BTreeMap<Column, usize>,
    media: Sheet,
    /// In delimited text a row has all its cells (RFC 4180 section 2.4); one that has not is cut.
    pub(super) short_rows_are_cut: bool,
}

impl Layout {
    pub(super) fn problem(
        &self,
        row: u32,
        column: Column,
        kind: &'static Kind,
        es: &str,
        en: &str,
    ) -> CellProblem {
        let cell = match (self.media, self.columns.get(&column)) {
            (Sheet::Json, _) => format!("/{}/{}", row.saturating_sub(1), column.es()),
            (_, Some(position)) => format!("{}{row}", grid::letters(*position)),
            (_, None) => format!("{row}"),
        };
        CellProblem { column: column.es(), cell, kind, es: es.to_owned(), en: en.to_owned() }
    }
}

/// Reads a list.
///
/// # Errors
/// `sheet.unreadable`, `sheet.too_large`, `body.malformed`, `column.missing` or `field.invalid` (a column twice) when
/// the list as a whole cannot be read; everything else costs a row.
pub fn read(bytes: &[u8], media: Sheet, defaults: &OperationDefaults) -> Result<Imported, Problem> {
    let (grid, encoding, mut warnings) = open(bytes, media)?;
    let mut rows = grid.rows.iter();
    let header = header(&mut rows)?;
    let layout = layout(header, media, &mut warnings)?;
    let mut seen = HashMap::new();
    let rows = rows
        .map(|row| ImportedRow {
            row: row.number,
            outcome: once(row::read(row, &layout, defaults), &layout, &mut seen),
        })
        .collect();
    Ok(Imported { rows, encoding, warnings })
}

/// The file numbers of those of whom a list says yes in this column; rows without a number are left out.
///
/// # Errors
/// As [`read`], for the list as a whole.
pub fn files_stating(bytes: &[u8], media: Sheet, column: Column) -> Result<Vec<String>, Problem> {
    let (grid, _, mut warnings) = open(bytes, media)?;
    let mut rows = grid.rows.iter();
    let layout = layout(header(&mut rows)?, media, &mut warnings)?;
    let cell = |row: &GridRow, column| match row.cells.get(*layout.columns.get(&column)?) {
        Some(Cell::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let says_yes = |row: &&GridRow| {
        cell(row, column).is_some_and(|text| matches!(value::stated(&text), Ok(Stated::Yes)))
    };
    Ok(rows.filter(says_yes).filter_map(|row| value::text(&cell(row, columns::FILE)?).ok()).collect())
}

fn open(bytes: &[u8], media: Sheet) -> Result<(Grid, Encoding, Vec<Warning>), Problem> {
    if media == Sheet::Xlsx {
        let (grid, more) = grid::xlsx::read(bytes)?;
        let unread = Warning {
            at: "2".to_owned(),
            es: "Sólo se leyó la primera hoja del libro.",
            en: "Only the first sheet of the workbook was read.",
        };
        return Ok((grid, Encoding::Utf8, if more { vec![unread] } else { Vec::new() }));
    }
    if bytes.len() > grid::MAX_TEXT {
        return Err(Problem::new(&problem::SHEET_TOO_LARGE).because("at most 64 MiB of text"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(Problem::new(&problem::SHEET_UNREADABLE).because("this is a workbook: send it as XLSX"));
    }
    let (text, encoding) = grid::decode(bytes)?;
    let grid = if media == Sheet::Csv { grid::csv::read(&text)? } else { grid::json::read(&text)? };
    let warnings = if text.contains('\u{FFFD}') {
        vec![Warning {
            at: "1".to_owned(),
            es: "Parte del texto no está en la codificación del resto.",
            en: "Part of the text is not in the encoding of the rest.",
        }]
    } else {
        Vec::new()
    };
    Ok((grid, encoding, warnings))
}

fn header<'a>(rows: &mut impl Iterator<Item = &'a GridRow>) -> Result<&'a GridRow, Problem> {
    rows.take(HEADER_WITHIN)
        .find(|row| row.cells.iter().filter_map(named).count() >= HEADER_COLUMNS)
        .ok_or_else(|| {
            Problem::new(&problem::COLUMN_MISSING).because("no row of headers among the first ten")
        })
}

fn named(cell: &Cell) -> Option<Column> {
    if let Cell::Text(text) = cell { Column::named(text) } else { None }
}

fn layout(header: &GridRow, media: Sheet, warnings: &mut Vec<Warning>) -> Result<Layout, Problem> {
    let mut found = BTreeMap::new();
    for (position, cell) in header.cells.iter().enumerate() {
        if *cell == Cell::Blank {
            continue;
        }
        let Some(column) = named(cell) else {
            warnings.push(Warning {
                at: grid::letters(position),
                es: "Columna desconocida: no se leyó.",
                en: "Unknown column: it was not read.",
            });
            continue;
        };
        if found.insert(column, position).is_some() {
            return Err(Problem::new(&problem::FIELD_INVALID)
                .at(column.es())
                .because("the sheet has this column twice"));
        }
    }
    if let Some(absent) = columns::REQUIRED.into_iter().find(|column| !found.contains_key(column)) {
        return Err(Problem::new(&problem::COLUMN_MISSING).at(absent.es()));
    }
    Ok(Layout { columns: found, media, short_rows_are_cut: media == Sheet::Csv })
}

/// Refuses an exact copy of an earlier row: same recipient, facts and sections.
fn once(
    outcome: Result<SubmissionRow, Vec<CellProblem>>,
    layout: &Layout,
    seen: &mut HashMap<Digest, u32>,
) -> Result<SubmissionRow, Vec<CellProblem>> {
    let row = outcome?;
    let content = serde_json::to_vec(&(&row.recipient, &row.subject, &row.sections)).unwrap_or_default();
    match seen.insert(Digest::of(&content), row.row) {
        None => Ok(row),
        Some(first) => {
            let es = format!("Es copia exacta del renglón {first}. Quítela.");
            let en = format!("It is an exact copy of row {first}. Remove it.");
            Err(vec![layout.problem(row.row, columns::GIVEN_NAMES, &problem::ROW_DUPLICATE, &es, &en)])
        }
    }
}

#[cfg(test)]
mod demo;
#[cfg(test)]
mod hours;
#[cfg(test)]
mod tests;
