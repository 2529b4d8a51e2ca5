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
