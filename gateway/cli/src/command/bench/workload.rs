//! What is submitted, from a seed: rows of lists, 2 KiB in 8 categories, all distinct; or alerts.
//!
//! Not here: sending them. INVARIANT: every row is of its schema and, under the policies as published, leaves:
//! a row that is held or refused has no end-to-end time.

use clap::ValueEnum;
use serde_json::{Value, json};
use uuid::Uuid;

use super::draw::Draw;
use super::person;

/// Bytes of content that a row is filled up to.
const CONTENT_BYTES: usize = 2048;
/// People on one flight or bus caravan (issue 2's demonstration has as many).
const PEOPLE_PER_OPERATION: u64 = 135;
/// Relatives that a row may name (`family.links` takes 20).
const MOST_RELATIVES: u64 = 20;

/// What is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Rows of lists of returned people.
    Rows,
    /// Alerts about children, between protection authorities.
    Alerts,
}

/// Rows in order.
pub struct Workload {
    draw: Draw,
    kind: Kind,
    operation: Uuid,
    made: u64,
}

impl Workload {
    /// The rows of this seed.
    pub fn seeded(seed: u64, kind: Kind) -> Self {
        Self { draw: Draw::seeded(seed), kind, operation: Uuid::nil(), made: 0 }
    }

    /// The next rows as the body of `POST /v1/messages/batch`.
    pub fn batch(&mut self, rows: usize) -> Vec<u8> {
        let rows: Vec<Value> = (0..rows)
            .map(|_| match self.kind {
                Kind::Rows => self.row(),
                Kind::Alerts => self.alert(),
            })
            .collect();
        Value::Array(rows).to_string().into_bytes()
    }

