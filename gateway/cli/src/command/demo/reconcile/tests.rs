//! The checker sees what is wrong: a verdict, a lost row, one that came twice, a silence.
#![allow(clippy::unwrap_used)]

use super::*;

fn expected() -> Value {
    json!({"submitted": 3, "counts": {"accepted": 1, "held": 1, "malformed": 1}, "rows": [
        {"row": 2, "verdict": "accepted", "rule": "R-OK", "removed": [], "cell": null},
        {"row": 3, "verdict": "held", "rule": "R-TCN-01", "removed": [], "cell": null},
        {"row": 4, "verdict": "malformed", "rule": null, "removed": [], "cell": "C4", "problem": "cell.formula"},
    ]})
}

fn sent(id: &str, message_type: &str, answers: Value) -> Value {
    json!({"direction": "out", "message_id": id, "type": message_type, "row": 2, "state": "accepted", "answers": answers})
}

fn seen() -> Value {
    let ack = |message_type: &str| json!({"type": message_type, "status": "ok"});
    let answers = json!([ack("return.manifest.ack"), {"type": "return.arrival", "status": "no_show"}]);
    let received =
        json!({"direction": "in", "message_id": "m1", "type": "return.manifest", "state": "accepted"});
    let event = json!({"type": "puente.message_received", "data": {"message_type": "return.manifest", "message": "m1"}});
    json!({
        "verdicts": [
            {"row": 2, "verdict": "accepted", "rule": {"id": "R-OK"}, "message_id": "m1"},
            {"row": 3, "verdict": "held", "rule": {"id": "R-TCN-01"}},
            {"row": 4, "verdict": "malformed", "problems": [{"code": "cell.formula", "field": "C4"}]},
        ],
        "sender": {
            "messages": [
                sent("m1", "return.manifest", answers),
                sent("m2", "return.manifest.amend", json!([ack("return.manifest.amend.ack")])),
            ],
            "unsolicited": [{"type": "return.arrival", "status": "unlisted"}],
        },
        "cancelled": {"messages": [sent("m3", "return.cancel", json!([ack("return.cancel.ack")]))]},
        "approvals": [{"state": "lapsed"}],
        "receivers": [{"operation": {"messages": [received]}, "events": [event]}],
    })
}

fn failures_when(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut seen = seen();
    change(&mut seen);
    reconcile(&expected(), &seen).failures
}

#[test]
fn nothing_is_wrong_when_both_sides_say_what_was_expected() {
    let reconciled = reconcile(&expected(), &seen());
    assert_eq!(reconciled.failures, Vec::<String>::new());
    let count = |name: &str| reconciled.counts[name];
    assert_eq!((count("submitted"), count("delivered"), count("lost"), count("duplicated")), (3, 1, 0, 0));
}

#[test]
fn another_verdict_is_named_with_its_row() {
    let failures = failures_when(|seen| seen["verdicts"][1]["rule"]["id"] = json!("R-FAM-01"));
    assert_eq!(failures, [r#"row 3: rule is "R-FAM-01", expected "R-TCN-01""#]);
}

#[test]
fn another_cell_is_named_with_its_row() {
    let failures = failures_when(|seen| seen["verdicts"][2]["problems"][0]["field"] = json!("D4"));
    assert_eq!(failures, [r#"row 4: cell is "D4", expected "C4""#]);
}

#[test]
fn a_possible_duplicate_that_nobody_expected_is_seen() {
    let failures = failures_when(|seen| {
        seen["verdicts"][0]["warnings"] = json!([{"code": "row.possible_duplicate", "field": "9"}]);
    });
    assert_eq!(failures, ["row 2: possible_duplicate_of is 9, expected null"]);
}

#[test]
fn a_row_that_is_not_over_there_is_lost() {
    let failures = failures_when(|seen| seen["receivers"][0]["events"] = json!([]));
    assert_eq!(failures, ["rows lost: 1, expected 0"]);
}

#[test]
fn a_row_that_was_handed_over_twice_is_duplicated() {
    let failures = failures_when(|seen| {
        let events = seen["receivers"][0]["events"].as_array_mut().unwrap();
        events.push(events[0].clone());
    });
    assert_eq!(failures, ["rows duplicated: 1, expected 0"]);
}

#[test]
fn a_row_without_an_arrival_is_seen() {
    let failures = failures_when(|seen| {
        seen["sender"]["messages"][0]["answers"].as_array_mut().unwrap().pop();
    });
    assert_eq!(
        failures,
        ["row 2: not acknowledged once and accounted for once", "people who did not travel: 0, expected 1"]
    );
}

#[test]
fn a_held_row_that_is_still_open_is_seen() {
    let failures = failures_when(|seen| seen["approvals"][0]["state"] = json!("open"));
    assert_eq!(failures, ["held rows that have ended: 0, expected 1"]);
}

#[test]
fn a_row_without_a_verdict_is_seen() {
    let failures = failures_when(|seen| {
        seen["verdicts"].as_array_mut().unwrap().remove(2);
    });
    assert_eq!(failures, ["row 4: no verdict", "malformed: 0, expected 1", "submitted: 2, expected 3"]);
}
