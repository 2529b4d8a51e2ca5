//! Held rows: two people release, one refuses, time lapses; each way around the rule has its own code.

use anyhow::Result;
use serde_json::{Value, json};

use puente_core::approval::Verdict;
use puente_node::client::AgencyClient;
use puente_test_support::{Federation, adult_row, post};

use crate::officer::Officer;

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

struct Case {
    federation: Federation,
    inm: AgencyClient,
    approval: Value,
}

/// A third-country national, whom rule R-TCN-01 holds for two officers.
async fn held() -> Result<Case> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let inm = federation.client("MX", "INM")?;
    let mut row = adult_row(1);
    row["subject"]["nationality"] = json!("VE");
    row["sections"]["id.core"]["nationalities"] = json!(["VE"]);
    let verdict: Value = post(&inm, "/v1/messages", &row).await?.json()?;
    assert_eq!(
        (verdict["verdict"].as_str(), verdict["rule"]["id"].as_str()),
        (Some("held"), Some("R-TCN-01")),
        "{verdict}"
    );
    let path = format!("/v1/approvals/{}", verdict["approval_id"].as_str().unwrap());
    let approval: Value = inm.get(&path).await?.json()?;
    Ok(Case { federation, inm, approval })
}

impl Case {
    async fn say(&self, officer: &str, key: &[u8], verdict: Verdict) -> Result<Value> {
        let key = key.to_vec();
        let officer =
            Officer { federation: &self.federation, country: "MX", agency: "INM", name: officer, key };
        officer.state(&self.approval["approval"], verdict).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_release_a_row_and_it_travels() -> Result<()> {
    let case = held().await?;
    let ana = case.federation.officer("MX", "INM", "ana", "p-1")?;
    let luz = case.federation.officer("MX", "INM", "luz", "p-2")?;
    assert_eq!(case.say("ana", &ana, Verdict::Grant).await?["state"], "open");
    let released = case.say("luz", &luz, Verdict::Grant).await?;
    assert_eq!(
        (released["state"].as_str(), released["verdict"]["verdict"].as_str()),
        (Some("granted"), Some("accepted"))
    );
    let igm = case.federation.client("GT", "IGM")?;
    case.federation
        .until(&igm, "/v1/inbox", |inbox| inbox["events"].as_array().is_some_and(|e| e.len() == 1))
        .await?;
    assert_eq!(case.say("luz", &luz, Verdict::Grant).await?["code"], "approval.closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_with_two_credentials_is_one_person() -> Result<()> {
    let case = held().await?;
    let first = case.federation.officer("MX", "INM", "ana", "p-1")?;
    let second = case.federation.officer("MX", "INM", "ana-2", "p-1")?;
    assert_eq!(case.say("ana", &first, Verdict::Grant).await?["state"], "open");
    assert_eq!(case.say("ana", &first, Verdict::Grant).await?["code"], "officer.not_distinct");
    assert_eq!(case.say("ana-2", &second, Verdict::Grant).await?["code"], "officer.not_distinct");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_revoked_between_the_two_no_longer_counts() -> Result<()> {
    let case = held().await?;
    let ana = case.federation.officer("MX", "INM", "ana", "p-1")?;
    let luz = case.federation.officer("MX", "INM", "luz", "p-2")?;
    case.say("ana", &ana, Verdict::Grant).await?;
    let member = case.federation.member("MX")?;
    puente_node::setup::officer::revoke(&member.home, &"INM".parse()?, &"ana".parse()?)?;
    member.running.as_ref().unwrap().reload()?;
    assert_eq!(case.say("luz", &luz, Verdict::Grant).await?["state"], "open");
    assert_eq!(case.say("ana", &ana, Verdict::Grant).await?["code"], "officer.revoked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_is_enough_and_a_strangers_key_is_nobodys() -> Result<()> {
    let case = held().await?;
    let ana = case.federation.officer("MX", "INM", "ana", "p-1")?;
    let luz = case.federation.officer("MX", "INM", "luz", "p-2")?;
    assert_eq!(case.say("ana", &luz, Verdict::Grant).await?["code"], "officer.not_entitled");
    assert_eq!(case.say("ana", &ana, Verdict::Refuse).await?["state"], "refused");
    assert_eq!(case.say("luz", &luz, Verdict::Grant).await?["code"], "approval.closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_decides_lapses_and_stays_here() -> Result<()> {
    let case = held().await?;
    let ana = case.federation.officer("MX", "INM", "ana", "p-1")?;
    case.say("ana", &ana, Verdict::Grant).await?;
    case.federation.clock.advance_ms(5 * 3_600_000);
    let lapsed = |list: &Value| list["approvals"][0]["state"] == "lapsed";
    case.federation.until(&case.inm, "/v1/approvals", lapsed).await?;
    let luz = case.federation.officer("MX", "INM", "luz", "p-2")?;
    assert_eq!(case.say("luz", &luz, Verdict::Grant).await?["code"], "approval.closed");
    Ok(())
}
