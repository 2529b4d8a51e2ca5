//! The alert of a drill: of the form of a real one, about nobody, and marked in every text that a person reads.

use jiff::civil::Date;
use serde_json::{Value, json};

use puente_core::ids::{AgencyId, CountryCode};

/// What stands where a name would.
const MARK: &str = "SIMULACRO / DRILL";

/// The exercise for the protection authority of a country, on a day; `agency` where it matters which.
pub fn alert(to: &CountryCode, agency: Option<&AgencyId>, today: Date) -> Value {
    let mut recipient = json!({"country": to, "role": "child_protection"});
    if let (Some(agency), Some(members)) = (agency, recipient.as_object_mut()) {
        members.insert("agency".to_owned(), json!(agency));
    }
    json!({
        "type": "child.alert",
        "recipient": recipient,
        "purpose": "child_protection",
        "legal_basis": {"type": "best_interests"},
        "subject": {
            "kind": "child", "age": 11, "nationality": to, "residence": to, "risk_countries": [],
            "protection": "none_expressed",
            "flags": {
                "unaccompanied": "yes", "screening_done": "yes", "age_disputed": "no",
                "open_family_link_in_custody": "no", "stateless_risk": "no",
            },
        },
        "sections": {
            "id.core": {
                "given_names": MARK, "first_surname": MARK, "sex": "F", "age": 11, "age_estimated": true,
                "nationalities": [to],
            },
            "protection.flag": {"specialised_reception": true, "screenings_complete": true},
            "language": {"languages": ["es"], "interpreter_needed": false},
            "loc.area": {"country": to, "area": MARK, "as_of": today},
            "needs.services": {"codes": ["food"]},
            "family.links": {"relation": "child", "child_status": "unaccompanied", "guardian_named": false},
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_exercise_names_nobody_and_says_so_wherever_a_name_or_a_place_would_stand() {
        let alert =
            alert(&"GT".parse().unwrap(), Some(&"PGN".parse().unwrap()), Date::constant(2026, 11, 24));
        for pointer in ["/id.core/given_names", "/id.core/first_surname", "/loc.area/area"] {
            assert_eq!(alert["sections"].pointer(pointer), Some(&json!(MARK)), "{pointer}");
        }
        assert_eq!(alert["recipient"]["agency"], "PGN");
    }
}
