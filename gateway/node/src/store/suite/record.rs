//! What is recorded beside messages, and the listings.

use puente_core::delivery::{HistoryEntry, NeverRow};

use super::*;
use crate::store::{Coming, ComingFilter, MessageFilter, Position, Wire};

pub(in crate::store) async fn a_repeated_receipt_is_ignored_and_a_sent_one_is_due_no_more(store: &dyn Store) {
    let first = receipt(Direction::In, 1, "accepted");
    let mut again = first.clone();
    again.receipt = b"another".to_vec();
    let opened = receipt(Direction::In, 1, "opened");
    put(store, vec![Write::Receipt(first.clone()), Write::Receipt(again), Write::Receipt(opened.clone())])
        .await;
    let due = store.receipts_due(peer(), 0, 10).await.unwrap();
    assert_eq!(due.iter().map(|(_, row)| row).collect::<Vec<_>>(), [&first, &opened]);
    put(store, vec![Write::ReceiptsSent { keys: vec![due.first().unwrap().0] }]).await;
    let due = store.receipts_due(peer(), 0, 10).await.unwrap();
    assert_eq!(due.iter().map(|(_, row)| row).collect::<Vec<_>>(), [&opened]);
    let sent = ReceiptRow { to_send: false, ..first };
    assert_eq!(store.receipts(message_id(1)).await, Ok(vec![sent, opened]));
}

pub(in crate::store) async fn a_known_inbound_message_comes_with_its_first_receipt(store: &dyn Store) {
    let accepted = receipt(Direction::In, 1, "accepted");
    put(store, vec![Write::Inbound(inbound(1)), Write::Receipt(accepted.clone())]).await;
    put(store, vec![Write::Receipt(receipt(Direction::In, 1, "opened")), Write::Inbound(inbound(2))]).await;
    let known = store.known_inbound(vec![message_id(2), message_id(3), message_id(1)]).await.unwrap();
    let told: Vec<_> = known.iter().map(|known| (known.message, known.receipt.as_slice())).collect();
    assert_eq!(told, [(message_id(2), b"".as_slice()), (message_id(1), accepted.receipt.as_slice())]);
    let first = known.first().unwrap();
    assert_eq!((first.release, first.issuer_digest), (release_of(2), Some(Digest::of(b"issuer"))));
}

pub(in crate::store) async fn under_an_id_that_was_never_accepted_nothing_comes_in_later(store: &dyn Store) {
    let never =
        NeverRow { message: message_id(1), peer: peer(), release: release_of(1), keep_until_ms: 5_000 };
    put(store, vec![Write::Never(never.clone())]).await;
    assert_eq!(commit(store, vec![Write::Inbound(inbound(1))]).await, conflict(0, Guard::Taken));
    assert_eq!(store.message(message_id(1)).await, Ok(None));
    let known = store.known_inbound(vec![message_id(1)]).await.unwrap();
    assert_eq!(
        known.iter().map(|known| (&known.peer, known.issuer_digest)).collect::<Vec<_>>(),
        [(&peer(), None)]
    );
    put(store, vec![Write::Inbound(inbound(2))]).await;
    let of_an_accepted = NeverRow { message: message_id(2), ..never };
    assert_eq!(commit(store, vec![Write::Never(of_an_accepted)]).await, conflict(0, Guard::Taken));
}

