//! An act covers what was shown, until its end, while its officer stands.
#![allow(clippy::unwrap_used)]

use uuid::Uuid;

use super::*;

fn act(peer: Option<&str>, content: Option<Digest>) -> ActRow {
    ActRow {
        act: ActId(Uuid::from_u128(1)),
        approval: Approval::SenderChildProtection,
        message_type: "child.case.transfer".parse().unwrap(),
        case: CaseId(Uuid::from_u128(7)),
        peer: peer.map(|peer| peer.parse().unwrap()),
        role: "child_protection".parse().unwrap(),
        given: Given::Officer {
            row: ApprovalId(Uuid::from_u128(3)),
            agency: "DIF".parse().unwrap(),
            officer: "ana".parse().unwrap(),
            person: "p-1".parse().unwrap(),
            statement: "a.b.c".to_owned(),
        },
        content,
        until_ms: 2_000,
        at_ms: 1_000,
        ended_ms: None,
    }
}

fn covers(act: &ActRow, message_type: &str, case: u128, peer: &str, content: &[u8], now_ms: i64) -> bool {
    let step = Step {
        message_type: &message_type.parse().unwrap(),
        case: CaseId(Uuid::from_u128(case)),
        peer: &peer.parse().unwrap(),
        content: [Digest::of(content), Digest::of(b"anywhere")],
    };
    let found =
        approved(std::slice::from_ref(act), &step, now_ms, &|_, officer, _| officer.as_str() == "ana");
    assert_eq!(found.approvals.is_empty(), found.acts.is_empty());
    !found.acts.is_empty()
}

#[test]
fn an_act_covers_its_type_thread_recipient_and_content_and_nothing_beside_them() {
    let act = act(Some("GT"), Some(Digest::of(b"shown")));
    assert!(covers(&act, "child.case.transfer", 7, "GT", b"shown", 1_500));
    assert!(!covers(&act, "child.return.plan", 7, "GT", b"shown", 1_500));
    assert!(!covers(&act, "child.case.transfer", 8, "GT", b"shown", 1_500));
    assert!(!covers(&act, "child.case.transfer", 7, "HN", b"shown", 1_500));
    assert!(!covers(&act, "child.case.transfer", 7, "GT", b"another child", 1_500));
}

#[test]
fn an_act_for_every_recipient_still_binds_the_content() {
    let everywhere = act(None, Some(Digest::of(b"anywhere")));
    assert!(covers(&everywhere, "child.case.transfer", 7, "HN", b"x", 1_500));
    let other = act(None, Some(Digest::of(b"another")));
    assert!(!covers(&other, "child.case.transfer", 7, "HN", b"x", 1_500));
}

#[test]
fn an_act_ends_by_its_time_by_being_taken_back_and_with_its_officer() {
    let stands = act(Some("GT"), None);
    assert!(covers(&stands, "child.case.transfer", 7, "GT", b"", 1_999));
    assert!(!covers(&stands, "child.case.transfer", 7, "GT", b"", 2_000));
    let taken_back = ActRow { ended_ms: Some(1_200), ..stands.clone() };
    assert!(!covers(&taken_back, "child.case.transfer", 7, "GT", b"", 1_500));
    let mut revoked = stands;
    if let Given::Officer { officer, .. } = &mut revoked.given {
        *officer = "luz".parse().unwrap();
    }
    assert!(!covers(&revoked, "child.case.transfer", 7, "GT", b"", 1_500));
}

fn says(until_s: i64) -> Approves {
    Approves {
        approval: Approval::SenderChildProtection,
        row: ApprovalId(Uuid::from_u128(3)),
        preview: Digest::of(b"preview"),
        verdict: Verdict::Grant,
        until: Timestamp::from_second(until_s).unwrap(),
        reason: "reviewed".to_owned(),
    }
}

#[test]
fn only_the_authoritys_role_gives_it_and_for_no_longer_than_one_act_may_stand() {
    let roles = |role: &str| vec![role.parse::<Role>().unwrap()];
    let approver: Approver = serde_json::from_value(serde_json::json!({
        "roles": ["child_protection"], "rules": ["R-BID-02"], "max_hours": 2
    }))
    .unwrap();
    let now = Timestamp::from_second(0).unwrap();
    let code = |said: Result<Role, Problem>| said.err().map(|problem| problem.kind.code);
    assert_eq!(code(says(7_200).check(&roles("child_protection"), Some(&approver), now)), None);
    let other = says(7_200).check(&roles("consular"), Some(&approver), now);
    assert_eq!(code(other), Some("officer.not_entitled"));
    assert_eq!(code(says(7_200).check(&roles("child_protection"), None, now)), Some("officer.not_entitled"));
    for until in [0, 7_201] {
        let said = says(until).check(&roles("child_protection"), Some(&approver), now);
        assert_eq!(code(said), Some("field.invalid"), "{until}");
    }
}

#[test]
fn a_reason_is_a_code_and_no_text_about_a_person() {
    let approver: Approver = serde_json::from_value(serde_json::json!({
        "roles": ["child_protection"], "rules": ["R-BID-02"], "max_hours": 2
    }))
    .unwrap();
    let roles = vec!["child_protection".parse().unwrap()];
    for reason in ["", "her aunt asked", &"a".repeat(65)] {
        let said = Approves { reason: reason.to_owned(), ..says(60) };
        let refused = said.check(&roles, Some(&approver), Timestamp::from_second(0).unwrap()).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("reason"));
    }
}

#[test]
fn an_approval_that_comes_by_message_is_given_by_no_officer_of_this_country() {
    let approver: Approver = serde_json::from_value(serde_json::json!({
        "roles": ["child_protection"], "rules": ["R-BID-02"], "max_hours": 2,
        "by_message": {"given": "child.case.transfer.accept", "ended": [], "approves": "child.case.transfer"}
    }))
    .unwrap();
    let roles = vec!["child_protection".parse().unwrap()];
    let said = says(60).check(&roles, Some(&approver), Timestamp::from_second(0).unwrap());
    assert_eq!(said.unwrap_err().kind.code, "officer.not_entitled");
}

#[test]
fn who_brought_the_row_or_has_spoken_on_it_gives_no_approval() {
    let (ana, luz): (PersonId, PersonId) = ("p-1".parse().unwrap(), "p-2".parse().unwrap());
    assert!(distinct(&ana, Some(&luz), []).is_ok());
    assert_eq!(distinct(&ana, Some(&ana), []).unwrap_err().kind.code, "officer.not_distinct");
    assert_eq!(distinct(&ana, None, [&luz, &ana]).unwrap_err().kind.code, "officer.not_distinct");
}
