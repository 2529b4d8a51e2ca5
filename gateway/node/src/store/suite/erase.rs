//! Content that goes: by erasure of its subject, by the clock, and what it leaves behind.

use puente_core::delivery::{HoldChange, RetentionStep};
use puente_core::ids::Digest;

use super::*;
use crate::store::{DueErasures, ERASED, MessageFilter, Past};

fn of(number: u128, of: u8) -> OutboundRow {
    OutboundRow { keeping: keeping(of), ..outbound(number) }
}

async fn due(store: &dyn Store, now_ms: i64) -> Vec<(RetentionStep, MessageId)> {
    let due = store.retention_due(now_ms, 10).await.unwrap();
    assert!(due.iter().all(|(_, row)| row.wire.is_empty()));
    due.into_iter().map(|(step, row)| (step, row.message)).collect()
}

pub(in crate::store) async fn an_erased_message_keeps_its_metadata_and_receipts_and_waits_no_more(
    store: &dyn Store,
) {
    put(store, vec![Write::Outbound(of(1, 1)), Write::Outbound(of(2, 2))]).await;
    put(store, vec![Write::Receipt(receipt(Direction::Out, 1, "accepted"))]).await;
    put(store, vec![Write::Erased { message: message_id(1) }]).await;
    let row = store.message(message_id(1)).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.wire.len()), (ERASED, 0));
    assert_eq!((row.case, row.categories), (outbound(1).message.case, outbound(1).message.categories));
    assert_eq!(store.withheld(message_id(1)).await, Ok(None));
    assert_eq!(store.receipts(message_id(1)).await.unwrap().len(), 1);
    let waiting = store.outbound_due(peer(), Lane::Bulk, 9_000, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|queued| queued.message).collect::<Vec<_>>(), [message_id(2)]);
    assert_eq!(store.queue_depth().await.unwrap().first().unwrap().waiting, 1);
    let filter = MessageFilter { state: Some(ERASED.to_owned()), ..MessageFilter::default() };
    let listed = store.messages(filter, 10).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.message).collect::<Vec<_>>(), [message_id(1)]);
    let again = commit(store, vec![moves(1, OutboundState::Accepted, 0)]).await;
    assert_eq!(again, conflict(0, Guard::Final));
    let twice = commit(store, vec![Write::Erased { message: message_id(1) }]).await;
    assert_eq!(twice, conflict(0, Guard::Final));
    let absent = commit(store, vec![Write::Erased { message: message_id(7) }]).await;
    assert_eq!(absent, conflict(0, Guard::Absent));
}

pub(in crate::store) async fn an_erased_subject_is_gone_and_its_neighbour_is_not(store: &dyn Store) {
    put(store, vec![Write::Outbound(of(1, 1)), Write::Outbound(of(2, 2)), Write::Outbound(of(3, 1))]).await;
    store.erase_subject(subject(1), 5_000).await.unwrap();
    store.erase_subject(subject(9), 5_000).await.unwrap();
    let waiting = store.outbound_due(peer(), Lane::Bulk, 9_000, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|queued| queued.message).collect::<Vec<_>>(), [message_id(2)]);
    let erased = store.erasures_due(10).await.unwrap();
    let messages: Vec<_> = erased.messages.iter().map(|row| row.message).collect();
    assert_eq!(messages, [message_id(1), message_id(3)]);
    assert_eq!(store.erasures_due(1).await.unwrap().messages.len(), 1);
    put(store, messages.into_iter().map(|message| Write::Erased { message }).collect()).await;
    assert_eq!(store.erasures_due(10).await.unwrap().messages, []);
    put(store, vec![Write::ErasuresSettled { erasures: erased.erasures }]).await;
    assert_eq!(store.erasures_due(10).await, Ok(DueErasures::default()));
    // Asked again it is no error, and there is nothing to do.
    store.erase_subject(subject(1), 6_000).await.unwrap();
    assert_eq!(store.erasures_due(10).await, Ok(DueErasures::default()));
}

pub(in crate::store) async fn retention_tells_the_agency_and_then_takes_the_content(store: &dyn Store) {
    put(store, vec![Write::Outbound(of(1, 1)), Write::Inbound(inbound(2))]).await;
    assert_eq!(due(store, 89_999).await, []);
    let near = [(RetentionStep::Announce, message_id(1)), (RetentionStep::Announce, message_id(2))];
    assert_eq!(due(store, 90_000).await, near);
    put(store, vec![Write::RetentionAnnounced { message: message_id(1) }]).await;
    assert_eq!(due(store, 99_999).await, near[1..]);
    // A node that was off all the while has nothing left to announce.
    let over = [(RetentionStep::Erase, message_id(2)), (RetentionStep::Erase, message_id(1))];
    assert_eq!(due(store, 100_000).await, over);
    put(store, over.iter().map(|(_, message)| Write::Erased { message: *message }).collect()).await;
    assert_eq!(due(store, i64::MAX).await, []);
    assert_eq!(store.message(message_id(2)).await.unwrap().unwrap().state, ERASED);
    let nothing = commit(store, vec![Write::RetentionAnnounced { message: message_id(1) }]).await;
    assert_eq!(nothing, conflict(0, Guard::Absent));
}