pub(in crate::store) async fn events_reach_the_agency_named_and_every_agency_of_the_role(store: &dyn Store) {
    let mut enforcement = event(EventKind::MessageReceived, Some("IGM"), 4, "accepted");
    enforcement.role = "migration_enforcement".parse().unwrap();
    put(
        store,
        vec![
            Write::Event(event(EventKind::MessageReceived, None, 1, "accepted")),
            Write::Event(event(EventKind::MessageReceived, Some("IGM"), 2, "accepted")),
            Write::Event(event(EventKind::MessageReceived, Some("SBS"), 3, "accepted")),
            Write::Event(enforcement.clone()),
        ],
    )
    .await;
    let seen = async |agency: &str, roles: &[&str], after, limit| {
        let roles = roles.iter().map(|role| role.parse().unwrap()).collect();
        store.events(agency.parse().unwrap(), roles, after, limit).await.unwrap()
    };
    let messages = |events: &[(i64, Event)]| -> Vec<_> {
        events.iter().map(|(_, event)| event.message.unwrap()).collect()
    };
    let igm = seen("IGM", &["returns_reception"], 0, 10).await;
    assert_eq!(messages(&igm), [message_id(1), message_id(2)]);
    let (cursor, first) = igm.first().unwrap();
    assert_eq!(*first, event(EventKind::MessageReceived, None, 1, "accepted"));
    assert_eq!(messages(&seen("IGM", &["returns_reception"], *cursor, 10).await), [message_id(2)]);
    assert_eq!(messages(&seen("SBS", &["returns_reception"], 0, 10).await), [message_id(1), message_id(3)]);
    assert_eq!(messages(&seen("IGM", &["migration_enforcement"], 0, 10).await), [message_id(4)]);
    assert_eq!(messages(&seen("IGM", &[], 0, 10).await), []);
    let both = ["migration_enforcement", "returns_reception", "returns_reception"];
    assert_eq!(messages(&seen("IGM", &both, 0, 2).await), [message_id(1), message_id(2)]);
}

pub(in crate::store) async fn the_latest_decision_of_a_message_reads_back(store: &dyn Store) {
    put(store, vec![Write::Decision(decision(1, 5)), Write::Decision(decision(2, 5))]).await;
    let found = store.decision(message_id(5)).await.unwrap().unwrap();
    let expected = decision(2, 5);
    assert_eq!((found.decision, found.message), (expected.decision, expected.message));
    assert_eq!((found.spoke, found.facts), (expected.spoke, expected.facts));
    assert_eq!((found.outcome, found.rule), (expected.outcome, expected.rule));
    assert_eq!((found.policy, found.at_ms), (expected.policy, expected.at_ms));
    assert!(store.decision(message_id(6)).await.unwrap().is_none());
}

