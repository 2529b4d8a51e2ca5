//! Determinations about a person, and the messages that rest on them.

use puente_core::authority::DeterminationRow;
use puente_core::ids::ActId;
use puente_core::personal::Personal;
use puente_core::policy::Flag;

use super::*;
use crate::store::DeterminationFilter;

fn act(number: u128) -> ActId {
    ActId(Uuid::from_u128(number))
}

fn made(number: u128, subject: u8, holds: bool) -> DeterminationRow {
    DeterminationRow {
        act: act(number),
        subject: SubjectTag([subject; 32]),
        fact: Flag::BidPositive,
        holds,
        role: role(),
        agency: "DIF".parse().unwrap(),
        officer: "ana".parse().unwrap(),
        person: "p-1".parse().unwrap(),
        statement: Personal::new("aa.bb.cc".to_owned()),
        until_ms: 9_000,
        at_ms: 1_000,
        ended_ms: None,
    }
}

async fn ids(store: &dyn Store, filter: DeterminationFilter) -> Vec<ActId> {
    store.determinations(filter, 10).await.unwrap().into_iter().map(|row| row.act).collect()
}

pub(in crate::store) async fn a_determination_is_found_by_person_message_and_authority(store: &dyn Store) {
    let rows = [made(1, 5, true), made(2, 6, true)];
    put(store, rows.iter().cloned().map(Write::Determination).collect()).await;
    let about = |subject: u8| DeterminationFilter::About(SubjectTag([subject; 32]));
    assert_eq!(store.determinations(about(5), 10).await.unwrap(), [rows[0].clone()]);
    assert_eq!(ids(store, about(7)).await, []);
    let rests = Write::RestsOnDetermined { message: message_id(7), acts: vec![act(1)] };
    put(store, vec![Write::Outbound(outbound(7)), rests]).await;
    assert_eq!(ids(store, DeterminationFilter::Under(message_id(7))).await, [act(1)]);
    put(store, vec![Write::Determination(made(3, 5, false))]).await;
    assert_eq!(ids(store, DeterminationFilter::Under(message_id(7))).await, [act(1), act(3)]);
    let of = |after| DeterminationFilter::Of { agency: "DIF".parse().unwrap(), after };
    assert_eq!(ids(store, of(Some(act(1)))).await, [act(2), act(3)]);
    assert_eq!(commit(store, vec![Write::Determination(made(1, 8, true))]).await, conflict(0, Guard::Taken));
}

pub(in crate::store) async fn a_determination_ends_once_and_with_the_key_of_its_person(store: &dyn Store) {
    put(store, vec![Write::Determination(made(1, 5, true)), Write::Determination(made(2, 6, true))]).await;
    let ends = || Write::DeterminationEnded { act: act(1), statement: "d.e.f".to_owned(), at_ms: 2_000 };
    put(store, vec![ends()]).await;
    assert_eq!(commit(store, vec![ends()]).await, conflict(0, Guard::Final));
    store.erase_subject(SubjectTag([6; 32]), 3_000).await.unwrap();
    for (number, at_ms, statement) in [(1, 2_000, "aa.bb.cc"), (2, 3_000, "")] {
        let found = store.determinations(DeterminationFilter::One(act(number)), 1).await.unwrap();
        assert_eq!(found[0].ended_ms, Some(at_ms));
        assert_eq!(found[0].statement.reveal(), statement);
    }
}
