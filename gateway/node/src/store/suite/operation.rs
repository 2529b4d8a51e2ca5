//! Suspensions and the rows they hold; sets of policies and who put them in force.

use puente_core::delivery::{PolicyChangeRow, SuspensionRow};
use puente_core::problem::EXCHANGE_SUSPENDED;
use puente_core::suspension::Target;

use super::*;

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

fn suspension(text: &str, placed_ms: i64) -> SuspensionRow {
    SuspensionRow { target: target(text), reason: "breach".to_owned(), placed_ms, lifted_ms: None }
}

pub(in crate::store) async fn a_target_is_suspended_once_and_again_only_after_it_was_lifted(
    store: &dyn Store,
) {
    put(
        store,
        vec![Write::Suspend(suspension("peer:GT", 1)), Write::Suspend(suspension("purpose:tracing", 2))],
    )
    .await;
    let again = commit(store, vec![Write::Suspend(suspension("peer:GT", 3))]).await;
    assert_eq!(again, conflict(0, Guard::Taken));
    put(store, vec![Write::Lift { target: target("peer:GT"), at_ms: 4 }]).await;
    let twice = commit(store, vec![Write::Lift { target: target("peer:GT"), at_ms: 5 }]).await;
    assert_eq!(twice, conflict(0, Guard::Absent));
    put(store, vec![Write::Suspend(suspension("peer:GT", 6))]).await;
    let lifted = SuspensionRow { lifted_ms: Some(4), ..suspension("peer:GT", 1) };
    let expected = vec![suspension("peer:GT", 6), suspension("purpose:tracing", 2), lifted];
    assert_eq!(store.suspensions(10).await, Ok(expected));
}

pub(in crate::store) async fn held_rows_wake_in_the_order_of_their_release_and_no_other_row_does(
    store: &dyn Store,
) {
    let held = |number| Write::OutboundState {
        message: message_id(number),
        release: release_of(number),
        state: OutboundState::Queued,
        code: Some(EXCHANGE_SUSPENDED.code.to_owned()),
        due_ms: i64::MAX,
        attempts: 0,
    };
    let mut rows: Vec<Write> = (1..=4).map(|number| Write::Outbound(outbound(number))).collect();
    rows.extend([held(3), held(1), held(2), moves(4, OutboundState::Queued, 9_000)]);
    put(store, rows).await;
    let due = async || {
        let due = store.outbound_due(peer(), Lane::Bulk, 5_000, 10).await.unwrap();
        due.into_iter().map(|queued| queued.message).collect::<Vec<_>>()
    };
    assert_eq!(due().await, []);
    put(store, vec![Write::WakeHeld { at_ms: 2_000 }]).await;
    assert_eq!(due().await, [message_id(1), message_id(2), message_id(3)]);
}

fn change(number: u128, state: ApprovalState, closed_ms: Option<i64>) -> PolicyChangeRow {
    PolicyChangeRow {
        change: approval_id(number),
        set: Digest::of(&number.to_be_bytes()),
        policy: Digest::of(b"policy"),
        base: Digest::of(b"base"),
        preview: Digest::of(b"preview"),
        proposer: None,
        proposal: String::new(),
        summary: b"{}".to_vec(),
        files: b"{\"a\":\"b\"}".to_vec(),
        opened_ms: 1_000,
        lapses_ms: 9_000,
        state,
        closed_ms,
    }
}

pub(in crate::store) async fn the_policies_in_force_are_those_granted_last(store: &dyn Store) {
    assert_eq!(store.policy_in_force().await, Ok(None));
    put(
        store,
        vec![
            Write::PolicyChange(change(1, ApprovalState::Granted, Some(1_000))),
            Write::PolicyChange(change(2, ApprovalState::Open, None)),
            Write::PolicyChange(change(3, ApprovalState::Open, None)),
        ],
    )
    .await;
    assert_eq!(store.policy_in_force().await.unwrap().unwrap().change, approval_id(1));
    let close = |number, state| Write::PolicyChangeState { change: approval_id(number), state, at_ms: 2_000 };
    put(store, vec![close(3, ApprovalState::Granted), close(2, ApprovalState::Refused)]).await;
    let in_force = change(3, ApprovalState::Granted, Some(2_000));
    assert_eq!(store.policy_in_force().await, Ok(Some(in_force)));
    let listed = store.policy_changes(10).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.change.0.as_u128()).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(listed.iter().all(|row| row.files.is_empty()));
}

pub(in crate::store) async fn a_person_states_on_a_proposal_once_and_only_while_it_is_open(
    store: &dyn Store,
) {
    put(store, vec![Write::PolicyChange(change(1, ApprovalState::Open, None))]).await;
    put(store, vec![Write::PolicyStatement(statement(1, "ana"))]).await;
    let again = commit(store, vec![Write::PolicyStatement(statement(1, "ana"))]).await;
    assert_eq!(again, conflict(0, Guard::Spoken));
    let close = Write::PolicyChangeState { change: approval_id(1), state: ApprovalState::Granted, at_ms: 5 };
    put(store, vec![Write::PolicyStatement(statement(1, "luz")), close]).await;
    let late = commit(store, vec![Write::PolicyStatement(statement(1, "eva"))]).await;
    assert_eq!(late, conflict(0, Guard::NotOpen));
    let (row, said) = store.policy_change(approval_id(1)).await.unwrap().unwrap();
    assert_eq!((row.state, row.closed_ms), (ApprovalState::Granted, Some(5)));
    assert_eq!(said, [statement(1, "ana"), statement(1, "luz")]);
}
