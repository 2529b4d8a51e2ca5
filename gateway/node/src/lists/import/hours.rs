//! Hours and ages are those of the port: its zone, its local date, its clock change.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jiff::Zoned;

use super::tests::defaults;
use super::{Sheet, read};
use crate::lists::submission::SubjectKind;
use crate::lists::submission::SubmissionRow;

/// One person born on this date, on a list whose arrival is at this hour of its port.
fn arriving(eta: &str, birth: &str) -> SubmissionRow {
    let mut defaults = defaults();
    defaults.eta = eta.parse::<Zoned>().unwrap();
    let text = format!("nombres,primer_apellido,sexo,fecha_nacimiento,nacionalidad\nAna,Tzoc,F,{birth},GT\n");
    read(text.as_bytes(), Sheet::Csv, &defaults).unwrap().rows.remove(0).outcome.unwrap()
}

fn kind(eta: &str, birth: &str) -> SubjectKind {
    arriving(eta, birth).subject.reveal().kind
}

fn logistics(row: &SubmissionRow, field: &str) -> String {
    let section =
        row.sections.iter().find(|(category, _)| category.as_str() == "return.logistics").unwrap().1;
    section.reveal()[field].as_str().unwrap().to_owned()
}

#[test]
fn coming_of_age_is_by_the_local_date_of_the_port() {
    // One instant, 06:30 UTC on the 25th: still the 24th in Tijuana, already the 25th in Tecún Umán and Tapachula.
    assert_eq!(kind("2026-11-24T22:30:00-08:00[America/Tijuana]", "2008-11-25"), SubjectKind::Child);
    assert_eq!(kind("2026-11-25T00:30:00-06:00[America/Guatemala]", "2008-11-25"), SubjectKind::Adult);
    assert_eq!(kind("2026-11-25T00:30:00-06:00[America/Mexico_City]", "2008-11-25"), SubjectKind::Adult);
}

#[test]
fn a_flight_over_midnight_is_judged_by_the_day_it_lands() {
    assert_eq!(kind("2026-11-24T23:59:00-06:00[America/Guatemala]", "2008-11-25"), SubjectKind::Child);
    assert_eq!(kind("2026-11-25T00:01:00-06:00[America/Guatemala]", "2008-11-25"), SubjectKind::Adult);
}

#[test]
fn the_hour_that_a_clock_change_repeats_keeps_its_offset() {
    // Tijuana turns its clocks back at two on 1 November 2026: half past one comes twice.
    let first = arriving("2026-11-01T01:30:00-07:00[America/Tijuana]", "1990-01-01");
    let second = arriving("2026-11-01T01:30:00-08:00[America/Tijuana]", "1990-01-01");
    assert_eq!(logistics(&first, "eta"), "2026-11-01T01:30:00-07:00");
    assert_eq!(logistics(&second, "eta"), "2026-11-01T01:30:00-08:00");
    assert_eq!(logistics(&first, "zone"), "America/Tijuana");
}
