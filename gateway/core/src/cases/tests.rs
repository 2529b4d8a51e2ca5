//! The life of a case, first by what goes wrong with it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::delivery::Side;
use crate::ids::{CountryCode, MessageId};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Thursday, 26 November 2026, 15:00 UTC: nine in the morning in Guatemala.
const THURSDAY: i64 = 1_795_705_200;

fn country(code: &str) -> CountryCode {
    code.parse().unwrap()
}

pub(super) fn plan() -> Plan {
    let terms = json!({
        "child.case.transfer": {"reply_working_days": {"any": 3}},
        "child.case.transfer.handover": {"window_minutes": 240, "travel_minutes": 2880, "countersign_minutes": 1440},
        "child.case.transfer.complete": {"after_event_minutes": 1440},
        "child.followup.report": {"due_after_days": [7, 30]},
        "national": {"GT": {"zone": "America/Guatemala"}}
    });
    Plan::load([("deadlines.json".to_owned(), terms.to_string().into_bytes())]).unwrap()
}

/// The step of this number by Mexico (who offers) or Guatemala, as its kind has it, signed at `number` hours.
fn step(kind: StepKind, number: u8) -> Step {
    let receiver = matches!(
        kind,
        StepKind::Accept | StepKind::Reject | StepKind::Received | StepKind::FollowUp | StepKind::Closure
    );
    let (author, to) = if receiver { ("GT", "MX") } else { ("MX", "GT") };
    Step {
        message: MessageId(Uuid::from_u128(u128::from(number))),
        kind,
        mark: Mark {
            transfer: MessageId(Uuid::from_u128(0)),
            issued_s: THURSDAY + i64::from(number) * HOUR,
            at_s: None,
            by_s: None,
            day: (kind == StepKind::FollowUp).then_some(7),
        },
        author: country(author),
        to: country(to),
        taken: true,
    }
}

/// Steps of these kinds, each an hour after the one before.
fn steps(kinds: &[StepKind]) -> Vec<Step> {
    (0..).zip(kinds).map(|(number, kind)| step(*kind, number)).collect()
}

fn stage(kinds: &[StepKind]) -> Option<Stage> {
    CaseState::fold(steps(kinds)).stage()
}

use StepKind::{Accept, Closure, Departure, FollowUp, HandOver, Offer, Received, Reject, Revoke};

#[test]
fn a_child_who_was_received_stays_received_whatever_was_revoked_meanwhile() {
    let state = CaseState::fold(steps(&[Offer, Accept, Revoke, Received]));
    assert_eq!(state.stage(), Some(Stage::Received));
    assert_eq!(state.void().iter().map(|(_, why)| *why).collect::<Vec<_>>(), [Void::AlreadyThere]);
    assert_eq!(state.owner(), Side::Receiver);
}

#[test]
fn a_revocation_that_crosses_an_acceptance_ends_the_transfer() {
    assert_eq!(stage(&[Offer, Accept, Revoke]), Some(Stage::Revoked));
    assert_eq!(stage(&[Offer, Revoke, Accept]), Some(Stage::Revoked));
}

#[test]
fn of_yes_and_no_the_no_stands_and_both_are_alarmed() {
    let state = CaseState::fold(steps(&[Offer, Accept, Reject]));
    assert_eq!(state.stage(), Some(Stage::Rejected));
    assert_eq!(state.void()[0].1, Void::Contradicted);
    let alarms = clocks(&state, &plan());
    assert_eq!((alarms[0].what, alarms[0].alarms), (What::Contradiction, &Side::BOTH[..]));
}

#[test]
fn a_no_does_not_undo_that_the_child_stands_there() {
    let state = CaseState::fold(steps(&[Offer, Accept, Received, Reject]));
    assert_eq!(state.stage(), Some(Stage::Received));
    assert_eq!(state.void()[0].1, Void::Contradicted);
}

#[test]
fn a_step_whose_predecessor_has_not_come_waits_and_counts_once_it_has() {
    let mut all = steps(&[Offer, Accept, Departure, Received]);
    let accept = all.remove(1);
    let state = CaseState::fold(all.clone());
    assert_eq!((state.stage(), state.waiting().len()), (Some(Stage::Offered), 2));
    all.push(accept);
    assert_eq!(CaseState::fold(all).stage(), Some(Stage::Received));
    let unknown = CaseState::fold([step(Accept, 1)]);
    assert_eq!((unknown.stage(), unknown.waiting().len()), (None, 1));
}

