//! Authorities' acts, what rests on them, and the ground of a waiting message.

use puente_core::authority::{ActRow, Given};
use puente_core::ids::ActId;
use puente_core::policy::Approval;

use super::*;
use crate::store::{ActFilter, ApprovalFilter};

fn act_id(number: u128) -> ActId {
    ActId(Uuid::from_u128(number))
}

fn act(number: u128, person: &str) -> ActRow {
    ActRow {
        act: act_id(number),
        approval: Approval::SenderChildProtection,
        message_type: "child.case.transfer".parse().unwrap(),
        case: CaseId(Uuid::from_u128(1)),
        peer: Some(peer()),
        role: role(),
        given: Given::Officer {
            row: approval_id(1),
            agency: "DIF".parse().unwrap(),
            officer: "ana".parse().unwrap(),
            person: person.parse().unwrap(),
            statement: "aa.bb.cc".to_owned(),
        },
        content: Some(Digest::of(b"content")),
        until_ms: 9_000,
        at_ms: 1_000,
        ended_ms: None,
    }
}

fn of_peer(number: u128) -> ActRow {
    ActRow {
        approval: Approval::RecipientChildProtection,
        given: Given::Message(message_id(number)),
        content: None,
        ..act(number, "nobody")
    }
}

async fn ids(store: &dyn Store, filter: ActFilter) -> Vec<ActId> {
    store.acts(filter, 10).await.unwrap().into_iter().map(|row| row.act).collect()
}

pub(in crate::store) async fn acts_are_found_by_thread_message_authority_and_id(store: &dyn Store) {
    put(store, vec![Write::Act(act(1, "a")), Write::Act(act(2, "b")), Write::Act(of_peer(3))]).await;
    assert_eq!(store.acts(ActFilter::One(act_id(1)), 10).await.unwrap(), [act(1, "a")]);
    assert_eq!(store.acts(ActFilter::One(act_id(3)), 10).await.unwrap(), [of_peer(3)]);
    let case = CaseId(Uuid::from_u128(1));
    assert_eq!(ids(store, ActFilter::InCase(case)).await, [act_id(1), act_id(2), act_id(3)]);
    assert_eq!(ids(store, ActFilter::InCase(CaseId(Uuid::from_u128(2)))).await, []);
    let of = |after| ActFilter::Of { agency: "DIF".parse().unwrap(), after };
    assert_eq!(ids(store, of(None)).await, [act_id(1), act_id(2)]);
    assert_eq!(ids(store, of(Some(act_id(1)))).await, [act_id(2)]);
    let rests = Write::RestsOn { message: message_id(7), acts: vec![act_id(1), act_id(3)] };
    put(store, vec![Write::Outbound(outbound(7)), rests]).await;
    assert_eq!(ids(store, ActFilter::Under(message_id(7))).await, [act_id(1), act_id(3)]);
    assert_eq!(ids(store, ActFilter::Untried).await, [act_id(3)]);
    put(store, vec![Write::ActTried { act: act_id(3) }]).await;
    assert_eq!(ids(store, ActFilter::Untried).await, []);
    put(store, vec![Write::Approval(approval(1))]).await;
    let in_case = ApprovalFilter { case: Some(case), ..ApprovalFilter::default() };
    assert_eq!(store.approvals(in_case, 10).await.unwrap().len(), 1);
}

pub(in crate::store) async fn one_person_gives_one_act_on_a_row_and_it_ends_once(store: &dyn Store) {
    put(store, vec![Write::Act(act(1, "a"))]).await;
    assert_eq!(commit(store, vec![Write::Act(act(2, "a"))]).await, conflict(0, Guard::Spoken));
    assert_eq!(commit(store, vec![Write::Act(act(1, "b"))]).await, conflict(0, Guard::Taken));
    let ends = || Write::ActEnded { act: act_id(1), statement: "dd.ee.ff".to_owned(), at_ms: 2_000 };
    put(store, vec![ends()]).await;
    assert_eq!(store.acts(ActFilter::One(act_id(1)), 1).await.unwrap()[0].ended_ms, Some(2_000));
    assert_eq!(commit(store, vec![ends()]).await, conflict(0, Guard::Final));
}

pub(in crate::store) async fn a_peer_takes_back_what_it_approved_in_a_thread_and_no_officers_act(
    store: &dyn Store,
) {
    put(store, vec![Write::Act(act(1, "a")), Write::Act(of_peer(2))]).await;
    let case = CaseId(Uuid::from_u128(1));
    let ended = |peer: CountryCode, at_ms| Write::ActsEnded { peer, case, at_ms };
    put(store, vec![ended("HN".parse().unwrap(), 1_500), ended(peer(), 2_000)]).await;
    let rows = store.acts(ActFilter::InCase(case), 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.ended_ms).collect::<Vec<_>>(), [None, Some(2_000)]);
}

pub(in crate::store) async fn a_waiting_message_comes_out_with_what_it_was_decided_on(store: &dyn Store) {
    put(store, vec![Write::Outbound(outbound(1))]).await;
    let due = store.outbound_due(peer(), Lane::Bulk, 2_000, 10).await.unwrap();
    assert_eq!(due[0].ground, Some(outbound(1).ground));
    put(store, vec![moves(1, OutboundState::Unconfirmed, 0)]).await;
    put(store, vec![moves(1, OutboundState::Queued, 1_000)]).await;
    let again = store.outbound_due(peer(), Lane::Bulk, 2_000, 10).await.unwrap();
    assert_eq!(again[0].ground, None);
}
