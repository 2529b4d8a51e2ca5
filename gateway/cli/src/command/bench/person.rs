//! One drawn person: what the sections say and what policy is told, in proportions seen on real lists.
//!
//! INVARIANT: sections and facts agree on age and kind, and no fact keeps the row from leaving.

use serde_json::{Map, Value, json};

use super::draw::Draw;

const GIVEN: &[&str] = &[
    "María Candelaria",
    "Juan Carlos",
    "Ana Lucía",
    "José Ángel",
    "Micaela",
    "Pedro Pablo",
    "Rosa Elvira",
    "Diego Armando",
    "Juana Francisca",
    "Óscar René",
    "Catarina",
    "Tomás",
    "Dulce María",
    "Ixchel Abigail",
];
const SURNAMES: &[&str] = &[
    "Tzoc",
    "Ixcoy",
    "de León",
    "Pérez",
    "Güitz",
    "Ajú",
    "Xiloj",
    "Muñoz",
    "Chávez",
    "Cux",
    "Ramírez",
    "Velásquez",
    "Caal",
    "Choc",
    "Méndez",
    "Ordóñez",
    "Batz",
    "Hernández",
    "Sic",
    "López",
];
const PLACES: &[&str] = &[
    "Nebaj, Quiché",
    "Todos Santos Cuchumatán, Huehuetenango",
    "Cobán, Alta Verapaz",
    "Malacatán, San Marcos",
];

/// A person as the sections and the policy facts need them.
pub struct Person {
    /// Section `id.core`.
    pub core: Value,
    /// Facts for policy; they do not leave the node.
    pub subject: Value,
    /// Facts of the step.
    pub step: Value,
    /// Codes of needs.
    pub needs: Vec<&'static str>,
    /// Languages, best first.
    pub languages: Vec<&'static str>,
    /// Whether specialised reception is asked for.
    pub specialised: bool,
    /// Relation to the family's head.
    pub relation: &'static str,
    /// The child's status, or that of an adult with children.
    pub child_status: &'static str,
}

/// Draws a person: one in seven is an accompanied child, one in fourteen is over 60.
pub fn drawn(draw: &mut Draw) -> Person {
    let child = draw.permille(140);
    let age = if child {
        draw.below(18)
    } else if draw.permille(70) {
        60 + draw.below(25)
    } else {
        18 + draw.below(42)
    };
    let mayan = draw.permille(380);
    let languages =
        if mayan { vec![draw.word(&["mam", "ixl", "kek", "kjb", "jac"]), "es"] } else { vec!["es"] };
    let mut needs = Vec::new();
    for (code, permille) in [
        ("interpreter", if mayan { 800 } else { 0 }),
        ("medication", 90),
        ("medical_check", 60),
        ("insulin", 15),
    ] {
        if draw.permille(permille) {
            needs.push(code);
        }
    }
    Person {
        core: core(draw, age),
        subject: subject(draw, child, age),
        step: step(draw),
        specialised: needs.len() > 1,
        needs,
        languages,
        relation: if child { "child" } else { "head" },
        child_status: "accompanied",
    }
}

fn core(draw: &mut Draw, age: u64) -> Value {
    json!({
        "given_names": draw.word(GIVEN),
        "first_surname": draw.word(SURNAMES),
        "second_surname": draw.word(SURNAMES),
        "sex": if draw.permille(6) { "X" } else { draw.word(&["F", "M", "M"]) },
        "birth_date": format!("{}-{:02}-{:02}", 2026 - age, draw.below(12) + 1, draw.below(28) + 1),
        "nationalities": ["GT"],
        "birth_place": {"country": "GT", "area": draw.word(PLACES)},
    })
}

/// What the screening form of the office asks; an office that does not ask leaves it unstated for everybody.
const FORMS: &[&[&str]] = &[
    &["screening_done", "fear_expressed", "asylum_pending", "trafficking_victim", "declined_consular"],
    &["screening_done", "fear_expressed", "asylum_pending", "asylum_refused_final", "trafficking_victim"],
    &["screening_done", "fear_expressed", "trafficking_victim", "declined_consular", "agreed_hours"],
];

/// What the form yields: the same of most people, and of some something else.
fn subject(draw: &mut Draw, child: bool, age: u64) -> Value {
    let mut flags = Map::new();
    let mut state = |code: &str, value: &str| flags.insert(code.to_owned(), value.into());
    for asked_of_all in ["age_disputed", "unaccompanied", "stateless_risk", "open_family_link_in_custody"] {
        state(asked_of_all, "no");
    }
    for code in draw.one(FORMS).into_iter().flatten() {
        let (unstated, yes) = match *code {
            "screening_done" => (5, 990),
            "agreed_hours" => (20, 950),
            "declined_consular" => (10, 30),
            "asylum_refused_final" => (10, 40),
            _ => (10, 0),
        };
        if !draw.permille(unstated) {
            state(code, if draw.permille(yes) { "yes" } else { "no" });
        }
    }
    let second: &[&str] = if draw.permille(35) { &["MX", "HN", "SV"] } else { &[] };
    let residence = if draw.permille(200) { draw.one(&["MX", "MX", "US"]) } else { None };
    json!({
        "kind": if child { "child" } else { "adult" },
        "age": age,
        "nationality": "GT",
        "other_nationalities": draw.one(second).into_iter().collect::<Vec<_>>(),
        "residence": residence,
        "protection": if draw.permille(30) { "ended" } else { "none_expressed" },
        "risk_countries": [],
        "flags": flags,
    })
}

fn step(draw: &mut Draw) -> Value {
    let notice = if draw.permille(150) { 4 } else { 12 };
    json!({"notice_hours": notice, "sla_hours": 8, "planned_local_hour": 7 + draw.below(11)})
}

/// A Guatemalan CUI whose check digit is right (DOMAIN.md 2.7).
pub fn cui(draw: &mut Draw) -> String {
    loop {
        let serial = draw.below(100_000_000);
        let digits = (0..8_u32).map(|place| serial / 10_u64.pow(7 - place) % 10);
        let check = digits.zip(2..).map(|(digit, weight)| digit * weight).sum::<u64>() % 11;
        // A remainder of 10 is read in two ways; real registries avoid it.
        if check < 10 {
            return format!("{serial:08}{check}{:02}01", draw.below(22) + 1);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn drawn_numbers_have_the_check_digit_of_their_rule() {
        let (mut draw, country) = (Draw::seeded(3), "GT".parse().unwrap());
        for _ in 0..200 {
            let number = cui(&mut draw);
            assert_eq!(puente_core::catalogue::identity::check(&country, "cui", &number), None, "{number}");
        }
    }
}
