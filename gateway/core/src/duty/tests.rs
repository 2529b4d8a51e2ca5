//! Failure stories of the duty: silence, a night without anybody, a clock change, a node that was down.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::delivery::{ApprovalState, Side};
use crate::ids::{CaseId, MessageId};

const MINUTE: i64 = 60_000;
const OPENED: i64 = 1_772_700_000_000;

fn ladders() -> Ladders {
    Ladders::load(include_bytes!("../../../../policies/deadlines.json")).unwrap()
}

fn watch(side: Side) -> Watch {
    let message_type = "child.alert".parse().unwrap();
    Watch {
        message: MessageId(uuid::Uuid::from_u128(7)),
        awaits: Awaits::Answer,
        side,
        peer: "MX".parse().unwrap(),
        term: ladders().of(&message_type).unwrap().clone(),
        message_type,
        case: CaseId(uuid::Uuid::from_u128(8)),
        agency: None,
        role: "child_protection".parse().unwrap(),
        answering: "child_protection".parse().unwrap(),
        releasing: BTreeSet::new(),
        asking: None,
        ended_ms: None,
        opened_ms: OPENED,
        climbed_minutes: None,
        answered: None,
        acted_ms: None,
        told: BTreeSet::new(),
    }
}

fn at(watch: &mut Watch, minutes: i64) -> Vec<Due> {
    watch.handle_time(OPENED + minutes * MINUTE)
}

#[test]
fn silence_wakes_officer_deputy_and_operator_and_is_told_at_the_hour() {
    let mut here = watch(Side::Receiver);
    assert_eq!(at(&mut here, 0), [Due::Wake(Wake::Officer)]);
    assert_eq!(at(&mut here, 19), []);
    assert_eq!(at(&mut here, 20), [Due::Wake(Wake::Deputy)]);
    assert_eq!(at(&mut here, 59), [Due::Wake(Wake::Operator)]);
    assert_eq!(at(&mut here, 60), [Due::Tell(Silence::NoAnswer)]);
    assert_eq!((here.state(), at(&mut here, 61)), ("no_answer", vec![]));
}

#[test]
fn the_sender_hears_of_the_silence_though_the_other_side_says_nothing() {
    let mut there = watch(Side::Sender);
    assert_eq!(at(&mut there, 45), [Due::Wake(Wake::Supervisor)]);
    assert_eq!(at(&mut there, 60), [Due::Wake(Wake::Operator), Due::Tell(Silence::NoAnswer)]);
}

#[test]
fn a_node_that_was_down_makes_up_for_every_rung_once() {
    let mut here = watch(Side::Receiver);
    let due = at(&mut here, 500);
    assert_eq!(due.len(), 5, "{due:?}");
    assert_eq!(here.next_ms(), None);
    assert_eq!(at(&mut here, 600), []);
}

#[test]
fn an_officers_answer_stops_the_ladder_and_leaves_the_clock_of_the_first_action() {
    let mut here = watch(Side::Receiver);
    here.handle_answer(OPENED + 5 * MINUTE, Answered::Signed).unwrap();
    assert_eq!(here.next_ms(), here.act_by_ms());
    assert_eq!(at(&mut here, 100), []);
    assert_eq!(at(&mut here, 180), [Due::Tell(Silence::NoAction)]);
    here.handle_action(OPENED + 190 * MINUTE).unwrap();
    assert!(here.is_settled());
    assert_eq!(here.handle_answer(0, Answered::Signed).unwrap_err().kind.code, "alert.closed");
}

#[test]
fn nobody_acts_on_an_alert_that_nobody_took() {
    let mut here = watch(Side::Receiver);
    assert_eq!(here.handle_action(OPENED).unwrap_err().kind.code, "alert.unanswered");
}

#[test]
fn an_answer_by_telephone_stops_the_ladder_and_waits_for_its_signature() {
    let mut there = watch(Side::Sender);
    there.handle_answer(OPENED + MINUTE, Answered::Telephone).unwrap();
    assert_eq!(at(&mut there, 60), []);
    assert!(there.handle_answer(0, Answered::Telephone).is_err());
    let mut unsigned = there.clone();
    assert!(at(&mut unsigned, 1_441).contains(&Due::Tell(Silence::NoSignature)));
    there.handle_answer(OPENED + 90 * MINUTE, Answered::Signed).unwrap();
    assert_eq!(there.answered, Some((OPENED + MINUTE, Answered::Signed)), "answered at the hour of the call");
    assert!(!at(&mut there, 1_441).contains(&Due::Tell(Silence::NoSignature)));
}

