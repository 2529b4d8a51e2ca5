//! Holds, stopped rows, and whom a waiting message names.

use puente_core::ids::{HoldId, StopId};
use puente_core::protection::{Authority, HoldRow, Reviewed, SenderSide, Stop, StopDraft, StopKind, StopRow};

use super::*;
use crate::store::StopFilter;

pub(in crate::store) fn hold(number: u128) -> HoldRow {
    HoldRow {
        hold: HoldId(Uuid::from_u128(number)),
        revision: 1,
        placed_ms: 1_000,
        ended_ms: None,
        record: b"MARK-HOLD".to_vec(),
    }
}

pub(in crate::store) fn stop(number: u128) -> StopRow {
    StopRow {
        stop: Stop {
            stop: StopId(Uuid::from_u128(number)),
            kind: StopKind::Held,
            agency: "INM".parse().unwrap(),
            role: "migration_enforcement".parse().unwrap(),
            authority: Authority { agency: "COMAR".parse().unwrap(), role: "asylum".parse().unwrap() },
            message_type: "return.manifest".parse().unwrap(),
            peer: peer(),
            operation: Some(OperationId(Uuid::from_u128(2))),
            row: Some(70),
            message: None,
            opened_ms: 1_000,
            departs_ms: None,
            answer_by_ms: 20_000 + i64::try_from(number).unwrap(),
            review_by_ms: 10_000 + i64::try_from(number).unwrap(),
            sender: SenderSide::Silent,
            reviewed: Reviewed::Silent,
            sender_alarmed: false,
            authority_alarmed: false,
        },
        revision: 1,
        record: b"MARK-STOP".to_vec(),
        draft: Some(StopDraft { subject: Some(subject(1)), bytes: b"MARK-DRAFT".to_vec() }),
    }
}

/// As the row is read back: whose key seals the draft is not known, and a listing has none.
fn read(number: u128) -> StopRow {
    let draft = Some(StopDraft { subject: None, bytes: b"MARK-DRAFT".to_vec() });
    StopRow { draft, ..stop(number) }
}

fn listed(row: StopRow) -> StopRow {
    StopRow { draft: None, ..row }
}

pub(in crate::store) async fn a_hold_changes_only_from_its_last_state_and_an_ended_one_stands_no_more(
    store: &dyn Store,
) {
    put(store, vec![Write::Hold(hold(1)), Write::Hold(hold(2))]).await;
    assert_eq!(commit(store, vec![Write::Hold(hold(1))]).await, conflict(0, Guard::Taken));
    assert_eq!(store.holds(None, 10).await, Ok(vec![hold(1), hold(2)]));
    assert_eq!(store.holds(Some(hold(1).hold), 10).await, Ok(vec![hold(2)]));
    let ended = HoldRow { revision: 2, ended_ms: Some(5_000), ..hold(1) };
    put(store, vec![Write::HoldChanged(ended.clone())]).await;
    assert_eq!(commit(store, vec![Write::HoldChanged(ended.clone())]).await, conflict(0, Guard::Changed));
    assert_eq!(store.hold(hold(1).hold).await, Ok(Some(ended)));
    assert_eq!(store.holds(None, 10).await, Ok(vec![hold(2)]));
}

pub(in crate::store) async fn each_side_lists_the_stops_that_wait_for_it_and_no_record(store: &dyn Store) {
    put(store, vec![Write::Stop(stop(1)), Write::Stop(stop(2))]).await;
    let mut answered = read(1);
    answered.stop.sender = SenderSide::TakenOff;
    answered.revision = 2;
    // The draft stays as it is, whatever a change says of it.
    put(store, vec![Write::StopChanged(StopRow::changed(answered.stop.clone(), 1, answered.record.clone()))])
        .await;
    assert_eq!(commit(store, vec![Write::StopChanged(answered.clone())]).await, conflict(0, Guard::Changed));
    assert_eq!(store.stop(answered.stop.stop).await, Ok(Some(answered)));
    let all = async |filter: StopFilter| store.stops(filter, 10).await.unwrap();
    let (agency, authority) = (stop(1).stop.agency, stop(1).stop.authority.agency);
    let unanswered = all(StopFilter::Unanswered { agency: agency.clone(), after: None }).await;
    assert_eq!(unanswered, [StopRow { record: Vec::new(), ..listed(stop(2)) }]);
    let both = all(StopFilter::Unreviewed { authority: authority.clone(), after: None }).await;
    assert_eq!(both.len(), 2);
    let after = Some(stop(1).stop.stop);
    assert_eq!(all(StopFilter::Referred { authority, after }).await.len(), 1);
    assert!(all(StopFilter::Unreviewed { authority: agency, after: None }).await.is_empty());
}

