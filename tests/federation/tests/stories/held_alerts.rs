//! An alert that policy holds at home: who is woken up to decide, and what the one who sent it learns when nobody does.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use puente_core::approval::Verdict;
use puente_core::duty::{TYP_TELEPHONE, Telephoned};
use puente_core::personal::Personal;
use puente_test_support::{post, signed};

use crate::officer::Officer;
use crate::on_duty::{OnDuty, PHONE, alert, answer};

/// Whether she fears to return was not asked: R-ASY-06 holds it.
fn without_an_answer() -> Value {
    let mut alert = alert();
    alert["subject"]["protection"] = json!("unknown");
    alert
}

/// A court has ordered it: R-ONW-03 holds it until two officers have read the order.
fn ordered(mut body: Value) -> Value {
    body["facts"] = json!({"court_order": "yes"});
    body
}

/// Submits what this rule holds; the clock goes by its approval.
async fn held(case: &OnDuty, body: &Value, rule: &str) -> Result<String> {
    let verdict: Value = post(&case.pfpnna, "/v1/messages", body).await?.json()?;
    assert_eq!((&verdict["verdict"], &verdict["rule"]["id"]), (&json!("held"), &json!(rule)), "{verdict}");
    Ok(verdict["approval_id"].as_str().context("no approval")?.to_owned())
}

async fn row(case: &OnDuty, id: &str) -> Result<Value> {
    Ok(case.pfpnna.get(&format!("/v1/approvals/{id}")).await?.json::<Value>()?["approval"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_alert_wakes_its_own_authority_at_once_and_everybody_before_its_approval_lapses() -> Result<()>
{
    let case = OnDuty::new().await?;
    let id = held(&case, &without_an_answer(), "R-ASY-06").await?;
    case.mails.delivered("guardia@pfpnna.example", 1).await?;
    let waits = case.until_state(&case.pfpnna, &id, "held").await?;
    assert_eq!((&waits["awaits"], &waits["side"]), (&json!("release"), &json!("sender")));
    case.pass(10);
    case.mails.delivered("relevo@pfpnna.example", 1).await?;
    case.pass(10);
    case.mails.delivered("jefa@pfpnna.example", 1).await?;
    case.pass(5);
    case.mails.delivered("operador@mx.example", 1).await?;
    case.pass(5);
    case.until_state(&case.pfpnna, &id, "undecided").await?;
    case.mails.delivered("jefa@pfpnna.example", 2).await?;
    case.pass(4 * 60);
    let lapsed = case.until_state(&case.pfpnna, &id, "lapsed").await?;
    assert_eq!(lapsed["told"], json!(["undecided", "lapsed"]));
    case.mails.delivered("guardia@pfpnna.example", 2).await?;
    let told = |inbox: &Value| {
        let events = inbox["events"].as_array().into_iter().flatten();
        let states = events.filter(|event| event["type"] == "puente.alert_state");
        states.map(|event| event["data"]["state"].clone()).collect::<Vec<_>>() == ["undecided", "lapsed"]
    };
    let inbox = case.federation.until(&case.pfpnna, "/v1/inbox", told).await?;
    let last = inbox["events"].as_array().unwrap().last().unwrap();
    assert_eq!(last["data"]["link"], json!(format!("/v1/alerts/{id}")), "the event leads to the ladder");
    let everything: String = case.mails.mails().into_iter().map(|mail| mail.text).collect();
    assert!(everything.contains("alerta retenida, decidir antes de las"), "{everything}");
    for content in ["Yeimi", "Chub", "GT", "MX", "child", id.as_str(), "R-ASY-06", "PFPNNA"] {
        assert!(!everything.contains(content), "a notice says `{content}`");
    }
    assert!(!everything.contains("pgn.example"), "nobody of the other country hears of it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_spares_who_was_not_called_yet_and_begins_the_clock_of_the_answer() -> Result<()> {
    let case = OnDuty::new().await?;
    let (ana, luz) = (
        Officer::of(&case.federation, "MX", "PFPNNA", "ana")?,
        Officer::of(&case.federation, "MX", "PFPNNA", "luz")?,
    );
    let id = held(&case, &ordered(alert()), "R-ONW-03").await?;
    case.mails.delivered("guardia@pfpnna.example", 1).await?;
    let row = row(&case, &id).await?;
    assert_eq!(ana.state(&row, Verdict::Grant).await?["state"], "open");
    let released = luz.state(&row, Verdict::Grant).await?;
    assert_eq!(released["state"], "granted", "{released}");
    case.until_state(&case.pfpnna, &id, "released").await?;
    let sent = released["verdict"]["message_id"].as_str().context("no message")?;
    case.until_state(&case.pgn, sent, "waits").await?;
    case.mails.delivered("guardia@pgn.example", 1).await?;
    case.pass(30);
    case.until_state(&case.pfpnna, sent, "waits").await?;
    case.mails.delivered("relevo@pgn.example", 1).await?;
    let calls: Value = case.pfpnna.get(&format!("/v1/alerts/{id}")).await?.json()?;
    assert_eq!(
        calls["calls"].as_array().map(Vec::len),
        Some(1),
        "nobody was called over what was decided: {calls}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_to_who_sent_it_and_to_their_supervisor() -> Result<()> {
    let case = OnDuty::new().await?;
    let ana = Officer::of(&case.federation, "MX", "PFPNNA", "ana")?;
    let id = held(&case, &ordered(alert()), "R-ONW-03").await?;
    assert_eq!(ana.state(&row(&case, &id).await?, Verdict::Refuse).await?["state"], "refused");
    case.until_state(&case.pfpnna, &id, "not_released").await?;
    case.mails.delivered("jefa@pfpnna.example", 1).await?;
    let metrics = case.federation.metrics("MX")?;
    assert!(metrics.contains("puente_alert_silences_total{silence=\"not_released\"} 1"), "{metrics}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_answer_wakes_the_authority_that_gave_it_while_the_alert_still_waits() -> Result<()> {
    let case = OnDuty::new().await?;
    let id = case.alert().await?;
    let answer = ordered(answer(&id, &case.taken(&id, PHONE)?));
    let verdict: Value = post(&case.pgn, "/v1/messages", &answer).await?.json()?;
    assert_eq!(verdict["verdict"], "held", "{verdict}");
    let held = verdict["approval_id"].as_str().context("no approval")?;
    case.until_state(&case.pgn, held, "held").await?;
    case.until_state(&case.pgn, &id, "waits").await?;
    case.mails.delivered("guardia@pgn.example", 2).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_by_telephone_that_an_alert_was_taken_that_never_left() -> Result<()> {
    let case = OnDuty::new().await?;
    let nora = Officer::of(&case.federation, "MX", "PFPNNA", "nora")?;
    let id = held(&case, &without_an_answer(), "R-ASY-06").await?;
    let says = Telephoned {
        alert: id.parse()?,
        officer: Personal::new("Lucía".into()),
        number: Personal::new(PHONE.into()),
    };
    let by = ("MX", "PFPNNA", "nora");
    let act = signed(&nora.key, TYP_TELEPHONE, by, says, case.federation.clock.as_ref())?;
    let refused = post(&case.pfpnna, &format!("/v1/alerts/{id}/telephone"), &act).await?;
    assert_eq!(refused.json::<Value>()?["code"], "alert.held");
    Ok(())
}
