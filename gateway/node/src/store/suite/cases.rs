//! Steps of children's cases and what their sides were told.

use puente_core::cases::{Mark, Stage, Told, ToldRow, TransferRow};

use super::*;
use crate::store::TransferFilter;

/// Message `number` as a step of the transfer that message 1 offered, in case `case`.
fn step(direction: Direction, number: u128, case: u128) -> MessageRow {
    let mark = Mark {
        transfer: message_id(1),
        issued_s: 1,
        at_s: Some(2),
        by_s: None,
        day: (number == 9).then_some(7),
    };
    MessageRow { case: CaseId(Uuid::from_u128(case)), step: Some(mark), ..message(direction, number) }
}

fn out(number: u128, case: u128) -> Write {
    let row = outbound(number);
    Write::Outbound(OutboundRow { message: step(Direction::Out, number, case), ..row })
}

fn came(number: u128, case: u128) -> Write {
    let row = inbound(number);
    Write::Inbound(InboundRow { message: step(Direction::In, number, case), ..row })
}

async fn all(store: &dyn Store, filter: TransferFilter) -> Vec<TransferRow> {
    store.transfers(filter, 10).await.unwrap()
}

/// That it was looked at, to be looked at again at 50,000 and with a clock that runs out at 60,000.
fn told(revision: i64) -> ToldRow {
    let told = Told { stage: Some(Stage::Offered), ..Told::default() };
    ToldRow { transfer: message_id(1), revision, told, look_ms: Some(50_000), clock_ms: Some(60_000) }
}

const ALL: TransferFilter = TransferFilter::ToLookAt { now_ms: i64::MAX };

pub(in crate::store) async fn steps_read_back_in_the_order_in_which_they_came_and_by_the_offers_thread(
    store: &dyn Store,
) {
    put(store, vec![came(9, 7)]).await;
    assert_eq!(all(store, TransferFilter::InCase(CaseId(Uuid::from_u128(7)))).await.len(), 1);
    put(store, vec![out(1, 3), came(4, 8)]).await;
    let steps = store.case_steps(message_id(1)).await.unwrap();
    let seen: Vec<_> = steps.iter().map(|row| (row.message, row.step.clone())).collect();
    let expected = [(9, 7), (1, 3), (4, 8)]
        .map(|(number, case)| (message_id(number), step(Direction::In, number, case).step));
    assert_eq!(seen, expected);
    assert!(steps.iter().all(|row| row.wire.is_empty()));
    // The thread is the offer's, whatever a step said.
    assert_eq!(all(store, TransferFilter::InCase(CaseId(Uuid::from_u128(3)))).await.len(), 1);
    assert!(all(store, TransferFilter::InCase(CaseId(Uuid::from_u128(7)))).await.is_empty());
    put(store, vec![Write::Outbound(outbound(20))]).await;
    assert_eq!(all(store, ALL).await.len(), 1, "a message that is no step makes no transfer");
}

pub(in crate::store) async fn a_transfer_is_looked_at_after_every_step_and_when_its_clock_says(
    store: &dyn Store,
) {
    put(store, vec![out(1, 3)]).await;
    let row = all(store, ALL).await.remove(0);
    assert_eq!((row.told.clone(), row.clock_ms), (Told::default(), None));
    put(store, vec![Write::CaseTold(told(row.revision))]).await;
    assert_eq!(commit(store, vec![Write::CaseTold(told(row.revision))]).await, conflict(0, Guard::Changed));
    assert!(all(store, TransferFilter::ToLookAt { now_ms: 49_999 }).await.is_empty());
    let seen = all(store, TransferFilter::ToLookAt { now_ms: 50_000 }).await.remove(0);
    assert_eq!(seen.told.stage, Some(Stage::Offered));
    // A step that comes, and one that fails, are looked at now; what was read before is not told of.
    put(store, vec![came(4, 3)]).await;
    assert_eq!(commit(store, vec![Write::CaseTold(told(seen.revision))]).await, conflict(0, Guard::Changed));
    let seen = all(store, TransferFilter::ToLookAt { now_ms: 49_999 }).await.remove(0);
    put(store, vec![Write::CaseTold(told(seen.revision))]).await;
    put(store, vec![moves(1, OutboundState::Refused, 2_000)]).await;
    assert_eq!(all(store, TransferFilter::ToLookAt { now_ms: 0 }).await.len(), 1);
}

pub(in crate::store) async fn transfers_are_listed_by_what_runs_out_first(store: &dyn Store) {
    put(store, vec![out(1, 3)]).await;
    let due = |by_ms| TransferFilter::RunningOut { by_ms, after: None };
    assert!(all(store, due(i64::MAX)).await.is_empty());
    let revision = all(store, ALL).await.remove(0).revision;
    put(store, vec![Write::CaseTold(told(revision))]).await;
    assert!(all(store, due(59_999)).await.is_empty());
    assert_eq!(all(store, due(60_000)).await.remove(0).transfer, message_id(1));
    let after = TransferFilter::RunningOut { by_ms: i64::MAX, after: Some(message_id(1)) };
    assert!(all(store, after).await.is_empty());
}