#[test]
fn an_alert_that_is_not_taken_is_told_at_once_and_asks_nothing_more() {
    let mut there = watch(Side::Sender);
    assert_eq!(there.handle_not_taken(), Some(Due::Tell(Silence::NotTaken)));
    assert_eq!((there.handle_not_taken(), there.next_ms(), there.state()), (None, None, "not_taken"));
}

fn held() -> Watch {
    let answered = watch(Side::Sender);
    let term = ladders().held(&answered.message_type).unwrap().clone();
    Watch { awaits: Awaits::Release, term, ..answered }
}

#[test]
fn an_alert_that_policy_holds_wakes_its_officers_at_once_and_the_operators_before_its_term() {
    let mut held = held();
    assert_eq!((held.state(), at(&mut held, 0)), ("held", vec![Due::Wake(Wake::Officer)]));
    let woken: Vec<Due> = (1..30).flat_map(|minute| at(&mut held, minute)).collect();
    assert_eq!(woken, [Wake::Deputy, Wake::Supervisor, Wake::Operator].map(Due::Wake));
    assert_eq!(at(&mut held, 30), [Due::Tell(Silence::Undecided)]);
    assert_eq!((held.state(), held.is_settled(), at(&mut held, 500)), ("undecided", false, vec![]));
}

#[test]
fn a_release_stops_the_clock_of_a_held_alert_and_asks_nothing_more() {
    let mut held = held();
    assert_eq!(held.handle_decision(OPENED, ApprovalState::Open), None);
    assert_eq!(held.handle_decision(OPENED + MINUTE, ApprovalState::Granted), None);
    assert_eq!((held.state(), held.next_ms(), at(&mut held, 500)), ("released", None, vec![]));
}

#[test]
fn a_held_alert_that_lapses_or_is_refused_is_told_once_whatever_was_told_before() {
    for (state, silence) in
        [(ApprovalState::Lapsed, Silence::Lapsed), (ApprovalState::Refused, Silence::NotReleased)]
    {
        let mut held = held();
        at(&mut held, 240);
        assert_eq!(held.handle_decision(OPENED, state), Some(Due::Tell(silence)));
        assert_eq!(held.handle_decision(OPENED, state), None);
        assert_eq!((held.state(), held.next_ms()), (silence.as_str(), None));
    }
}

#[test]
fn nobody_answers_an_alert_that_has_not_left() {
    let answered = held().handle_answer(OPENED, Answered::Telephone);
    assert_eq!(answered.unwrap_err().kind.code, "alert.held");
}

#[test]
fn a_ladder_of_held_alerts_that_leaves_somebody_asleep_is_not_taken() {
    let load = |change: &dyn Fn(&mut Value)| {
        let mut group = json!({"types": ["child.alert"], "decide_minutes": 30, "ladder": [
            {"after_minutes": 0, "wake": "officer"}, {"after_minutes": 25, "wake": "operator"},
        ]});
        change(&mut group);
        Ladders::load(&serde_json::to_vec(&json!({"held": [group]})).unwrap())
    };
    assert!(load(&|_| {}).is_ok());
    type Change = fn(&mut Value);
    let changes: [Change; 5] = [
        |group| group["ladder"][0]["after_minutes"] = json!(1),
        |group| group["ladder"][1]["wake"] = json!("supervisor"),
        |group| group["ladder"][1]["after_minutes"] = json!(30),
        |group| group["decide_minutes"] = json!(0),
        |group| group["ladder"][0]["side"] = json!("receiver"),
    ];
    for (number, change) in changes.iter().enumerate() {
        assert!(load(change).is_err(), "change {number}");
    }
}

fn broadcast(side: Side) -> Watch {
    let message_type = BROADCAST.parse().unwrap();
    let term = ladders().of(&message_type).unwrap().clone();
    Watch { message_type, term, ..watch(side) }
}

const END: i64 = 72 * 60;

#[test]
fn a_broadcast_that_was_answered_is_still_shown_and_ends_by_itself_where_it_came_in() {
    let mut here = broadcast(Side::Receiver);
    here.handle_answer(OPENED, Answered::Signed).unwrap();
    assert_eq!((here.is_settled(), here.next_ms()), (false, here.end_by_ms()));
    assert_eq!(at(&mut here, END - 1), []);
    assert_eq!((at(&mut here, END + 500), here.state(), here.next_ms()), (vec![Due::End], "ended", None));
    assert_eq!(here.ended_ms, here.end_by_ms(), "it ended at its hour, whenever that was looked at");
}