    fn row(&mut self) -> Value {
        if self.made.is_multiple_of(PEOPLE_PER_OPERATION) {
            let random = (u128::from(self.draw.bits()) << 64) | u128::from(self.draw.bits());
            self.operation = uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid();
        }
        self.made += 1;
        let serial = self.draw.bits() % 1_000_000_000;
        let person = person::drawn(&mut self.draw);
        json!({
            "row": self.made % PEOPLE_PER_OPERATION + 1,
            "type": "return.manifest",
            "recipient": {"country": "GT", "role": "returns_reception"},
            "operation": self.operation,
            "purpose": "return_reception",
            "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"},
            "subject_id": format!("S-{serial:09}-{}", self.made),
            "subject": person.subject,
            "facts": person.step,
            "sections": self.sections(serial, &person),
        })
    }

    fn alert(&mut self) -> Value {
        self.made += 1;
        let serial = self.draw.bits() % 1_000_000_000;
        let age = 6 + self.draw.below(11);
        json!({
            "type": "child.alert",
            "recipient": {"country": "GT", "role": "child_protection", "agency": "pgn"},
            "purpose": "child_protection",
            "legal_basis": {"type": "best_interests"},
            "subject_id": format!("N-{serial:09}-{}", self.made),
            "subject": {
                "kind": "child", "age": age, "nationality": "GT", "residence": "GT", "risk_countries": [],
                "protection": "none_expressed",
                "flags": {"unaccompanied": "yes", "screening_done": "yes", "age_disputed": "no",
                          "open_family_link_in_custody": "no", "stateless_risk": "no"},
            },
            "sections": {
                "id.core": {
                    "given_names": format!("Yeimi {serial}"), "first_surname": "Chub", "second_surname": "Caal",
                    "sex": "F", "age": age, "age_estimated": true, "nationalities": ["GT"],
                },
                "protection.flag": {"specialised_reception": true, "screenings_complete": true},
                "language": {"languages": ["kek", "es"], "interpreter_needed": true},
                "loc.area": {"country": "GT", "area": "Tecún Umán, San Marcos", "as_of": "2026-03-04"},
                "needs.services": {"codes": ["interpreter", "food"]},
                "family.links": {"relation": "child", "child_status": "unaccompanied", "guardian_named": false},
            },
        })
    }

    fn sections(&mut self, serial: u64, person: &person::Person) -> Value {
        let group = format!("F-{:06}", serial % 1_000_000);
        let mut sections = json!({
            "id.core": person.core,
            "id.numbers": {"numbers": [
                {"country": "GT", "kind": "cui", "value": person::cui(&mut self.draw)},
                {"country": "MX", "kind": "file", "value": format!("INM/CHIS/{serial:09}/{}", self.made)},
                {"country": "GT", "kind": "passport", "value": format!("{:09}", self.draw.below(1_000_000_000))},
            ]},
            "doc.travel": {
                "kind": "travel_document",
                "country": "GT",
                "number": format!("TD-{serial:09}"),
                "issued": "2026-02-11",
                "expires": "2026-08-11",
            },
            "return.logistics": {
                "operation": self.operation,
                "mode": "land",
                "charter": false,
                "origin": self.draw.word(&["Tapachula, Chiapas", "Ciudad Hidalgo, Chiapas", "Comitán, Chiapas"]),
                "port_of_entry": "Tecún Umán, San Marcos",
                "eta": "2026-03-05T10:30:00-06:00",
                "zone": "America/Guatemala",
                "vehicle": format!("Bus {}", self.draw.below(40)),
                "escort": "enforcement",
                "row": format!("R-{:03}", self.made % PEOPLE_PER_OPERATION + 1),
                "seat": format!("{}A", self.draw.below(40) + 1),
                "stops": [
                    {"place": "Estación Migratoria Siglo XXI, Tapachula", "enter_at": "2026-03-05T07:00:00-06:00",
                     "leave_at": "2026-03-05T09:10:00-06:00", "zone": "America/Mexico_City"},
                    {"place": "Puente Rodolfo Robles, Suchiate", "enter_at": "2026-03-05T10:05:00-06:00",
                     "zone": "America/Mexico_City"},
                ],
            },
            "needs.services": {"codes": person.needs},
            "protection.flag": {"specialised_reception": person.specialised},
            "language": {
                "languages": person.languages,
                "interpreter_needed": person.languages.len() > 1,
                "understands_written": self.draw.permille(820),
            },
            "family.links": {
                "group": group,
                "relation": person.relation,
                "members": [],
                "child_status": person.child_status,
            },
        });
        let missing = CONTENT_BYTES.saturating_sub(sections.to_string().len());
        if let Some(members) = sections.pointer_mut("/family.links/members") {
            *members = self.relatives(&group, missing);
        }
        sections
    }

    /// Relatives until about as many bytes are filled.
    fn relatives(&mut self, group: &str, bytes: usize) -> Value {
        let (mut members, mut filled) = (Vec::new(), 0);
        for number in 0..MOST_RELATIVES {
            let member = json!({
                "ref": format!("{group}-S{:08}-{number:02}", self.draw.below(100_000_000)),
                "relation": self.draw.word(&["child", "sibling", "spouse", "cousin"]),
            });
            filled += member.to_string().len() + 1;
            if filled > bytes {
                break;
            }
            members.push(member);
        }
        Value::Array(members)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn rows(seed: u64, count: usize) -> Vec<Value> {
        serde_json::from_slice(&Workload::seeded(seed, Kind::Rows).batch(count)).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_rows_and_another_gives_others() {
        assert_eq!(rows(7, 50), rows(7, 50));
        assert_ne!(rows(7, 50), rows(8, 50));
    }

    #[test]
    fn rows_are_distinct_and_carry_two_kib_in_eight_categories() {
        let rows = rows(1, 500);
        let sections: BTreeSet<String> = rows.iter().map(|row| row["sections"].to_string()).collect();
        assert_eq!(sections.len(), 500);
        for row in &rows {
            assert_eq!(row["sections"].as_object().unwrap().len(), 8);
            let bytes = row["sections"].to_string().len();
            assert!((1900..=2048).contains(&bytes), "{bytes}");
        }
    }
}
