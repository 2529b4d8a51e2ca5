//! What a met hold makes of the decision, over the shipped policies.

use super::*;
use crate::ids::CountryCode;
use crate::policy::tests::{MATRIX, engine};
use crate::policy::{Flag, Known, Outcome, PolicyEngine, Protection, SendFacts, cases};

fn found(likeness: Likeness, states: Hold) -> Found {
    Found { hold: id(1), likeness, authority: authority(), states: std::sync::Arc::new(states) }
}

/// A hold against everybody.
fn against_all() -> Hold {
    Hold { against: Against::All, ..hold() }
}

#[test]
fn with_a_hold_nothing_leaves_that_would_not_have_left_without_and_toward_the_feared_nothing_at_all() {
    let engine = engine();
    let mut refused = 0;
    for (case, facts) in cases::facts(MATRIX).unwrap() {
        let plain = engine.send(&facts);
        for likeness in [Likeness::Exact, Likeness::Near] {
            for states in [hold(), against_all()] {
                let feared = states.is_feared(&facts.recipient.country, &Belonging::from(&facts.subject));
                match judge(&engine, &facts, vec![found(likeness, states)]) {
                    Ruling::Decided(judged) => {
                        let decision = &judged.decision;
                        assert!(decision.deliver.is_subset(&plain.deliver), "{case}");
                        assert!(
                            !(feared && decision.outcome.is_permitted()),
                            "{case} leaves toward the feared set"
                        );
                    }
                    Ruling::Refused(_) => refused += 1,
                    Ruling::Held(_) => assert_eq!(likeness, Likeness::Near, "{case}"),
                }
            }
        }
    }
    assert!(refused > 78, "every exact match against all is refused: {refused}");
}

/// A row that policy lets go.
fn permitted(engine: &PolicyEngine) -> SendFacts {
    let all = cases::facts(MATRIX).unwrap();
    let goes = |facts: &&SendFacts| {
        engine.send(facts).outcome == Outcome::Permit
            && facts.subject.nationality.as_ref() == Some(&facts.recipient.country)
            && facts.message.as_str() == "return.manifest"
    };
    all.values().find(goes).unwrap().clone()
}

#[test]
fn a_submitters_own_no_and_a_waiver_change_nothing() {
    let engine = engine();
    let mut facts = permitted(&engine);
    facts.subject.protection = Protection::NoneExpressed;
    facts.subject.flags.insert(Flag::WrittenWaiver, Known::Yes);
    facts.subject.flags.insert(Flag::AsylumRefusedFinal, Known::Yes);
    assert!(matches!(judge(&engine, &facts, vec![found(Likeness::Exact, hold())]), Ruling::Refused(_)));
    hold().apply(&mut facts.subject);
    assert_eq!(facts.subject.protection, Protection::Sought);
    assert!(!facts.subject.flags.contains_key(&Flag::WrittenWaiver));
}

#[test]
fn a_near_match_that_changes_nothing_holds_nobody() {
    let engine = engine();
    let facts = permitted(&engine);
    let mut elsewhere = hold();
    elsewhere.person.nationalities = BTreeSet::from(["NI".parse().unwrap()]);
    let near_here = judge(&engine, &facts, vec![found(Likeness::Near, hold())]);
    assert!(matches!(near_here, Ruling::Held(_)));
    let mut refused = facts;
    refused.basis.agreement = None;
    assert_eq!(engine.send(&refused).outcome, Outcome::Deny);
    let nothing_leaves = judge(&engine, &refused, vec![found(Likeness::Near, elsewhere)]);
    assert!(matches!(nothing_leaves, Ruling::Decided(..)));
}

#[test]
fn the_feared_set_is_what_either_side_states_and_everybody_when_nobody_does() {
    let country = |code: &str| code.parse::<CountryCode>().unwrap();
    let stated = |codes: &[&str]| Belonging {
        nationality_stated: !codes.is_empty(),
        countries: codes.iter().map(|code| country(code)).collect(),
    };
    assert!(hold().is_feared(&country("GT"), &stated(&["HN"])));
    assert!(hold().is_feared(&country("HN"), &stated(&["HN"])));
    assert!(!hold().is_feared(&country("CA"), &stated(&["HN"])));
    let mut unknown = hold();
    unknown.person.nationalities.clear();
    assert!(unknown.is_feared(&country("CA"), &stated(&[])));
    assert!(!unknown.is_feared(&country("CA"), &stated(&["HN"])));
    assert!(against_all().is_feared(&country("CA"), &stated(&["HN"])));
}

#[test]
fn the_neutral_text_is_the_same_for_every_reason() {
    let (es, en) = neutral(&authority().agency);
    for word in ["asilo", "asylum", "víctima", "victim", "niñ", "child", "protec"] {
        assert!(!es.to_lowercase().contains(word) && !en.to_lowercase().contains(word), "{word}");
    }
}
