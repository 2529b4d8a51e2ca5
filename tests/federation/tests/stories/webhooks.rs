//! Webhooks on real nodes: what fails, and that nothing is lost by it and nothing out of order.

use anyhow::Result;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use puente_node::client::{AdminClient, AgencyClient};
use puente_node::config::Config;
use puente_test_support::{Federation, Manner, Receiver, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "INM", "migration_enforcement"),
    ("GT", "IGM", "returns_reception"),
    ("GT", "SBS", "returns_reception"),
];

const HOUR_MS: i64 = 3_600_000;

/// Guatemala's operator lets loopback be called; Mexico's has listed nothing.
fn loopback(config: &mut Config) {
    if config.country.as_str() == "GT" {
        config.webhooks.networks = vec!["127.0.0.0/8".parse().unwrap()];
    }
    config.webhooks.answer_seconds = 1;
    config.webhooks.attempts = 3;
}

async fn world() -> Result<(Federation, Receiver)> {
    let federation = Federation::with(&["GT", "MX"], AGENCIES, loopback).await?;
    let receiver = Receiver::beside(&federation, "GT", 0).await?;
    Ok((federation, receiver))
}

async fn send(federation: &Federation, rows: std::ops::RangeInclusive<u32>) -> Result<()> {
    let batch: Vec<Value> = rows.map(adult_row).collect();
    let sent = post(&federation.client("MX", "INM")?, "/v1/messages/batch", &json!(batch)).await?;
    assert!(sent.status.is_success());
    Ok(())
}

/// Registers the receiver for the reception agency; answers the path of the webhook.
async fn register(federation: &Federation, receiver: &Receiver) -> Result<String> {
    let answer = post(&federation.client("GT", "IGM")?, "/v1/webhooks", &receiver.form()).await?;
    assert_eq!(answer.status, StatusCode::CREATED);
    let webhook: Value = answer.json()?;
    Ok(format!("/v1/webhooks/{}", webhook["webhook_id"].as_str().unwrap()))
}

async fn mine(client: &AgencyClient) -> Result<Value> {
    Ok(client.get("/v1/webhooks").await?.json::<Value>()?["webhooks"][0].clone())
}

fn operator(federation: &Federation) -> Result<AdminClient> {
    Ok(AdminClient::at(&federation.member("GT")?.home.socket()))
}

