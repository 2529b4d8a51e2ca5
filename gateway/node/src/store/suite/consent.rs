//! Consents, the ledger of disclosures and the notices to its recipients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use puente_core::delivery::{
    ConsentEventRow, ConsentRow, DisclosureRow, NoticeKind, NoticeRow, NoticeState, OutboundState,
    RestrictionRow, WithdrawalRow, Write,
};
use puente_core::ids::{CaseId, ConsentId, Digest, NoticeId};
use uuid::Uuid;

use super::{
    Guard, Store, StoreError, commit, inbound, message_id, moves, outbound, peer, put, role, subject,
};
use crate::store::{Disclosed, NoticeFilter};

async fn expect_conflict(store: &dyn Store, writes: Vec<Write>, what: Guard) {
    assert_eq!(commit(store, writes).await.unwrap_err(), StoreError::Conflict { write: 0, what });
}

fn consent_id(number: u128) -> ConsentId {
    ConsentId(Uuid::from_u128(number))
}

fn record(number: u128, text: &[u8]) -> Write {
    Write::Consent(ConsentRow {
        consent: consent_id(number),
        agency: "INM".parse().unwrap(),
        digest: Digest::of(text),
        subject: Some(subject(1)),
        record: text.to_vec(),
        at_ms: 1_000,
    })
}

fn event(number: u32, text: &[u8]) -> Write {
    Write::ConsentEvent(ConsentEventRow {
        consent: consent_id(1),
        number,
        digest: Digest::of(text),
        subject: Some(subject(1)),
        event: text.to_vec(),
        at_ms: 2_000,
    })
}

fn disclosure(message: u128, consent: Option<u128>, subject: &str) -> Write {
    Write::Disclosure(DisclosureRow {
        message: message_id(message),
        agency: "INM".parse().unwrap(),
        role: role(),
        country: peer(),
        to_role: "civil_registry".parse().unwrap(),
        to_agency: None,
        message_type: "document.request".parse().unwrap(),
        purpose: "regularisation".parse().unwrap(),
        basis: "consent".to_owned(),
        categories: vec!["id.core".parse().unwrap()],
        consent: consent.map(consent_id),
        not_after_ms: Some(9_000),
        subject: Some(subject.to_owned()),
        case: CaseId(Uuid::from_u128(1)),
        at_ms: 1_500,
    })
}

fn notice(number: u128, message: u128) -> NoticeRow {
    NoticeRow {
        notice: NoticeId(Uuid::from_u128(number)),
        kind: NoticeKind::Withdrawal,
        consent: Some(consent_id(1)),
        message: Some(message_id(message)),
        agency: "INM".parse().unwrap(),
        role: role(),
        country: peer(),
        to_role: "civil_registry".parse().unwrap(),
        to_agency: None,
        opened_ms: 1_000,
        due_ms: 5_000,
        state: NoticeState::Open,
        code: None,
        reply: None,
        closed_ms: None,
    }
}

fn answered(number: u128, state: NoticeState) -> Write {
    Write::NoticeState {
        notice: NoticeId(Uuid::from_u128(number)),
        state,
        code: (state == NoticeState::Kept).then(|| "archive_law".to_owned()),
        reply: Some(message_id(77)),
        at_ms: 3_000,
    }
}

pub(crate) async fn a_consent_reads_back_with_its_events_in_their_order(store: &dyn Store) {
    put(store, vec![record(1, b"MARK-CONSENT"), event(1, b"first"), event(2, b"second")]).await;
    let (row, events) = store.consent(consent_id(1)).await.unwrap().unwrap();
    assert_eq!(
        (row.record.as_slice(), row.digest),
        (b"MARK-CONSENT".as_slice(), Digest::of(b"MARK-CONSENT"))
    );
    let texts: Vec<_> = events.iter().map(|event| event.event.as_slice()).collect();
    assert_eq!(texts, [b"first".as_slice(), b"second".as_slice()]);
    assert_eq!(store.consent(consent_id(2)).await.unwrap(), None);
    store.erase_subject(subject(1), 5_000).await.unwrap();
    assert_eq!(store.consent(consent_id(1)).await, Err(StoreError::Erased));
}

pub(crate) async fn a_record_never_changes_and_an_event_takes_one_free_place(store: &dyn Store) {
    put(store, vec![record(1, b"one"), event(1, b"first")]).await;
    expect_conflict(store, vec![record(1, b"other")], Guard::Taken).await;
    expect_conflict(store, vec![event(1, b"other")], Guard::Taken).await;
    expect_conflict(store, vec![event(3, b"third")], Guard::Absent).await;
    let (row, events) = store.consent(consent_id(1)).await.unwrap().unwrap();
    assert_eq!((row.record.as_slice(), events.len()), (b"one".as_slice(), 1));
}

