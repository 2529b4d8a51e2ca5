//! Pairs as they occur on real lists, and pairs that only look alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

fn person(row: u32, given: &str, first: &str, second: &str) -> Candidate {
    Candidate {
        row,
        given_names: Personal::new(given.to_owned()),
        first_surname: Personal::new(first.to_owned()),
        second_surname: (!second.is_empty()).then(|| Personal::new(second.to_owned())),
        birth_date: None,
        age: None,
        age_estimated: false,
        sex: None,
        numbers: Vec::new(),
    }
}

fn born(mut candidate: Candidate, date: &str) -> Candidate {
    candidate.birth_date = Some(Personal::new(date.parse().unwrap()));
    candidate
}

fn aged(mut candidate: Candidate, age: u8, estimated: bool) -> Candidate {
    candidate.age = Some(age);
    candidate.age_estimated = estimated;
    candidate
}

fn numbered(mut candidate: Candidate, kind: &str, value: &str) -> Candidate {
    candidate.numbers.push(Number {
        country: "GT".parse().unwrap(),
        kind: kind.to_owned(),
        value: Personal::new(value.to_owned()),
    });
    candidate
}

fn reasons(a: Candidate, b: Candidate) -> Option<Vec<Reason>> {
    pairs(&[a, b]).into_iter().next().map(|pair| pair.reasons)
}

#[test]
fn an_accent_does_not_make_another_person() {
    let found = reasons(
        born(person(2, "José Luis", "Pérez", "Núñez"), "1990-04-12"),
        born(person(9, "JOSE LUIS", "PEREZ", "NUNXXEZ"), "1990-04-12"),
    );
    assert_eq!(found.unwrap(), [Reason::SameGivenNames, Reason::SameSurnames, Reason::SameBirthDate]);
}

#[test]
fn given_names_in_the_surname_column_are_seen() {
    let found = reasons(
        born(person(2, "Ixchel", "Tzoc", "Caal"), "1999-01-30"),
        born(person(3, "Caal", "Tzoc", "Ixchel"), "1999-01-30"),
    );
    assert_eq!(found.unwrap(), [Reason::NamesInOtherOrder, Reason::SameBirthDate]);
}

#[test]
fn swapped_surnames_with_swapped_day_and_month_are_seen() {
    let found = reasons(
        born(person(2, "Rosa", "Caal", "Tzoc"), "1988-03-07"),
        born(person(3, "Rosa", "Tzoc", "Caal"), "1988-07-03"),
    );
    assert_eq!(found.unwrap(), [Reason::SameGivenNames, Reason::SurnamesSwapped, Reason::DayAndMonthSwapped]);
}

#[test]
fn an_initial_and_a_missing_second_surname_are_seen() {
    let found = reasons(
        born(person(2, "María de los Ángeles", "Xol", "Ical"), "1975-12-01"),
        aged(person(3, "M. Angeles", "Xol", ""), 50, true),
    );
    assert_eq!(
        found.unwrap(),
        [Reason::GivenNamesShortened, Reason::SecondSurnameMissing, Reason::BirthUnknown]
    );
}

#[test]
fn an_estimated_age_may_be_two_years_off_and_no_more() {
    let near = reasons(
        aged(person(2, "Mateo", "Ramírez", "Pablo"), 30, true),
        aged(person(3, "Mateo", "Ramirez", "Pablo"), 32, false),
    );
    assert!(near.unwrap().contains(&Reason::AgesClose));
    let far = reasons(
        aged(person(2, "Mateo", "Ramírez", "Pablo"), 30, true),
        aged(person(3, "Mateo", "Ramirez", "Pablo"), 33, false),
    );
    assert_eq!(far, None);
}

#[test]
fn twins_are_two_people() {
    let found = reasons(
        born(person(2, "Ana Lucía", "Sontay", "Ixcoy"), "2015-06-20"),
        born(person(3, "Ana Sofía", "Sontay", "Ixcoy"), "2015-06-20"),
    );
    assert_eq!(found, None);
}

#[test]
fn a_father_and_his_namesake_son_are_two_people() {
    let found = reasons(
        born(person(2, "Pedro", "Choc", "Coc"), "1979-02-02"),
        born(person(3, "Pedro", "Choc", "Tiul"), "2009-02-02"),
    );
    assert_eq!(found, None);
}

#[test]
fn one_number_is_enough_whatever_the_name() {
    let found = reasons(
        numbered(person(2, "Elvira", "Mateo", ""), "cui", "1587 56444 0904"),
        numbered(person(3, "E.", "Matheo Andrés", ""), "cui", "1587564440904"),
    );
    assert_eq!(found.unwrap().first(), Some(&Reason::SameNumber));
}

#[test]
fn a_family_file_number_alone_is_nothing() {
    let found = reasons(
        numbered(person(2, "Elvira", "Mateo", ""), "file", "INM-2026-00417"),
        numbered(person(3, "Andrés", "Mateo", ""), "file", "INM-2026-00417"),
    );
    assert_eq!(found, None);
}

#[test]
fn a_different_sex_is_shown_and_does_not_hide_the_pair() {
    let mut other = born(person(3, "Guadalupe", "Cux", "Us"), "1991-09-09");
    other.sex = Some(Sex::Male);
    let mut one = born(person(2, "Guadalupe", "Cux", "Us"), "1991-09-09");
    one.sex = Some(Sex::Female);
    assert_eq!(reasons(one, other).unwrap().last(), Some(&Reason::SexDiffers));
}

#[test]
fn an_unlisted_person_is_offered_the_likeliest_first() {
    let rows = [
        person(2, "Juan", "López", "Morales"),
        born(person(3, "Juan Carlos", "López", "Morales"), "1990-01-01"),
        person(4, "Rosa", "Tum", "Chaj"),
    ];
    let offered = candidates_for(&born(person(0, "Juan Carlos", "Lopes", "Morales"), "1990-01-01"), &rows);
    assert_eq!(offered.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [3, 2]);
}

#[test]
fn a_hundred_thousand_namesakes_are_bounded() {
    let rows: Vec<Candidate> = (0..100_000).map(|row| person(row, "Juan", "López", "López")).collect();
    assert_eq!(pairs(&rows).len(), MAX_PAIRS);
}

#[test]
fn a_hundred_thousand_namesakes_of_different_age_are_bounded() {
    let epoch: Date = "1900-01-01".parse().unwrap();
    let rows: Vec<Candidate> = (0..100_000_u32)
        .map(|row| {
            let mut one = person(row, "Juan", "López", "Pérez");
            let day = epoch.saturating_add(jiff::Span::new().days(i64::from(row % 40_000)));
            one.birth_date = Some(Personal::new(day));
            one
        })
        .collect();
    assert!(pairs(&rows).len() <= MAX_PAIRS);
}

#[test]
fn no_output_repeats_a_name() {
    let shown = format!("{:?}", person(2, "Ixchel", "Tzoc", "Caal"));
    assert!(!shown.contains("Ixchel") && !shown.contains("Tzoc"));
}
