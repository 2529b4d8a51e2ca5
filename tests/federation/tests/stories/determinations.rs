//! A fact that lets a child go is its authority's to state: nobody else's word opens the way, and what was said can be taken back.

use anyhow::{Context as _, Result};
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::authority::{TYP_TAKES_BACK, TakesBack};
use puente_core::policy::Flag;
use puente_test_support::{Federation, post, signed};

use crate::officer::Officer;

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "INM", "migration_enforcement"),
    ("MX", "DIF", "child_protection"),
    ("GT", "PGN", "child_protection"),
];

const FILE: &str = "EXP-2026-77";

/// A row of a return list: an unaccompanied child with every precondition, as the enforcement agency states it.
fn row(file: Option<&str>) -> Result<Value> {
    let example: Value = serde_json::from_str(include_str!(
        "../../../../schemas/messages/return.manifest/1/examples/valid-least.json"
    ))?;
    let mut row = json!({
        "type": "return.manifest", "recipient": {"country": "GT", "role": "child_protection"},
        "purpose": "return_reception", "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"},
        "subject": {"kind": "child", "age": 12, "nationality": "GT", "residence": "GT", "risk_countries": [],
                    "protection": "none_expressed",
                    "flags": {"unaccompanied": "yes", "bid_positive": "yes", "child_welfare_recipient": "yes",
                              "agreed_hours": "yes", "screening_done": "yes", "guardian_alleged_abuser": "no",
                              "age_disputed": "no", "open_family_link_in_custody": "no", "stateless_risk": "no"}},
        "facts": {"planned_local_hour": 10}, "sections": example["sections"]});
    if let Some(file) = file {
        row["subject_id"] = json!(file);
    }
    Ok(row)
}

/// The verdict, and the rule that determined it.
async fn verdict(federation: &Federation, row: &Value) -> Result<(String, String, Value)> {
    let verdict: Value = post(&federation.client("MX", "INM")?, "/v1/messages", row).await?.json()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok((text(&verdict["verdict"]), text(&verdict["rule"]["id"]), verdict))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_goes_on_the_authoritys_signed_word_and_not_on_that_of_who_returns_her() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let (said, rule, whole) = verdict(&federation, &row(Some(FILE))?).await?;
    assert_eq!((said.as_str(), rule.as_str()), ("refused", "R-BID-01"), "{whole}");

    let raul = Officer::of(&federation, "MX", "INM", "raul")?;
    let (status, refused) = raul.determine(FILE, Flag::BidPositive, true).await?;
    assert_eq!((status, &refused["code"]), (StatusCode::FORBIDDEN, &json!("officer.not_entitled")));

    let ana = Officer::of(&federation, "MX", "DIF", "ana")?;
    let (_, not_reserved) = ana.determine(FILE, Flag::ScreeningDone, true).await?;
    assert_eq!(not_reserved["field"], "fact", "{not_reserved}");
    ana.determine("EXP-another", Flag::BidPositive, true).await?;
    let (said, ..) = verdict(&federation, &row(Some(FILE))?).await?;
    assert_eq!(said, "refused", "another child's determination counts for nothing");

    let (status, made) = ana.determine(FILE, Flag::BidPositive, true).await?;
    assert_eq!((status, &made["stands"]), (StatusCode::CREATED, &json!(true)), "{made}");
    assert!(!made.to_string().contains(FILE), "an answer names nobody");
    let (said, _, whole) = verdict(&federation, &row(Some(FILE))?).await?;
    assert!(["accepted", "redacted"].contains(&said.as_str()), "{whole}");
    let (said, ..) = verdict(&federation, &row(None)?).await?;
    assert_eq!(said, "refused", "of somebody who is not named nothing is determined");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_determined_ends_when_it_is_taken_back_denied_or_past_its_hour() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let ana = Officer::of(&federation, "MX", "DIF", "ana")?;
    let luz = Officer::of(&federation, "MX", "DIF", "luz")?;
    let goes = async |why: &str, expected: bool| -> Result<()> {
        let (said, _, whole) = verdict(&federation, &row(Some(FILE))?).await?;
        assert_eq!(said != "refused", expected, "{why}: {whole}");
        Ok(())
    };
    let (_, made) = ana.determine(FILE, Flag::BidPositive, true).await?;
    goes("determined", true).await?;
    luz.determine(FILE, Flag::BidPositive, false).await?;
    goes("denied by a colleague", false).await?;

    let list: Value = ana.client()?.get("/v1/determinations").await?.json()?;
    assert_eq!(list["determinations"].as_array().map(Vec::len), Some(2), "{list}");
    let denied = list["determinations"][1]["determination_id"].as_str().context("an id")?;
    let take_back = async |officer: &Officer<'_>, id: &str| -> Result<Value> {
        let by = (officer.country, officer.agency, officer.name);
        let says = TakesBack { act: id.parse()? };
        let body = signed(&officer.key, TYP_TAKES_BACK, by, says, federation.clock.as_ref())?;
        let path = format!("/v1/determinations/{id}/withdraw");
        Ok(post(&officer.client()?, &path, &body).await?.json()?)
    };
    take_back(&luz, denied).await?;
    goes("the denial taken back", true).await?;
    let id = made["determination_id"].as_str().context("an id")?;
    assert_eq!(take_back(&ana, id).await?["stands"], false);
    assert_eq!(take_back(&ana, id).await?["code"], "approval.closed");
    goes("taken back", false).await?;

    ana.determine(FILE, Flag::BidPositive, true).await?;
    goes("determined anew", true).await?;
    federation.clock.advance_ms(49 * 3_600_000);
    goes("past its hour", false).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_queue_does_not_leave_once_the_determination_is_taken_back() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    federation.stop("GT").await?;
    let id = {
        let ana = Officer::of(&federation, "MX", "DIF", "ana")?;
        ana.determine(FILE, Flag::BidPositive, true).await?;
        let (_, _, whole) = verdict(&federation, &row(Some(FILE))?).await?;
        ana.determine(FILE, Flag::BidPositive, false).await?;
        whole["message_id"].as_str().context("queued")?.to_owned()
    };
    federation.start("GT").await?;
    let inm = federation.client("MX", "INM")?;
    let path = format!("/v1/messages/{id}");
    federation.until(&inm, &path, |seen| seen["message"]["state"] == "cancelled").await?;
    let inbox: Value = federation.client("GT", "PGN")?.get("/v1/inbox").await?.json()?;
    assert!(!inbox.to_string().contains("message_received"), "{inbox}");
    Ok(())
}
