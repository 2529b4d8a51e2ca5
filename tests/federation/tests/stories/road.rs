//! The road of one row: submitted, delivered, opened, acknowledged, reconciled.

use anyhow::Result;
use http::StatusCode;
use serde_json::{Value, json};

use puente_test_support::{Federation, adult_row, notice, post};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "INM", "migration_enforcement"),
    ("GT", "IGM", "returns_reception"),
    ("GT", "PGN", "child_protection"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_row_travels_and_its_answers_come_home() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let (inm, igm) = (federation.client("MX", "INM")?, federation.client("GT", "IGM")?);
    let first = post(&inm, "/v1/messages", &notice()).await?;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&first.body));
    let answer = post(&inm, "/v1/messages", &adult_row(2)).await?;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&answer.body));
    let verdict: Value = answer.json()?;
    assert_eq!(verdict["verdict"], "accepted");
    let id = verdict["message_id"].as_str().unwrap().to_owned();

    let inbox = federation
        .until(&igm, "/v1/inbox?wait=1", |inbox| {
            inbox["events"].as_array().is_some_and(|events| events.len() >= 2)
        })
        .await?;
    assert!(inbox["events"].to_string().contains(&id));
    let content: Value = igm.get(&format!("/v1/messages/{id}/content")).await?.json()?;
    assert_eq!(content["sections"]["id.core"]["first_surname"], "Tzoc");
    assert!(content.to_string().find("risk_countries").is_none());

    let reply = json!({
        "type": "return.manifest.ack", "recipient": {"country": "MX", "role": "migration_enforcement"},
        "purpose": "return_reception", "operation": content["header"]["operation"], "case": content["header"]["case"],
        "in_reply_to": id, "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"},
        "subject": {"kind": "adult", "age": 32, "nationality": "GT", "risk_countries": [], "protection": "none_expressed",
                    "flags": {"age_disputed": "no", "stateless_risk": "no", "open_family_link_in_custody": "no", "unaccompanied": "no"}},
        "sections": {"ops.metadata": {"status": "ok"}}
    });
    let answer = post(&igm, "/v1/messages", &reply).await?;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&answer.body));

    let operation = "/v1/operations/01940000-0000-7000-8000-000000000001";
    let told = |seen: &Value| {
        seen["messages"].as_array().is_some_and(|all| {
            all.iter().any(|m| m["row"] == 2 && m["state"] == "accepted" && m["answers"][0]["status"] == "ok")
        })
    };
    federation.until(&inm, operation, told).await?;
    let status = format!("/v1/messages/{id}");
    let seen = federation
        .until(&inm, &status, |seen| seen["receipts"].to_string().contains("handed_to_agency"))
        .await?;
    let states: Vec<&str> =
        seen["receipts"].as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["accepted", "opened", "handed_to_agency"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_on_no_list_is_compared_with_this_operation_and_with_no_other() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let (inm, igm) = (federation.client("MX", "INM")?, federation.client("GT", "IGM")?);
    let other = "01940000-0000-7000-8000-000000000002";
    let mut elsewhere = adult_row(2);
    elsewhere["operation"] = json!(other);
    let here: Value = post(&inm, "/v1/messages", &adult_row(1)).await?.json()?;
    post(&inm, "/v1/messages", &elsewhere).await?;
    let both = |inbox: &Value| inbox["events"].as_array().is_some_and(|events| events.len() == 2);
    federation.until(&igm, "/v1/inbox", both).await?;
    let person = json!({"sections": {"id.core": {"given_names": "IXCHEL 1", "first_surname": "Guinac",
        "second_surname": "Tzoc", "sex": "F", "birth_date": "1994-03-02"}}});
    let path = "/v1/operations/01940000-0000-7000-8000-000000000001/candidates";
    let offered: Value = post(&igm, path, &person).await?.json()?;
    let candidates = offered["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 1, "{offered}");
    assert_eq!(candidates[0]["message_id"], here["message_id"]);
    assert!(!candidates[0]["reasons"].as_array().unwrap().is_empty());
    let theirs = post(&inm, path, &person).await?.json::<Value>()?;
    assert_eq!(theirs["candidates"], json!([]), "the sender received nothing of this operation");
    Ok(())
}
