//! Who may say that a fact about a person is so, and what becomes of it when another says it.
#![allow(clippy::unwrap_used)]

use uuid::Uuid;

use super::*;

const NOW_MS: i64 = 1_500;

fn determiners() -> Determiners {
    serde_json::from_value(serde_json::json!({
        "bid_positive": {"roles": ["child_protection"], "max_hours": 2},
        "written_waiver": {"roles": ["asylum"], "max_hours": 2},
    }))
    .unwrap()
}

fn made(number: u128, fact: Flag, holds: bool) -> DeterminationRow {
    DeterminationRow {
        act: ActId(Uuid::from_u128(number)),
        subject: SubjectTag([7; 32]),
        fact,
        holds,
        role: "child_protection".parse().unwrap(),
        agency: "DIF".parse().unwrap(),
        officer: "ana".parse().unwrap(),
        person: "p-1".parse().unwrap(),
        statement: Personal::new("a.b.c".to_owned()),
        until_ms: 2_000,
        at_ms: 1_000,
        ended_ms: None,
    }
}

/// What becomes of `bid_positive` as this role states it.
fn becomes(stated: Known, sender: &str, made: &[DeterminationRow]) -> (Known, usize) {
    let mut subject = Subject::default();
    subject.flags.insert(Flag::BidPositive, stated);
    let officers = |_: &AgencyId, officer: &OfficerId, _: &Role| officer.as_str() == "ana";
    let needed = determine(&mut subject, &sender.parse().unwrap(), &determiners(), made, NOW_MS, &officers);
    (subject.flags[&Flag::BidPositive], needed.len())
}

#[test]
fn whom_the_file_does_not_name_states_nothing_that_lets_a_child_go() {
    assert_eq!(becomes(Known::Yes, "migration_enforcement", &[]), (Known::Unknown, 0));
    assert_eq!(becomes(Known::Yes, "child_protection", &[]), (Known::Yes, 0));
}

#[test]
fn a_standing_determination_supports_it_and_no_other_does() {
    let stands = made(1, Flag::BidPositive, true);
    let enforcement = |rows: &[DeterminationRow]| becomes(Known::Yes, "migration_enforcement", rows);
    assert_eq!(enforcement(std::slice::from_ref(&stands)), (Known::Yes, 1));
    for void in [
        made(1, Flag::WrittenWaiver, true),
        DeterminationRow { until_ms: NOW_MS, ..stands.clone() },
        DeterminationRow { ended_ms: Some(1_200), ..stands.clone() },
        DeterminationRow { officer: "luz".parse().unwrap(), ..stands },
    ] {
        assert_eq!(enforcement(&[void]), (Known::Unknown, 0));
    }
}

#[test]
fn a_determination_that_says_no_outweighs_every_yes_also_the_authoritys_own_system() {
    let both = [made(1, Flag::BidPositive, true), made(2, Flag::BidPositive, false)];
    assert_eq!(becomes(Known::Yes, "migration_enforcement", &both), (Known::No, 0));
    assert_eq!(becomes(Known::Yes, "child_protection", &both), (Known::No, 0));
}

#[test]
fn what_the_sender_did_not_state_is_not_made_so() {
    let stands = [made(1, Flag::BidPositive, true)];
    assert_eq!(becomes(Known::Unknown, "migration_enforcement", &stands), (Known::Unknown, 0));
    assert_eq!(becomes(Known::No, "migration_enforcement", &stands), (Known::No, 0));
}

#[test]
fn only_its_authority_states_it_about_somebody_and_for_no_longer_than_it_may_stand() {
    let says = |about: &str, reason: &str, until_s| Determines {
        about: Personal::new(about.to_owned()),
        fact: Flag::BidPositive,
        holds: true,
        until: Timestamp::from_second(until_s).unwrap(),
        reason: reason.to_owned(),
    };
    let determiners = determiners();
    let determiner = determiners.of(Flag::BidPositive);
    let field = |said: Determines, role: &str, determiner| {
        let now = Timestamp::from_second(0).unwrap();
        said.check(&[role.parse().unwrap()], determiner, now).err().and_then(|problem| problem.field)
    };
    let good = || says("EXP-1", "reviewed", 7_200);
    assert_eq!(field(good(), "child_protection", determiner), None);
    assert_eq!(field(good(), "migration_enforcement", determiner).as_deref(), Some("role"));
    assert_eq!(field(good(), "child_protection", None).as_deref(), Some("fact"));
    for (said, at) in [
        (says(" ", "reviewed", 60), "about"),
        (says("EXP-1", "her aunt asked", 60), "reason"),
        (says("EXP-1", "reviewed", 0), "until"),
        (says("EXP-1", "reviewed", 7_201), "until"),
    ] {
        assert_eq!(field(said, "child_protection", determiner).as_deref(), Some(at));
    }
}