#[test]
fn a_broadcast_that_nobody_could_end_is_told_at_its_sender() {
    let mut there = broadcast(Side::Sender);
    there.handle_answer(OPENED, Answered::Signed).unwrap();
    assert_eq!(at(&mut there, END + 4), [], "the node still tries");
    assert_eq!(there.next_ms(), there.end_by_ms());
    assert_eq!(at(&mut there, END + 5), [Due::Tell(Silence::NotEnded)]);
    assert_eq!((there.next_ms(), there.is_shown()), (None, true));
    assert!(there.handle_ended(OPENED + END * MINUTE));
    assert!(!there.handle_ended(OPENED + END * MINUTE), "once");
    assert_eq!((there.state(), there.is_settled()), ("ended", true));
}

#[test]
fn a_cancelled_broadcast_asks_nobody_for_an_answer_any_more() {
    let mut here = broadcast(Side::Receiver);
    here.handle_ended(OPENED + MINUTE);
    assert_eq!((here.next_ms(), at(&mut here, 500)), (None, vec![]));
}

#[test]
fn an_end_that_no_receipt_proves_is_told_and_a_late_receipt_still_proves_it() {
    let message_type = CANCEL.parse().unwrap();
    let term = ladders().proven(&message_type).unwrap().clone();
    let mut end = Watch { awaits: Awaits::Receipt, message_type, term, ..watch(Side::Sender) };
    assert_eq!(at(&mut end, 14), []);
    assert_eq!(at(&mut end, 15), [Due::Tell(Silence::Unproven)]);
    assert_eq!(end.handle_answer(OPENED, Answered::Signed).unwrap_err().kind.code, "alert.closed");
    assert!(end.handle_receipt(OPENED + 90 * MINUTE) && !end.handle_receipt(OPENED + 91 * MINUTE));
    assert_eq!((end.state(), end.is_settled()), ("proven", true));
}

#[test]
fn a_clock_that_was_stored_before_held_alerts_had_one_still_reads() {
    let mut stored = serde_json::to_value(watch(Side::Receiver)).unwrap();
    stored.as_object_mut().unwrap().remove("awaits");
    assert_eq!(serde_json::from_value::<Watch>(stored).unwrap(), watch(Side::Receiver));
}

proptest! {
    /// However often and unevenly the clock is looked at, each rung and silence comes exactly once and never early.
    #[test]
    fn every_rung_comes_once(mut looks in prop::collection::vec(0_i64..300, 0..40), receiver: bool) {
        let side = if receiver { Side::Receiver } else { Side::Sender };
        let mut whole = watch(side);
        let expected = at(&mut whole, 300);
        looks.push(300);
        looks.sort_unstable();
        let mut stepped = watch(side);
        let mut seen = Vec::new();
        for look in looks {
            let next = stepped.next_ms();
            let due = at(&mut stepped, look);
            prop_assert_eq!(!due.is_empty(), next.is_some_and(|next| next <= OPENED + look * MINUTE));
            seen.extend(due);
        }
        prop_assert_eq!(seen.len(), expected.len());
        prop_assert!(expected.iter().all(|due| seen.contains(due)));
    }
}

fn ladder_with(change: impl Fn(&mut Value)) -> Result<Ladders, LadderError> {
    let mut terms = json!({"child.alert": {"reply_minutes": 60, "ladder": [
        {"after_minutes": 0, "side": "receiver", "wake": "officer"},
        {"after_minutes": 40, "side": "sender", "wake": "supervisor"},
    ]}});
    change(&mut terms["child.alert"]);
    Ladders::load(&serde_json::to_vec(&terms).unwrap())
}

#[test]
fn a_ladder_that_leaves_somebody_asleep_is_not_taken() {
    assert!(ladder_with(|_| {}).is_ok());
    type Change = fn(&mut Value);
    let changes: [Change; 6] = [
        |terms| terms["ladder"][0]["after_minutes"] = json!(1),
        |terms| terms["ladder"][0]["wake"] = json!("deputy"),
        |terms| terms["ladder"][1]["side"] = json!("receiver"),
        |terms| terms["ladder"][1]["after_minutes"] = json!(60),
        |terms| terms["reply_minutes"] = json!(0),
        |terms| terms["ladder"][1]["wake"] = json!("nobody"),
    ];
    for (number, change) in changes.iter().enumerate() {
        assert!(ladder_with(change).is_err(), "change {number}");
    }
}

