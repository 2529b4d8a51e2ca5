//! A missing child is broadcast to every member by one submission, and its end is proven by a receipt of each.

use anyhow::{Context as _, Result};
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::policy::Approval;
use puente_node::client::AgencyClient;
use puente_test_support::{Federation, post, received};

use crate::officer::Officer;

const AGENCIES: &[(&str, &str, &str)] = &[
    ("GT", "ALBA", "search_commission"),
    ("MX", "CNB", "search_commission"),
    ("MX", "INM", "migration_enforcement"),
    ("HN", "DINAF", "child_protection"),
    ("SV", "FGR", "police_prosecutor"),
    ("US", "NCMEC", "child_protection"),
];
const MINUTE_MS: i64 = 60_000;
const FOUND: &str = r#"{"status": "found", "at": "2026-11-25T10:00:00-06:00[America/Guatemala]"}"#;

/// She fears somebody in the United States; everybody else may look for her.
fn broadcast() -> Value {
    let example =
        include_str!("../../../../schemas/messages/missing_child.broadcast/1/examples/valid-full.json");
    let example: Value = serde_json::from_str(example).unwrap();
    let mut sections = example["sections"].clone();
    sections.as_object_mut().unwrap().remove("id.photo");
    sections["return.logistics"] = json!({"mode": "land", "port_of_entry": "Tecún Umán",
        "eta": "2026-11-25T10:00:00-06:00", "zone": "America/Guatemala"});
    json!({
        "type": "missing_child.broadcast", "purpose": "missing_child", "legal_basis": {"type": "best_interests"},
        "border_posts": true, "subject_id": "ALBA-2026-77", "subject": subject(), "sections": sections,
    })
}

fn subject() -> Value {
    json!({"kind": "child", "age": 9, "nationality": "GT", "residence": "GT", "risk_countries": ["US"],
           "protection": "none_expressed", "flags": {"found": "no"}})
}

/// The verdicts by country and role.
fn verdicts(answer: &Value) -> Vec<(String, String)> {
    let members = answer["members"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut told: Vec<_> = members
        .map(|member| {
            let who = format!("{}/{}", text(&member["country"]), text(&member["role"]));
            (who, text(&member["verdict"]["verdict"]))
        })
        .collect();
    told.sort();
    told
}

fn all(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(who, verdict)| ((*who).to_owned(), (*verdict).to_owned())).collect()
}

/// A federation whose authority in Guatemala has sent a broadcast and authorised it; answers what
/// became of it for each member when it was submitted.
async fn sent(federation: &Federation) -> Result<Value> {
    let eva = Officer::of(federation, "GT", "ALBA", "eva")?;
    let alba = eva.client()?;
    let answer: Value = post(&alba, "/v1/broadcasts", &broadcast()).await?.json()?;
    let held = verdicts(&answer).iter().filter(|(_, verdict)| verdict == "held").count();
    let list: Value = alba.get("/v1/approvals?state=open&for_authority=true").await?.json()?;
    let rows = list["approvals"].as_array().context("no rows")?;
    assert_eq!(rows.len(), held, "{list}");
    let said = eva.say(eva.says(&rows[0], Approval::MissingChildAuthority, 24)?).await?;
    assert_eq!(said["state"], "granted", "{said}");
    let released = |list: &Value| list["approvals"].as_array().is_some_and(Vec::is_empty);
    federation.until(&alba, "/v1/approvals?state=open", released).await?;
    Ok(answer)
}

fn thread(sent: &Value) -> &str {
    sent["case"].as_str().unwrap()
}

/// The clocks of this type that still run at an agency, by the other country and role.
async fn clocks(agency: &AgencyClient, message_type: &str) -> Result<Vec<Value>> {
    let list: Value = agency.get("/v1/alerts").await?.json()?;
    let alerts = list["alerts"].as_array().context("no alerts")?;
    Ok(alerts.iter().filter(|alert| alert["type"] == message_type).cloned().collect())
}

