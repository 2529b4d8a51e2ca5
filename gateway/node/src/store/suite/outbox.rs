//! What waits, in which order, and how it moves on.

use puente_core::delivery::QueueDepth;

use super::*;

async fn due(store: &dyn Store, lane: Lane, now_ms: i64) -> Vec<MessageId> {
    let rows = store.outbound_due(peer(), lane, now_ms, 100).await.unwrap();
    rows.into_iter().map(|row| row.message).collect()
}

fn in_case(number: u128, case: u128, due_ms: i64) -> Write {
    let mut row = outbound(number);
    row.message.case = CaseId(Uuid::from_u128(case));
    row.due_ms = due_ms;
    Write::Outbound(row)
}

pub(in crate::store) async fn only_due_rows_come_out_oldest_release_first(store: &dyn Store) {
    let mut elsewhere = outbound(9);
    elsewhere.message.peer = "HN".parse().unwrap();
    put(
        store,
        vec![in_case(3, 30, 1_000), in_case(1, 10, 4_000), in_case(2, 20, 2_000), Write::Outbound(elsewhere)],
    )
    .await;
    assert_eq!(store.next_due(peer(), Lane::Bulk).await, Ok(Some(1_000)));
    assert_eq!(due(store, Lane::Bulk, 999).await, []);
    assert_eq!(due(store, Lane::Bulk, 2_000).await, [message_id(2), message_id(3)]);
    assert_eq!(due(store, Lane::Bulk, 4_000).await, [message_id(1), message_id(2), message_id(3)]);
    assert_eq!(due(store, Lane::Alert, 4_000).await, []);
    assert_eq!(store.next_due(peer(), Lane::Alert).await, Ok(None));

    let rows = store.outbound_due(peer(), Lane::Bulk, 4_000, 1).await.unwrap();
    let row = rows.first().unwrap();
    assert_eq!((row.message, row.release, row.attempts), (message_id(1), release_of(1), 0));
    assert_eq!((rows.len(), row.wire.as_slice()), (1, b"MARK-WIRE".as_slice()));
    assert_eq!((row.created_ms, row.expires_ms), (1_001, 1_000_000));
}

pub(in crate::store) async fn a_case_that_backs_off_holds_its_later_rows_but_no_other_case(
    store: &dyn Store,
) {
    put(store, vec![in_case(1, 10, 1_000), in_case(2, 10, 1_000), in_case(3, 10, 1_000)]).await;
    put(store, vec![in_case(4, 20, 1_000)]).await;
    put(store, vec![moves(2, OutboundState::Queued, 5_000)]).await;
    assert_eq!(due(store, Lane::Bulk, 2_000).await, [message_id(1), message_id(4)]);
    put(store, vec![moves(1, OutboundState::Accepted, 0)]).await;
    assert_eq!(due(store, Lane::Bulk, 2_000).await, [message_id(4)]);
    put(store, vec![moves(2, OutboundState::Refused, 0)]).await;
    assert_eq!(due(store, Lane::Bulk, 2_000).await, [message_id(3), message_id(4)]);
}

pub(in crate::store) async fn an_alert_that_backs_off_holds_no_other_alert(store: &dyn Store) {
    let alert = |number| {
        let mut row = outbound(number);
        row.message.lane = Lane::Alert;
        Write::Outbound(row)
    };
    put(store, vec![alert(1), alert(2)]).await;
    put(store, vec![moves(1, OutboundState::Queued, 5_000)]).await;
    assert_eq!(due(store, Lane::Alert, 2_000).await, [message_id(2)]);
}