pub(in crate::store) async fn a_refused_message_is_kept_as_metadata_only(store: &dyn Store) {
    put(store, vec![Write::Inbound(InboundRow { keeping: None, ..inbound(1) })]).await;
    assert!(store.message(message_id(1)).await.unwrap().unwrap().wire.is_empty());
    assert_eq!(due(store, i64::MAX).await, []);
}

pub(in crate::store) async fn a_legal_hold_refuses_erasure_and_puts_retention_off(store: &dyn Store) {
    let hold = |change| Write::LegalHold { subject: subject(1), change };
    put(store, vec![Write::Outbound(of(1, 1)), hold(HoldChange::Placed), Write::Outbound(of(2, 1))]).await;
    let held = StoreError::Conflict { write: 0, what: Guard::LegalHold };
    assert_eq!(store.erase_subject(subject(1), 5_000).await, Err(held));
    assert_eq!(due(store, i64::MAX).await, []);
    assert_eq!(store.message(message_id(1)).await.unwrap().unwrap().wire, b"MARK-WIRE");

    put(store, vec![hold(HoldChange::Lifted)]).await;
    assert_eq!(due(store, i64::MAX).await.len(), 2);
    store.erase_subject(subject(1), 5_000).await.unwrap();
    assert_eq!(store.erasures_due(10).await.unwrap().messages.len(), 2);
}

async fn put_chunk(store: &dyn Store, root: &[u8], now_ms: i64) {
    store.put_chunk(chunk_at("INM", root, 0), b"MARK-CHUNK".to_vec(), 1 << 20, now_ms).await.unwrap();
}

pub(in crate::store) async fn chunks_stay_as_long_as_a_message_names_them(store: &dyn Store) {
    let (named, orphan): (&[u8], &[u8]) = (b"named", b"orphan");
    for root in [named, orphan] {
        put_chunk(store, root, 1_000).await;
    }
    for number in [1, 2] {
        let mut row = of(number, 1);
        row.keeping.attachments = vec![Digest::of(named)];
        put(store, vec![Write::Outbound(row)]).await;
    }
    // Put again, it is kept for as long again.
    put_chunk(store, orphan, 2_000).await;
    assert_eq!(store.forget(Past { chunks_ms: 2_000, ..past(0) }).await, Ok(0));
    assert_eq!(store.forget(Past { chunks_ms: 2_001, ..past(0) }).await, Ok(1));
    assert_eq!(store.chunk(chunk_at("INM", orphan, 0)).await, Ok(None));
    put(store, vec![Write::Erased { message: message_id(1) }]).await;
    assert_eq!(store.forget(Past { chunks_ms: 9_000, ..past(0) }).await, Ok(0));
    put(store, vec![Write::Erased { message: message_id(2) }]).await;
    assert_eq!(store.forget(Past { chunks_ms: 9_000, ..past(0) }).await, Ok(1));
    assert_eq!(store.chunk(chunk_at("INM", named, 0)).await, Ok(None));
}

pub(in crate::store) async fn records_go_after_their_years_but_not_while_content_is_kept(store: &dyn Store) {
    let receipted = |number| Write::Receipt(receipt(Direction::Out, number, "accepted"));
    put(store, vec![Write::Outbound(of(1, 1)), receipted(1), Write::Decision(decision(1, 1))]).await;
    put(store, vec![Write::Outbound(of(2, 1)), Write::Erased { message: message_id(2) }]).await;
    put(store, vec![Write::Outbound(of(3, 1))]).await;
    assert_eq!(store.forget(Past { records_ms: 1_000, ..past(0) }).await, Ok(0));
    assert_eq!(store.forget(Past { records_ms: 9_000, ..past(0) }).await, Ok(3));
    assert!(store.message(message_id(1)).await.unwrap().is_some());
    assert_eq!(store.message(message_id(2)).await, Ok(None));
    assert_eq!(store.receipts(message_id(1)).await, Ok(vec![]));
    assert!(store.decision(message_id(1)).await.unwrap().is_none());
    assert_eq!(store.forget(Past { records_ms: 9_000, ..past(0) }).await, Ok(0));
}

pub(in crate::store) async fn a_draft_goes_once_its_approval_has_been_closed_for_its_days(store: &dyn Store) {
    let granted =
        Write::ApprovalState { approval: approval_id(1), state: ApprovalState::Granted, at_ms: 4_000 };
    put(store, vec![Write::Approval(approval(1)), Write::Approval(approval(2)), granted]).await;
    assert_eq!(store.forget(Past { drafts_ms: 4_000, ..past(0) }).await, Ok(0));
    assert_eq!(store.forget(Past { drafts_ms: 4_001, ..past(0) }).await, Ok(1));
    let draft = async |number| store.approval(approval_id(number)).await.unwrap().unwrap().0.draft;
    assert_eq!((draft(1).await, draft(2).await), (Vec::new(), b"MARK-DRAFT".to_vec()));
}
