//! What must hold of a node's disk, looked at from outside: states, clocks and alerts.
//!
//! INVARIANT: the monitor reads rows and events only, never what a node remembers of what it told, so that a node that
//! forgets is found out.

use std::collections::BTreeMap;

use puente_core::cases::{CaseState, Plan, Step, StepKind, clocks};
use puente_core::delivery::{EventKind, Side};
use puente_core::duty::{Due, Silence};
use puente_core::ids::{CountryCode, MessageId};

use crate::disk::Disk;
use crate::line::ALERT;

/// The state of a transfer by the steps on a disk.
pub fn state_of(disk: &Disk, us: &CountryCode, transfer: MessageId) -> CaseState {
    CaseState::fold(disk.steps(transfer).filter_map(|row| Step::of(row, us)))
}

/// What is wrong on a disk once everything due by `now_ms` was looked at and made durable.
pub fn defect(disk: &Disk, us: &CountryCode, plan: &Plan, now_ms: i64) -> Option<String> {
    let mut told: BTreeMap<(MessageId, &str), usize> = BTreeMap::new();
    for event in disk.events.iter().filter(|event| event.kind == EventKind::CaseAlarm) {
        if let Some(message) = event.message {
            *told.entry((message, event.state.as_str())).or_default() += 1;
        }
    }
    if let Some(((transfer, what), count)) = told.iter().find(|(_, count)| **count > 1) {
        return Some(format!("{us} alarmed `{what}` of {transfer} {count} times"));
    }
    for transfer in disk.transfers.keys() {
        let state = state_of(disk, us, *transfer);
        if let Some(defect) = illegal(&state) {
            return Some(format!("{us} holds {transfer} in an illegal state: {defect}"));
        }
        let Some(side) = state.side(us) else { continue };
        for clock in clocks(&state, plan).iter().filter(|clock| clock.alarms.contains(&side)) {
            let due = clock.due_s.saturating_mul(1000) <= now_ms.div_euclid(1000).saturating_mul(1000);
            let alarmed = told.contains_key(&(*transfer, clock.what.to_string().as_str()));
            if due && !alarmed {
                return Some(format!("{us} forgot `{}` of {transfer}", clock.what));
            }
        }
    }
    unwatched(disk, us, now_ms)
}

/// An alert that nobody here watches, or whose clock was forgotten or told twice.
fn unwatched(disk: &Disk, us: &CountryCode, now_ms: i64) -> Option<String> {
    let alerts = disk.messages.values().filter(|row| row.message_type.as_str() == ALERT);
    for alert in alerts.filter(|row| row.state != "refused") {
        let Some(row) = disk.watches.get(&alert.message) else {
            return Some(format!("{us} accepted alert {} and watches it not", alert.message));
        };
        if row.watch.next_ms().is_some_and(|at| at <= now_ms) {
            return Some(format!("{us} forgot a clock of alert {}", alert.message));
        }
    }
    for (alert, row) in &disk.watches {
        let count =
            |due: Due| disk.told.iter().filter(|(about, what)| about == alert && *what == due).count();
        let silences = [Silence::NoAnswer, Silence::NoAction, Silence::NoSignature, Silence::NotTaken];
        for silence in silences {
            let expected = usize::from(row.watch.told.contains(&silence));
            if count(Due::Tell(silence)) != expected {
                return Some(format!("{us} told `{}` of {alert} not once", silence.as_str()));
            }
        }
        for rung in row.watch.term.ladder.iter().filter(|rung| rung.side == row.watch.side) {
            let same = row
                .watch
                .term
                .ladder
                .iter()
                .filter(|other| (other.side, other.wake) == (rung.side, rung.wake));
            let due = row.watch.is_unanswered()
                && !row.watch.is_settled()
                && row.watch.opened_ms.saturating_add(i64::from(rung.after_minutes) * 60_000) <= now_ms;
            let woken = count(Due::Wake(rung.wake));
            if woken > same.count() || (due && woken == 0) {
                return Some(format!("{us} woke `{}` for {alert} {woken} times", rung.wake.as_str()));
            }
        }
    }
    None
}

/// What no history of a child can be, said again and apart from the fold.
fn illegal(state: &CaseState) -> Option<&'static str> {
    let has = |kind| state.stood(kind).is_some();
    let once = |kind| state.steps().iter().filter(|step| step.kind == kind).count() <= 1;
    let by = |step: &Step| state.side(&step.author);
    let own = state.steps().iter().all(|step| match step.kind {
        StepKind::Offer | StepKind::Departure | StepKind::HandOver | StepKind::Revoke => {
            by(step) == Some(Side::Sender)
        }
        StepKind::Accept | StepKind::Reject | StepKind::Received | StepKind::FollowUp => {
            by(step) == Some(Side::Receiver)
        }
        StepKind::Closure => by(step) == Some(state.owner()),
    });
    let single = StepKind::ALL.into_iter().filter(|kind| *kind != StepKind::FollowUp).all(once);
    if !own {
        Some("a step of the wrong side counts")
    } else if !single {
        Some("a step counts twice")
    } else if has(StepKind::Accept) && has(StepKind::Reject) {
        Some("yes and no count")
    } else if (has(StepKind::Departure) || has(StepKind::HandOver) || has(StepKind::Received))
        && !has(StepKind::Accept)
    {
        Some("the child moved without an acceptance")
    } else if has(StepKind::Revoke) && (has(StepKind::HandOver) || has(StepKind::Received)) {
        Some("a child was taken back after she had been handed over")
    } else if has(StepKind::FollowUp) && !has(StepKind::Received) {
        Some("a child was visited who was never received")
    } else {
        None
    }
}