pub(in crate::store) async fn another_release_is_not_moved(store: &dyn Store) {
    put(store, vec![Write::Outbound(outbound(1)), Write::Inbound(inbound(3))]).await;
    let other = Write::OutboundState {
        message: message_id(1),
        release: release_of(2),
        state: OutboundState::Accepted,
        code: None,
        due_ms: 0,
        attempts: 1,
    };
    assert_eq!(commit(store, vec![other]).await, conflict(0, Guard::OtherRelease));
    assert_eq!(commit(store, vec![moves(2, OutboundState::Accepted, 0)]).await, conflict(0, Guard::Absent));
    assert_eq!(commit(store, vec![moves(3, OutboundState::Accepted, 0)]).await, conflict(0, Guard::Absent));
    assert_eq!(due(store, Lane::Bulk, 2_000).await, [message_id(1)]);
}

pub(in crate::store) async fn a_final_state_is_final(store: &dyn Store) {
    let finals =
        [OutboundState::Accepted, OutboundState::Refused, OutboundState::Expired, OutboundState::Cancelled];
    for (number, state) in (1_u128..).zip(finals) {
        put(store, vec![Write::Outbound(outbound(number)), moves(number, state, 0)]).await;
        let again = commit(store, vec![moves(number, OutboundState::Queued, 1_000)]).await;
        assert_eq!(again, conflict(0, Guard::Final));
        assert_eq!(store.message(message_id(number)).await.unwrap().unwrap().state, state.as_str());
    }
    assert_eq!(due(store, Lane::Bulk, 9_000).await, []);
}

pub(in crate::store) async fn an_unconfirmed_row_waits_no_more_and_may_still_be_settled(store: &dyn Store) {
    put(store, vec![Write::Outbound(outbound(1)), moves(1, OutboundState::Unconfirmed, 0)]).await;
    assert_eq!(due(store, Lane::Bulk, 9_000).await, []);
    put(store, vec![moves(1, OutboundState::Queued, 3_000)]).await;
    assert_eq!(due(store, Lane::Bulk, 9_000).await, [message_id(1)]);
    put(store, vec![moves(1, OutboundState::Unconfirmed, 0), moves(1, OutboundState::Expired, 0)]).await;
    assert_eq!(due(store, Lane::Bulk, 9_000).await, []);
}

pub(in crate::store) async fn depth_is_right_after_each_transition(store: &dyn Store) {
    let depth = |waiting, oldest_ms| vec![QueueDepth { peer: peer(), lane: Lane::Bulk, waiting, oldest_ms }];
    put(store, vec![Write::Outbound(outbound(1)), Write::Outbound(outbound(2))]).await;
    assert_eq!(store.queue_depth().await, Ok(depth(2, Some(1_001))));
    put(store, vec![moves(1, OutboundState::Queued, 4_000)]).await;
    assert_eq!(store.queue_depth().await, Ok(depth(2, Some(1_001))));
    put(store, vec![moves(1, OutboundState::Accepted, 0)]).await;
    assert_eq!(store.queue_depth().await, Ok(depth(1, Some(1_002))));
    put(store, vec![moves(2, OutboundState::Unconfirmed, 0)]).await;
    assert_eq!(store.queue_depth().await, Ok(depth(0, None)));
    put(store, vec![moves(2, OutboundState::Queued, 4_000)]).await;
    assert_eq!(store.queue_depth().await, Ok(depth(1, Some(1_002))));
    let undone = vec![moves(2, OutboundState::Cancelled, 0), moves(1, OutboundState::Queued, 0)];
    assert_eq!(commit(store, undone).await, conflict(1, Guard::Final));
    assert_eq!(store.queue_depth().await, Ok(depth(1, Some(1_002))));
}

pub(in crate::store) async fn expired_rows_are_found_while_they_wait(store: &dyn Store) {
    let mut short = outbound(1);
    short.message.expires_ms = 2_000;
    put(store, vec![Write::Outbound(short), Write::Outbound(outbound(2))]).await;
    assert_eq!(store.expired_queued(1_999, 10).await, Ok(vec![]));
    assert_eq!(store.expired_queued(2_000, 10).await, Ok(vec![(message_id(1), release_of(1), peer())]));
    put(store, vec![moves(1, OutboundState::Unconfirmed, 0)]).await;
    assert_eq!(store.expired_queued(2_000, 10).await, Ok(vec![]));
}