pub(in crate::store) async fn decisions_are_read_newest_first_and_none_twice(store: &dyn Store) {
    put(store, (1..=5).map(|number| Write::Decision(decision(number, number))).collect()).await;
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = store.decisions(before, 2).await.unwrap();
        let Some((place, _)) = page.last() else { break };
        before = Some(*place);
        seen.extend(page.into_iter().map(|(_, row)| row.decision.0.as_u128()));
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

pub(in crate::store) async fn an_idempotency_key_is_one_agencys_and_used_once(store: &dyn Store) {
    put(store, vec![Write::Idempotent(answer("INM", "k", 9_000))]).await;
    put(store, vec![Write::Idempotent(answer("SRE", "k", 9_000))]).await;
    let again = commit(store, vec![Write::Leaf(leaf(1)), Write::Idempotent(answer("INM", "k", 9_000))]).await;
    assert_eq!(again, conflict(1, Guard::Taken));
    let found = store.idempotent("INM".parse().unwrap(), "k".to_owned()).await;
    assert_eq!(found, Ok(Some(answer("INM", "k", 9_000))));
}

pub(in crate::store) async fn history_tells_release_receipts_and_unreceipted_states(store: &dyn Store) {
    put(store, vec![Write::Outbound(outbound(1)), Write::Outbound(outbound(2))]).await;
    put(
        store,
        vec![
            moves(1, OutboundState::Accepted, 0),
            Write::Receipt(receipt(Direction::Out, 1, "accepted")),
            Write::Event(event(EventKind::MessageState, Some("INM"), 1, "accepted")),
            moves(2, OutboundState::Cancelled, 0),
            Write::Event(event(EventKind::MessageState, Some("INM"), 2, "cancelled")),
        ],
    )
    .await;
    let entry = |at_ms, state: &str, receipted| HistoryEntry {
        at_ms,
        state: state.to_owned(),
        code: None,
        receipted,
    };
    let accepted = vec![entry(1_001, "queued", false), entry(2_000, "accepted", true)];
    assert_eq!(store.history(message_id(1)).await, Ok(accepted));
    let cancelled = vec![entry(1_002, "queued", false), entry(3_000, "cancelled", false)];
    assert_eq!(store.history(message_id(2)).await, Ok(cancelled));
    assert_eq!(store.history(message_id(3)).await, Ok(vec![]));
}

pub(in crate::store) async fn an_operation_is_read_in_pages_without_gap_or_repeat(store: &dyn Store) {
    let mut same_instant = outbound(2);
    same_instant.message.created_ms = 1_001;
    put(store, vec![Write::Outbound(same_instant), Write::Outbound(outbound(1))]).await;
    put(store, vec![Write::Inbound(inbound(3))]).await;
    let operation = OperationId(Uuid::from_u128(2));
    let mut after = None;
    let mut seen = Vec::new();
    while let Some(row) = store.operation(operation, after, 1, Wire::Left).await.unwrap().pop() {
        assert!(row.wire.is_empty());
        after = Some(Position { created_ms: row.created_ms, message: row.message });
        seen.push(row.message);
    }
    assert_eq!(seen, [message_id(1), message_id(2), message_id(3)]);
    let with_wire = store.operation(operation, None, 10, Wire::Read).await.unwrap();
    assert!(with_wire.iter().all(|row| row.wire == b"MARK-WIRE"));
}

pub(in crate::store) async fn replies_and_the_operators_listing_are_found(store: &dyn Store) {
    let mut reply = inbound(3);
    reply.message.in_reply_to = Some(message_id(1));
    put(store, vec![Write::Outbound(outbound(1)), Write::Outbound(outbound(2))]).await;
    put(store, vec![Write::Inbound(reply.clone()), moves(2, OutboundState::Unconfirmed, 0)]).await;
    assert_eq!(store.replies(message_id(1)).await, Ok(vec![reply.message]));

    let listed = async |filter: MessageFilter| -> Vec<MessageId> {
        store.messages(filter, 10).await.unwrap().into_iter().map(|row| row.message).collect()
    };
    let all = MessageFilter::default;
    assert_eq!(listed(all()).await, [message_id(3), message_id(2), message_id(1)]);
    assert_eq!(
        listed(MessageFilter { after: Some(message_id(3)), ..all() }).await,
        [message_id(2), message_id(1)]
    );
    assert_eq!(listed(MessageFilter { direction: Some(Direction::In), ..all() }).await, [message_id(3)]);
    for (state, expected) in [("queued", 1), ("unconfirmed", 2), ("accepted", 3)] {
        let filter = MessageFilter { state: Some(state.to_owned()), peer: Some(peer()), ..all() };
        assert_eq!(listed(filter).await, [message_id(expected)]);
    }
    assert_eq!(listed(MessageFilter { state: Some("nonsense".to_owned()), ..all() }).await, []);
}

pub(in crate::store) async fn an_operation_that_comes_is_listed_for_whom_it_is_and_no_other(
    store: &dyn Store,
) {
    let came = |number: u128, change: &dyn Fn(&mut MessageRow)| {
        let mut row = inbound(number);
        change(&mut row.message);
        Write::Inbound(row)
    };
    let another = OperationId(Uuid::from_u128(9));
    put(
        store,
        vec![
            came(1, &|row| row.message_type = "return.notice".parse().unwrap()),
            came(2, &|_| {}),
            came(3, &|row| row.agency = None),
            came(4, &|row| row.operation = Some(another)),
            came(5, &|row| row.agency = Some("SBS".parse().unwrap())),
            came(6, &|row| row.role = "child_protection".parse().unwrap()),
            came(7, &|row| row.state = "refused".to_owned()),
            Write::Outbound(outbound(8)),
        ],
    )
    .await;
    let of_the_list = Coming {
        operation: OperationId(Uuid::from_u128(2)),
        peer: peer(),
        first_ms: 1_001,
        last_ms: 1_003,
        rows: 2,
        notice: Some(message_id(1)),
        row: Some(message_id(3)),
    };
    let alone = Coming {
        operation: another,
        first_ms: 1_004,
        last_ms: 1_004,
        rows: 1,
        notice: None,
        row: Some(message_id(4)),
        ..of_the_list.clone()
    };
    let filter = |since_ms| ComingFilter { agency: "INM".parse().unwrap(), roles: vec![role()], since_ms };
    assert_eq!(store.coming(filter(0), 10).await, Ok(vec![alone.clone(), of_the_list]));
    assert_eq!(store.coming(filter(1_004), 10).await, Ok(vec![alone]));
}
