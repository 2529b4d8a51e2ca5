//! Lists as they come, and everything that can be wrong with them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Cursor, Write as _};

use rust_xlsxwriter::Workbook;
use zip::write::SimpleFileOptions;

use super::*;
use crate::lists::codes::CodeNames;
use crate::lists::template::{self, Language};

const HEADER: &str =
    "nombres,primer_apellido,sexo,nacionalidad,fecha_nacimiento,edad,no_acompanado,proteccion,idiomas";

pub(super) fn defaults() -> OperationDefaults {
    OperationDefaults {
        operation: "0190f0a4-7c1e-7abc-8def-0123456789ab".parse().unwrap(),
        sender: "MX".parse().unwrap(),
        destination: "GT".parse().unwrap(),
        message_type: "return.manifest".parse().unwrap(),
        purpose: "return_reception".parse().unwrap(),
        agreement: "MX-GT-2005".parse().unwrap(),
        mode: "land".to_owned(),
        origin: "Tapachula".to_owned(),
        port_of_entry: "Tecún Umán".to_owned(),
        eta: "2026-11-25T10:00[America/Guatemala]".parse().unwrap(),
        vehicle: None,
        codes: Arc::new(Codes {
            countries: CodeNames::new([("GT", &["Guatemala"][..]), ("MX", &["México"][..])]),
            languages: CodeNames::new([("es", &["español"][..]), ("quc", &["K'iche'"][..])]),
            ..Codes::default()
        }),
    }
}

fn csv(text: &str) -> Imported {
    read(text.as_bytes(), Sheet::Csv, &defaults()).unwrap()
}

fn one(line: &str) -> Result<SubmissionRow, Vec<CellProblem>> {
    csv(&format!("{HEADER}\n{line}\n")).rows.remove(0).outcome
}

fn fault(line: &str) -> (String, &'static str) {
    let problems = one(line).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    (problems[0].cell.clone(), problems[0].kind.code)
}

fn refused(bytes: &[u8], media: Sheet) -> &'static str {
    read(bytes, media, &defaults()).unwrap_err().kind.code
}

#[test]
fn every_nationality_is_told_and_a_blank_cell_of_feared_countries_is_not_none() {
    let header = "nombres,primer_apellido,sexo,nacionalidad,edad,proteccion,paises_riesgo";
    let subject = |line: &str| {
        let row = csv(&format!("{header}\n{line}\n")).rows.remove(0).outcome.unwrap();
        serde_json::to_value(&row).unwrap()["subject"].clone()
    };
    let blank = subject("José,Pérez,M,México;Guatemala,30,solicita,");
    assert_eq!(blank["nationality"], "MX");
    assert_eq!(blank["other_nationalities"], serde_json::json!(["GT"]));
    assert_eq!(blank.get("risk_countries"), None);
    let none = subject("José,Pérez,M,México,30,ninguna,ninguno");
    assert_eq!(none["risk_countries"], serde_json::json!([]));
    let some = subject("José,Pérez,M,México,30,solicita,GT");
    assert_eq!(some["risk_countries"], serde_json::json!(["GT"]));
}

#[test]
fn an_ordinary_row_becomes_the_submission_of_the_domestic_api() {
    let row = one("José,Pérez,M,Guatemala,1994-01-31,,no,ninguna,K'iche'").unwrap();
    let json = serde_json::to_value(&row).unwrap();
    assert_eq!(json["recipient"], serde_json::json!({"country": "GT", "role": "returns_reception"}));
    assert_eq!(json["subject"]["kind"], "adult");
    assert_eq!(json["subject"]["age"], 32);
    assert_eq!(json["sections"]["id.core"]["given_names"], "José");
    assert_eq!(json["sections"]["language"]["interpreter_needed"], true);
    assert_eq!(json["sections"]["return.logistics"]["eta"], "2026-11-25T10:00:00-06:00");
    assert_eq!(json["sections"]["return.logistics"]["row"], serde_json::Value::Null);
}

