//! Numbers that have a form and no check digit.
//!
//! Not here: numbers with a check (`checked`). Invariant: input is upper case; every function is total.

use super::{FORMAT, NumberWarning, REGION, digits, number};

fn unless(holds: bool) -> Option<NumberWarning> {
    (!holds).then_some(FORMAT)
}

/// Whether the text is `min` to `max` decimal digits.
fn all_digits(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Honduras: department 01 to 18, municipality, year of registration, serial.
pub(super) fn honduran_dni(text: &str) -> Option<NumberWarning> {
    let Some([d1, d2, m1, m2, y1, y2, y3, y4, ..]) = digits::<13>(text) else {
        return Some(FORMAT);
    };
    if !(1..=18).contains(&number(&[d1, d2])) || number(&[m1, m2]) == 0 {
        return Some(REGION);
    }
    unless((1880..=2099).contains(&number(&[y1, y2, y3, y4])))
}

/// Costa Rica: province, volume and entry; groups between hyphens may lack their leading zeros.
pub(super) fn costa_rican_cedula(text: &str) -> Option<NumberWarning> {
    let groups: Vec<&str> = text.split(['-', ' ']).collect();
    let padded = match groups.as_slice() {
        [province, volume, entry] if volume.len() <= 4 && entry.len() <= 4 => {
            format!("{province:0>2}{volume:0>4}{entry:0>4}")
        }
        [whole] => format!("{whole:0>10}"),
        _ => return Some(FORMAT),
    };
    unless(
        all_digits(&padded, 10, 10)
            && padded.starts_with('0')
            && !padded.starts_with("00")
            && text.len() >= 5,
    )
}

/// Costa Rica, foreign residents: 11 or 12 digits that start with 1.
pub(super) fn dimex(text: &str) -> Option<NumberWarning> {
    unless(all_digits(text, 11, 12) && text.starts_with('1'))
}

/// Panama: a province or letters (PE, E, N, with AV or PI), then 1 to 4 and 1 to 6 digits.
pub(super) fn panamanian_cedula(text: &str) -> Option<NumberWarning> {
    let groups: Vec<&str> = text.split('-').collect();
    let [prefix, book, entry] = groups.as_slice() else {
        return Some(FORMAT);
    };
    let province = prefix.strip_suffix("AV").or_else(|| prefix.strip_suffix("PI")).unwrap_or(prefix);
    let known = matches!(*prefix, "PE" | "E" | "N")
        || (all_digits(province, 1, 2)
            && !province.starts_with('0')
            && province.parse().is_ok_and(|p: u32| (1..=13).contains(&p)));
    unless(known && all_digits(book, 1, 4) && all_digits(entry, 1, 6))
}

/// United States: A and 7 to 9 digits.
pub(super) fn a_number(text: &str) -> Option<NumberWarning> {
    unless(text.strip_prefix('A').is_some_and(|rest| all_digits(rest, 7, 9)))
}

/// Belize: 9 digits.
pub(super) fn belizean_social_security(text: &str) -> Option<NumberWarning> {
    unless(all_digits(text, 9, 9))
}

/// Any country: letters and digits, 5 to 12 of them (ICAO 9303-4 gives 9 and lets longer ones continue).
pub(super) fn passport(text: &str) -> Option<NumberWarning> {
    unless((5..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()))
}
