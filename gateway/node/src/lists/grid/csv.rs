//! Reads delimited text after RFC 4180, as people's files really are.
//!
//! Not here: encodings and columns. The `csv` crate is not used because it skips blank lines without
//! saying so (row numbers would be wrong) and lets one unclosed quote swallow every row after it.
//! Invariant: a broken quote costs the line it stands on.

use puente_core::problem::Problem;

use super::{Cell, Grid, GridRow, MAX_CELL_CHARS, MAX_COLUMNS};
use crate::lists::columns::Column;

/// What may stand between two cells.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// Bytes after which a quoted cell is taken to have lost its end: four bytes a character at most.
const MAX_QUOTED: usize = MAX_CELL_CHARS * 4;

/// Reads the text of a list.
///
/// # Errors
/// `sheet.too_large` beyond a bound.
pub fn read(text: &str) -> Result<Grid, Problem> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut rest, delimiter) = opening(&text);
    let mut grid = Grid::default();
    let mut number = 0_u32;
    while !rest.is_empty() {
        number = number.saturating_add(1);
        let (cells, after) = record(rest, delimiter);
        grid.push(GridRow { number, cells })?;
        rest = after;
    }
    Ok(grid)
}

/// The delimiter, and the text after the line by which Excel may state it.
fn opening(text: &str) -> (&str, char) {
    if let Some(stated) = text.strip_prefix("sep=")
        && let Some(delimiter) = stated.chars().next().filter(|c| DELIMITERS.contains(c))
        && let Some(rest) = stated.strip_prefix(delimiter).and_then(|rest| rest.strip_prefix('\n'))
    {
        return (rest, delimiter);
    }
    // The delimiter under which the first lines name most columns; a tie is a comma.
    let known = |delimiter: char| {
        let cells = text.lines().take(10).flat_map(|line| line.split(delimiter).take(MAX_COLUMNS));
        cells.filter(|cell| Column::named(cell.trim_matches('"')).is_some()).count()
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|&delimiter| known(delimiter));
    (text, best.unwrap_or(','))
}

/// The cells of the first record, and the text after it.
fn record(text: &str, delimiter: char) -> (Vec<Cell>, &str) {
    let line_end = text.find('\n').unwrap_or(text.len());
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            None => plain(rest, delimiter),
            Some(quoted) => match unquote(quoted, delimiter) {
                Some(found) => found,
                None => {
                    cells.push(Cell::Broken);
                    return (cells, text.get(line_end + 1..).unwrap_or(""));
                }
            },
        };
        // One cell beyond the bound is enough for the grid to refuse the sheet.
        if cells.len() <= MAX_COLUMNS {
            cells.push(cell);
        }
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None => return (cells, after.strip_prefix('\n').unwrap_or(after)),
        }
    }
}

fn plain(text: &str, delimiter: char) -> (Cell, &str) {
    let end = text.find([delimiter, '\n']).unwrap_or(text.len());
    let (cell, after) = text.split_at(end);
    (Cell::from_text(cell), after)
}

/// A cell whose opening quote is already taken; `None` when it never ends or something follows it.
fn unquote(text: &str, delimiter: char) -> Option<(Cell, &str)> {
    let mut content = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        content.push_str(before);
        if content.len() > MAX_QUOTED {
            return None;
        }
        match after.strip_prefix('"') {
            Some(more) => {
                content.push('"');
                rest = more;
            }
            None if after.is_empty() || after.starts_with([delimiter, '\n']) => {
                return Some((Cell::from_text(&content), after));
            }
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn texts(text: &str) -> Vec<(u32, Vec<String>)> {
        let shown = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Blank => String::new(),
            Cell::Broken => "<broken>".to_owned(),
            _ => "<other>".to_owned(),
        };
        read(text)
            .unwrap()
            .rows
            .iter()
            .map(|row| (row.number, row.cells.iter().map(shown).collect()))
            .collect()
    }

    #[test]
    fn blank_lines_and_quoted_line_ends_keep_row_numbers_as_seen() {
        let rows = texts("nombres,sexo\r\n\r\n\"a\nb\",F\r\nc,M");
        assert_eq!(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn the_delimiter_is_found_by_the_columns_it_yields() {
        assert_eq!(texts("nombres;sexo\n\"x, y\";F").get(1).unwrap().1, ["x, y", "F"]);
        assert_eq!(texts("nombres\tsexo\nx\tF").get(1).unwrap().1, ["x", "F"]);
        assert_eq!(
            texts("sep=;\nnombres;sexo").first().unwrap(),
            &(1, vec!["nombres".into(), "sexo".into()])
        );
    }

    #[test]
    fn an_unclosed_quote_costs_its_own_line() {
        let rows = texts("nombres,sexo\n\"Ana,F\nLuz,F\n\"Eva\",F\n");
        assert_eq!(rows.get(1).unwrap().1, ["<broken>"]);
        assert_eq!(rows.get(2).unwrap(), &(3, vec!["Luz".into(), "F".into()]));
        assert_eq!(rows.get(3).unwrap(), &(4, vec!["Eva".into(), "F".into()]));
    }

    #[test]
    fn a_doubled_quote_is_one() {
        assert_eq!(texts("nombres\n\"\"\"Chepe\"\" Luis\"").get(1).unwrap().1, ["\"Chepe\" Luis"]);
    }
}