pub(crate) async fn the_ledger_is_found_by_consent_subject_and_message_with_the_messages_state(
    store: &dyn Store,
) {
    for (number, consent, subject) in [(1, Some(1), "a"), (2, Some(1), "b"), (3, None, "a")] {
        put(store, vec![Write::Outbound(outbound(number)), disclosure(number, consent, subject)]).await;
    }
    put(store, vec![moves(2, OutboundState::Accepted, 0)]).await;
    let under = store.disclosures(Disclosed::Under(consent_id(1)), 0, 10).await.unwrap();
    let told: Vec<_> = under.iter().map(|(_, row, state)| (row.message, state.as_str())).collect();
    assert_eq!(told, [(message_id(1), "queued"), (message_id(2), "accepted")]);
    let after = under.first().unwrap().0;
    assert_eq!(store.disclosures(Disclosed::Under(consent_id(1)), after, 10).await.unwrap().len(), 1);
    assert_eq!(store.disclosures(Disclosed::About("a".to_owned()), 0, 10).await.unwrap().len(), 2);
    assert_eq!(
        store.disclosures(Disclosed::InCase(CaseId(Uuid::from_u128(1))), 0, 2).await.unwrap().len(),
        2
    );
    assert_eq!(store.disclosures(Disclosed::In(message_id(3)), 0, 10).await.unwrap().len(), 1);
    let due = store.outbound_due(peer(), puente_core::catalogue::Lane::Bulk, 9_000, 10).await.unwrap();
    let rests: Vec<_> = due.iter().map(|queued| queued.consent).collect();
    assert_eq!(rests, [Some(consent_id(1)), None]);
}

pub(crate) async fn a_notice_is_answered_once(store: &dyn Store) {
    put(store, vec![Write::Notice(notice(1, 11)), Write::Notice(notice(2, 12))]).await;
    expect_conflict(store, vec![Write::Notice(notice(1, 13))], Guard::Taken).await;
    put(store, vec![answered(1, NoticeState::Overdue)]).await;
    put(store, vec![Write::NoticeMessage { notice: NoticeId(Uuid::from_u128(1)), message: message_id(21) }])
        .await;
    put(store, vec![answered(1, NoticeState::Kept)]).await;
    expect_conflict(store, vec![answered(1, NoticeState::Deleted)], Guard::Final).await;
    expect_conflict(store, vec![answered(3, NoticeState::Deleted)], Guard::Absent).await;
    let carried = store.notices(NoticeFilter::Carried(message_id(21)), 0, 10).await.unwrap();
    let (_, row) = carried.first().unwrap();
    assert_eq!(
        (row.state, row.code.as_deref(), row.closed_ms),
        (NoticeState::Kept, Some("archive_law"), Some(3_000))
    );
    assert_eq!(store.notices(NoticeFilter::Unresolved, 0, 10).await.unwrap().len(), 1);
    assert_eq!(store.notices(NoticeFilter::Of("INM".parse().unwrap()), 0, 10).await.unwrap().len(), 2);
    assert!(store.notices(NoticeFilter::Of("DIF".parse().unwrap()), 0, 10).await.unwrap().is_empty());
}

pub(crate) async fn what_a_peer_withdrew_is_kept_once_a_notice_and_not_mixed_with_another_peers(
    store: &dyn Store,
) {
    let row = WithdrawalRow {
        peer: peer(),
        consent: consent_id(1),
        message: message_id(1),
        purposes: Vec::new(),
        categories: vec!["id.core".parse().unwrap()],
        at_ms: 1_000,
    };
    put(store, vec![Write::Withdrawal(row.clone()), Write::Withdrawal(row.clone())]).await;
    assert_eq!(store.withdrawals(peer(), consent_id(1)).await.unwrap(), [row]);
    assert!(store.withdrawals("HN".parse().unwrap(), consent_id(1)).await.unwrap().is_empty());
}

pub(crate) async fn what_came_in_about_a_person_is_found_by_her_and_she_by_it(store: &dyn Store) {
    for (number, subject_ref) in [(1, "a"), (2, "a"), (3, "b")] {
        let about = Write::Received {
            message: message_id(number),
            peer: peer(),
            subject_ref: subject_ref.to_owned(),
        };
        put(store, vec![Write::Inbound(inbound(number)), about]).await;
    }
    let found = store.received(peer(), "a".to_owned(), 0, 10).await.unwrap();
    assert_eq!(found.iter().map(|(_, message)| *message).collect::<Vec<_>>(), [message_id(1), message_id(2)]);
    assert!(store.received("HN".parse().unwrap(), "a".to_owned(), 0, 10).await.unwrap().is_empty());
    put(store, vec![Write::Erased { message: message_id(3) }]).await;
    assert_eq!(store.received_about(message_id(3)).await.unwrap().as_deref(), Some("b"));
    assert_eq!(store.received_about(message_id(4)).await.unwrap(), None);
}

pub(crate) async fn a_restriction_stands_until_its_own_question_is_settled(store: &dyn Store) {
    let placed = |number, key: &str| {
        Write::Restrict(RestrictionRow { question: message_id(number), key: key.to_owned(), at_ms: 1_000 })
    };
    put(store, vec![placed(1, "own a"), placed(2, "own a"), placed(1, "own b")]).await;
    let keys = async |after| -> Vec<_> {
        let rows = store.restrictions(after, 10).await.unwrap();
        rows.into_iter().map(|row| (row.question, row.key)).collect()
    };
    let (one, two) = ((message_id(1), "own a".to_owned()), (message_id(2), "own a".to_owned()));
    assert_eq!(keys(None).await, [one, two.clone()]);
    assert_eq!(keys(Some(message_id(1))).await, std::slice::from_ref(&two));
    let lifted = |number| Write::Unrestrict { question: message_id(number), at_ms: 2_000 };
    put(store, vec![lifted(1), lifted(9)]).await;
    assert_eq!(keys(None).await, [two]);
}