#[test]
fn a_step_of_a_stranger_or_of_the_wrong_side_is_kept_and_does_not_count() {
    let mut stranger = step(Accept, 1);
    stranger.author = country("HN");
    let mut wrong = step(Accept, 2);
    (wrong.author, wrong.to) = (country("MX"), country("GT"));
    let state = CaseState::fold([step(Offer, 0), stranger, wrong]);
    assert_eq!(state.stage(), Some(Stage::Offered));
    let reasons: Vec<Void> = state.void().iter().map(|(_, why)| *why).collect();
    assert_eq!(reasons, [Void::Stranger, Void::NotItsSide]);
}

#[test]
fn what_was_refused_at_its_delivery_has_no_effect_on_either_side() {
    let mut all = steps(&[Offer, Accept, Departure]);
    all[2].taken = false;
    let state = CaseState::fold(all);
    assert_eq!((state.stage(), state.void()[0].1), (Some(Stage::Accepted), Void::NotTaken));
    let mut offer = step(Offer, 0);
    offer.taken = false;
    let state = CaseState::fold([offer, step(Accept, 1)]);
    assert_eq!((state.stage(), state.waiting().len(), state.void().len()), (None, 0, 2));
}

#[test]
fn a_closing_by_who_no_longer_owns_the_case_does_not_close_it() {
    let mut closing = step(Closure, 3);
    (closing.author, closing.to) = (country("MX"), country("GT"));
    let state = CaseState::fold([step(Offer, 0), step(Accept, 1), step(Received, 2), closing.clone()]);
    assert_eq!((state.stage(), state.void()[0].1), (Some(Stage::Received), Void::NotOwner));
    let state = CaseState::fold([step(Offer, 0), step(Accept, 1), step(Departure, 2), closing]);
    assert_eq!((state.stage(), state.void()[0].1), (Some(Stage::EnRoute), Void::OnTheWay));
}

#[test]
fn an_illegal_step_is_told_what_is_allowed() {
    let offered = CaseState::fold(steps(&[Offer]));
    let refused = offered.may(Side::Receiver, Received, None).unwrap_err();
    assert_eq!(refused.allowed, [Reject, Accept]);
    assert_eq!(offered.allowed(Side::Sender), [Revoke, Closure]);
    let revoked = CaseState::fold(steps(&[Offer, Accept, Revoke]));
    assert!(revoked.allowed(Side::Receiver).is_empty());
    assert!(revoked.may(Side::Sender, Revoke, None).is_err());
    let received = CaseState::fold(steps(&[Offer, Accept, Received]));
    assert!(received.may(Side::Sender, Revoke, None).is_err());
    assert_eq!(received.allowed(Side::Sender), [HandOver]);
}

#[test]
fn a_follow_up_counts_once_by_its_number() {
    let mut all = steps(&[Offer, Accept, Received, FollowUp, FollowUp]);
    all[4].mark.day = Some(30);
    let state = CaseState::fold(all.clone());
    assert_eq!(state.follow_ups().into_iter().collect::<Vec<_>>(), [7, 30]);
    assert!(state.may(Side::Receiver, FollowUp, Some(7)).is_err());
    all[4].mark.day = Some(7);
    assert_eq!(CaseState::fold(all.clone()).void()[0].1, Void::Repeated);
    all[4].mark.day = None;
    assert_eq!(CaseState::fold(all).void()[0].1, Void::Unnumbered);
}

#[test]
fn the_answer_is_due_after_three_working_days_at_the_same_hour_of_the_receiver() {
    let state = CaseState::fold(steps(&[Offer]));
    let due = clocks(&state, &plan());
    assert_eq!((due.len(), due[0].what, due[0].owed_by), (1, What::Answer, Side::Receiver));
    // Friday, Monday, Tuesday.
    assert_eq!(due[0].due_s, THURSDAY + 5 * DAY);
}

#[test]
fn a_hand_over_that_nobody_signs_within_its_window_alarms_both() {
    let mut all = steps(&[Offer, Accept, Departure]);
    all[2].mark.by_s = Some(THURSDAY + 10 * HOUR);
    let due = clocks(&CaseState::fold(all.clone()), &plan());
    let expected = (What::HandOver, THURSDAY + 14 * HOUR, &Side::BOTH[..]);
    assert_eq!((due[0].what, due[0].due_s, due[0].alarms), expected);
    // An hour that lies in another year does not silence it.
    all[2].mark.by_s = Some(THURSDAY + 400 * DAY);
    let due = clocks(&CaseState::fold(all), &plan());
    assert_eq!(due[0].due_s, THURSDAY + 2 * HOUR + 2 * DAY + 4 * HOUR);
}