fn form() -> Value {
    json!({
        "agency": "GT-PGN", "zone": "America/Guatemala",
        "contacts": {
            "dia": {"mail": "dia@pgn.example"}, "noche": {"hook": "+50255550101"},
            "jefa": {"mail": "jefa@pgn.example", "hook": "+50255550102"},
        },
        "week": [
            {"days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], "hours": [
                {"from": "07:00", "to": "19:00", "officers": ["dia"], "deputies": ["noche"]},
                {"from": "19:00", "to": "07:00", "officers": ["noche"], "deputies": ["jefa"]},
            ]},
        ],
        "holidays": [{"date": "2026-12-25", "hours": [{"from": "08:00", "to": "12:00", "officers": ["jefa"]}]}],
        "supervisors": ["jefa"],
    })
}

fn roster(form: &Value) -> Result<Roster, RosterError> {
    Roster::parse(&serde_json::to_vec(form).unwrap())
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_night_shift_is_on_duty_after_midnight() {
    let roster = roster(&form()).unwrap();
    let at_three = instant("2026-11-24T09:00:00Z"); // 03:00 in Guatemala
    assert_eq!(roster.on_duty(Wake::Officer, at_three), BTreeSet::from(["noche"]));
    assert_eq!(roster.on_duty(Wake::Deputy, at_three), BTreeSet::from(["jefa"]));
    assert_eq!(roster.on_duty(Wake::Officer, instant("2026-11-24T13:00:00Z")), BTreeSet::from(["dia"]));
    assert_eq!(roster.on_duty(Wake::Supervisor, at_three), BTreeSet::from(["jefa"]));
    assert!(roster.on_duty(Wake::Operator, at_three).is_empty());
}

#[test]
fn the_example_roster_leaves_no_hour_of_a_year_without_an_officer() {
    let roster = Roster::parse(include_bytes!("../../../../ops/examples/roster.json")).unwrap();
    assert_eq!(roster.gaps(instant("2026-11-24T18:00:00Z"), 366), []);
}

#[test]
fn a_holiday_replaces_the_hours_that_begin_on_it_and_its_gap_is_found_before() {
    let roster = roster(&form()).unwrap();
    // The night before still runs until 07:00; then 08:00 to 12:00; then nobody until the next morning.
    assert_eq!(roster.on_duty(Wake::Officer, instant("2026-12-25T12:30:00Z")), BTreeSet::from(["noche"]));
    let gaps = roster.gaps(instant("2026-12-24T18:00:00Z"), 3);
    let expected =
        [("2026-12-25T13:00:00Z", "2026-12-25T14:00:00Z"), ("2026-12-25T18:00:00Z", "2026-12-26T13:00:00Z")];
    assert_eq!(gaps, expected.map(|(from, to)| Gap { from: instant(from), to: instant(to) }));
    assert_eq!(roster.gaps(instant("2026-11-24T18:00:00Z"), 7), []);
}

#[test]
fn a_clock_change_leaves_no_hour_without_an_officer() {
    let mut form = form();
    form["zone"] = json!("America/Tijuana");
    let roster = roster(&form).unwrap();
    // 1 November 2026: 02:00 comes twice in Tijuana; 8 March 2027: it never comes.
    for day in ["2026-10-31T12:00:00Z", "2027-03-13T12:00:00Z"] {
        assert_eq!(roster.gaps(instant(day), 3), []);
    }
}

#[test]
fn a_roster_that_reaches_nobody_is_not_taken() {
    type Change = fn(&mut Value);
    let changes: [Change; 7] = [
        |form| form["contacts"]["noche"] = json!({}),
        |form| form["supervisors"] = json!([]),
        |form| form["supervisors"] = json!(["nadie"]),
        |form| form["week"][0]["hours"][1]["officers"] = json!([]),
        |form| form["week"] = json!([]),
        |form| form["zone"] = json!("America/Ninguna"),
        |form| form["week"][0]["hours"][1]["deputies"] = json!(["nadie"]),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut form = form();
        form["holidays"] = json!([]);
        change(&mut form);
        assert!(roster(&form).is_err(), "change {number}");
    }
}

#[test]
fn a_notice_says_the_hour_of_its_reader_and_nothing_else() {
    let zone = TimeZone::get("America/Guatemala").unwrap();
    let until = instant("2026-11-24T09:40:00Z");
    let told = notice(Call::Answer, until, &zone, false);
    assert_eq!(told.line, "Puente: alerta, responder antes de las 03:40");
    assert!(notice(Call::Answer, until, &zone, true).line.contains("SIMULACRO"));
    let held = notice(Call::Decide, until, &zone, false).line;
    assert_eq!(held, "Puente: alerta retenida, decidir antes de las 03:40");
    assert!(!told.text.contains("Guatemala") && !told.text.contains("GT"));
}
