//! Arrivals as a spreadsheet, for those who count in one.
//!
//! Not here: the list on paper (`print`). Invariant: no cell is ever a formula. XLSX cells are written as text; a CSV
//! cell that starts with one of `= + - @`, tab or carriage return gets an apostrophe before it, which
//! spreadsheets show as text.

use jiff::Zoned;
use puente_core::personal::Personal;
use puente_core::problem::{self, Problem};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};

const HEADERS: [&str; 5] = ["renglon", "nombre", "estado", "hora", "captura"];

/// One arrival, or one person who did not arrive.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The row of the list; `None` for a person on no list.
    pub row: Option<u32>,
    /// The whole name.
    pub names: Personal<String>,
    /// What happened, in words.
    pub status: String,
    /// When, in the port's zone.
    pub at: Option<Zoned>,
    /// How it was captured: screen, paper, telephone, import.
    pub captured: String,
}

impl Arrival {
    fn cells(&self) -> [String; 5] {
        [
            self.row.map(|row| row.to_string()).unwrap_or_default(),
            self.names.reveal().clone(),
            self.status.clone(),
            self.at.as_ref().map(|at| at.strftime("%Y-%m-%d %H:%M %:z").to_string()).unwrap_or_default(),
            self.captured.clone(),
        ]
    }
}

/// The arrivals as CSV: UTF-8 with byte-order mark.
#[must_use]
pub fn csv(arrivals: &[Arrival]) -> Vec<u8> {
    let mut text = format!("\u{FEFF}{}\r\n", HEADERS.join(","));
    for arrival in arrivals {
        text.push_str(&arrival.cells().map(|cell| quoted(&cell)).join(","));
        text.push_str("\r\n");
    }
    text.into_bytes()
}

fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

/// The arrivals as XLSX; the same arrivals give the same bytes.
///
/// # Errors
/// `sheet.too_large` when a cell or the list is more than a workbook holds.
pub fn xlsx(arrivals: &[Arrival]) -> Result<Vec<u8>, Problem> {
    write(arrivals).map_err(|_| Problem::new(&problem::SHEET_TOO_LARGE))
}

fn write(arrivals: &[Arrival]) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut workbook = Workbook::new();
    // A fixed date: the file must not carry the node's clock, and must be comparable.
    let properties = DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?);
    workbook.set_properties(&properties);
    let sheet = workbook.add_worksheet();
    let rows = std::iter::once(HEADERS.map(str::to_owned)).chain(arrivals.iter().map(Arrival::cells));
    for (row, cells) in (0_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            sheet.write_string(row, column, cell)?;
        }
    }
    workbook.save_to_buffer()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hostile() -> Vec<Arrival> {
        vec![Arrival {
            row: Some(17),
            names: Personal::new("=HYPERLINK(\"http://x\")".to_owned()),
            status: "llegó".to_owned(),
            at: Some("2026-11-24T10:05[America/Guatemala]".parse().unwrap()),
            captured: "papel".to_owned(),
        }]
    }

    #[test]
    fn a_csv_cell_never_starts_like_a_formula() {
        let text = String::from_utf8(csv(&hostile())).unwrap();
        assert!(text.contains("\"'=HYPERLINK(\"\"http://x\"\")\""));
        assert!(text.contains("\"2026-11-24 10:05 -06:00\""));
    }

    #[test]
    fn an_xlsx_cell_is_text_and_the_file_is_reproducible() {
        let bytes = xlsx(&hostile()).unwrap();
        assert_eq!(bytes, xlsx(&hostile()).unwrap());
        let (grid, _) = crate::lists::grid::xlsx::read(&bytes).unwrap();
        assert_eq!(grid.rows.len(), 2);
    }
}
