//! Clocks of alerts, and calls.

use puente_core::delivery::Side;
use puente_core::duty::{
    Answered, Awaits, Call, Channel, Summons, SummonsState, Term, Wake, Watch, WatchRow,
};
use puente_core::ids::SummonsId;

use super::*;
use crate::store::WatchFilter;

pub(in crate::store) fn watch(number: u128) -> WatchRow {
    let opened_ms = 1_000 + i64::try_from(number).unwrap();
    let watch = Watch {
        message: message_id(number),
        awaits: Awaits::Answer,
        side: Side::Receiver,
        peer: peer(),
        message_type: "child.alert".parse().unwrap(),
        case: CaseId(Uuid::from_u128(1)),
        agency: Some("PGN".parse().unwrap()),
        role: role(),
        answering: role(),
        releasing: std::collections::BTreeSet::new(),
        asking: None,
        ended_ms: None,
        term: Term {
            answer_minutes: 1,
            act_minutes: None,
            display_hours: None,
            countersign_minutes: 2,
            ladder: Vec::new(),
        },
        opened_ms,
        climbed_minutes: None,
        answered: None,
        acted_ms: None,
        told: std::collections::BTreeSet::new(),
    };
    WatchRow::opened(watch)
}

fn summons(number: u128, due_ms: Option<i64>) -> Summons {
    let state = if due_ms.is_some() { SummonsState::Waits } else { SummonsState::Handed };
    Summons {
        summons: SummonsId(Uuid::from_u128(number)),
        message: message_id(1),
        agency: Some("PGN".parse().unwrap()),
        contact: "MARK-CONTACT".to_owned(),
        channel: Channel::Mail,
        wake: Wake::Officer,
        call: Call::Answer,
        until_ms: 61_000,
        made_ms: 1_000,
        due_ms,
        attempts: 0,
        state,
        at_ms: 1_000,
    }
}

fn own() -> WatchFilter {
    WatchFilter { agency: "PGN".parse().unwrap(), roles: vec![role()] }
}

pub(in crate::store) async fn a_clock_begins_once_and_moves_only_from_its_last_state(store: &dyn Store) {
    put(store, vec![Write::Watch(watch(1))]).await;
    assert_eq!(commit(store, vec![Write::Watch(watch(1))]).await, conflict(0, Guard::Taken));
    let mut moved = watch(1);
    moved.watch.handle_answer(2_000, Answered::Telephone).unwrap();
    let moved = moved.moved(Some("MARK-STATEMENT"));
    put(store, vec![Write::WatchChanged(moved.clone())]).await;
    assert_eq!(commit(store, vec![Write::WatchChanged(moved.clone())]).await, conflict(0, Guard::Changed));
    assert_eq!(store.watch(message_id(1)).await, Ok(Some(moved)));
    assert_eq!(store.watch(message_id(2)).await, Ok(None));
}

pub(in crate::store) async fn a_clock_that_is_looked_at_again_is_due_and_overtakes_who_read_it_before(
    store: &dyn Store,
) {
    let look = |number| Write::WatchLook { message: message_id(number), at_ms: 2_000 };
    put(store, vec![Write::Watch(watch(1)), look(1), look(7)]).await;
    let due = store.watches_due(2_000, 10).await.unwrap();
    assert_eq!(
        due.iter().map(|row| (row.watch.message, row.revision)).collect::<Vec<_>>(),
        [(message_id(1), 2)]
    );
    let overtaken = commit(store, vec![Write::WatchChanged(watch(1).moved(None))]).await;
    assert_eq!(overtaken, conflict(0, Guard::Changed));
    let mut settled = due[0].clone();
    settled.watch.handle_not_taken();
    put(store, vec![Write::WatchChanged(settled.moved(None)), look(1)]).await;
    assert_eq!(store.watches_due(2_000, 10).await.unwrap(), []);
}

pub(in crate::store) async fn a_settled_clock_is_due_no_more_and_listed_no_more(store: &dyn Store) {
    let mut of_another = watch(3);
    of_another.watch.agency = Some("SBS".parse().unwrap());
    let mut of_the_role = watch(2);
    of_the_role.watch.agency = None;
    put(store, vec![Write::Watch(of_the_role.clone()), Write::Watch(watch(1)), Write::Watch(of_another)])
        .await;
    assert_eq!(store.watches(own(), 10).await, Ok(vec![watch(1), of_the_role.clone()]));
    assert_eq!(store.watches_due(61_000, 10).await.unwrap().len(), 0);
    assert_eq!(store.watches_due(61_002, 10).await, Ok(vec![watch(1), of_the_role.clone()]));
    let mut answered = watch(1);
    answered.watch.handle_answer(2_000, Answered::Signed).unwrap();
    put(store, vec![Write::WatchChanged(answered.moved(None))]).await;
    assert_eq!(store.watches(own(), 10).await, Ok(vec![of_the_role.clone()]));
    assert_eq!(store.watches_due(61_002, 10).await, Ok(vec![of_the_role]));
    store.forget(Past { records_ms: 61_002, ..past(61_002) }).await.unwrap();
    assert_eq!(store.watch(message_id(1)).await, Ok(None));
    assert!(store.watch(message_id(2)).await.unwrap().is_some());
}

pub(in crate::store) async fn a_call_is_due_until_it_is_over(store: &dyn Store) {
    put(store, vec![Write::Summons(summons(1, Some(5_000))), Write::Summons(summons(2, Some(4_000)))]).await;
    assert_eq!(store.summonses_due(4_999, 10).await, Ok(vec![summons(2, Some(4_000))]));
    put(store, vec![Write::SummonsChanged(summons(2, None))]).await;
    assert_eq!(
        commit(store, vec![Write::SummonsChanged(summons(2, None))]).await,
        conflict(0, Guard::Changed)
    );
    assert_eq!(store.summonses_due(5_000, 10).await, Ok(vec![summons(1, Some(5_000))]));
    let all = store.summonses(message_id(1), 10).await;
    assert_eq!(all, Ok(vec![summons(1, Some(5_000)), summons(2, None)]));
}
