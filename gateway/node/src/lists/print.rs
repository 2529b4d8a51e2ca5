//! The list on paper: one HTML document that prints without the network.
//!
//! Not here: files and printers. Invariants: every text is escaped, nothing outside the document is referred to, and
//! each copy says which version it is, when it was printed in the port's zone, and whether it is a reprint.

use std::fmt::Write as _;

use jiff::Zoned;
use puente_core::personal::Personal;

/// An operation as it goes on paper.
#[derive(Debug, Clone)]
pub struct PrintedOperation {
    /// Flight, bus or crossing, as people call it.
    pub title: String,
    /// Port of entry.
    pub port: String,
    /// Hour of arrival, in the port's zone.
    pub eta: Zoned,
    /// Version of the list; every correction makes a new one.
    pub version: u32,
    /// Hour of printing, in the port's zone.
    pub printed_at: Zoned,
    /// How many times this version was printed before.
    pub earlier_prints: u32,
    /// The people on it.
    pub rows: Vec<PrintedRow>,
    /// Whether it is a training document.
    pub training: bool,
}

/// One person on paper.
#[derive(Debug, Clone)]
pub struct PrintedRow {
    /// The number on this paper.
    pub row: u32,
    /// The whole name.
    pub names: Personal<String>,
    /// Age, sex and whatever identifies at a glance.
    pub particulars: Personal<String>,
    /// The family group; those of one group stand together.
    pub family: Option<String>,
    /// Needs on arrival and languages, in words.
    pub needs: Vec<String>,
    /// Whether the person is handed to child protection.
    pub child_protection: bool,
}

const STYLE: &str = "body{font:11pt sans-serif;margin:1cm}table{border-collapse:collapse;width:100%}\
th,td{border:1px solid #444;padding:3px;text-align:left;vertical-align:top}tbody{break-inside:avoid}\
tbody.family{border:3px solid #000}thead{display:table-header-group}.box{text-align:center}.mark{font-weight:bold}\
@page{size:A4 landscape;margin:1cm}";

/// The operation as HTML.
#[must_use]
pub fn print(operation: &PrintedOperation) -> String {
    let mut page = String::new();
    head(&mut page, operation);
    for (family, rows) in blocks(&operation.rows) {
        let class = if family.is_some() { " class=\"family\"" } else { "" };
        let _ = write!(page, "<tbody{class}>");
        if let Some(group) = family {
            let _ = write!(
                page,
                "<tr><th colspan=\"8\">Viajan juntos / Travelling together: {} ({})</th></tr>",
                escape(group),
                rows.len()
            );
        }
        rows.iter().for_each(|row| line(&mut page, row));
        page.push_str("</tbody>");
    }
    page.push_str(
        "</table><p>No estaba en lista / Not on list: ______________________________________________</p>\
         <p>Entrega / Handed over: __________________ Recibe / Received: __________________ Hora / Hour: ______</p>\
         </body></html>\n",
    );
    page
}

fn head(page: &mut String, operation: &PrintedOperation) {
    let hour = |at: &Zoned| at.strftime("%Y-%m-%d %H:%M %:z").to_string();
    let zone = operation.eta.time_zone().iana_name().unwrap_or_default();
    let title = escape(&operation.title);
    let _ = write!(
        page,
        "<!DOCTYPE html><html lang=\"es\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>"
    );
    if operation.training {
        page.push_str("<p class=\"mark\">CAPACITACIÓN / TRAINING</p>");
    }
    if operation.earlier_prints > 0 {
        let _ = write!(page, "<p class=\"mark\">REIMPRESIÓN / REPRINT {}</p>", operation.earlier_prints);
    }
    let _ = write!(
        page,
        "<p>Versión / Version {} · Impreso / Printed {} · Llega / Arrives {} {} ({}) · Personas / People {}</p>\
         <table><thead><tr><th>N.º</th><th>Nombre / Name</th><th>Datos / Particulars</th>\
         <th>Necesidades al llegar / Needs on arrival</th><th>Llegó / Arrived</th>\
         <th>No viajó / Did not travel</th><th>No es nacional / Not our national</th><th>Hora / Hour</th></tr></thead>",
        operation.version,
        hour(&operation.printed_at),
        escape(&operation.port),
        hour(&operation.eta),
        escape(zone),
        operation.rows.len()
    );
}

/// Families as blocks at the place of their first member, everyone else alone.
fn blocks(rows: &[PrintedRow]) -> Vec<(Option<&str>, Vec<&PrintedRow>)> {
    let mut blocks: Vec<(Option<&str>, Vec<&PrintedRow>)> = Vec::new();
    let mut places: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for row in rows {
        let family = row.family.as_deref();
        let place = family.and_then(|group| places.get(group).copied());
        match place.and_then(|at| blocks.get_mut(at)) {
            Some((_, members)) => members.push(row),
            None => {
                if let Some(group) = family {
                    places.insert(group, blocks.len());
                }
                blocks.push((family, vec![row]));
            }
        }
    }
    blocks
}

fn line(page: &mut String, row: &PrintedRow) {
    let mut needs: Vec<String> = row.needs.iter().map(|need| escape(need)).collect();
    if row.child_protection {
        needs.insert(0, "<b>Entregar a protección de niñez / Hand over to child protection</b>".to_owned());
    }
    let _ = write!(
        page,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"box\">☐</td><td class=\"box\">☐</td>\
         <td class=\"box\">☐</td><td></td></tr>",
        row.row,
        escape(row.names.reveal()),
        escape(row.particulars.reveal()),
        needs.join("<br>")
    );
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(number: u32, names: &str, family: Option<&str>) -> PrintedRow {
        PrintedRow {
            row: number,
            names: Personal::new(names.to_owned()),
            particulars: Personal::new("F 32".to_owned()),
            family: family.map(str::to_owned),
            needs: vec!["intérprete (mam)".to_owned()],
            child_protection: number == 3,
        }
    }

    fn operation(earlier_prints: u32) -> PrintedOperation {
        PrintedOperation {
            title: "Autobús Tapachula <1>".to_owned(),
            port: "Tecún Umán".to_owned(),
            eta: "2026-11-25T10:00[America/Guatemala]".parse().unwrap(),
            version: 3,
            printed_at: "2026-11-24T18:30[America/Guatemala]".parse().unwrap(),
            earlier_prints,
            rows: vec![
                row(1, "Ana", Some("F-01")),
                row(2, "<script>alert(1)</script>", None),
                row(3, "Luz", Some("F-01")),
            ],
            training: true,
        }
    }

    #[test]
    fn every_text_is_escaped_and_nothing_outside_is_referred_to() {
        let page = print(&operation(0));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
        assert!(!page.contains("src=") && !page.contains("href=") && !page.contains("url("));
    }

    #[test]
    fn a_copy_says_its_version_its_hour_in_the_ports_zone_and_whether_it_is_a_reprint() {
        let first = print(&operation(0));
        assert!(
            first.contains("Version 3")
                && first.contains("2026-11-24 18:30 -06:00")
                && !first.contains("REPRINT")
        );
        assert!(print(&operation(2)).contains("REPRINT 2"));
    }

    #[test]
    fn a_family_stands_together_as_one_block() {
        let page = print(&operation(0));
        let (ana, luz, other) =
            (page.find("Ana").unwrap(), page.find("Luz").unwrap(), page.find("script").unwrap());
        assert!(ana < luz && luz < other);
        assert!(page.contains("F-01 (2)"));
    }
}
