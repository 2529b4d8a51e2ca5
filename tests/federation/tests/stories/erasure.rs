//! What is erased: by its subject, by the clock, on each side on its own, and what stays of it.

use anyhow::{Context as _, Result};
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::delivery::HoldChange;
use puente_node::home::{read_tree, write_file};
use puente_node::subjects::{SubjectOf, erase_subject, legal_hold};
use puente_test_support::{Federation, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

const HOUR_MS: i64 = 3_600_000;

/// Sends one row about this person and waits until it has arrived; answers its id.
async fn delivered(federation: &Federation, number: u32, subject: &str) -> Result<String> {
    let mut row = adult_row(number);
    row["subject_id"] = json!(subject);
    let verdict: Value = post(&federation.client("MX", "INM")?, "/v1/messages", &row).await?.json()?;
    let id = verdict["message_id"].as_str().context("not sent")?.to_owned();
    let inm = federation.client("MX", "INM")?;
    federation
        .until(&inm, &format!("/v1/messages/{id}"), |seen| seen["message"]["state"] == "accepted")
        .await?;
    Ok(id)
}

/// Makes a country's new lists be kept for this many days.
fn keep_lists_for(federation: &Federation, country: &str, days: u32) -> Result<()> {
    let member = federation.member(country)?;
    let folder = member.home.schemas().join("messages").join("return.manifest");
    for (path, bytes) in read_tree(&folder)?.into_iter().filter(|(path, _)| path.ends_with("descriptor.json"))
    {
        let mut descriptor: Value = serde_json::from_slice(&bytes)?;
        descriptor["retention_days"] = json!(days);
        write_file(&folder.join(path), &serde_json::to_vec(&descriptor)?)?;
    }
    member.running.as_ref().context("does not run")?.reload()?;
    Ok(())
}

fn states(seen: &Value, list: &str) -> Vec<String> {
    let entries = seen[list].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["state"].as_str()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_unreadable_at_the_receiver_and_the_sender_gets_a_receipt_of_it() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let (erased, kept) =
        (delivered(&federation, 1, "INM/1").await?, delivered(&federation, 2, "INM/2").await?);
    let igm = federation.client("GT", "IGM")?;
    let content: Value = igm.get(&format!("/v1/messages/{erased}/content")).await?.json()?;
    let pseudonym = content["header"]["subject_ref"].as_str().context("no pseudonym")?.to_owned();

    let node = federation.member("GT")?.running.as_ref().context("does not run")?.node();
    let subject = SubjectOf::Peer(&"MX".parse()?, &pseudonym).tag(&node.keys.subjects);
    legal_hold(node, subject, HoldChange::Placed).await?;
    assert_eq!(erase_subject(node, subject).await.unwrap_err().kind.code, "erasure.legal_hold");
    assert_eq!(igm.get(&format!("/v1/messages/{erased}/content")).await?.status, StatusCode::OK);
    legal_hold(node, subject, HoldChange::Lifted).await?;
    let done = erase_subject(node, subject).await?;
    assert_eq!(done.in_backups_by_ms, done.unreadable_ms + 7 * 24 * HOUR_MS);
    assert_eq!(erase_subject(node, subject).await?, done);

    let gone = igm.get(&format!("/v1/messages/{erased}/content")).await?;
    assert_eq!(gone.status, StatusCode::GONE);
    assert_eq!(gone.json::<Value>()?["code"], "message.erased");
    let stays: Value = igm.get(&format!("/v1/messages/{kept}/content")).await?.json()?;
    assert_eq!(stays["sections"]["id.core"]["given_names"], "Ixchel 2");
    let status: Value = igm.get(&format!("/v1/messages/{erased}")).await?.json()?;
    assert_eq!(status["message"]["state"], "erased");

    // The sender learns it by a signed receipt, and its own copy is its own.
    let inm = federation.client("MX", "INM")?;
    let told = |seen: &Value| states(seen, "receipts").contains(&"erased".to_owned());
    let seen = federation.until(&inm, &format!("/v1/messages/{erased}"), told).await?;
    assert_eq!(seen["message"]["state"], "accepted");
    assert!(federation.metrics("GT")?.contains("puente_erased_total{cause=\"subject\"} 1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_an_erased_person_that_still_waits_does_not_leave() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    federation.stop("GT").await?;
    let mut row = adult_row(1);
    row["subject_id"] = json!("INM/1");
    let inm = federation.client("MX", "INM")?;
    let verdict: Value = post(&inm, "/v1/messages", &row).await?.json()?;
    let waiting = verdict["message_id"].as_str().context("not sent")?.to_owned();
    let node = federation.member("MX")?.running.as_ref().context("does not run")?.node();
    erase_subject(node, SubjectOf::Own("INM/1").tag(&node.keys.subjects)).await?;
    federation.start("GT").await?;
    delivered(&federation, 2, "INM/2").await?;
    let seen: Value = inm.get(&format!("/v1/messages/{waiting}")).await?.json()?;
    assert_eq!(
        (seen["message"]["state"].as_str(), seen["receipts"].as_array().map(Vec::len)),
        (Some("erased"), Some(0))
    );
    let inbox: Value = federation.client("GT", "IGM")?.get("/v1/inbox").await?.json()?;
    assert!(!inbox.to_string().contains(&waiting));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_erases_by_its_own_clock_after_telling_its_agency() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    keep_lists_for(&federation, "MX", 20)?;
    let id = delivered(&federation, 1, "INM/1").await?;
    let (inm, igm) = (federation.client("MX", "INM")?, federation.client("GT", "IGM")?);
    let path = format!("/v1/messages/{id}");
    let near = |seen: &Value| states(seen, "history").contains(&"erasure_near".to_owned());
    assert!(!near(&igm.get(&path).await?.json()?));

    federation.clock.advance_ms(6 * 24 * HOUR_MS + HOUR_MS);
    for side in [&inm, &igm] {
        federation.until(side, &path, near).await?;
    }
    assert_eq!(igm.get(&format!("{path}/content")).await?.status, StatusCode::OK);

    federation.clock.advance_ms(14 * 24 * HOUR_MS);
    for side in [&inm, &igm] {
        let seen = federation.until(side, &path, |seen| seen["message"]["state"] == "erased").await?;
        assert!(states(&seen, "receipts").contains(&"accepted".to_owned()));
    }
    let gone = igm.get(&format!("{path}/content")).await?;
    assert_eq!(gone.json::<Value>()?["code"], "message.erased");
    for country in ["MX", "GT"] {
        assert!(federation.metrics(country)?.contains("puente_erased_total{cause=\"retention\"} 1"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_outlives_a_restart_and_a_store_restored_from_an_older_copy() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let id = delivered(&federation, 1, "INM/1").await?;
    let home = federation.member("GT")?.home.clone();
    federation.stop("GT").await?;
    let copy = std::fs::read(home.store())?;
    federation.start("GT").await?;
    let igm = federation.client("GT", "IGM")?;
    let content: Value = igm.get(&format!("/v1/messages/{id}/content")).await?.json()?;
    let pseudonym = content["header"]["subject_ref"].as_str().context("no pseudonym")?.to_owned();
    let node = federation.member("GT")?.running.as_ref().context("does not run")?.node();
    let subject = SubjectOf::Peer(&"MX".parse()?, &pseudonym).tag(&node.keys.subjects);
    erase_subject(node, subject).await?;
    federation.stop("GT").await?;
    std::fs::write(home.store(), copy)?;

    federation.start("GT").await?;
    let igm = federation.client("GT", "IGM")?;
    let gone = igm.get(&format!("/v1/messages/{id}/content")).await?;
    assert_eq!(gone.json::<Value>()?["code"], "message.erased");
    Ok(())
}
