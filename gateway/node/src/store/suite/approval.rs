//! Rows that wait for officers.

use super::*;
use crate::store::ApprovalFilter;

fn closes(number: u128, state: ApprovalState) -> Write {
    Write::ApprovalState { approval: approval_id(number), state, at_ms: 4_000 }
}

pub(in crate::store) async fn an_approval_reads_back_with_its_statements(store: &dyn Store) {
    put(store, vec![Write::Approval(approval(1)), Write::Approval(approval(2))]).await;
    assert_eq!(commit(store, vec![Write::Approval(approval(1))]).await, conflict(0, Guard::Taken));
    put(store, vec![Write::Statement(statement(1, "a")), Write::Statement(statement(1, "b"))]).await;
    let (row, statements) = store.approval(approval_id(1)).await.unwrap().unwrap();
    assert_eq!(statements, [statement(1, "a"), statement(1, "b")]);
    let expected = ApprovalRow { subject: None, ..approval(1) };
    assert_eq!(format!("{row:?}"), format!("{expected:?}"));
    assert!(store.approval(approval_id(3)).await.unwrap().is_none());

    let listed = async |filter: ApprovalFilter| -> Vec<_> {
        let rows = store.approvals(filter, 10).await.unwrap();
        assert!(rows.iter().all(|row| row.draft.is_empty()));
        rows.into_iter().map(|row| row.approval).collect()
    };
    let all = ApprovalFilter::default;
    put(store, vec![closes(2, ApprovalState::Refused)]).await;
    assert_eq!(listed(all()).await, [approval_id(1), approval_id(2)]);
    assert_eq!(listed(ApprovalFilter { after: Some(approval_id(1)), ..all() }).await, [approval_id(2)]);
    let open = ApprovalFilter { state: Some(ApprovalState::Open), ..all() };
    assert_eq!(listed(open).await, [approval_id(1)]);
    let other = ApprovalFilter { agency: Some("SRE".parse().unwrap()), ..all() };
    assert_eq!(listed(other).await, []);
}

pub(in crate::store) async fn a_person_speaks_once_and_only_while_it_is_open(store: &dyn Store) {
    put(store, vec![Write::Approval(approval(1)), Write::Statement(statement(1, "a"))]).await;
    let mut other_credential = statement(1, "a");
    other_credential.officer = "second-credential".parse().unwrap();
    let again = commit(store, vec![Write::Statement(other_credential)]).await;
    assert_eq!(again, conflict(0, Guard::Spoken));
    assert_eq!(commit(store, vec![Write::Statement(statement(2, "a"))]).await, conflict(0, Guard::Absent));
    put(store, vec![closes(1, ApprovalState::Refused)]).await;
    assert_eq!(commit(store, vec![Write::Statement(statement(1, "b"))]).await, conflict(0, Guard::NotOpen));
}

pub(in crate::store) async fn of_two_first_words_at_once_only_one_is_recorded_as_the_first(
    store: &dyn Store,
) {
    put(store, vec![Write::Approval(approval(1))]).await;
    let first = |person| {
        let seen = Write::StatementsSeen { approval: approval_id(1), count: 0 };
        vec![seen, Write::Statement(statement(1, person))]
    };
    put(store, first("a")).await;
    assert_eq!(commit(store, first("b")).await, conflict(0, Guard::Overtaken));
    let (_, statements) = store.approval(approval_id(1)).await.unwrap().unwrap();
    assert_eq!(statements, [statement(1, "a")]);
}

pub(in crate::store) async fn an_approval_closes_once(store: &dyn Store) {
    put(store, vec![Write::Approval(approval(1)), closes(1, ApprovalState::Granted)]).await;
    let again = vec![Write::Outbound(outbound(1)), closes(1, ApprovalState::Granted)];
    assert_eq!(commit(store, again).await, conflict(1, Guard::NotOpen));
    assert_eq!(store.message(message_id(1)).await, Ok(None));
    assert_eq!(commit(store, vec![closes(2, ApprovalState::Lapsed)]).await, conflict(0, Guard::Absent));
    let (row, _) = store.approval(approval_id(1)).await.unwrap().unwrap();
    assert_eq!((row.state, row.closed_ms), (ApprovalState::Granted, Some(4_000)));
}

pub(in crate::store) async fn lapsing_approvals_are_those_open_past_their_time(store: &dyn Store) {
    put(store, vec![Write::Approval(approval(1)), Write::Approval(approval(2))]).await;
    put(store, vec![Write::Approval(approval(3)), closes(1, ApprovalState::Granted)]).await;
    let lapsing = store.approvals_lapsing(10_002, 10).await.unwrap();
    assert_eq!(lapsing.into_iter().map(|row| row.approval).collect::<Vec<_>>(), [approval_id(2)]);
}
