//! Both clocks of a stop: silence alarms once, and no act of one side ends the other's.

use super::*;
use crate::ids::StopId;

const HOUR: i64 = 3_600_000;

fn stop(kind: StopKind, departs_ms: Option<i64>) -> Stop {
    Stop {
        stop: StopId(Uuid::from_u128(9)),
        kind,
        agency: "INM".parse().unwrap(),
        role: "migration_enforcement".parse().unwrap(),
        authority: authority(),
        message_type: "return.manifest".parse().unwrap(),
        peer: "GT".parse().unwrap(),
        operation: None,
        row: Some(70),
        message: None,
        opened_ms: 0,
        departs_ms,
        answer_by_ms: 0,
        review_by_ms: 0,
        sender: SenderSide::Silent,
        reviewed: Reviewed::Silent,
        sender_alarmed: false,
        authority_alarmed: false,
    }
    .scheduled(StopSchedule {
        review_ms: HOUR,
        before_departure_ms: 2 * HOUR,
        without_departure_ms: 4 * HOUR,
    })
}

fn says(answer: Answered) -> Answer {
    Answer { stop: StopId(Uuid::from_u128(9)), answer, reason: "reviewed".to_owned() }
}

fn reviews(review: Reviewed) -> Review {
    Review { stop: StopId(Uuid::from_u128(9)), review, reason: "reviewed".to_owned() }
}

#[test]
fn each_silence_alarms_at_its_own_hour_and_once() {
    let mut stop = stop(StopKind::Refused, Some(10 * HOUR));
    assert_eq!(stop.alarm_at(), Some(HOUR));
    assert!(stop.handle_time(HOUR - 1).is_empty());
    assert_eq!(stop.handle_time(HOUR), [Alarm::AuthoritySilent]);
    assert!(stop.handle_time(HOUR).is_empty());
    assert_eq!(stop.alarm_at(), Some(8 * HOUR));
    assert_eq!(stop.handle_time(8 * HOUR), [Alarm::SenderSilent]);
    assert_eq!(stop.alarm_at(), None);
}

#[test]
fn a_transport_that_leaves_within_the_time_alarms_at_once_and_one_without_an_hour_by_default() {
    assert_eq!(stop(StopKind::Refused, Some(HOUR)).answer_by_ms, 0);
    assert_eq!(stop(StopKind::Refused, None).answer_by_ms, 4 * HOUR);
}

#[test]
fn an_answer_ends_the_senders_clock_only_and_who_travels_may_still_be_taken_off() {
    let mut stop = stop(StopKind::Refused, None);
    assert_eq!(stop.handle_answer(&says(Answered::TravelsNevertheless)).unwrap(), Some(Alarm::Travels));
    assert_eq!(stop.handle_time(9 * HOUR), [Alarm::AuthoritySilent]);
    assert_eq!(stop.handle_answer(&says(Answered::TakenOff)).unwrap(), None);
    let again = stop.handle_answer(&says(Answered::TravelsNevertheless)).unwrap_err();
    assert_eq!(again.kind.code, "refusal.closed");
}

#[test]
fn only_a_row_that_waits_is_released_and_then_nothing_is_asked_of_its_sender() {
    let refused = stop(StopKind::Refused, None).handle_review(&reviews(Reviewed::Released)).unwrap_err();
    assert_eq!(refused.kind.code, "refusal.closed");
    let mut held = stop(StopKind::Held, None);
    held.handle_review(&reviews(Reviewed::Released)).unwrap();
    assert_eq!((held.sender, held.alarm_at()), (SenderSide::NotAsked, None));
    assert!(held.handle_review(&reviews(Reviewed::Confirmed)).is_err());
    assert!(held.handle_answer(&says(Answered::TakenOff)).is_err());
}

#[test]
fn what_was_only_asked_about_waits_for_nobody() {
    let mut probed = stop(StopKind::Probed, None);
    probed.sender = SenderSide::NotAsked;
    assert_eq!(probed.alarm_at(), None);
    assert!(probed.handle_review(&reviews(Reviewed::Confirmed)).is_err());
}