#[test]
fn a_child_received_without_a_signed_hand_over_leaves_a_duty_open() {
    let mut all = steps(&[Offer, Accept, Received]);
    let due = clocks(&CaseState::fold(all.clone()), &plan());
    let whats: Vec<What> = due.iter().map(|clock| clock.what).collect();
    assert_eq!(whats, [What::CounterSignature, What::FollowUp(7), What::FollowUp(30)]);
    assert_eq!(due[0].owed_by, Side::Sender);
    // The hand-over is signed later than the reception, and counts.
    all.push(step(HandOver, 5));
    let state = CaseState::fold(all);
    assert_eq!((state.stage(), state.void().len()), (Some(Stage::Received), 0));
    assert!(clocks(&state, &plan()).iter().all(|clock| clock.what != What::CounterSignature));
}

#[test]
fn an_alarm_is_told_once_and_a_met_clock_never() {
    let state = CaseState::fold(steps(&[Offer]));
    let before = look(&state, Side::Sender, &Told::default(), &plan(), THURSDAY + DAY);
    assert_eq!(before.news, [News::Stage(Stage::Offered)]);
    assert_eq!(before.again_s, Some(THURSDAY + 5 * DAY));
    let late = look(&state, Side::Sender, &before.told, &plan(), THURSDAY + 5 * DAY);
    assert_eq!((late.news.as_slice(), late.again_s), (&[News::Alarm(What::Answer)][..], None));
    let stored: Told = serde_json::from_slice(&serde_json::to_vec(&late.told).unwrap()).unwrap();
    assert_eq!(stored, late.told);
    assert!(look(&state, Side::Sender, &stored, &plan(), THURSDAY + 90 * DAY).news.is_empty());
}

#[test]
fn a_plan_without_a_term_does_not_load() {
    let files = [("deadlines.json".to_owned(), b"{\"national\": {}}".to_vec())];
    assert!(matches!(Plan::load(files), Err(PlanError::Term("child.case.transfer"))));
    assert!(matches!(Plan::load([]), Err(PlanError::Absent)));
}

#[test]
fn every_step_has_a_type_of_its_own() {
    for kind in StepKind::ALL {
        assert_eq!(StepKind::of(&kind.type_name().parse().unwrap()), Some(kind));
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let kinds = prop::sample::select(StepKind::ALL.to_vec());
    let countries = prop::sample::select(vec![("MX", "GT"), ("GT", "MX"), ("HN", "MX")]);
    let day = prop::sample::select(vec![None, Some(7), Some(30)]);
    (kinds, 1_u8..40, countries, day, any::<bool>(), 0_i64..60).prop_map(
        |(kind, number, (author, to), day, taken, at)| {
            let mut made = step(kind, number);
            (made.author, made.to, made.taken) = (country(author), country(to), taken);
            (made.mark.day, made.mark.at_s) = (day, Some(THURSDAY + at * HOUR));
            made
        },
    )
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_give_one_state(
        mut all in prop::collection::vec(any_step(), 0..12), turn in any::<usize>(), with_offer in any::<bool>(),
    ) {
        // One message, one step.
        all.sort_by_key(|step| step.message);
        all.dedup_by_key(|step| step.message);
        if with_offer {
            all.push(step(Offer, 0));
        }
        let one = CaseState::fold(all.clone());
        let mut other: Vec<Step> = all.iter().rev().cloned().collect();
        if !other.is_empty() {
            let at = turn % other.len();
            other.rotate_left(at);
            let again = other[0].clone();
            other.push(again);
        }
        prop_assert_eq!(&CaseState::fold(other), &one);
        // None is lost.
        prop_assert_eq!(one.messages().count(), all.len());
    }

    #[test]
    fn whatever_a_side_may_do_counts_once_it_is_done(
        all in prop::collection::vec(any_step(), 0..8), day in prop::sample::select(vec![7_u16, 30]),
    ) {
        let mut all: Vec<Step> = all.into_iter().filter(|step| step.taken).collect();
        all.sort_by_key(|step| step.message);
        all.dedup_by_key(|step| step.message);
        all.push(step(Offer, 0));
        let state = CaseState::fold(all.clone());
        for side in Side::BOTH {
            for kind in StepKind::ALL {
                if state.may(side, kind, Some(day)).is_err() {
                    continue;
                }
                let mut done = step(kind, 200);
                let (author, to) = if side == Side::Sender { ("MX", "GT") } else { ("GT", "MX") };
                (done.author, done.to, done.mark.day) = (country(author), country(to), Some(day));
                let after = CaseState::fold(all.iter().cloned().chain([done.clone()]));
                prop_assert!(after.steps().contains(&done), "{:?} {:?} {:?}", side, kind, state);
            }
        }
    }
}
