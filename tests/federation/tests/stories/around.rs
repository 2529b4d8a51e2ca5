//! Nothing shows around the envelope: what the other country sees is the same with a protected person on the list and with
//! nobody in her place.

use anyhow::Result;
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::envelope::from_base64url;
use puente_core::protection::TYP_HOLD;
use puente_node::store::Wire;
use puente_test_support::{Federation, Heard, notice, person, post, signed};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "INM", "migration_enforcement"),
    ("MX", "COMAR", "asylum"),
    ("GT", "IGM", "returns_reception"),
    ("GT", "PGN", "child_protection"),
];

/// The place of the protected person on the list.
const HER: u32 = 70;

/// Which list is sent.
#[derive(Clone, Copy, PartialEq)]
enum World {
    /// 135 rows, one of whom is under a hold.
    With,
    /// The same list, on which she does not stand.
    Without,
}

fn counted(total: usize) -> Value {
    let mut counts = notice();
    counts["sections"]["stats.aggregate"] = json!({"total": total, "cells": []});
    counts
}

async fn world(world: World) -> Result<Federation> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let key = federation.officer("MX", "COMAR", "eva", "p-eva")?;
    if world == World::With {
        let core = person(HER)["sections"]["id.core"].clone();
        let states = json!({
            "role": "asylum", "against": "all", "reason": "asylum",
            "person": {"names": [{"given_names": core["given_names"], "first_surname": core["first_surname"],
                                  "second_surname": core["second_surname"]}],
                       "born": {"on": core["birth_date"]}, "nationalities": ["GT"]}
        });
        let said = signed(&key, TYP_HOLD, ("MX", "COMAR", "eva"), states, federation.clock.as_ref())?;
        let placed = post(&federation.client("MX", "COMAR")?, "/v1/holds", &said).await?;
        assert_eq!(placed.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&placed.body));
    }
    Ok(federation)
}

/// The counts announced, the list, and the counts again as they are after the decision.
async fn send(federation: &Federation, world: World) -> Result<()> {
    let inm = federation.client("MX", "INM")?;
    assert_eq!(post(&inm, "/v1/messages", &counted(135)).await?.status, StatusCode::ACCEPTED);
    let rows: Vec<Value> = (1..=135).filter(|row| world == World::With || *row != HER).map(person).collect();
    let verdicts: Value = post(&inm, "/v1/messages/batch", &json!(rows)).await?.json()?;
    let verdicts = verdicts["verdicts"].as_array().unwrap();
    let left = verdicts.iter().filter(|verdict| verdict["verdict"] == "accepted").count();
    assert_eq!((verdicts.len() - left, left), (usize::from(world == World::With), 134));
    assert_eq!(post(&inm, "/v1/messages", &counted(left)).await?.status, StatusCode::ACCEPTED);
    Ok(())
}

/// A line of a delivery without what is random in it: every claim, with random values by their length only, and the
/// length of each sealed part.
fn shape(line: &[u8]) -> (Value, Vec<usize>) {
    let text = std::str::from_utf8(line).unwrap();
    let mut parts = text.split('~');
    let payload = from_base64url(parts.next().unwrap().split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    blank(&mut claims);
    (claims, std::iter::once(line.len()).chain(parts.map(str::len)).collect())
}

/// Ids, digests and pseudonyms become their length.
fn blank(value: &mut Value) {
    match value {
        Value::String(text) if text.len() >= 22 && !text.contains(' ') => *value = json!(text.len()),
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(members) => members.values_mut().for_each(blank),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_on_the_way_has_the_same_place_size_and_hour_with_her_and_without() -> Result<()> {
    let mut sent = Vec::new();
    for list in [World::With, World::Without] {
        let mut federation = world(list).await?;
        federation.stop("GT").await?;
        // All of it waits while nobody listens, so that the first delivery is the whole of it in one order.
        send(&federation, list).await?;
        let heard: Heard = federation.listener("GT").await?.delivery_of(134).await?;
        let lines: Vec<(Value, Vec<usize>)> = heard.lines.iter().map(|line| shape(line)).collect();
        sent.push((heard.what, lines));
    }
    assert_eq!(sent[0].1.len(), 136, "both counts and the whole list");
    assert_eq!(sent[0], sent[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiving_node_and_its_agency_see_the_same_with_her_and_without() -> Result<()> {
    let mut seen = Vec::new();
    for list in [World::With, World::Without] {
        let federation = world(list).await?;
        send(&federation, list).await?;
        let igm = federation.client("GT", "IGM")?;
        let all = |inbox: &Value| inbox["events"].as_array().is_some_and(|events| events.len() == 136);
        let inbox = federation.until(&igm, "/v1/inbox?limit=300", all).await?;
        let events: Vec<Value> = inbox["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|told| {
                let mut event = told.clone();
                event["data"]["message"] = Value::Null;
                event["data"]["link"] = Value::Null;
                event
            })
            .collect();
        let mut view: Value = igm.get("/v1/operations/01940000-0000-7000-8000-000000000001").await?.json()?;
        let mut listed = view["messages"].as_array_mut().unwrap().clone();
        listed.iter_mut().for_each(|row| {
            row["message_id"] = Value::Null;
            row["case"] = Value::Null;
        });
        // Rows of one millisecond stand by their ids, which are random.
        let mut listed: Vec<String> = listed.iter().map(Value::to_string).collect();
        listed.sort();
        let store = &federation.member("GT")?.running.as_ref().unwrap().node().store;
        let operation = "01940000-0000-7000-8000-000000000001".parse()?;
        let rows = store.operation(operation, None, 1_000, Wire::Read).await?;
        let mut kept: Vec<String> = rows
            .iter()
            .map(|row| {
                format!("{} {} {} {:?}", row.wire.len(), row.created_ms, row.expires_ms, row.categories)
            })
            .collect();
        kept.sort();
        assert_eq!(kept.len(), 136);
        let print = igm.get("/v1/operations/01940000-0000-7000-8000-000000000001/print").await?;
        assert_eq!(print.status, StatusCode::OK);
        seen.push((events, listed, kept, print.body.len()));
    }
    assert_eq!(seen[0], seen[1]);
    Ok(())
}