fn toward<'a>(clocks: &'a [Value], peer: &str) -> &'a str {
    clocks.iter().find(|clock| clock["peer"] == peer).and_then(|clock| clock["alert_id"].as_str()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_submission_reaches_every_member_but_the_one_she_fears_and_its_end_is_proven_by_each()
-> Result<()> {
    let mut federation = Federation::of(&["GT", "MX", "HN", "SV", "US"], AGENCIES).await?;
    federation.stop("SV").await?;
    let alba = federation.client("GT", "ALBA")?;
    let sent = sent(&federation).await?;
    let expected = [
        ("HN/child_protection", "held"),
        ("MX/migration_enforcement", "held"),
        ("MX/search_commission", "held"),
        ("SV/police_prosecutor", "held"),
        ("US/child_protection", "refused"),
    ];
    assert_eq!(verdicts(&sent), all(&expected), "{sent}");
    let case = thread(&sent);

    let cnb = received(&federation, &federation.client("MX", "CNB")?, "missing_child.broadcast").await?;
    let inm = received(&federation, &federation.client("MX", "INM")?, "missing_child.broadcast").await?;
    let dinaf = federation.client("HN", "DINAF")?;
    let seen = received(&federation, &dinaf, "missing_child.broadcast").await?;
    assert!(cnb["sections"]["return.logistics"].is_object());
    assert!(inm["sections"]["return.logistics"].is_null(), "a border post gets what it needs: {inm}");
    assert!(inm["sections"]["loc.area"]["hotline"].is_string());
    assert_ne!(
        cnb["header"]["subject_ref"], seen["header"]["subject_ref"],
        "each member has a pseudonym of its own"
    );

    let shown = clocks(&alba, "missing_child.broadcast").await?;
    let mut peers: Vec<&str> = shown.iter().map(|clock| clock["peer"].as_str().unwrap()).collect();
    peers.sort_unstable();
    assert_eq!(peers, ["HN", "MX", "MX", "SV"]);
    let in_honduras = toward(&shown, "HN").to_owned();
    let in_el_salvador = toward(&shown, "SV").to_owned();

    let answer = post(&alba, &format!("/v1/broadcasts/{case}/end"), &serde_json::from_str(FOUND)?).await?;
    let answer: Value = answer.json()?;
    let ended = expected.map(|(who, _)| (who, "accepted"));
    assert_eq!(verdicts(&answer), all(&ended[..4]), "{answer}");
    let over = |alert: &Value| alert["state"] == "ended";
    federation.until(&dinaf, &format!("/v1/alerts/{in_honduras}"), over).await?;
    let cancel_of = |country: &str| -> String {
        let members = answer["members"].as_array().unwrap();
        let member = members.iter().find(|member| member["country"] == country).unwrap();
        member["verdict"]["message_id"].as_str().unwrap().to_owned()
    };
    let proven = |alert: &Value| alert["state"] == "proven";
    federation.until(&alba, &format!("/v1/alerts/{}", cancel_of("HN")), proven).await?;
    federation.clock.advance_ms(16 * MINUTE_MS);
    let unproven = |alert: &Value| alert["state"] == "unproven";
    federation.until(&alba, &format!("/v1/alerts/{}", cancel_of("SV")), unproven).await?;

    federation.start("SV").await?;
    federation.until(&alba, &format!("/v1/alerts/{}", cancel_of("SV")), proven).await?;
    let taken_out = |status: &Value| status["message"]["state"] == "cancelled";
    federation.until(&alba, &format!("/v1/messages/{in_el_salvador}"), taken_out).await?;
    let inbox: Value = federation.client("SV", "FGR")?.get("/v1/inbox").await?.json()?;
    let came = inbox["events"].as_array().unwrap().iter();
    let came: Vec<&Value> = came.filter(|event| event["type"] == "puente.message_received").collect();
    assert!(
        came.iter().all(|event| event["data"]["message_type"] == "missing_child.cancel"),
        "what is over is shown to nobody who was away: {inbox}"
    );
    let again = post(&alba, &format!("/v1/broadcasts/{case}/end"), &serde_json::from_str(FOUND)?).await?;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "nothing is shown any more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_72_hours_a_broadcast_is_over_on_both_sides_though_nobody_says_so() -> Result<()> {
    let mut federation = Federation::of(&["GT", "MX", "HN"], &AGENCIES[..4]).await?;
    sent(&federation).await?;
    let (alba, dinaf) = (federation.client("GT", "ALBA")?, federation.client("HN", "DINAF")?);
    received(&federation, &dinaf, "missing_child.broadcast").await?;
    let id = toward(&clocks(&alba, "missing_child.broadcast").await?, "HN").to_owned();
    let path = format!("/v1/alerts/{id}");
    federation.stop("GT").await?;
    federation.clock.advance_ms(72 * 60 * MINUTE_MS);
    let over = |alert: &Value| alert["state"] == "ended";
    federation.until(&dinaf, &path, over).await?;
    federation.start("GT").await?;
    let alba = federation.client("GT", "ALBA")?;
    federation.until(&alba, &path, over).await?;
    let cancel = received(&federation, &dinaf, "missing_child.cancel").await?;
    assert_eq!(cancel["sections"]["ops.metadata"]["status"], "expired");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sighting_goes_to_the_authority_whose_broadcast_it_names_and_to_nobody_else() -> Result<()> {
    let federation = Federation::of(&["GT", "MX", "HN"], &AGENCIES[..4]).await?;
    sent(&federation).await?;
    let inm = federation.client("MX", "INM")?;
    let broadcast = received(&federation, &inm, "missing_child.broadcast").await?["message_id"].clone();
    // Whoever sees her knows nothing of whom she fears; the authority that asks is not one of them.
    let mut seen = subject();
    seen["risk_countries"] = json!([]);
    let sighting = |country: &str, role: &str, names: Value| {
        json!({
            "type": "missing_child.sighting", "recipient": {"country": country, "role": role}, "in_reply_to": names,
            "purpose": "missing_child", "legal_basis": {"type": "best_interests"}, "subject": seen,
            "sections": {"loc.area": {"country": "MX", "area": "Ciudad Hidalgo, Chiapas",
                "seen_at": "2026-11-25T08:40:00-06:00", "zone": "America/Mexico_City"}},
        })
    };
    for (why, body, field) in [
        ("another country", sighting("HN", "child_protection", broadcast.clone()), "/recipient"),
        ("another role", sighting("GT", "police_prosecutor", broadcast.clone()), "/recipient"),
        ("no broadcast", sighting("GT", "search_commission", Value::Null), "/in_reply_to"),
    ] {
        let verdict: Value = post(&inm, "/v1/messages", &body).await?.json()?;
        assert_eq!(verdict["problems"][0]["field"], field, "{why}: {verdict}");
    }
    let body = sighting("GT", "search_commission", broadcast);
    let verdict: Value = post(&inm, "/v1/messages", &body).await?.json()?;
    assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    received(&federation, &federation.client("GT", "ALBA")?, "missing_child.sighting").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_sent_a_broadcast_ends_it() -> Result<()> {
    let federation = Federation::of(&["GT", "MX", "HN"], &AGENCIES[..4]).await?;
    let sent = sent(&federation).await?;
    let case = thread(&sent);
    let cnb = federation.client("MX", "CNB")?;
    received(&federation, &cnb, "missing_child.broadcast").await?;
    let refused = post(&cnb, &format!("/v1/broadcasts/{case}/end"), &serde_json::from_str(FOUND)?).await?;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let addressed = json!({"recipient": {"country": "MX", "role": "search_commission"}});
    let mut body = broadcast();
    body.as_object_mut().unwrap().extend(addressed.as_object().unwrap().clone());
    let alba = federation.client("GT", "ALBA")?;
    assert_eq!(post(&alba, "/v1/broadcasts", &body).await?.status, StatusCode::UNPROCESSABLE_ENTITY);
    Ok(())
}
