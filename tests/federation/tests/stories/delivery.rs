//! Store and forward: a peer that is away, a message that expires, a type that only one side knows.

use anyhow::Result;
use serde_json::{Value, json};

use puente_test_support::{Federation, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_survives_both_nodes_and_drains_in_order_when_the_peer_returns() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    federation.stop("GT").await?;
    let inm = federation.client("MX", "INM")?;
    let batch: Vec<Value> = (1..=40).map(adult_row).collect();
    let verdicts: Value = post(&inm, "/v1/messages/batch", &json!(batch)).await?.json()?;
    let sent: Vec<String> = verdicts["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|verdict| verdict["message_id"].as_str().unwrap().to_owned())
        .collect();
    federation.stop("MX").await?;
    federation.start("MX").await?;
    federation.start("GT").await?;
    let igm = federation.client("GT", "IGM")?;
    let all = |inbox: &Value| inbox["events"].as_array().is_some_and(|events| events.len() == 40);
    let inbox = federation.until(&igm, "/v1/inbox?limit=100", all).await?;
    let came: Vec<String> = inbox["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["data"]["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(came, sent);
    let inm = federation.client("MX", "INM")?;
    let settled = |seen: &Value| {
        seen["messages"]
            .as_array()
            .is_some_and(|all| all.len() == 40 && all.iter().all(|m| m["state"] == "accepted"))
    };
    federation.until(&inm, "/v1/operations/01940000-0000-7000-8000-000000000001", settled).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_with_smaller_limits_gets_smaller_batches() -> Result<()> {
    let mut federation = Federation::with(&["GT", "MX"], AGENCIES, |config| {
        if config.country.as_str() == "GT" {
            config.limits.delivery_messages = 3;
        }
    })
    .await?;
    federation.stop("GT").await?;
    let inm = federation.client("MX", "INM")?;
    let batch: Vec<Value> = (1..=20).map(adult_row).collect();
    post(&inm, "/v1/messages/batch", &json!(batch)).await?;
    federation.start("GT").await?;
    let settled = |seen: &Value| {
        seen["messages"].as_array().is_some_and(|all| all.iter().all(|m| m["state"] == "accepted"))
    };
    federation.until(&inm, "/v1/operations/01940000-0000-7000-8000-000000000001", settled).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_called_expired_only_once_the_peer_has_said_it_never_took_it() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    federation.stop("GT").await?;
    let inm = federation.client("MX", "INM")?;
    let verdict: Value = post(&inm, "/v1/messages", &adult_row(1)).await?.json()?;
    let path = format!("/v1/messages/{}", verdict["message_id"].as_str().unwrap());
    federation.clock.advance_ms(40 * 86_400_000);
    federation.until(&inm, &path, |seen| seen["message"]["state"] == "unconfirmed").await?;
    federation.start("GT").await?;
    let seen = federation.until(&inm, &path, |seen| seen["message"]["state"] == "expired").await?;
    assert_eq!(seen["receipts"][0]["state"], "never_accepted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_type_is_added_to_running_nodes_and_a_peer_without_it_says_so() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let inm = federation.client("MX", "INM")?;
    let mut greeting = adult_row(1);
    greeting["type"] = json!("return.greeting");
    let unknown: Value = post(&inm, "/v1/messages", &greeting).await?.json()?;
    assert_eq!(unknown["problems"][0]["code"], "type.unknown");

    federation.add_type("MX", "return.greeting", "return.manifest").await?;
    let accepted: Value = post(&inm, "/v1/messages", &greeting).await?.json()?;
    assert_eq!(accepted["verdict"], "accepted", "{accepted}");
    let path = format!("/v1/messages/{}", accepted["message_id"].as_str().unwrap());
    let seen = federation.until(&inm, &path, |seen| seen["message"]["state"] == "refused").await?;
    assert_eq!(seen["message"]["code"], "type.unknown");

    federation.add_type("GT", "return.greeting", "return.manifest").await?;
    let accepted: Value = post(&inm, "/v1/messages", &greeting).await?.json()?;
    let path = format!("/v1/messages/{}", accepted["message_id"].as_str().unwrap());
    federation.until(&inm, &path, |seen| seen["message"]["state"] == "accepted").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_garbage_is_counted_and_gets_the_message_once_it_makes_sense() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    federation.stop("GT").await?;
    let impostor = federation.impostor("GT", "{\"receipts\": \"many\"}").await?;
    let inm = federation.client("MX", "INM")?;
    let verdict: Value = post(&inm, "/v1/messages", &adult_row(1)).await?.json()?;
    let path = format!("/v1/messages/{}", verdict["message_id"].as_str().unwrap());
    let mut pause = tokio::time::interval(std::time::Duration::from_millis(20));
    while !federation.metrics("MX")?.contains("code=\"peer.garbage\"") {
        pause.tick().await;
    }
    assert_eq!(inm.get(&path).await?.json::<Value>()?["message"]["state"], "queued");
    drop(impostor);
    federation.start("GT").await?;
    federation.until(&inm, &path, |seen| seen["message"]["state"] == "accepted").await?;
    Ok(())
}
