//! The demonstration's list against its expectations, as far as reading and comparing decide them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use puente_core::matching::{Candidate, pairs};
use serde_json::Value;

use super::*;
use crate::lists::candidate::candidate;
use crate::lists::codes::CodeNames;

const CSV: &[u8] = include_bytes!("../../../../../ops/demo/manifest.csv");
const WINDOWS_1252: &[u8] = include_bytes!("../../../../../ops/demo/manifest-windows-1252.csv");
const XLSX: &[u8] = include_bytes!("../../../../../ops/demo/manifest.xlsx");
const EXPECTED: &[u8] = include_bytes!("../../../../../ops/demo/expected.json");

fn names(codes: &[(&'static str, &'static [&'static str])]) -> CodeNames {
    CodeNames::new(codes.iter().copied())
}

fn read_demo(bytes: &[u8], media: Sheet) -> Imported {
    let mut defaults = super::tests::defaults();
    defaults.codes = Arc::new(Codes {
        countries: names(&[("GT", &["Guatemala"]), ("VE", &["Venezuela"])]),
        languages: names(&[
            ("es", &["español"]),
            ("quc", &["K’iche’"]),
            ("mam", &[]),
            ("kek", &["Q’eqchi’"]),
            ("kjb", &["Q’anjob’al"]),
        ]),
        needs: names(&[("interpreter", &[]), ("stroller", &[]), ("diapers", &[])]),
        relations: names(&[
            ("mother", &["madre"]),
            ("father", &["padre"]),
            ("child", &["hijo"]),
            ("niece_nephew", &["sobrina"]),
        ]),
        escorts: names(&[("enforcement", &[]), ("child_protection", &[])]),
    });
    read(bytes, media, &defaults).unwrap()
}

fn expected() -> Vec<Value> {
    serde_json::from_slice::<Value>(EXPECTED).unwrap()["rows"].as_array().unwrap().clone()
}

#[test]
fn every_row_is_read_or_refused_as_expected() {
    let imported = read_demo(CSV, Sheet::Csv);
    assert_eq!(imported.warnings, []);
    assert_eq!(imported.rows.len(), expected().len());
    for (row, expected) in imported.rows.iter().zip(expected()) {
        assert_eq!(expected["row"], row.row);
        match &row.outcome {
            Ok(_) => assert!(expected["problem"].is_null(), "row {} was read", row.row),
            Err(problems) => {
                assert_eq!(expected["problem"], problems[0].kind.code, "row {}", row.row);
                assert_eq!(expected["cell"], problems[0].cell, "row {}", row.row);
            }
        }
    }
}

#[test]
fn the_three_files_hold_the_same_people() {
    let csv = read_demo(CSV, Sheet::Csv);
    assert_eq!(csv.rows, read_demo(XLSX, Sheet::Xlsx).rows);
    let windows = read_demo(WINDOWS_1252, Sheet::Csv);
    assert_eq!(windows.encoding, Encoding::Windows1252);
    assert_eq!(csv.rows, windows.rows);
}

#[test]
fn the_possible_duplicates_are_those_expected_and_no_others() {
    let imported = read_demo(CSV, Sheet::Csv);
    let people: Vec<Candidate> =
        imported.rows.iter().filter_map(|row| candidate(row.outcome.as_ref().ok()?)).collect();
    let found: BTreeMap<u64, u64> =
        pairs(&people).iter().map(|pair| (pair.b.into(), pair.a.into())).collect();
    let wanted: BTreeMap<u64, u64> = expected()
        .iter()
        .filter_map(|row| Some((row["row"].as_u64()?, row["possible_duplicate_of"].as_u64()?)))
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn children_alone_go_to_child_protection_and_nobody_else_does() {
    let imported = read_demo(CSV, Sheet::Csv);
    let children = imported.rows.iter().filter_map(|row| row.outcome.as_ref().ok());
    assert_eq!(children.filter(|row| row.recipient.role.as_str() == "child_protection").count(), 8);
}
