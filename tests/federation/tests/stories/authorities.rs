//! What only an authority may let go: its officer's signed act, and that of the other country, or nothing leaves.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use puente_core::approval::Verdict;
use puente_core::authority::Approves;
use puente_core::policy::Approval;
use puente_node::client::AgencyClient;
use puente_test_support::{Federation, post};

use crate::officer::Officer;

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "DIF", "child_protection"),
    ("MX", "CNB", "search_commission"),
    ("MX", "SRE", "consular"),
    ("GT", "PGN", "child_protection"),
    ("GT", "MP", "search_commission"),
    ("HN", "DINAF", "search_commission"),
];

fn child() -> Value {
    json!({"kind": "child", "age": 11, "nationality": "GT", "residence": "GT", "risk_countries": [],
           "protection": "none_expressed",
           "flags": {"unaccompanied": "yes", "bid_positive": "yes", "caregiver_assessed": "yes",
                     "guardian_alleged_abuser": "no", "age_disputed": "no", "found": "no"}})
}

fn example(message_type: &str, name: &str) -> Result<Value> {
    let path = format!(
        "{}/../../schemas/messages/{message_type}/1/examples/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let example: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    Ok(example["sections"].clone())
}

fn transfer() -> Result<Value> {
    Ok(json!({
        "type": "child.case.transfer", "recipient": {"country": "GT", "role": "child_protection"},
        "purpose": "child_protection", "legal_basis": {"type": "best_interests"}, "subject_id": "caso-7",
        "subject": child(), "sections": example("child.case.transfer", "valid-least")?}))
}

fn broadcast(country: &str) -> Result<Value> {
    Ok(json!({
        "type": "missing_child.broadcast", "recipient": {"country": country, "role": "search_commission"},
        "purpose": "missing_child", "legal_basis": {"type": "best_interests"}, "subject_id": "alerta-3",
        "subject": child(), "sections": {"id.core": example("missing_child.broadcast", "valid-full")?["id.core"],
                                         "loc.area": example("missing_child.broadcast", "valid-full")?["loc.area"]}}))
}

/// Submits what has to be held for an authority by this rule; the row as its agency sees it.
async fn held(client: &AgencyClient, submission: &Value, rule: &str) -> Result<Value> {
    let verdict: Value = post(client, "/v1/messages", submission).await?.json()?;
    assert_eq!(
        (verdict["verdict"].as_str(), verdict["rule"]["id"].as_str()),
        (Some("held"), Some(rule)),
        "{verdict}"
    );
    let path = format!("/v1/approvals/{}", verdict["approval_id"].as_str().context("no row")?);
    let shown: Value = client.get(&path).await?.json()?;
    Ok(shown["approval"].clone())
}

async fn arrived(federation: &Federation, client: &AgencyClient, message_type: &str) -> Result<()> {
    let came = |inbox: &Value| inbox.to_string().contains(message_type);
    federation.until(client, "/v1/inbox?wait=1", came).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_childs_case_goes_once_both_authorities_have_signed_and_not_on_one_of_them() -> Result<()> {
    let federation = Federation::of(&["GT", "HN", "MX"], AGENCIES).await?;
    let (dif, pgn) = (federation.client("MX", "DIF")?, federation.client("GT", "PGN")?);
    let row = held(&dif, &transfer()?, "R-BID-02").await?;
    let ana = Officer::of(&federation, "MX", "DIF", "ana")?;
    let mine = ana.say(ana.says(&row, Approval::SenderChildProtection, 48)?).await?;
    assert_eq!(
        (mine["state"].as_str(), mine["waits_for"].as_str()),
        (Some("open"), Some("R-BID-02")),
        "{mine}"
    );
    let not_ours = ana.say(ana.says(&row, Approval::RecipientChildProtection, 48)?).await?;
    assert_eq!(not_ours["code"], "officer.not_entitled");

    // The thread is all that the other authority needs to know to answer, and its own word waits for its officer too.
    let accepts = json!({
        "type": "child.case.transfer.accept", "recipient": {"country": "MX", "role": "child_protection"},
        "purpose": "child_protection", "legal_basis": {"type": "best_interests"}, "case": row["case"],
        "subject": child(), "sections": example("child.case.transfer.accept", "valid-full")?});
    let theirs = held(&pgn, &accepts, "R-BID-02").await?;
    let inbox: Value = pgn.get("/v1/inbox").await?.json()?;
    assert!(!inbox.to_string().contains("message_received"), "{inbox}");
    let luz = Officer::of(&federation, "GT", "PGN", "luz")?;
    let said = luz.say(luz.says(&theirs, Approval::SenderChildProtection, 48)?).await?;
    assert_eq!(said["state"], "granted", "{said}");

    let path = format!("/v1/approvals/{}", row["approval_id"].as_str().unwrap());
    federation.until(&dif, &path, |seen| seen["approval"]["state"] == "granted").await?;
    arrived(&federation, &pgn, "\"child.case.transfer\"").await?;
    let acts: Value = dif.get("/v1/acts").await?.json()?;
    assert_eq!(
        (acts["acts"][0]["stands"].clone(), acts["acts"][0]["to"].clone()),
        (json!(true), json!("GT"))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_authority_takes_back_no_longer_lets_a_case_go() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], &AGENCIES[..5]).await?;
    let (dif, pgn) = (federation.client("MX", "DIF")?, federation.client("GT", "PGN")?);
    let row = held(&dif, &transfer()?, "R-BID-02").await?;
    let answer = |message_type: &str, sections: Value| {
        json!({
        "type": message_type, "recipient": {"country": "MX", "role": "child_protection"},
        "purpose": "child_protection", "legal_basis": {"type": "best_interests"}, "case": row["case"],
        "subject": child(), "sections": sections})
    };
    let accepts = answer("child.case.transfer.accept", example("child.case.transfer.accept", "valid-full")?);
    let theirs = held(&pgn, &accepts, "R-BID-02").await?;
    let luz = Officer::of(&federation, "GT", "PGN", "luz")?;
    luz.say(luz.says(&theirs, Approval::SenderChildProtection, 48)?).await?;
    arrived(&federation, &dif, "child.case.transfer.accept").await?;
    let rejects = answer("child.case.transfer.reject", example("child.case.transfer.reject", "valid-full")?);
    let sent: Value = post(&pgn, "/v1/messages", &rejects).await?.json()?;
    assert_eq!(sent["verdict"], "accepted", "{sent}");
    arrived(&federation, &dif, "child.case.transfer.reject").await?;
    let ana = Officer::of(&federation, "MX", "DIF", "ana")?;
    let said = ana.say(ana.says(&row, Approval::SenderChildProtection, 48)?).await?;
    assert_eq!(
        (said["state"].as_str(), said["waits_for"].as_str()),
        (Some("open"), Some("R-BID-02")),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_goes_to_every_country_on_one_act_until_its_hour_and_another_childs_does_not()
-> Result<()> {
    let federation = Federation::of(&["GT", "HN", "MX"], AGENCIES).await?;
    let cnb = federation.client("MX", "CNB")?;
    let row = held(&cnb, &broadcast("GT")?, "R-MIS-01").await?;
    let eva = Officer::of(&federation, "MX", "CNB", "eva")?;
    let too_long = eva.say(eva.says(&row, Approval::MissingChildAuthority, 73)?).await?;
    assert_eq!(
        (too_long["code"].as_str(), too_long["field"].as_str()),
        (Some("field.invalid"), Some("until"))
    );
    let said = eva.say(eva.says(&row, Approval::MissingChildAuthority, 24)?).await?;
    assert_eq!(said["state"], "granted", "{said}");
    let again = |country: &str| {
        let mut again = broadcast(country)?;
        again["case"] = row["case"].clone();
        anyhow::Ok(again)
    };
    let honduras: Value = post(&cnb, "/v1/messages", &again("HN")?).await?.json()?;
    assert_eq!(honduras["verdict"], "accepted", "{honduras}");
    arrived(&federation, &federation.client("HN", "DINAF")?, "missing_child.broadcast").await?;
    let mut another = again("HN")?;
    another["sections"]["id.core"]["given_names"] = json!("Otra Niña");
    held(&cnb, &another, "R-MIS-01").await?;
    federation.clock.advance_ms(24 * 3_600_000);
    held(&cnb, &again("HN")?, "R-MIS-01").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_of_the_wrong_role_of_a_revoked_officer_or_of_one_person_twice_is_no_act() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], &AGENCIES[..5]).await?;
    let dif = federation.client("MX", "DIF")?;
    let row = held(&dif, &transfer()?, "R-BID-02").await?;
    let sender = Approval::SenderChildProtection;
    let consul = Officer::of(&federation, "MX", "SRE", "leo")?;
    assert_eq!(consul.say(consul.says(&row, sender, 48)?).await?["code"], "not_found");
    let ana = Officer::of(&federation, "MX", "DIF", "ana")?;
    assert_eq!(ana.say(ana.says(&row, Approval::MissingChildAuthority, 48)?).await?["code"], "field.invalid");
    let mut stale = ana.says(&row, sender, 48)?;
    stale.preview = puente_core::ids::Digest::of(b"another preview");
    assert_eq!(ana.say(stale).await?["code"], "approval.preview_stale");
    assert_eq!(ana.say(ana.says(&row, sender, 0)?).await?["field"], "until");
    assert_eq!(ana.say(ana.says(&row, sender, 48)?).await?["state"], "open");
    assert_eq!(ana.say(ana.says(&row, sender, 48)?).await?["code"], "officer.not_distinct");
    let member = federation.member("MX")?;
    puente_node::setup::officer::revoke(&member.home, &"DIF".parse()?, &"ana".parse()?)?;
    member.running.as_ref().context("does not run")?.reload()?;
    assert_eq!(ana.say(ana.says(&row, sender, 48)?).await?["code"], "officer.revoked");
    let acts: Value = dif.get("/v1/acts").await?.json()?;
    assert_eq!(acts["acts"][0]["stands"], false, "{acts}");
    let stranger = Officer::of(&federation, "GT", "PGN", "luz")?;
    assert_eq!(stranger.say(stranger.says(&row, sender, 48)?).await?["code"], "not_found");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_sees_what_waits_for_it_and_its_one_refusal_is_enough() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], &AGENCIES[..5]).await?;
    let cnb = federation.client("MX", "CNB")?;
    held(&cnb, &broadcast("GT")?, "R-MIS-01").await?;
    let ana = Officer::of(&federation, "MX", "DIF", "ana")?;
    arrived(&federation, &ana.client()?, "approval_opened").await?;
    let row = ana.waiting().await?;
    let shown: Value = ana
        .client()?
        .get(&format!("/v1/approvals/{}", row["approval_id"].as_str().unwrap()))
        .await?
        .json()?;
    assert_eq!(shown["after"]["id.core"]["given_names"], "Yeimi Maribel");
    let refuses =
        Approves { verdict: Verdict::Refuse, ..ana.says(&row, Approval::MissingChildAuthority, 24)? };
    assert_eq!(ana.say(refuses).await?["state"], "refused");
    let late = ana.say(ana.says(&row, Approval::MissingChildAuthority, 24)?).await?;
    assert_eq!(late["code"], "approval.closed", "{late}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_taken_back_while_the_peer_is_down_leaves_nothing_to_go() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], &AGENCIES[..5]).await?;
    federation.stop("GT").await?;
    let cnb = federation.client("MX", "CNB")?;
    let row = held(&cnb, &broadcast("GT")?, "R-MIS-01").await?;
    let message = {
        let eva = Officer::of(&federation, "MX", "CNB", "eva")?;
        let said = eva.say(eva.says(&row, Approval::MissingChildAuthority, 24)?).await?;
        let acts: Value = cnb.get("/v1/acts").await?.json()?;
        eva.take_back(&acts["acts"][0]["act_id"]).await?;
        assert_eq!(eva.take_back(&acts["acts"][0]["act_id"]).await?["code"], "approval.closed");
        said["verdict"]["message_id"].as_str().context("not released")?.to_owned()
    };
    federation.start("GT").await?;
    let path = format!("/v1/messages/{message}");
    let seen = federation.until(&cnb, &path, |seen| seen["message"]["state"] == "cancelled").await?;
    assert_eq!(seen["message"]["code"], "decision.lapsed");
    let inbox: Value = federation.client("GT", "MP")?.get("/v1/inbox").await?.json()?;
    assert!(!inbox.to_string().contains("missing_child.broadcast"), "{inbox}");
    Ok(())
}
