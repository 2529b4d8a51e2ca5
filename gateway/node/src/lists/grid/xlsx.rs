//! Reads the first sheet of an XLSX workbook, cell by cell.
//!
//! Not here: columns and values. `calamine`'s ranges are not used: they allocate the rectangle that a hostile sheet
//! spans with two cells. Invariant: cells beyond the bounds refuse the sheet before they are kept.

use std::io::Cursor;

use calamine::{DataRef, Reader as _, Xlsx};
use jiff::civil::Date;
use puente_core::problem::{self, Problem};

use super::{Cell, Grid, GridRow, MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS, unzip};

/// Rows of the sheet, blank ones included, beyond which nothing is read.
const MAX_ROW_NUMBER: u32 = 2 * MAX_ROWS as u32;

/// Reads the first sheet; the second answer is whether there are more, which are not read.
///
/// # Errors
/// `sheet.unreadable` when it is no workbook, `sheet.too_large` beyond a bound.
pub fn read(bytes: &[u8]) -> Result<(Grid, bool), Problem> {
    unzip::within_bounds(bytes)?;
    let unreadable = || Problem::new(&problem::SHEET_UNREADABLE);
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    let names = workbook.sheet_names();
    let first = names.first().ok_or_else(unreadable)?;
    let mut reader = workbook.worksheet_cells_reader(first).map_err(|_| unreadable())?;
    let mut grid = Grid::default();
    let mut current = GridRow { number: 1, cells: Vec::new() };
    while let Some(record) = reader.next_cell_with_formula_metadata().map_err(|_| unreadable())? {
        let (row, column) = record.pos;
        let number = row.saturating_add(1);
        if number > MAX_ROW_NUMBER {
            return Err(Problem::new(&problem::SHEET_TOO_LARGE).because("at most 100000 rows"));
        }
        if number < current.number {
            // Rows out of order would put one person's cells into another's row.
            return Err(unreadable());
        }
        if number > current.number {
            grid.push(std::mem::replace(&mut current, GridRow { number, cells: Vec::new() }))?;
        }
        let cell = if record.formula.is_some() { Cell::Formula } else { cell(&record.value) };
        place(&mut current.cells, column as usize, cell)?;
    }
    grid.push(current)?;
    Ok((grid, names.len() > 1))
}

fn place(cells: &mut Vec<Cell>, column: usize, cell: Cell) -> Result<(), Problem> {
    if cell == Cell::Blank {
        return Ok(());
    }
    if column >= MAX_COLUMNS {
        return Err(Problem::new(&problem::SHEET_TOO_LARGE).because("at most 64 columns"));
    }
    if cells.len() <= column {
        cells.resize(column + 1, Cell::Blank);
    }
    if let Some(slot) = cells.get_mut(column) {
        *slot = cell;
    }
    Ok(())
}

fn cell(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Blank,
        DataRef::Int(number) => Cell::Text(number.to_string()),
        DataRef::Float(number) => Cell::Text(number.to_string()),
        DataRef::Bool(yes) => Cell::Text(if *yes { "sí" } else { "no" }.to_owned()),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text_cell(text),
        DataRef::SharedString(text) => text_cell(text),
        DataRef::DateTime(stamp) => {
            let (year, month, day, ..) = stamp.to_ymd_hms_milli();
            let date = i16::try_from(year).ok().zip(i8::try_from(month).ok()).zip(i8::try_from(day).ok());
            date.and_then(|((year, month), day)| Date::new(year, month, day).ok())
                .map_or(Cell::Broken, Cell::Date)
        }
        DataRef::Error(_) => Cell::Broken,
    }
}

fn text_cell(text: &str) -> Cell {
    // Looked at before it is copied: one shared string may stand in every cell.
    if text.len() > MAX_CELL_CHARS * 4 { Cell::TooLong } else { Cell::from_text(text) }
}
