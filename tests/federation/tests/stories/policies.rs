//! Policies change under traffic: proposed by one officer, put in force by two others, and no request is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use puente_core::approval::Verdict;
use puente_core::delivery::ApprovalState;
use puente_node::policy::PolicySet;
use puente_node::setup::built_in_policies;
use serde_json::{Value, json};

use puente_test_support::{Federation, Officers, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

/// The set of the first start, with a national rule of Mexico's: no language leaves.
fn stricter() -> Result<PolicySet> {
    let mut files = PolicySet::of_bytes(built_in_policies())?.files().clone();
    let policy = "@id(\"mx-1\") @rule(\"MX-LAN-01\") @stage(\"3-minimise\") @rank(\"900\") @ends(\"send\")\n\
                  forbid(principal, action == Action::\"Disclose\", resource) when {\n\
                    resource == Category::\"language\" && context.recipient.country == Country::\"GT\"\n};\n";
    let rule = json!({"MX-LAN-01": {"stage": "3-minimise", "rank": 900, "es": "No sale el idioma.",
                                    "en": "No language leaves.", "grounding": ["DRILL"]}});
    files.insert("national/mx.cedar".to_owned(), policy.to_owned());
    files.insert("national/rules.json".to_owned(), rule.to_string());
    // The worked cases are those of all; a country that narrows them keeps its own.
    files.retain(|path, _| !path.starts_with("cases/"));
    Ok(PolicySet::of(files)?)
}

async fn removed(federation: &Federation, row: u32) -> Result<Value> {
    let inm = federation.client("MX", "INM")?;
    let verdict: Value = post(&inm, "/v1/messages", &adult_row(row)).await?.json()?;
    assert_ne!(verdict["verdict"], "refused", "{verdict}");
    Ok(verdict.get("removed").cloned().unwrap_or_else(|| json!([])))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_switched_under_traffic_and_no_request_is_dropped() -> Result<()> {
    let federation = Arc::new(Federation::of(&["GT", "MX"], AGENCIES).await?);
    let ended = Arc::new(AtomicBool::new(false));
    let traffic = {
        let (federation, ended) = (Arc::clone(&federation), Arc::clone(&ended));
        tokio::spawn(async move {
            let inm = federation.client("MX", "INM")?;
            let mut seen = Vec::new();
            let mut after = 0;
            for row in 1.. {
                let verdict: Value = post(&inm, "/v1/messages", &adult_row(row)).await?.json()?;
                seen.push(verdict["verdict"].as_str().unwrap_or("none").to_owned());
                after += u32::from(ended.load(Ordering::Relaxed));
                if after > 3 {
                    break;
                }
            }
            anyhow::Ok(seen)
        })
    };
    federation.activate("MX", stricter()?).await?;
    ended.store(true, Ordering::Relaxed);
    let seen = traffic.await??;
    let switched = seen.iter().position(|verdict| verdict == "redacted").context("never switched")?;
    assert!(seen[..switched].iter().all(|verdict| verdict == "accepted"), "{seen:?}");
    assert!(seen[switched..].iter().all(|verdict| verdict == "redacted"), "{seen:?}");
    let igm = federation.client("GT", "IGM")?;
    let all =
        |inbox: &Value| inbox["events"].as_array().is_some_and(|events| events.len() == seen.len().min(100));
    federation.until(&igm, "/v1/inbox?limit=100", all).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_officers_put_in_force_stands_after_a_restart() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    federation.activate("MX", stricter()?).await?;
    federation.stop("MX").await?;
    federation.start("MX").await?;
    assert_eq!(removed(&federation, 1).await?[0]["rule"]["id"], "MX-LAN-01");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_cut_short_before_its_folder_was_written_is_finished_at_the_next_start() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let folder = federation.member("MX")?.home.policies();
    let before = PolicySet::read(&folder)?;
    federation.activate("MX", stricter()?).await?;
    federation.stop("MX").await?;
    std::fs::remove_dir_all(&folder)?;
    for (path, text) in before.files() {
        puente_node::home::write_file(&folder.join(path), text.as_bytes())?;
    }
    federation.start("MX").await?;
    assert_eq!(removed(&federation, 1).await?[0]["rule"]["id"], "MX-LAN-01");
    assert_eq!(PolicySet::read(&folder)?, stricter()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_nobody_activated_is_refused_while_running_and_at_start() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let member = federation.member("MX")?;
    let overlay = member.home.policies().join("national").join("rules.json");
    puente_node::home::write_file(&overlay, b"{}")?;
    let refused = member.running.as_ref().context("does not run")?.reload().unwrap_err();
    assert!(refused.to_string().contains("policy.not_activated"), "{refused}");
    assert_eq!(removed(&federation, 1).await?, json!([]));
    federation.stop("MX").await?;
    let refused = federation.start("MX").await.unwrap_err();
    assert!(refused.to_string().contains("policy.not_activated"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proposer_is_not_one_of_the_two_and_one_person_is_not_two() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let officers = Officers::of(&federation, "MX")?;
    let shown = officers.propose(&federation, stricter()?).await??;
    let say = async |name| anyhow::Ok(officers.state(&federation, name, &shown, Verdict::Grant).await?);
    assert_eq!(say("ana").await?.unwrap_err().kind.code, "officer.not_distinct");
    assert_eq!(say("luz").await?.unwrap(), ApprovalState::Open);
    assert_eq!(say("luz").await?.unwrap_err().kind.code, "officer.not_distinct");
    assert_eq!(removed(&federation, 1).await?, json!([]));
    assert_eq!(say("eva").await?.unwrap(), ApprovalState::Granted);
    assert_eq!(removed(&federation, 2).await?[0]["rule"]["id"], "MX-LAN-01");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_ends_a_proposal_and_another_set_in_force_makes_it_stale() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let officers = Officers::of(&federation, "MX")?;
    let refused = officers.propose(&federation, stricter()?).await??;
    assert_eq!(
        officers.state(&federation, "luz", &refused, Verdict::Refuse).await?.unwrap(),
        ApprovalState::Refused
    );
    let late = officers.state(&federation, "eva", &refused, Verdict::Grant).await?;
    assert_eq!(late.unwrap_err().kind.code, "approval.closed");
    let overtaken = officers.propose(&federation, stricter()?).await??;
    federation.activate("MX", stricter()?).await?;
    let stale = officers.state(&federation, "luz", &overtaken, Verdict::Grant).await?;
    assert_eq!(stale.unwrap_err().kind.code, "approval.preview_stale");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_releases_more_says_so_to_the_officers_and_its_own_case_refuses_it() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    assert_eq!(removed(&federation, 1).await?, json!([]));
    let officers = Officers::of(&federation, "MX")?;
    let mut files = PolicySet::of_bytes(built_in_policies())?.files().clone();
    let weaker = files["rules/minimise.cedar"].replacen("context.minCell < 5", "context.minCell < 0", 1);
    files.insert("rules/minimise.cedar".to_owned(), weaker);
    let failing = officers.propose(&federation, PolicySet::of(files.clone())?).await?;
    assert_eq!(failing.unwrap_err().kind.code, "policy.invalid");
    files.retain(|path, _| !path.starts_with("cases/"));
    let shown = officers.propose(&federation, PolicySet::of(files)?).await??;
    let shifts = shown["summary"]["cases"].as_object().unwrap();
    assert!(shifts.values().any(|shift| shift == "releases_more"), "{shown}");
    assert_eq!(shown["summary"]["simulation"]["unrepeated"], 0);
    assert!(shown["summary"]["simulation"]["replayed"].as_u64().unwrap() >= 1);
    assert_eq!(shown["summary"]["changes"]["policies"]["changed"], json!(["R-STA-01.whole"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_peer_is_decided_again_and_nothing_leaves_that_the_new_set_forbids() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    federation.stop("GT").await?;
    let inm = federation.client("MX", "INM")?;
    let mut silent = adult_row(2);
    silent["sections"].as_object_mut().context("no sections")?.remove("language");
    let mut waiting = Vec::new();
    for row in [adult_row(1), silent] {
        let verdict: Value = post(&inm, "/v1/messages", &row).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
        waiting.push(format!("/v1/messages/{}", verdict["message_id"].as_str().context("not sent")?));
    }
    let before: Value = inm.get(&waiting[1]).await?.json()?;
    federation.activate("MX", stricter()?).await?;
    federation.start("GT").await?;
    let stays = federation.until(&inm, &waiting[0], |seen| seen["message"]["state"] == "cancelled").await?;
    assert_eq!(stays["message"]["code"], "decision.lapsed");
    let goes = federation.until(&inm, &waiting[1], |seen| seen["message"]["state"] == "accepted").await?;
    assert_eq!(goes["message"]["release"], before["message"]["release"], "the stored bytes went");
    let igm = federation.client("GT", "IGM")?;
    let inbox: Value = igm.get("/v1/inbox").await?.json()?;
    assert_eq!(inbox["events"].as_array().map(Vec::len), Some(1), "{inbox}");
    // Submitted again it meets the set in force, and goes without what that set keeps.
    assert_eq!(removed(&federation, 1).await?[0]["rule"]["id"], "MX-LAN-01");
    Ok(())
}
