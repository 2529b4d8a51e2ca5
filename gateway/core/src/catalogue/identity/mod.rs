//! Identity numbers by their country's rule: what looks wrong about one, as a warning.
//!
//! Not here: refusing. Children and the undocumented often have no number and a clerk may err, so nothing
//! here ever stops a row (DOMAIN.md 2.7). Invariant: a warning holds no part of the number.

mod checked;
mod shaped;
#[cfg(test)]
mod tests;

use crate::ids::CountryCode;

/// Longest number that is looked at, in bytes: the longest rule takes 18, and separators double it at most.
const MAX_BYTES: usize = 64;

/// Something about an identity number that a person should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberWarning {
    /// Stable code, `number.what`.
    pub code: &'static str,
    /// What to look at, in Spanish.
    pub es: &'static str,
    /// What to look at, in English.
    pub en: &'static str,
}

/// The country does not issue numbers of this kind.
pub(crate) static KIND: NumberWarning = NumberWarning {
    code: "number.kind",
    es: "El país no expide números de esta clase. Revise país y clase.",
    en: "The country does not issue numbers of this kind. Look at country and kind.",
};
/// Length, alphabet or layout differ from the rule.
pub(crate) static FORMAT: NumberWarning = NumberWarning {
    code: "number.format",
    es: "El número no tiene la forma de su clase. Revise que esté completo.",
    en: "The number is not of the form of its kind. Look whether it is complete.",
};
/// The check digit or letter is not the one that the rest gives.
pub(crate) static CHECK: NumberWarning = NumberWarning {
    code: "number.check_digit",
    es: "El dígito verificador no corresponde. Compare con el documento.",
    en: "The check digit does not correspond. Compare with the document.",
};
/// The rule gives 10, for which no single digit exists; implementations differ.
pub(crate) static REMAINDER: NumberWarning = NumberWarning {
    code: "number.check_ambiguous",
    es: "La regla no da un dígito único para este número. Compare con el documento.",
    en: "The rule gives no single digit for this number. Compare with the document.",
};
/// The check fails under a rule that many genuine numbers fail.
pub(crate) static UNRELIABLE: NumberWarning = NumberWarning {
    code: "number.check_unreliable",
    es: "El dígito no corresponde, pero hay cédulas válidas así. Compare con el documento.",
    en: "The digit does not correspond, but there are genuine numbers like this. Compare with the document.",
};
/// The state, department or municipality in the number does not exist.
pub(crate) static REGION: NumberWarning = NumberWarning {
    code: "number.region",
    es: "El estado, departamento o municipio del número no existe. Compare con el documento.",
    en: "The state, department or municipality in the number does not exist. Compare with the document.",
};
/// The date in the number is not one of the calendar.
pub(crate) static DATE: NumberWarning = NumberWarning {
    code: "number.date",
    es: "La fecha dentro del número no existe. Compare con el documento.",
    en: "The date in the number does not exist. Compare with the document.",
};

/// What looks wrong about a number of this kind (a code of `number_kinds`) issued by this country.
///
/// Spaces, dots and hyphens are ignored where the rule does not need them, and letters may be of either
/// case. `None` means nothing looks wrong, or there is no rule.
#[must_use]
pub fn check(country: &CountryCode, kind: &str, value: &str) -> Option<NumberWarning> {
    if value.len() > MAX_BYTES {
        return Some(FORMAT);
    }
    let text = value.trim().to_uppercase();
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
    match (country.as_str(), kind) {
        ("MX", "curp") => checked::curp(&bare),
        ("GT", "cui") => checked::cui(&bare),
        ("SV", "dui") => checked::dui(&bare),
        ("SV", "nit") => checked::nit(&bare),
        ("NI", "cedula") => checked::nicaraguan_cedula(&bare),
        ("DO", "cedula") => checked::dominican_cedula(&bare),
        ("HN", "dni") => shaped::honduran_dni(&bare),
        ("CR", "cedula") => shaped::costa_rican_cedula(&text),
        ("CR", "dimex") => shaped::dimex(&bare),
        ("PA", "cedula") => shaped::panamanian_cedula(&text),
        ("US", "a_number") => shaped::a_number(&bare),
        ("BZ", "ssn_bz") => shaped::belizean_social_security(&bare),
        (_, "passport") => shaped::passport(&bare),
        (_, "file") => None,
        _ => Some(KIND),
    }
}

/// The decimal digits of a text of exactly `N` of them.
fn digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    digits?.try_into().ok()
}

/// Decimal digits read as one number.
fn number(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |sum, digit| sum.wrapping_mul(10).wrapping_add(*digit))
}

/// Whether a day exists; the year is taken modulo 4 only, since a number does not tell its century.
const fn day_exists(day: u32, month: u32, year: u32) -> bool {
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        _ => 31,
    };
    month >= 1 && month <= 12 && day >= 1 && day <= last
}
