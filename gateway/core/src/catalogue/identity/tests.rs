//! The vectors of DOMAIN.md 2.7 and the properties that hold for every number.
//!
//! Not here: whether a row with a warning travels; it does (`policy`, conformance tests).

#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn told(country: &str, kind: &str, value: &str) -> Option<&'static str> {
    check(&country.parse().unwrap(), kind, value).map(|warning| warning.code)
}

/// How many of the candidates complete the stem without a warning.
fn completions(country: &str, kind: &str, stem: &str, candidates: &str) -> usize {
    candidates.chars().filter(|last| told(country, kind, &format!("{stem}{last}")).is_none()).count()
}

#[test]
fn genuine_numbers_raise_nothing() {
    for (country, kind, value) in [
        ("MX", "curp", "BOXW310820HNERXN09"),
        ("GT", "cui", "1587564440904"),
        ("GT", "cui", "1580 35224 0101"),
        ("SV", "dui", "00016297-5"),
        ("SV", "dui", "10000014-0"),
        ("SV", "nit", "0614-050707-104-8"),
        ("HN", "dni", "0801-1999-01234"),
        ("NI", "cedula", "0010101900001N"),
        ("NI", "cedula", "281-290204-0012E"),
        ("CR", "cedula", "3-0455-0175"),
        ("CR", "cedula", "3-455-175"),
        ("CR", "cedula", "304550175"),
        ("CR", "dimex", "155812345678"),
        ("PA", "cedula", "8-123-123"),
        ("PA", "cedula", "PE-123-123"),
        ("PA", "cedula", "10AV-1-22"),
        ("DO", "cedula", "001-1391820-5"),
        ("US", "a_number", "A 012 345 678"),
        ("BZ", "ssn_bz", "000123456"),
        ("HN", "passport", "F123456"),
        ("MX", "file", "INM/CHIS/0412"),
    ] {
        assert_eq!(told(country, kind, value), None, "{country} {kind} {value}");
    }
}

#[test]
fn a_wrong_check_digit_is_told() {
    assert_eq!(told("MX", "curp", "BOXW310820HNERXN08"), Some("number.check_digit"));
    assert_eq!(told("GT", "cui", "1680352240101"), Some("number.check_digit"));
    assert_eq!(told("SV", "dui", "00016297-4"), Some("number.check_digit"));
    assert_eq!(told("SV", "nit", "06140507071049"), Some("number.check_digit"));
    assert_eq!(told("NI", "cedula", "0010101900001A"), Some("number.check_digit"));
}

#[test]
fn a_remainder_of_ten_in_guatemala_is_ambiguous_and_not_wrong() {
    assert_eq!(told("GT", "cui", "1000000700101"), Some("number.check_ambiguous"));
    assert_eq!(told("GT", "cui", "1000000710101"), Some("number.check_digit"));
}

#[test]
fn the_dominican_check_is_told_as_unreliable() {
    assert_eq!(told("DO", "cedula", "00113918204"), Some("number.check_unreliable"));
}

#[test]
fn the_twenty_ninth_of_february_exists_in_leap_years_only() {
    assert_eq!(told("NI", "cedula", "2812902040012E"), None);
    assert_eq!(told("NI", "cedula", "2812902050012E"), Some("number.date"));
    assert_eq!(told("MX", "curp", "BOXW310231HNERXN09"), Some("number.date"));
}

#[test]
fn a_region_that_does_not_exist_is_told() {
    assert_eq!(told("GT", "cui", "1580352242301"), Some("number.region"));
    assert_eq!(told("GT", "cui", "1580352241231"), Some("number.region"));
    assert_eq!(told("HN", "dni", "1901199901234"), Some("number.region"));
    assert_eq!(told("MX", "curp", "BOXW310820HZZRXN09"), Some("number.region"));
}

#[test]
fn a_number_of_another_form_or_kind_is_told() {
    for (country, kind, value) in [
        ("MX", "curp", "BOXW310820"),
        ("GT", "cui", "158035224010"),
        ("CR", "cedula", "A-0455-0175"),
        ("PA", "cedula", "14-123-123"),
        ("PA", "cedula", "8123123"),
        ("US", "a_number", "12345678"),
        ("NI", "cedula", ""),
    ] {
        assert_eq!(told(country, kind, value), Some("number.format"), "{country} {kind} {value}");
    }
    assert_eq!(told("GT", "curp", "BOXW310820HNERXN09"), Some("number.kind"));
    assert_eq!(told("CA", "sin", "123456782"), Some("number.kind"));
}

proptest! {
    #[test]
    fn no_text_makes_the_rules_panic(
        country in "(MX|GT|SV|HN|NI|CR|PA|DO|CA|US|BZ)",
        kind in "(curp|cui|dui|nit|dni|cedula|dimex|a_number|passport|ssn_bz|file)",
        value in "\\PC{0,40}",
    ) {
        let _ = told(&country, &kind, &value);
    }

    #[test]
    fn exactly_one_check_completes_a_salvadoran_or_dominican_stem(dui in "[0-9]{8}", cedula in "[0-9]{10}") {
        prop_assert_eq!(completions("SV", "dui", &dui, "0123456789"), 1);
        prop_assert_eq!(completions("DO", "cedula", &cedula, "0123456789"), 1);
        let nit = format!("0614050707{}", dui.chars().take(3).collect::<String>());
        prop_assert_eq!(completions("SV", "nit", &nit, "0123456789"), 1);
    }

    #[test]
    fn exactly_one_check_completes_a_mexican_or_nicaraguan_stem(
        curp in "[A-Z]{4}(0[1-9]|[5-9][0-9])(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[HMX](CS|JC|OC|NE)[A-Z]{3}[0-9A-Z]",
        serial in "[0-9]{4}",
    ) {
        prop_assert_eq!(completions("MX", "curp", &curp, "0123456789"), 1);
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        prop_assert_eq!(completions("NI", "cedula", &format!("001120585{serial}"), letters), 1);
    }

    #[test]
    fn case_and_separators_do_not_matter(serial in "[0-9]{8}") {
        let plain = format!("{serial}0");
        let dashed = format!(" {serial}-0 ");
        prop_assert_eq!(told("SV", "dui", &plain), told("SV", "dui", &dashed));
        prop_assert_eq!(told("MX", "curp", "boxw310820hnerxn09"), None);
    }
}
