//! Webhooks, how far they are, and what they did not take.

use puente_core::delivery::{DeadLetterRow, WebhookProgress, WebhookRow, WebhookTarget};
use puente_core::ids::WebhookId;

use super::*;
use crate::store::DeadLetterFilter;

pub(in crate::store) fn webhook(number: u128) -> WebhookRow {
    WebhookRow {
        webhook: WebhookId(Uuid::from_u128(number)),
        revision: 0,
        agency: "IGM".parse().unwrap(),
        target: WebhookTarget {
            url: "https://igm.example/MARK-SECRET".to_owned(),
            authority: Some("pem".to_owned()),
            pin: Some(Digest::of(b"key")),
            present_certificate: true,
            kinds: vec![EventKind::MessageReceived],
            message_types: vec!["child.alert".parse().unwrap()],
        },
        progress: WebhookProgress { cursor: 4, ..WebhookProgress::default() },
        created_ms: 1_000,
    }
}

fn letter(webhook: u128, event: i64, resend: bool) -> DeadLetterRow {
    DeadLetterRow {
        webhook: WebhookId(Uuid::from_u128(webhook)),
        event,
        code: "webhook.refused".to_owned(),
        at_ms: 2_000,
        resend,
    }
}

async fn letters(store: &dyn Store, filter: DeadLetterFilter) -> Vec<DeadLetterRow> {
    store.dead_letters(filter, 0, 10).await.unwrap().into_iter().map(|(_, letter)| letter).collect()
}

pub(in crate::store) async fn a_webhook_changes_only_from_its_last_state(store: &dyn Store) {
    let first = webhook(1);
    put(store, vec![Write::Webhook(first.clone()), Write::Webhook(webhook(2))]).await;
    assert_eq!(commit(store, vec![Write::Webhook(webhook(1))]).await, conflict(0, Guard::Taken));
    let next = first.changed(|progress| progress.cursor = 5);
    put(store, vec![Write::WebhookChanged(next.clone())]).await;
    let late = first.changed(|progress| progress.paused = Some("asked".to_owned()));
    assert_eq!(commit(store, vec![Write::WebhookChanged(late)]).await, conflict(0, Guard::Changed));
    assert_eq!(store.webhook(next.webhook).await, Ok(Some(next.clone())));
    assert_eq!(store.webhooks(10).await, Ok(vec![next, webhook(2)]));
}

pub(in crate::store) async fn a_dead_letter_is_listed_once_marked_in_place_and_settled_once(
    store: &dyn Store,
) {
    put(store, vec![Write::Webhook(webhook(1)), Write::Webhook(webhook(2))]).await;
    put(store, [letter(1, 7, false), letter(2, 7, false), letter(1, 8, false)].map(Write::DeadLetter).into())
        .await;
    put(store, vec![Write::DeadLetter(letter(1, 7, true))]).await;
    let all = [letter(1, 7, true), letter(2, 7, false), letter(1, 8, false)];
    assert_eq!(letters(store, DeadLetterFilter::All).await, all);
    let (one, two) = (webhook(1).webhook, webhook(2).webhook);
    assert_eq!(letters(store, DeadLetterFilter::Of(one)).await, [letter(1, 7, true), letter(1, 8, false)]);
    assert_eq!(letters(store, DeadLetterFilter::Resend(one)).await, [letter(1, 7, true)]);
    assert_eq!(letters(store, DeadLetterFilter::Resend(two)).await, []);
    let settled = || vec![Write::DeadLetterSettled { webhook: one, event: 7 }];
    put(store, settled()).await;
    assert_eq!(commit(store, settled()).await, conflict(0, Guard::Absent));
}

pub(in crate::store) async fn a_removed_webhook_takes_its_dead_letters_with_it(store: &dyn Store) {
    put(store, vec![Write::Webhook(webhook(1)), Write::DeadLetter(letter(1, 7, false))]).await;
    let remove = || vec![Write::WebhookRemoved { webhook: webhook(1).webhook }];
    put(store, remove()).await;
    assert_eq!(letters(store, DeadLetterFilter::All).await, []);
    assert_eq!(store.webhook(webhook(1).webhook).await, Ok(None));
    assert_eq!(commit(store, remove()).await, conflict(0, Guard::Absent));
    let orphan = commit(store, vec![Write::DeadLetter(letter(1, 8, false))]).await;
    assert_eq!(orphan, conflict(0, Guard::Absent));
}

pub(in crate::store) async fn the_last_event_is_found_whomever_it_is_for(store: &dyn Store) {
    assert_eq!(store.last_event().await, Ok(0));
    put(store, vec![Write::Event(event(EventKind::MessageReceived, None, 1, "accepted"))]).await;
    put(store, vec![Write::Event(event(EventKind::MessageReceived, Some("SBS"), 2, "accepted"))]).await;
    let seen = store.events("IGM".parse().unwrap(), vec![role()], 0, 10).await.unwrap();
    assert_eq!(store.last_event().await, Ok(seen.first().unwrap().0 + 1));
}
