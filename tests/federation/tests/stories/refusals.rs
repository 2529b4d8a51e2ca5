//! Bad input on the domestic face: each story ends with its own stable code, and nothing is lost or half done.

use anyhow::Result;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use puente_node::client::{AgencyClient, Answer};
use puente_test_support::{Federation, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("MX", "SRE", "consular"), ("GT", "IGM", "returns_reception")];

async fn federation() -> Result<(Federation, AgencyClient)> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let client = federation.client("MX", "INM")?;
    Ok((federation, client))
}

fn spoiled(spoil: impl FnOnce(&mut Value)) -> Value {
    let mut row = adult_row(1);
    spoil(&mut row);
    row
}

async fn finding(client: &AgencyClient, body: &Value) -> Result<(String, String)> {
    let answer = post(client, "/v1/messages", body).await?;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", String::from_utf8_lossy(&answer.body));
    let verdict: Value = answer.json()?;
    assert_eq!(verdict["verdict"], "malformed");
    let found = &verdict["problems"][0];
    assert!(!found["es"].as_str().unwrap().is_empty() && !found["en"].as_str().unwrap().is_empty());
    Ok((found["code"].as_str().unwrap().to_owned(), found["field"].as_str().unwrap().to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_not_one_names_the_place_and_costs_only_itself() -> Result<()> {
    let (_federation, inm) = federation().await?;
    let unknown_type = spoiled(|row| row["type"] = json!("return.teleport"));
    assert_eq!(finding(&inm, &unknown_type).await?, ("type.unknown".into(), "/type".into()));
    let other_version = spoiled(|row| row["version"] = json!(99));
    assert_eq!(finding(&inm, &other_version).await?, ("type.version".into(), "/version".into()));
    for recipient in [
        json!({"country": "PA", "role": "returns_reception"}),
        json!({"country": "GT", "role": "health"}),
        json!({"country": "GT", "role": "returns_reception", "agency": "NOBODY"}),
        json!({"country": "MX", "role": "consular"}),
    ] {
        let lost = spoiled(|row| row["recipient"] = recipient);
        assert_eq!(finding(&inm, &lost).await?, ("recipient.unknown".into(), "/recipient".into()));
    }
    let wrong_sex = spoiled(|row| row["sections"]["id.core"]["sex"] = json!("Q"));
    assert_eq!(finding(&inm, &wrong_sex).await?, ("schema.invalid".into(), "/sections/id.core/sex".into()));
    let no_names = spoiled(|row| {
        row["sections"].as_object_mut().unwrap().remove("id.core");
    });
    assert_eq!(finding(&inm, &no_names).await?, ("field.missing".into(), "/sections/id.core".into()));
    let no_such_category = spoiled(|row| row["sections"]["shoe.size"] = json!({"size": 38}));
    assert_eq!(
        finding(&inm, &no_such_category).await?,
        ("field.invalid".into(), "/sections/shoe.size".into())
    );

    let batch = json!([adult_row(1), {"row": 7, "hello": "world"}, spoiled(|row| row["type"] = json!("x")), adult_row(2)]);
    let verdicts: Value = post(&inm, "/v1/messages/batch", &batch).await?.json()?;
    let got: Vec<&str> =
        verdicts["verdicts"].as_array().unwrap().iter().map(|v| v["verdict"].as_str().unwrap()).collect();
    assert_eq!(got, ["accepted", "malformed", "malformed", "accepted"]);
    assert_eq!(verdicts["verdicts"][1]["row"], 7);
    Ok(())
}

async fn raw(client: &AgencyClient, path: &str, body: Vec<u8>) -> Result<(u16, String)> {
    let answer = client.request(Method::POST, path, HeaderMap::new(), body).await?;
    let problem: Value = answer.json()?;
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(problem["status"], answer.status.as_u16());
    Ok((answer.status.as_u16(), problem["code"].as_str().unwrap().to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_has_its_own_code() -> Result<()> {
    let (_federation, inm) = federation().await?;
    let path = "/v1/messages";
    assert_eq!(raw(&inm, path, b"{\"type\": ".to_vec()).await?, (400, "body.malformed".into()));
    assert_eq!(raw(&inm, path, b"{\"type\":\"\xff\"}".to_vec()).await?, (400, "body.encoding".into()));
    assert_eq!(
        raw(&inm, path, b"{\"row\":1,\"row\":2}".to_vec()).await?,
        (400, "body.duplicate_member".into())
    );
    assert_eq!(raw(&inm, path, vec![b' '; 9 * 1024 * 1024]).await?, (413, "body.too_large".into()));
    let list = "/v1/operations/01940000-0000-7000-8000-000000000001/manifest?destination=GT&agreement=MX-GT&mode=land\
                &origin=Tapachula&port_of_entry=Tecun&eta=2026-11-25T10:00:00-06:00[America/Guatemala]";
    assert_eq!(raw(&inm, list, b"a,b".to_vec()).await?, (415, "body.media_type".into()));
    assert_eq!(raw(&inm, "/v1/nowhere", Vec::new()).await?, (404, "not_found".into()));
    assert_eq!(raw(&inm, "/v1/inbox", Vec::new()).await?, (405, "method.not_allowed".into()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_used_again_gives_the_first_answer_and_never_a_second_message() -> Result<()> {
    let (_federation, inm) = federation().await?;
    let mut headers = HeaderMap::new();
    headers.insert("idempotency-key", HeaderValue::from_static("list-7-row-1"));
    let body = serde_json::to_vec(&adult_row(1))?;
    let first = inm.request(Method::POST, "/v1/messages", headers.clone(), body.clone()).await?;
    let second = inm.request(Method::POST, "/v1/messages", headers.clone(), body).await?;
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    let other =
        inm.request(Method::POST, "/v1/messages", headers, serde_json::to_vec(&adult_row(2))?).await?;
    assert_eq!(other.json::<Value>()?["code"], "idempotency.mismatch");
    let operation: Value = inm.get("/v1/operations/01940000-0000-7000-8000-000000000001").await?.json()?;
    assert_eq!(operation["messages"].as_array().unwrap().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_callers_does_not_exist_for_the_caller() -> Result<()> {
    let (federation, inm) = federation().await?;
    let sre = federation.client("MX", "SRE")?;
    let verdict: Value = post(&inm, "/v1/messages", &adult_row(1)).await?.json()?;
    let theirs = format!("/v1/messages/{}", verdict["message_id"].as_str().unwrap());
    let nobodys = "/v1/messages/01940000-0000-7000-8000-00000000dead";
    let (one, other) = (sre.get(&theirs).await?, sre.get(nobodys).await?);
    assert_eq!(one.status, StatusCode::NOT_FOUND);
    assert_eq!(one.body, other.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_agency_is_refused_at_once_with_its_connection_open() -> Result<()> {
    let (federation, inm) = federation().await?;
    assert_eq!(inm.get("/v1/inbox").await?.status, StatusCode::OK);
    let member = federation.member("MX")?;
    puente_node::setup::agency::revoke(&member.home, &"INM".parse()?, federation.clock.as_ref())?;
    member.running.as_ref().unwrap().reload()?;
    let answer = inm.get("/v1/inbox").await?;
    assert_eq!(answer.json::<Value>()?["code"], "client.revoked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_of_another_country_is_not_let_in() -> Result<()> {
    let (federation, _inm) = federation().await?;
    let there = federation.member("GT")?.running.as_ref().unwrap().addresses.domestic;
    let stranger = federation.client_at("MX", "INM", "GT", &there.to_string())?;
    assert!(stranger.get("/v1/inbox").await.is_err());
    let metrics = federation.metrics("GT")?;
    assert!(metrics.contains("face=\"domestic\""), "{metrics}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_refuses_strips_and_holds_row_by_row_and_a_dry_run_stores_nothing() -> Result<()> {
    let (_federation, inm) = federation().await?;
    let claimant = spoiled(|row| row["subject"]["protection"] = json!("sought"));
    let refused = post(&inm, "/v1/messages", &claimant).await?;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json::<Value>()?["rule"]["id"], "R-ASY-01");
    let talkative = spoiled(|row| row["sections"]["criminal.record"] = json!({"note": "x"}));
    let redacted: Value = post(&inm, "/v1/messages/dry-run", &talkative).await?.json()?;
    assert_eq!(
        (redacted["verdict"].as_str(), redacted["removed"][0]["rule"]["id"].as_str()),
        (Some("redacted"), Some("R-CRI-01"))
    );
    assert!(redacted["message_id"].is_null());
    let unscreened = spoiled(|row| row["subject"]["protection"] = json!("unknown"));
    let held: Value = post(&inm, "/v1/messages", &unscreened).await?.json()?;
    assert_eq!((held["verdict"].as_str(), held["rule"]["id"].as_str()), (Some("held"), Some("R-ASY-06")));
    let operation = inm.get("/v1/operations/01940000-0000-7000-8000-000000000001").await?;
    assert_eq!(operation.status, StatusCode::NOT_FOUND, "nothing of these three was released");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_its_bound_a_node_sheds_requests_and_says_when_to_come_back() -> Result<()> {
    let federation =
        Federation::with(&["GT", "MX"], AGENCIES, |config| config.limits.concurrent_requests = 1).await?;
    let mut line = federation.raw("MX", "INM").await?;
    // It asks for the body once it has the only place; before that others may have it.
    line.write_all(
        b"POST /v1/messages HTTP/1.1\r\nhost: node\r\ncontent-length: 900\r\nexpect: 100-continue\r\n\r\n",
    )
    .await?;
    let mut said = [0_u8; 12];
    line.read_exact(&mut said).await?;
    assert_eq!(&said, b"HTTP/1.1 100");
    let sre = federation.client("MX", "SRE")?;
    let shed = until_status(&sre, CATALOGUE, StatusCode::SERVICE_UNAVAILABLE).await?;
    assert_eq!(shed.json::<Value>()?["code"], "node.overloaded");
    assert_eq!(shed.headers["retry-after"], "2");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_only_waits_leaves_its_place_to_others_and_keeps_its_own() -> Result<()> {
    let federation =
        Federation::with(&["GT", "MX"], AGENCIES, |config| config.limits.concurrent_requests = 1).await?;
    let inm = federation.client("MX", "INM")?;
    let waiting = inm.clone();
    // Until it is let in: what asks below may have the place when it comes first.
    let long = tokio::spawn(async move { until_status(&waiting, "/v1/inbox?wait=20", StatusCode::OK).await });
    until_status(&inm, CATALOGUE, StatusCode::SERVICE_UNAVAILABLE).await?;
    until_status(&federation.client("MX", "SRE")?, CATALOGUE, StatusCode::OK).await?;
    long.abort();
    Ok(())
}

/// Anything that is answered at once.
const CATALOGUE: &str = "/v1/catalogue";

/// Asks until the answer has this status.
async fn until_status(client: &AgencyClient, path: &str, status: StatusCode) -> Result<Answer> {
    let mut pause = tokio::time::interval(std::time::Duration::from_millis(5));
    loop {
        let answer = client.get(path).await?;
        if answer.status == status {
            return Ok(answer);
        }
        pause.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_and_then_silence_is_given_up_and_nothing_was_accepted() -> Result<()> {
    let federation =
        Federation::with(&["GT", "MX"], AGENCIES, |config| config.times.body_seconds = 1).await?;
    let mut line = federation.raw("MX", "INM").await?;
    line.write_all(b"POST /v1/messages HTTP/1.1\r\nhost: node\r\ncontent-length: 900\r\n\r\n{\"type\":")
        .await?;
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("body.incomplete") {
        let mut some = [0_u8; 4096];
        let read = line.read(&mut some).await?;
        assert!(read > 0, "closed without a word: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&some[..read]);
    }
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 408"));
    let operation =
        federation.client("MX", "INM")?.get("/v1/operations/01940000-0000-7000-8000-000000000001").await?;
    assert_eq!(operation.status, StatusCode::NOT_FOUND);
    Ok(())
}