#[test]
fn a_blank_screening_cell_is_unknown_and_never_no() {
    let json = serde_json::to_value(one("José,Pérez,M,GT,1994-01-31,,,,").unwrap()).unwrap();
    assert_eq!(json["subject"]["protection"], "unknown");
    assert_eq!(json["subject"]["flags"]["unaccompanied"], "unknown");
    assert_eq!(json["subject"]["flags"]["stateless_risk"], "unknown");
}

#[test]
fn an_unaccompanied_child_goes_to_child_protection() {
    let json = serde_json::to_value(one("Luz,Choc,F,GT,,15,sí,ninguna,").unwrap()).unwrap();
    assert_eq!(json["recipient"]["role"], "child_protection");
    assert_eq!(json["subject"]["kind"], "child");
}

#[test]
fn without_date_or_age_the_kind_is_unknown() {
    let json = serde_json::to_value(one("Luz,Choc,F,GT,,,no,ninguna,").unwrap()).unwrap();
    assert_eq!(json["subject"]["kind"], "unknown");
}

#[test]
fn coming_of_age_is_judged_at_the_ports_local_date() {
    let kind = |date: &str| {
        let row = one(&format!("Luz,Choc,F,GT,{date},,no,ninguna,")).unwrap();
        serde_json::to_value(row).unwrap()["subject"]["kind"].clone()
    };
    assert_eq!(kind("2008-11-25"), "adult");
    assert_eq!(kind("2008-11-26"), "child");
}

#[test]
fn two_ages_that_contradict_are_a_doubt() {
    let json = serde_json::to_value(one("Luz,Choc,F,GT,2007-01-01,17,no,ninguna,").unwrap()).unwrap();
    assert_eq!(json["subject"]["flags"]["age_disputed"], "yes");
}

#[test]
fn each_fault_names_its_cell_and_never_its_value() {
    assert_eq!(fault("=1+1,Pérez,M,GT,1994-01-31,,no,ninguna,"), ("A2".into(), "cell.formula"));
    assert_eq!(fault("José,@Pérez,M,GT,1994-01-31,,no,ninguna,"), ("B2".into(), "cell.formula"));
    assert_eq!(fault("José,Pérez,M,Wakanda,1994-01-31,,no,ninguna,"), ("D2".into(), "field.invalid"));
    assert_eq!(fault("José,Pérez,M,GT,31/02/1990,,no,ninguna,"), ("E2".into(), "field.invalid"));
    assert_eq!(fault("José,Pérez,M,GT,01/02/90,,no,ninguna,"), ("E2".into(), "field.invalid"));
    assert_eq!(fault("José,Pérez,M,GT,2030-01-01,,no,ninguna,"), ("E2".into(), "field.invalid"));
    assert_eq!(fault(",Pérez,M,GT,1994-01-31,,no,ninguna,"), ("A2".into(), "field.missing"));
    assert_eq!(fault("Jo\u{202E}sé,Pérez,M,GT,1994-01-31,,no,ninguna,"), ("A2".into(), "field.invalid"));
    let shown = format!("{:?}", one("José,Pérez,M,Wakanda,1994-01-31,,no,ninguna,"));
    assert!(!shown.contains("Wakanda") && !shown.contains("Pérez"));
}

#[test]
fn half_a_file_costs_its_last_row() {
    let imported = csv(&format!("{HEADER}\nJosé,Pérez,M,GT,1994-01-31,,no,ninguna,es\nLuz,Choc,F,G"));
    assert!(imported.rows[0].outcome.is_ok());
    assert_eq!(imported.rows[1].outcome.as_ref().unwrap_err()[0].kind.code, "field.missing");
}

