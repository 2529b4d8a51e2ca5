//! Numbers whose country gives a check digit or letter, with the arithmetic of DOMAIN.md 2.7.
//!
//! Not here: numbers that have only a form (`shaped`). Invariant: input is upper case and without
//! separators; every function is total.

use super::{CHECK, DATE, FORMAT, NumberWarning, REGION, REMAINDER, UNRELIABLE, day_exists, digits, number};

/// The alphabet of the CURP: a place is a value, and Ñ stands between N and O.
const CURP_ALPHABET: &str = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ";

/// The 32 states of Mexico and NE, born abroad.
const MEXICAN_STATES: [&str; 33] = [
    "AS", "BC", "BS", "CC", "CL", "CM", "CS", "CH", "DF", "DG", "GT", "GR", "HG", "JC", "MC", "MN", "MS",
    "NT", "NL", "OC", "PL", "QT", "QR", "SP", "SL", "SR", "TC", "TS", "TL", "VZ", "YN", "ZS", "NE",
];

/// Municipalities of each department of Guatemala, 01 to 22.
const GUATEMALAN_MUNICIPALITIES: [u32; 22] =
    [17, 8, 16, 16, 14, 14, 19, 8, 24, 21, 9, 30, 32, 21, 8, 17, 14, 5, 11, 11, 7, 17];

/// The letter of a Nicaraguan cédula by remainder.
const NICARAGUAN_LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXY";

/// Sum of digits by weights, in order.
fn weighted(digits: &[u32], weights: impl IntoIterator<Item = u32>) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn warn_unless(holds: bool, warning: NumberWarning) -> Option<NumberWarning> {
    (!holds).then_some(warning)
}

/// Mexico: 4 letters, YYMMDD, sex, state, 3 letters, a century mark and a check digit.
pub(super) fn curp(text: &str) -> Option<NumberWarning> {
    let symbols: Vec<char> = text.chars().collect();
    let values: Option<Vec<u32>> = symbols
        .iter()
        .map(|c| CURP_ALPHABET.chars().position(|letter| letter == *c).and_then(|at| at.try_into().ok()))
        .collect();
    let (Some(values), [a, b, c, d, y1, y2, m1, m2, d1, d2, sex, s1, s2, e, f, g, _, check]) =
        (values, symbols.as_slice())
    else {
        return Some(FORMAT);
    };
    let letters = [a, b, c, d, e, f, g].into_iter().all(|c| c.is_alphabetic());
    let Some([y1, y2, m1, m2, d1, d2]) =
        digits::<6>(&[y1, y2, m1, m2, d1, d2].into_iter().collect::<String>())
    else {
        return Some(FORMAT);
    };
    let Some(check) = check.to_digit(10).filter(|_| letters && matches!(sex, 'H' | 'M' | 'X')) else {
        return Some(FORMAT);
    };
    if !MEXICAN_STATES.contains(&[*s1, *s2].iter().collect::<String>().as_str()) {
        return Some(REGION);
    }
    if !day_exists(number(&[d1, d2]), number(&[m1, m2]), number(&[y1, y2])) {
        return Some(DATE);
    }
    let sum: u32 = values.iter().zip((2..=18).rev()).map(|(value, weight)| value * weight).sum();
    warn_unless((10 - sum % 10) % 10 == check, CHECK)
}

/// Guatemala: serial 8, check 1, department 2, municipality 2; weights 2 to 9, modulo 11.
pub(super) fn cui(text: &str) -> Option<NumberWarning> {
    let Some([s1, s2, s3, s4, s5, s6, s7, s8, check, d1, d2, m1, m2]) = digits::<13>(text) else {
        return Some(FORMAT);
    };
    let department = usize::try_from(number(&[d1, d2])).unwrap_or(usize::MAX);
    let municipalities = department.checked_sub(1).and_then(|at| GUATEMALAN_MUNICIPALITIES.get(at));
    if !municipalities.is_some_and(|count| (1..=*count).contains(&number(&[m1, m2]))) {
        return Some(REGION);
    }
    match weighted(&[s1, s2, s3, s4, s5, s6, s7, s8], 2..=9) % 11 {
        // Some write 0 here and some issue no such number: neither reading is certain.
        10 if check == 0 => Some(REMAINDER),
        expected => warn_unless(expected == check, CHECK),
    }
}

/// El Salvador, DUI: weights 9 to 2; the outer modulo matters, a check of 0 is genuine.
pub(super) fn dui(text: &str) -> Option<NumberWarning> {
    let Some([stem @ .., check]) = digits::<9>(text) else {
        return Some(FORMAT);
    };
    warn_unless((10 - weighted(&stem, (2..=9).rev()) % 10) % 10 == check, CHECK)
}

/// El Salvador, NIT: two rules, by whether the serial (digits 11 to 13) is at most 100.
pub(super) fn nit(text: &str) -> Option<NumberWarning> {
    let Some([stem @ .., check]) = digits::<14>(text) else {
        return Some(FORMAT);
    };
    let [_, _, _, _, d1, d2, m1, m2, y1, y2, serial @ ..] = stem;
    if !day_exists(number(&[d1, d2]), number(&[m1, m2]), number(&[y1, y2])) {
        return Some(DATE);
    }
    let expected = if number(&serial) <= 100 {
        weighted(&stem, (2..=14).rev()) % 11 % 10
    } else {
        (11 - weighted(&stem, [2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10
    };
    warn_unless(expected == check, CHECK)
}

/// Nicaragua: municipality 3, DDMMYY, serial 4 and a letter by the 13 digits modulo 23; 29 February counts.
pub(super) fn nicaraguan_cedula(text: &str) -> Option<NumberWarning> {
    let Some(letter) = text.chars().last() else {
        return Some(FORMAT);
    };
    let Some(stem) = digits::<13>(text.strip_suffix(letter).unwrap_or_default()) else {
        return Some(FORMAT);
    };
    let [_, _, _, d1, d2, m1, m2, y1, y2, ..] = stem;
    if !letter.is_ascii_alphabetic() {
        return Some(FORMAT);
    }
    if !day_exists(number(&[d1, d2]), number(&[m1, m2]), number(&[y1, y2])) {
        return Some(DATE);
    }
    let remainder = stem.iter().fold(0, |rest, digit| (rest * 10 + digit) % 23);
    let expected = usize::try_from(remainder).ok().and_then(|at| NICARAGUAN_LETTERS.chars().nth(at));
    warn_unless(expected == Some(letter), CHECK)
}

/// Dominican Republic: 11 digits by Luhn, which a long list of genuine numbers fails.
pub(super) fn dominican_cedula(text: &str) -> Option<NumberWarning> {
    let Some(all) = digits::<11>(text) else {
        return Some(FORMAT);
    };
    let luhn =
        |(at, digit): (usize, &u32)| if at % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 };
    let sum: u32 = all.iter().rev().enumerate().map(luhn).sum();
    warn_unless(sum.is_multiple_of(10), UNRELIABLE)
}
