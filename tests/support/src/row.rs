//! Bodies that tests submit: ordinary ones, which a test then spoils in one place.

use serde_json::{Value, json};

/// An ordinary adult on a list from Mexico to Guatemala; every person differs by number.
#[must_use]
pub fn adult_row(number: u32) -> Value {
    json!({
        "row": number,
        "type": "return.manifest",
        "recipient": {"country": "GT", "role": "returns_reception"},
        "purpose": "return_reception",
        "operation": "01940000-0000-7000-8000-000000000001",
        "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"},
        "subject": {
            "kind": "adult", "age": 32, "nationality": "GT", "residence": "GT", "risk_countries": [], "protection": "none_expressed",
            "flags": {"unaccompanied": "no", "screening_done": "yes", "age_disputed": "no",
                      "open_family_link_in_custody": "no", "stateless_risk": "no"}
        },
        "sections": {
            "id.core": {"given_names": format!("Ixchel {number}"), "first_surname": "Tzoc", "second_surname": "Güinac",
                        "sex": "F", "birth_date": "1994-03-02", "nationalities": ["GT"]},
            "return.logistics": {"operation": "01940000-0000-7000-8000-000000000001", "mode": "land",
                                 "origin": "Tapachula", "port_of_entry": "Tecún Umán",
                                 "eta": "2026-11-25T10:00:00-06:00", "zone": "America/Guatemala"},
            "language": {"languages": ["quc", "es"], "interpreter_needed": true}
        }
    })
}

/// A head-count to Guatemala.
#[must_use]
pub fn notice() -> Value {
    json!({
        "type": "return.notice",
        "recipient": {"country": "GT", "role": "returns_reception"},
        "purpose": "return_reception",
        "operation": "01940000-0000-7000-8000-000000000001",
        "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"},
        "subject": {"kind": "none"},
        "sections": {
            "stats.aggregate": {"total": 2, "cells": [{"adult_or_child": "adult", "sex": "F", "count": 2}]},
            "return.logistics": {"operation": "01940000-0000-7000-8000-000000000001", "mode": "land",
                                 "origin": "Tapachula", "port_of_entry": "Tecún Umán",
                                 "eta": "2026-11-25T10:00:00-06:00", "zone": "America/Guatemala"}
        }
    })
}

/// An ordinary adult who is like no other of them: each number has names and a birth of its own, all of one length.
#[must_use]
pub fn person(number: u32) -> Value {
    const SYLLABLES: [&str; 10] = ["Ba", "de", "fi", "go", "ju", "ka", "le", "mi", "no", "pu"];
    let name = |mut seed: u32| {
        let mut text = String::new();
        for _ in 0..4 {
            text.push_str(SYLLABLES.get((seed % 10) as usize).copied().unwrap_or_default());
            seed /= 10;
        }
        text
    };
    let mut row = adult_row(number);
    if let Some(core) = row.pointer_mut("/sections/id.core") {
        core["given_names"] = json!(name(number * 7 + 1000));
        core["first_surname"] = json!(name(number * 31 + 2000));
        core["second_surname"] = json!(name(number * 53 + 3000));
        core["birth_date"] =
            json!(format!("{}-{:02}-{:02}", 1960 + number % 40, 1 + number % 12, 1 + number % 28));
    }
    row
}
