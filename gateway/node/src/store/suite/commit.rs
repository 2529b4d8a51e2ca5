//! All or nothing, once, and nothing of a neighbour's failure.

use puente_core::catalogue::Lane;
use puente_core::delivery::{CommitId, Direction, Write};
use puente_core::evidence::leaf_hash;
use puente_core::ids::Digest;

use super::*;

pub(in crate::store) async fn a_stored_message_reads_back_whole(store: &dyn Store) {
    let mut sent = outbound(1);
    sent.message.in_reply_to = Some(message_id(2));
    sent.message.lane = Lane::Control;
    let mut came = inbound(2);
    came.message.agency = None;
    came.message.operation = None;
    came.message.row = None;
    came.message.state = "refused".to_owned();
    came.message.code = Some("policy.denied".to_owned());
    put(store, vec![Write::Outbound(sent.clone()), Write::Inbound(came.clone()), Write::Leaf(leaf(1))]).await;
    assert_eq!(store.message(message_id(1)).await, Ok(Some(sent.message)));
    assert_eq!(store.message(message_id(2)).await, Ok(Some(came.message)));
    assert_eq!(store.withheld(message_id(1)).await, Ok(Some(b"MARK-WITHHELD".to_vec())));
    assert_eq!(store.withheld(message_id(2)).await, Ok(None));
    assert_eq!(store.message(message_id(3)).await, Ok(None));
}

pub(in crate::store) async fn an_id_is_stored_once_in_either_direction(store: &dyn Store) {
    put(store, vec![Write::Outbound(outbound(1)), Write::Inbound(inbound(2))]).await;
    assert_eq!(commit(store, vec![Write::Outbound(outbound(1))]).await, conflict(0, Guard::Taken));
    assert_eq!(commit(store, vec![Write::Inbound(inbound(2))]).await, conflict(0, Guard::Taken));
    assert_eq!(commit(store, vec![Write::Inbound(inbound(1))]).await, conflict(0, Guard::Taken));
}

pub(in crate::store) async fn a_failing_write_undoes_its_whole_commit_and_names_itself(store: &dyn Store) {
    put(store, vec![Write::Outbound(outbound(1))]).await;
    let writes = vec![
        Write::Outbound(outbound(2)),
        Write::Decision(decision(1, 2)),
        Write::Event(event(EventKind::MessageState, Some("INM"), 2, "queued")),
        Write::Outbound(outbound(1)),
        Write::Outbound(outbound(3)),
    ];
    assert_eq!(commit(store, writes).await, conflict(3, Guard::Taken));
    assert_eq!(store.message(message_id(2)).await, Ok(None));
    assert!(store.decision(message_id(2)).await.unwrap().is_none());
    assert_eq!(store.events("INM".parse().unwrap(), vec![role()], 0, 10).await, Ok(vec![]));
    assert_eq!(store.queue_depth().await.unwrap().first().unwrap().waiting, 1);
}

pub(in crate::store) async fn another_commit_of_the_group_survives_a_failing_one(store: &dyn Store) {
    // With the subject's key made already, joined futures are polled in order before the first answer, so they
    // wait together.
    put(store, vec![Write::Leaf(leaf(1))]).await;
    let first = store.commit(CommitId(1), vec![Write::Outbound(outbound(1))]);
    let again = store.commit(CommitId(2), vec![Write::Outbound(outbound(2)), Write::Outbound(outbound(1))]);
    let third = store.commit(CommitId(3), vec![Write::Outbound(outbound(3))]);
    let (first, again, third) = tokio::join!(first, again, third);
    assert_eq!(first.unwrap().id(), CommitId(1));
    assert_eq!(again, conflict(1, Guard::Taken));
    assert_eq!(third.unwrap().id(), CommitId(3));
    assert_eq!(store.message(message_id(2)).await, Ok(None));
    assert!(store.message(message_id(3)).await.unwrap().is_some());
}

pub(in crate::store) async fn a_token_is_of_its_own_commit(store: &dyn Store) {
    let token = store.commit(CommitId(42), vec![Write::Leaf(leaf(1))]).await.unwrap();
    assert_eq!(token.id(), CommitId(42));
}