#[test]
fn an_unclosed_quote_costs_its_own_row() {
    let imported =
        csv(&format!("{HEADER}\n\"José,Pérez,M,GT,,30,no,ninguna,es\nLuz,Choc,F,GT,,30,no,ninguna,es\n"));
    assert!(imported.rows[0].outcome.is_err());
    assert!(imported.rows[1].outcome.is_ok());
}

#[test]
fn an_exact_copy_costs_the_copy() {
    let line = "José,Pérez,M,GT,1994-01-31,,no,ninguna,es";
    let imported = csv(&format!("{HEADER}\n{line}\n{line}\n"));
    assert!(imported.rows[0].outcome.is_ok());
    assert_eq!(imported.rows[1].outcome.as_ref().unwrap_err()[0].kind.code, "row.duplicate");
}

#[test]
fn an_unknown_column_is_a_warning_and_a_missing_one_a_refusal() {
    let imported = csv("nombres,primer_apellido,sexo,nacionalidad,color\nJosé,Pérez,M,GT,azul\n");
    assert_eq!(imported.warnings.iter().map(|warning| warning.at.as_str()).collect::<Vec<_>>(), ["E"]);
    assert!(imported.rows[0].outcome.is_ok());
    assert_eq!(refused(b"nombres,primer_apellido,sexo\nJ,P,M\n", Sheet::Csv), "column.missing");
    assert_eq!(refused(b"nombres,primer_apellido,sexo,sex,nacionalidad\n", Sheet::Csv), "field.invalid");
}

#[test]
fn a_title_above_the_header_does_not_shift_rows() {
    let imported = csv(&format!("Lista del 25 de noviembre\n\n{HEADER}\nLuz,Choc,F,GT,,30,no,ninguna,es\n"));
    assert_eq!(imported.rows[0].row, 4);
}

#[test]
fn windows_1252_is_read_and_reported() {
    let bytes = [HEADER.as_bytes(), b"\nJos\xE9,N\xFA\xF1ez,M,GT,,30,no,ninguna,espa\xF1ol\n"].concat();
    let imported = read(&bytes, Sheet::Csv, &defaults()).unwrap();
    assert_eq!(imported.encoding, Encoding::Windows1252);
    let row = serde_json::to_value(imported.rows[0].outcome.as_ref().unwrap()).unwrap();
    assert_eq!(row["sections"]["id.core"]["first_surname"], "Núñez");
}

#[test]
fn a_damaged_byte_costs_its_row_only() {
    let text = format!("{HEADER}\nJosé,Núñez,M,GT,,30,no,ninguna,es\nXX,Choc,F,GT,,30,no,ninguna,es\n");
    let bytes: Vec<u8> = text.bytes().map(|b| if b == b'X' { 0xE9 } else { b }).collect();
    let imported = read(&bytes, Sheet::Csv, &defaults()).unwrap();
    assert!(imported.rows[0].outcome.is_ok());
    assert_eq!(imported.rows[1].outcome.as_ref().unwrap_err()[0].cell, "A3");
}

#[test]
fn a_hundred_thousand_rows_are_read_and_one_more_is_refused() {
    let mut text = format!("{HEADER}\n");
    for row in 0..100_000 {
        text.push_str(&format!("Ana {row},Choc,F,GT,,30,no,ninguna,es\n"));
    }
    assert_eq!(csv(&text).rows.len(), 100_000);
    text.push_str("Ana,Choc,F,GT,,30,no,ninguna,es\n");
    assert_eq!(refused(text.as_bytes(), Sheet::Csv), "sheet.too_large");
}

#[test]
fn a_row_of_too_many_cells_is_refused() {
    assert_eq!(refused(",x".repeat(1_000_000).as_bytes(), Sheet::Csv), "sheet.too_large");
}

