//! The kill switch on real nodes: what waits is held and goes out in order, at either end, over a restart.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use puente_core::problem::Problem;
use puente_node::suspension::{lift, suspend};
use puente_test_support::{Federation, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

async fn throw(federation: &Federation, country: &str, target: &str) -> Result<Result<(), Problem>> {
    let running = federation.member(country)?.running.as_ref().context("does not run")?;
    Ok(suspend(running.node(), &target.parse()?, "drill").await)
}

async fn take_back(federation: &Federation, country: &str, target: &str) -> Result<Result<(), Problem>> {
    let running = federation.member(country)?.running.as_ref().context("does not run")?;
    Ok(lift(running.node(), &target.parse()?).await)
}

/// Submits these rows; answers the paths of their messages.
async fn submit(federation: &Federation, rows: std::ops::Range<u32>) -> Result<Vec<String>> {
    let inm = federation.client("MX", "INM")?;
    let batch: Vec<Value> = rows.map(adult_row).collect();
    let told: Value = post(&inm, "/v1/messages/batch", &json!(batch)).await?.json()?;
    let path = |verdict: &Value| format!("/v1/messages/{}", verdict["message_id"].as_str().unwrap());
    Ok(told["verdicts"].as_array().unwrap().iter().map(path).collect())
}

fn held(seen: &Value) -> bool {
    seen["message"]["state"] == "queued" && seen["message"]["code"] == "exchange.suspended"
}

/// All that GT's reception has, in the order it came.
async fn inbox(federation: &Federation, count: usize) -> Result<Vec<String>> {
    let igm = federation.client("GT", "IGM")?;
    let all = |inbox: &Value| inbox["events"].as_array().is_some_and(|events| events.len() == count);
    let inbox = federation.until(&igm, "/v1/inbox?limit=100", all).await?;
    let path = |event: &Value| format!("/v1/messages/{}", event["data"]["message"].as_str().unwrap());
    Ok(inbox["events"].as_array().unwrap().iter().map(path).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_held_over_a_restart_and_goes_out_in_order_once_lifted() -> Result<()> {
    for target in ["peer:GT", "purpose:return_reception", "category:return.logistics"] {
        let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
        federation.stop("GT").await?;
        let sent = submit(&federation, 1..9).await?;
        throw(&federation, "MX", target).await?.unwrap();
        federation.start("GT").await?;
        let inm = federation.client("MX", "INM")?;
        for path in &sent {
            federation.until(&inm, path, held).await?;
        }
        federation.stop("MX").await?;
        federation.start("MX").await?;
        let inm = federation.client("MX", "INM")?;
        for path in &sent {
            federation.until(&inm, path, held).await?;
        }
        let refused: Value = post(&inm, "/v1/messages", &adult_row(9)).await?.json()?;
        assert_eq!(
            (refused["verdict"].as_str(), refused["rule"]["id"].as_str()),
            (Some("refused"), Some("R-PEER-01")),
            "{target}"
        );
        take_back(&federation, "MX", target).await?.unwrap();
        assert_eq!(inbox(&federation, sent.len()).await?, sent, "{target}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_suspension_still_holds_what_one_lifting_woke() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    federation.stop("GT").await?;
    let sent = submit(&federation, 1..3).await?;
    throw(&federation, "MX", "peer:GT").await?.unwrap();
    throw(&federation, "MX", "category:language").await?.unwrap();
    federation.start("GT").await?;
    take_back(&federation, "MX", "peer:GT").await?.unwrap();
    let inm = federation.client("MX", "INM")?;
    for path in &sent {
        federation.until(&inm, path, held).await?;
    }
    take_back(&federation, "MX", "category:language").await?.unwrap();
    assert_eq!(inbox(&federation, sent.len()).await?, sent);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_suspends_refuses_nothing_and_gets_it_all_once_it_lifts() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    throw(&federation, "GT", "peer:MX").await?.unwrap();
    let sent = submit(&federation, 1..4).await?;
    let inm = federation.client("MX", "INM")?;
    for path in &sent {
        federation.until(&inm, path, held).await?;
    }
    take_back(&federation, "GT", "peer:MX").await?.unwrap();
    federation.clock.advance_ms(600_000);
    assert_eq!(inbox(&federation, sent.len()).await?, sent);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_nothing_could_meet_or_that_stands_has_its_own_code() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let code = |refused: Result<(), Problem>| refused.unwrap_err().kind.code;
    for nobody in ["peer:HN", "peer:MX", "purpose:returning", "category:id.cor"] {
        assert_eq!(code(throw(&federation, "MX", nobody).await?), "field.invalid", "{nobody}");
    }
    throw(&federation, "MX", "peer:GT").await?.unwrap();
    assert_eq!(code(throw(&federation, "MX", "peer:GT").await?), "suspension.stands");
    assert_eq!(code(take_back(&federation, "MX", "purpose:return_reception").await?), "not_found");
    Ok(())
}