pub(in crate::store) async fn chunks_are_idempotent_and_never_change(store: &dyn Store) {
    let put = |index, bytes: &[u8]| {
        store.put_chunk(chunk_at("INM", b"root", index), bytes.to_vec(), 1 << 20, 1_000)
    };
    put(1, b"MARK-CHUNK").await.unwrap();
    put(0, b"first").await.unwrap();
    assert_eq!(put(1, b"MARK-CHUNK").await, Ok(()));
    assert_eq!(put(1, b"other").await, Err(StoreError::Conflict { write: 0, what: Guard::OtherContent }));
    assert_eq!(store.chunk(chunk_at("INM", b"root", 1)).await, Ok(Some(b"MARK-CHUNK".to_vec())));
    assert_eq!(store.chunk(chunk_at("INM", b"root", 2)).await, Ok(None));
    let ChunkPlace { owner, root, .. } = chunk_at("INM", b"root", 0);
    let leaves = vec![(0, leaf_hash(b"first")), (1, leaf_hash(b"MARK-CHUNK"))];
    assert_eq!(store.chunk_leaves(owner, root).await, Ok(leaves));
}

pub(in crate::store) async fn a_chunk_is_its_owners_alone(store: &dyn Store) {
    let of_peer = ChunkPlace { owner: ChunkOwner::Peer(peer()), ..chunk_at("INM", b"root", 0) };
    let places = [chunk_at("INM", b"root", 0), chunk_at("COMAR", b"root", 0), of_peer];
    for (place, bytes) in places.iter().zip([b"MARK-1", b"MARK-2", b"MARK-3"]) {
        assert_eq!(store.chunk(place.clone()).await, Ok(None), "others' are not there for it");
        store.put_chunk(place.clone(), bytes.to_vec(), 1 << 20, 1_000).await.unwrap();
    }
    for (place, bytes) in places.iter().zip([b"MARK-1", b"MARK-2", b"MARK-3"]) {
        assert_eq!(store.chunk(place.clone()).await, Ok(Some(bytes.to_vec())));
    }
    // A message names its own sender's chunks, and keeps no others.
    let mut row = outbound(1);
    row.keeping.attachments = vec![places[0].root];
    put(store, vec![Write::Outbound(row)]).await;
    assert_eq!(store.forget(Past { chunks_ms: 9_000, ..past(0) }).await, Ok(2));
    assert_eq!(store.chunk(places[0].clone()).await, Ok(Some(b"MARK-1".to_vec())));
    let naming = store.naming(places[0].root, 10).await.unwrap();
    assert_eq!(naming.iter().map(|row| row.message).collect::<Vec<_>>(), [message_id(1)]);
}

pub(in crate::store) async fn what_no_message_names_is_bounded_for_each_owner(store: &dyn Store) {
    let put_one =
        |agency, index| store.put_chunk(chunk_at(agency, b"root", index), vec![7; 5_000], 10_000, 1_000);
    put_one("INM", 0).await.unwrap();
    put_one("INM", 1).await.unwrap();
    let over = Err(StoreError::Conflict { write: 0, what: Guard::OverQuota });
    assert_eq!(put_one("INM", 2).await, over);
    put_one("COMAR", 0).await.unwrap();
    let mut row = outbound(1);
    row.keeping.attachments = vec![Digest::of(b"root")];
    put(store, vec![Write::Outbound(row)]).await;
    assert_eq!(put_one("INM", 2).await, Ok(()), "what a message names is not counted");
}

pub(in crate::store) async fn forgetting_drops_answers_and_ids_past_their_keeping_only(store: &dyn Store) {
    let mut long = inbound(2);
    long.keep_until_ms = 9_000;
    put(
        store,
        vec![
            Write::Inbound(inbound(1)),
            Write::Inbound(long),
            Write::Idempotent(answer("INM", "short", 5_000)),
            Write::Idempotent(answer("INM", "long", 9_000)),
        ],
    )
    .await;
    assert_eq!(store.forget(past(5_000)).await, Ok(0));
    assert_eq!(store.forget(past(5_001)).await, Ok(2));
    let known = store.known_inbound(vec![message_id(1), message_id(2)]).await.unwrap();
    assert_eq!(known.iter().map(|known| known.message).collect::<Vec<_>>(), [message_id(2)]);
    assert_eq!(store.idempotent("INM".parse().unwrap(), "short".to_owned()).await, Ok(None));
    assert!(store.idempotent("INM".parse().unwrap(), "long".to_owned()).await.unwrap().is_some());
    let kept = store.message(message_id(1)).await.unwrap().map(|row| row.direction);
    assert_eq!(kept, Some(Direction::In));
}
