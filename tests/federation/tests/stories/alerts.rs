//! An alert about a child: who is woken up while nobody answers, and whose signature stops the clock.

use anyhow::{Context as _, Result};
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::duty::{Acted, TYP_ACTED, TYP_TAKEN, TYP_TELEPHONE, Taken, Telephoned};
use puente_core::personal::Personal;
use puente_node::config::{Config, reference};
use puente_node::home::write_file;
use puente_test_support::{Manner, Receiver, post, signed};

use crate::on_duty::{OnDuty, PHONE, answer, roster};

#[tokio::test(flavor = "multi_thread")]
async fn silence_climbs_the_ladder_on_both_sides_and_the_sender_is_told_that_there_is_no_answer() -> Result<()>
{
    let case = OnDuty::new().await?;
    let id = case.alert().await?;
    case.mails.delivered("guardia@pgn.example", 1).await?;
    case.pass(20);
    case.mails.delivered("relevo@pgn.example", 1).await?;
    case.pass(20);
    case.mails.delivered("jefa@pfpnna.example", 1).await?;
    case.pass(10);
    case.mails.delivered("operador@gt.example", 1).await?;
    case.mails.delivered("operador@mx.example", 1).await?;
    case.pass(10);
    let told = case.until_state(&case.pfpnna, &id, "no_answer").await?;
    assert_eq!(told["told"], json!(["no_answer"]));
    case.until_state(&case.pgn, &id, "no_answer").await?;
    case.mails.delivered("jefa@pgn.example", 1).await?;
    let everything: String = case.mails.mails().into_iter().map(|mail| mail.text).collect();
    for content in ["Yeimi", "Chub", "GT", "MX", "Guatemala", "child", id.as_str(), "PGN"] {
        assert!(!everything.contains(content), "a notice says `{content}`");
    }
    assert!(everything.contains("SIMULACRO"), "in training every notice says so");
    let calls = &case.pgn.get(&format!("/v1/alerts/{id}")).await?.json::<Value>()?["calls"];
    assert!(calls.as_array().unwrap().iter().all(|call| call["state"] == "handed"), "{calls}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_officer_of_the_authority_that_was_asked_stops_the_clock() -> Result<()> {
    let case = OnDuty::new().await?;
    let id = case.alert().await?;
    let igm_key = case.federation.officer("GT", "IGM", "raul", "p-raul")?;
    let clock = case.federation.clock.as_ref();
    let said = |key: &[u8], who: (&str, &str, &str), says: Taken| signed(key, TYP_TAKEN, who, says, clock);
    let of_this = Taken { alert: id.parse()?, phone: Some(Personal::new(PHONE.to_owned())) };
    let of_another = Taken { alert: "01940000-0000-7000-8000-00000000dead".parse()?, ..of_this.clone() };
    let text = |act: Value| act["statement"].as_str().unwrap().to_owned();
    let no_officer = text(said(&igm_key, ("GT", "IGM", "raul"), of_this.clone())?);
    let forged = text(said(&igm_key, ("GT", "PGN", "lucia"), of_this)?);
    let misled = text(said(&case.lucia, ("GT", "PGN", "lucia"), of_another)?);
    let other_phone = case.taken(&id, "+50299999999")?;
    let unsigned = answer(&id, "a.b.c");
    for (why, body) in [
        ("another agency's officer", answer(&id, &no_officer)),
        ("another's key", answer(&id, &forged)),
        ("another alert", answer(&id, &misled)),
        ("another telephone", answer(&id, &other_phone)),
        ("no signature", unsigned),
    ] {
        let verdict: Value = post(&case.pgn, "/v1/messages", &body).await?.json()?;
        assert_eq!(verdict["verdict"], "malformed", "{why}: {verdict}");
        assert_eq!(verdict["problems"][0]["field"], "/sections/ops.metadata/statement", "{why}");
    }
    case.until_state(&case.pgn, &id, "waits").await?;

    let verdict: Value =
        post(&case.pgn, "/v1/messages", &answer(&id, &case.taken(&id, PHONE)?)).await?.json()?;
    assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    case.until_state(&case.pgn, &id, "answered").await?;
    case.until_state(&case.pfpnna, &id, "answered").await?;
    case.pass(61);
    let says = Acted { alert: id.parse()?, action: "child_visited".into() };
    let act = signed(&case.lucia, TYP_ACTED, ("GT", "PGN", "lucia"), says, clock)?;
    let path = format!("/v1/alerts/{id}/action");
    assert_eq!(post(&case.pgn, &path, &act).await?.status, StatusCode::OK);
    assert_eq!(post(&case.pgn, &path, &act).await?.json::<Value>()?["code"], "alert.closed");
    let acted = case.until_state(&case.pfpnna, &id, "acted").await?;
    assert_eq!(acted["told"], json!([]), "nobody is told of a silence that was none");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_meets_the_ladder_on_its_way_up_is_taken_all_the_same() -> Result<()> {
    let case = OnDuty::new().await?;
    for _ in 0..6 {
        let id = case.alert().await?;
        case.pass(20);
        let statement = case.taken(&id, PHONE)?;
        let verdict: Value = post(&case.pgn, "/v1/messages", &answer(&id, &statement)).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
        case.until_state(&case.pgn, &id, "answered").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_taken_is_made_again_also_by_a_node_that_was_started_again() -> Result<()> {
    let mut case = OnDuty::new().await?;
    case.mails.refuse(true);
    let id = case.alert().await?;
    case.mails.refused(1).await?;
    case.federation.stop("GT").await?;
    case.mails.refuse(false);
    case.federation.start("GT").await?;
    case.pgn = case.federation.client("GT", "PGN")?;
    case.pass(5);
    case.mails.delivered("guardia@pgn.example", 1).await?;
    let handed = |alert: &Value| alert["calls"][0]["state"] == "handed";
    let alert = case.federation.until(&case.pgn, &format!("/v1/alerts/{id}"), handed).await?;
    assert!(alert["calls"][0]["attempts"].as_u64().unwrap() >= 2, "{alert}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_by_telephone_is_entered_by_who_waited_and_signed_later() -> Result<()> {
    let case = OnDuty::new().await?;
    let id = case.alert().await?;
    let nora = case.federation.officer("MX", "PFPNNA", "nora", "p-nora")?;
    let says = Telephoned {
        alert: id.parse()?,
        officer: Personal::new("Lucía".into()),
        number: Personal::new(PHONE.into()),
    };
    let act = signed(&nora, TYP_TELEPHONE, ("MX", "PFPNNA", "nora"), says, case.federation.clock.as_ref())?;
    let path = format!("/v1/alerts/{id}/telephone");
    let here = post(&case.pfpnna, &path, &act).await?;
    assert_eq!(here.json::<Value>()?["state"], "answered_by_telephone");
    assert_eq!(
        post(&case.pgn, &path, &act).await?.status,
        StatusCode::NOT_FOUND,
        "not by the side that was asked"
    );
    case.until_state(&case.pgn, &id, "waits").await?;
    post(&case.pgn, "/v1/messages", &answer(&id, &case.taken(&id, PHONE)?)).await?;
    case.until_state(&case.pfpnna, &id, "answered").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_without_a_roster_still_has_somebody_woken_up() -> Result<()> {
    let case = OnDuty::new().await?;
    std::fs::remove_file(case.federation.member("GT")?.home.rosters().join("PGN.json"))?;
    case.federation.member("GT")?.running.as_ref().context("runs")?.reload()?;
    case.alert().await?;
    case.mails.delivered("operador@gt.example", 1).await?;
    let metrics = case.federation.metrics("GT")?;
    assert!(metrics.contains("puente_duty_unstaffed_total{wake=\"officer\"} 1"), "{metrics}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_mail_is_called_by_the_hook_until_it_takes_the_notice() -> Result<()> {
    let mut case = OnDuty::new().await?;
    let gateway = Receiver::beside(&case.federation, "GT", 0).await?;
    gateway.next(&[Manner::Answers(500)]);
    let home = case.federation.member("GT")?.home.clone();
    let form = gateway.form();
    let authority = home.path().join("hook-authority.pem");
    write_file(&authority, form["authority"].as_str().context("no authority")?.as_bytes())?;
    let mut config = Config::read(&home.config())?;
    config.duty.hook_url = form["url"].as_str().context("no url")?.to_owned();
    config.duty.hook_networks = vec!["127.0.0.0/8".parse()?];
    config.duty.ca_file = authority.display().to_string();
    write_file(&home.config(), reference(&config)?.as_bytes())?;
    let mut by_hook = roster("PGN", "America/Guatemala");
    by_hook["contacts"]["guardia"] = json!({"hook": "+50255550101"});
    write_file(&home.rosters().join("PGN.json"), &serde_json::to_vec(&by_hook)?)?;
    case.federation.stop("GT").await?;
    case.federation.start("GT").await?;
    case.pgn = case.federation.client("GT", "PGN")?;
    let id = case.alert().await?;
    let path = format!("/v1/alerts/{id}");
    let refused = |alert: &Value| alert["calls"][0]["attempts"].as_u64() >= Some(1);
    case.federation.until(&case.pgn, &path, refused).await?;
    case.pass(5);
    let handed = |alert: &Value| alert["calls"][0]["state"] == "handed";
    case.federation.until(&case.pgn, &path, handed).await?;
    let calls = gateway.calls();
    assert_eq!(calls.len(), 2, "a 500 is not a delivery");
    for call in &calls {
        assert_eq!((&call.event["to"], &call.event["id"]), (&json!("+50255550101"), &calls[0].event["id"]));
        assert!(call.headers.contains_key("signature"));
        assert!(!call.event["text"].as_str().context("no text")?.contains("GT"));
    }
    Ok(())
}