pub(in crate::store) async fn what_an_erased_subject_submitted_as_a_stopped_row_reads_back_no_more(
    store: &dyn Store,
) {
    put(store, vec![Write::Stop(stop(1))]).await;
    store.erase_subject(subject(1), 5_000).await.unwrap();
    assert_eq!(store.stop(stop(1).stop.stop).await, Ok(Some(listed(stop(1)))));
}

pub(in crate::store) async fn a_settled_stop_loses_its_draft_after_its_days_and_an_open_one_keeps_it(
    store: &dyn Store,
) {
    let mut settled = stop(1).stop;
    (settled.sender, settled.reviewed) = (SenderSide::TakenOff, Reviewed::Confirmed);
    put(store, vec![Write::Stop(stop(1)), Write::Stop(stop(2))]).await;
    put(store, vec![Write::StopChanged(StopRow::changed(settled, 1, b"MARK-STOP".to_vec()))]).await;
    store.forget(Past { drafts_ms: 1_000, ..past(1_000) }).await.unwrap();
    assert!(store.stop(stop(1).stop.stop).await.unwrap().unwrap().draft.is_some());
    store.forget(Past { drafts_ms: 1_001, ..past(1_001) }).await.unwrap();
    assert_eq!(store.stop(stop(1).stop.stop).await.unwrap().unwrap().draft, None);
    assert!(store.stop(stop(2).stop.stop).await.unwrap().unwrap().draft.is_some());
    store.forget(Past { records_ms: 1_001, ..past(1_001) }).await.unwrap();
    assert_eq!(store.stop(stop(1).stop.stop).await, Ok(None));
    assert!(store.stop(stop(2).stop.stop).await.unwrap().is_some());
}

pub(in crate::store) async fn a_stop_is_due_at_its_next_alarm_and_not_after_both_were_told(
    store: &dyn Store,
) {
    put(store, vec![Write::Stop(stop(1)), Write::Stop(stop(2))]).await;
    assert!(store.stops_alarming(10_000, 10).await.unwrap().is_empty());
    assert_eq!(store.stops_alarming(10_001, 10).await, Ok(vec![listed(stop(1))]));
    let mut told = stop(1);
    assert_eq!(told.stop.handle_time(30_000).len(), 2);
    told.revision = 2;
    put(store, vec![Write::StopChanged(told)]).await;
    assert_eq!(store.stops_alarming(30_000, 10).await, Ok(vec![listed(stop(2))]));
}

pub(in crate::store) async fn whom_a_message_names_comes_out_with_it_while_it_waits(store: &dyn Store) {
    put(store, vec![Write::Outbound(outbound(1))]).await;
    let due = store.outbound_due(peer(), Lane::Bulk, 5_000, 10).await.unwrap();
    assert_eq!(due.first().unwrap().named, b"MARK-NAMED");
    put(store, vec![moves(1, OutboundState::Queued, 2_000)]).await;
    let due = store.outbound_due(peer(), Lane::Bulk, 5_000, 10).await.unwrap();
    assert_eq!(due.first().unwrap().named, b"MARK-NAMED");
    put(store, vec![moves(1, OutboundState::Cancelled, 2_000)]).await;
    assert!(store.outbound_due(peer(), Lane::Bulk, 5_000, 10).await.unwrap().is_empty());
}