fn workbook(cells: &[(u32, u16, &str)]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, header) in (0..).zip(HEADER.split(',')) {
        sheet.write_string(0, column, header).unwrap();
    }
    for (row, column, text) in cells {
        sheet.write_string(*row, *column, *text).unwrap();
    }
    sheet.write_formula(9, 0, "=1+1").unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn a_workbook_is_read_with_its_own_row_numbers_and_no_formula() {
    let bytes = workbook(&[(4, 0, "José"), (4, 1, "Pérez"), (4, 2, "M"), (4, 3, "GT"), (4, 5, "30")]);
    let imported = read(&bytes, Sheet::Xlsx, &defaults()).unwrap();
    assert_eq!(imported.rows[0].row, 5);
    assert!(imported.rows[0].outcome.is_ok());
    let problems = imported.rows[1].outcome.as_ref().unwrap_err();
    assert_eq!((problems[0].cell.as_str(), problems[0].kind.code), ("A10", "cell.formula"));
}

#[test]
fn half_a_workbook_is_unreadable() {
    let bytes = workbook(&[]);
    assert_eq!(refused(&bytes[..bytes.len() / 2], Sheet::Xlsx), "sheet.unreadable");
    assert_eq!(refused(&bytes, Sheet::Csv), "sheet.unreadable");
    assert_eq!(refused(b"nombres,sexo", Sheet::Xlsx), "sheet.unreadable");
}

fn zipped(entries: usize, size: usize) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let content = vec![b' '; size];
    for entry in 0..entries {
        archive.start_file(format!("xl/{entry}.xml"), SimpleFileOptions::default()).unwrap();
        archive.write_all(&content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_zip_bomb_is_refused() {
    assert_eq!(refused(&zipped(1, 80 * 1024 * 1024), Sheet::Xlsx), "sheet.too_large");
    assert_eq!(refused(&zipped(600, 1), Sheet::Xlsx), "sheet.too_large");
}

#[test]
fn a_zip_bomb_that_lies_about_its_size_is_refused() {
    let mut bytes = zipped(1, 8 * 1024 * 1024);
    let central = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[central + 24..central + 28].copy_from_slice(&100_u32.to_le_bytes());
    assert!(["sheet.too_large", "sheet.unreadable"].contains(&refused(&bytes, Sheet::Xlsx)));
}

#[test]
fn two_cells_far_apart_allocate_nothing_and_are_refused() {
    let bytes = workbook(&[(1_048_575, 16_383, "x")]);
    assert_eq!(refused(&bytes, Sheet::Xlsx), "sheet.too_large");
}

#[test]
fn json_rows_are_flat_objects_named_like_the_columns() {
    let json = r#"[{"nombres":"José","primer_apellido":"Pérez","sexo":"M","nacionalidad":"GT","edad":30},
                   {"nombres":"Luz","primer_apellido":"Choc","sexo":"?","nacionalidad":"GT","edad":30}]"#;
    let imported = read(json.as_bytes(), Sheet::Json, &defaults()).unwrap();
    assert!(imported.rows[0].outcome.is_ok());
    assert_eq!(imported.rows[1].outcome.as_ref().unwrap_err()[0].cell, "/1/sexo");
    assert_eq!(refused(br#"[{"nombres":"a","nombres":"b"}]"#, Sheet::Json), "body.malformed");
    assert_eq!(refused(br#"[{"nombres":{"a":1}}]"#, Sheet::Json), "body.malformed");
}

#[test]
fn the_templates_are_read_without_a_warning() {
    for language in [Language::Spanish, Language::English] {
        let imported = read(&template::template(language), Sheet::Csv, &defaults()).unwrap();
        assert_eq!((imported.rows.len(), imported.warnings.len()), (0, 0));
    }
}

#[test]
fn a_stripped_column_becomes_a_section_for_policy_to_strip() {
    let imported =
        csv("nombres,primer_apellido,sexo,nacionalidad,antecedentes\nJosé,Pérez,M,GT,dice que ninguno\n");
    let row = serde_json::to_value(imported.rows[0].outcome.as_ref().unwrap()).unwrap();
    assert_eq!(row["sections"]["criminal.record"]["note"], "dice que ninguno");
}