/// Moves the clock until the receiver has so many calls: each wait is the webhook's own, and the longest five minutes.
async fn patiently(federation: &Federation, receiver: &Receiver, count: usize) -> Result<Vec<i64>> {
    let mut pause = tokio::time::interval(std::time::Duration::from_millis(200));
    for _ in 0..200 {
        if receiver.ids().len() >= count {
            break;
        }
        federation.clock.advance_ms(300_000);
        pause.tick().await;
    }
    receiver.until(count).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_down_gets_everything_in_order_once_it_is_back() -> Result<()> {
    let (federation, receiver) = world().await?;
    register(&federation, &receiver).await?;
    send(&federation, 1..=2).await?;
    let mut came = receiver.until(2).await?;
    let port = receiver.port();
    drop(receiver);
    send(&federation, 3..=8).await?;
    let igm = federation.client("GT", "IGM")?;
    federation.until(&igm, "/v1/webhooks", |seen| seen["webhooks"][0]["attempts"].as_i64() > Some(0)).await?;
    let back = Receiver::beside(&federation, "GT", port).await?;
    came.extend(patiently(&federation, &back, 6).await?);
    let inbox: Value = igm.get("/v1/inbox").await?.json()?;
    let told: Vec<i64> = inbox["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!((came.len(), came), (8, told));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_500_is_no_delivery_and_the_same_event_comes_again_before_the_next() -> Result<()> {
    let (federation, receiver) = world().await?;
    receiver.next(&[Manner::Answers(500), Manner::Redirects, Manner::Hangs]);
    register(&federation, &receiver).await?;
    send(&federation, 1..=3).await?;
    let ids = patiently(&federation, &receiver, 6).await?;
    let first = ids[0];
    assert_eq!(ids, [first, first, first, first, first + 1, first + 2]);
    assert!(receiver.calls().iter().all(|call| call.path == "/events"), "a redirect was followed");
    let metrics = federation.metrics("GT")?;
    for outcome in ["webhook.refused", "webhook.redirected", "webhook.unanswered"] {
        assert!(
            metrics.contains(&format!("puente_webhook_calls_total{{outcome=\"{outcome}\"}} 1")),
            "{outcome}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_refused_for_good_is_a_dead_letter_that_the_operator_sends_again() -> Result<()> {
    let (federation, receiver) = world().await?;
    receiver.next(&[Manner::Answers(422); 3]);
    register(&federation, &receiver).await?;
    send(&federation, 1..=3).await?;
    let ids = patiently(&federation, &receiver, 5).await?;
    let first = ids[0];
    assert_eq!(ids, [first, first, first, first + 1, first + 2]);
    let operator = operator(&federation)?;
    let listed: Value = operator.request(Method::GET, "/v1/dead-letters").await?.json()?;
    let letter = &listed["dead_letters"][0];
    assert_eq!((letter["event"].as_i64(), letter["code"].as_str()), (Some(first), Some("webhook.refused")));
    let again = json!({"webhook": letter["webhook"], "event": first});
    let answer = operator.post("/v1/dead-letters/resend", serde_json::to_vec(&again)?).await?;
    assert_eq!(answer.json::<Value>()?["resent"], 1);
    assert_eq!(receiver.until(6).await?[5], first);
    let igm = federation.client("GT", "IGM")?;
    federation.until(&igm, "/v1/webhooks", |seen| seen["webhooks"][0]["dead_letters"] == 0).await?;
    let listed: Value = operator.request(Method::GET, "/v1/dead-letters").await?.json()?;
    assert_eq!(listed["dead_letters"], json!([]));
    let none = operator.post("/v1/dead-letters/resend", serde_json::to_vec(&again)?).await?;
    assert_eq!(none.json::<Value>()?["code"], "not_found");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_in_a_restart_has_the_event_delivered_twice_under_one_id() -> Result<()> {
    let (mut federation, receiver) = world().await?;
    register(&federation, &receiver).await?;
    receiver.next(&[Manner::Hangs]);
    send(&federation, 1..=1).await?;
    // The receiver has it, and nothing of that is stored on the node when it ends.
    receiver.until(1).await?;
    federation.stop("GT").await?;
    federation.start("GT").await?;
    let ids = patiently(&federation, &receiver, 2).await?;
    assert_eq!(ids, [ids[0], ids[0]]);
    let events: Vec<Value> = receiver.calls().into_iter().map(|call| call.event).collect();
    assert_eq!(events[0], events[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_pauses_the_webhook_and_its_agency_reads_so_and_resumes_where_it_stopped() -> Result<()> {
    let (federation, receiver) = world().await?;
    let path = register(&federation, &receiver).await?;
    receiver.next(&[Manner::Answers(204), Manner::Answers(410)]);
    send(&federation, 1..=3).await?;
    let igm = federation.client("GT", "IGM")?;
    let paused = |inbox: &Value| {
        let mut events = inbox["events"].as_array().unwrap().iter();
        events.any(|event| event["type"] == "puente.webhook_state" && event["data"]["state"] == "paused")
    };
    federation.until(&igm, "/v1/inbox", paused).await?;
    let standing = mine(&igm).await?;
    assert_eq!(
        (standing["state"].as_str(), standing["reason"].as_str()),
        (Some("paused"), Some("webhook.gone"))
    );
    assert_eq!(post(&igm, &format!("{path}/resume"), &json!({})).await?.status, StatusCode::OK);
    let ids = receiver.until(4).await?;
    assert!(ids[0] < ids[1] && ids[1] == ids[2] && ids[2] < ids[3], "{ids:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_out_of_reach_for_a_day_pauses_the_webhook_and_no_event_is_given_up() -> Result<()> {
    let (federation, receiver) = world().await?;
    register(&federation, &receiver).await?;
    let port = receiver.port();
    drop(receiver);
    send(&federation, 1..=2).await?;
    let igm = federation.client("GT", "IGM")?;
    federation.until(&igm, "/v1/webhooks", |seen| seen["webhooks"][0]["attempts"].as_i64() > Some(0)).await?;
    federation.clock.advance_ms(25 * HOUR_MS);
    let seen =
        federation.until(&igm, "/v1/webhooks", |seen| seen["webhooks"][0]["state"] == "paused").await?;
    let webhook = &seen["webhooks"][0];
    assert_eq!(
        (webhook["reason"].as_str(), webhook["dead_letters"].as_i64()),
        (Some("webhook.unreachable"), Some(0))
    );
    let back = Receiver::beside(&federation, "GT", port).await?;
    let resume = format!("/v1/webhooks/{}/resume", webhook["webhook_id"].as_str().unwrap());
    operator(&federation)?.request(Method::POST, &resume).await?;
    assert_eq!(back.until(2).await?.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_called_cannot_be_registered_and_anothers_webhook_is_not_there() -> Result<()> {
    let (federation, receiver) = world().await?;
    let (igm, sbs) = (federation.client("GT", "IGM")?, federation.client("GT", "SBS")?);
    let code = async |client: &AgencyClient, change: &dyn Fn(&mut Value)| -> Result<String> {
        let mut form = receiver.form();
        change(&mut form);
        let answer: Value = post(client, "/v1/webhooks", &form).await?.json()?;
        Ok(answer["code"].as_str().unwrap_or("registered").to_owned())
    };
    for (url, expected) in [
        ("https://169.254.169.254/latest", "webhook.address"),
        ("https://10.0.0.1/", "webhook.address"),
        ("https://[::1]/", "webhook.address"),
        ("http://127.0.0.1/", "field.invalid"),
        ("https://user@127.0.0.1/", "field.invalid"),
    ] {
        assert_eq!(code(&igm, &|form| form["url"] = json!(url)).await?, expected, "{url}");
    }
    assert_eq!(code(&igm, &|form| form["authority"] = Value::Null).await?, "field.invalid");
    assert_eq!(code(&igm, &|form| form["authority"] = json!("no PEM")).await?, "field.invalid");
    assert_eq!(code(&igm, &|form| form["kinds"] = json!(["gossip"])).await?, "body.malformed");
    assert_eq!(
        code(&federation.client("MX", "INM")?, &|_| {}).await?,
        "webhook.address",
        "no network is listed"
    );
    let path = register(&federation, &receiver).await?;
    assert_eq!(register(&federation, &receiver).await?, path, "the same again is the same");
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/pause")),
        (Method::POST, format!("{path}/resume")),
    ] {
        let answer = sbs.request(method, &path, HeaderMap::new(), Vec::new()).await?;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(mine(&sbs).await?, Value::Null);
    for number in 1..8 {
        assert_eq!(
            code(&igm, &|form| form["url"] = json!(format!("https://127.0.0.1/{number}"))).await?,
            "registered"
        );
    }
    assert_eq!(code(&igm, &|form| form["url"] = json!("https://127.0.0.1/9")).await?, "webhook.limit");
    let removed = igm.request(Method::DELETE, &path, HeaderMap::new(), Vec::new()).await?;
    assert_eq!(removed.status, StatusCode::OK);
    send(&federation, 1..=1).await?;
    federation.until(&igm, "/v1/inbox", |inbox| inbox["next"].as_i64() > Some(0)).await?;
    assert_eq!(receiver.calls().len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_for_some_types_passes_over_the_others_and_is_not_held_up_by_them() -> Result<()> {
    let (federation, receiver) = world().await?;
    let igm = federation.client("GT", "IGM")?;
    let mut form = receiver.form();
    form["message_types"] = json!(["child.alert"]);
    assert_eq!(post(&igm, "/v1/webhooks", &form).await?.status, StatusCode::CREATED);
    send(&federation, 1..=250).await?;
    // Whole pages that it is not about are behind its cursor.
    federation
        .until(&igm, "/v1/webhooks", |seen| seen["webhooks"][0]["cursor"].as_i64() >= Some(200))
        .await?;
    assert_eq!(receiver.calls().len(), 0);
    Ok(())
}
