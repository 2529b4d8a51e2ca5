//! Protection holds: who is stopped, who is told what, and who answers for a person that was refused.

use std::collections::BTreeSet;

use anyhow::Result;
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::ids::StopId;
use puente_core::protection::{
    Answer, Answered, Review, Reviewed, TYP_ANSWER, TYP_HOLD, TYP_LIFT, TYP_REVIEW,
};
use puente_node::client::AgencyClient;
use puente_test_support::{Federation, person, post, signed};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "INM", "migration_enforcement"),
    ("MX", "SRE", "consular"),
    ("MX", "COMAR", "asylum"),
    ("MX", "PFPNNA", "child_protection"),
    ("GT", "IGM", "returns_reception"),
];

struct Case {
    federation: Federation,
    inm: AgencyClient,
    comar: AgencyClient,
    /// The key of COMAR's officer.
    eva: Vec<u8>,
    /// The key of INM's officer.
    raul: Vec<u8>,
}

impl Case {
    async fn new() -> Result<Self> {
        Self::with(|_| {}).await
    }

    async fn with(change: impl Fn(&mut puente_node::config::Config)) -> Result<Self> {
        let federation = Federation::with(&["GT", "MX"], AGENCIES, change).await?;
        let (inm, comar) = (federation.client("MX", "INM")?, federation.client("MX", "COMAR")?);
        let eva = federation.officer("MX", "COMAR", "eva", "p-eva")?;
        let raul = federation.officer("MX", "INM", "raul", "p-raul")?;
        Ok(Self { federation, inm, comar, eva, raul })
    }

    fn said(&self, typ: &str, says: impl serde::Serialize) -> Result<Value> {
        signed(&self.eva, typ, ("MX", "COMAR", "eva"), says, self.federation.clock.as_ref())
    }

    /// Places a hold on the person of this row; answers its id.
    async fn hold(&self, row: &Value) -> Result<String> {
        let answer = post(&self.comar, "/v1/holds", &self.said(TYP_HOLD, hold_on(row))?).await?;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&answer.body));
        Ok(answer.json::<Value>()?["hold_id"].as_str().unwrap().to_owned())
    }

    async fn submit(&self, row: &Value) -> Result<Value> {
        Ok(post(&self.inm, "/v1/messages", row).await?.json()?)
    }

    async fn review(&self, stop: &str, review: Reviewed) -> Result<Value> {
        let says = Review { stop: stop.parse()?, review, reason: "looked".into() };
        let path = format!("/v1/referrals/{stop}/review");
        Ok(post(&self.comar, &path, &self.said(TYP_REVIEW, says)?).await?.json()?)
    }

    async fn answer(&self, stop: &str, answer: Answered) -> Result<Value> {
        let says = Answer { stop: stop.parse::<StopId>()?, answer, reason: "decided".into() };
        let said =
            signed(&self.raul, TYP_ANSWER, ("MX", "INM", "raul"), says, self.federation.clock.as_ref())?;
        Ok(post(&self.inm, &format!("/v1/refusals/{stop}/answer"), &said).await?.json()?)
    }

    /// Kinds and states of what an agency was told about stopped rows and holds.
    async fn told(&self, client: &AgencyClient) -> Result<Vec<(String, String)>> {
        let inbox: Value = client.get("/v1/inbox").await?.json()?;
        let kind = |event: &Value| event["type"].as_str().unwrap().replacen("puente.", "", 1);
        let state = |event: &Value| event["data"]["state"].as_str().unwrap().to_owned();
        let events = inbox["events"].as_array().unwrap().iter();
        Ok(events.map(|event| (kind(event), state(event))).collect())
    }
}

/// A hold on the person of a row, against the person's own countries.
fn hold_on(row: &Value) -> Value {
    let core = &row["sections"]["id.core"];
    json!({
        "role": "asylum",
        "person": {
            "names": [{"given_names": core["given_names"], "first_surname": core["first_surname"],
                       "second_surname": core["second_surname"]}],
            "born": {"on": core["birth_date"]}, "nationalities": ["GT"]
        },
        "against": {"countries": []}, "reason": "fear_of_return"
    })
}

/// The row of a person with the second surname left out and an estimated age in the place of the day of birth.
fn blurred(row: &Value) -> Value {
    let mut row = row.clone();
    let year: i64 = row["sections"]["id.core"]["birth_date"].as_str().unwrap()[..4].parse().unwrap();
    let core = row["sections"]["id.core"].as_object_mut().unwrap();
    core.remove("second_surname");
    core.remove("birth_date");
    core.insert("age".into(), json!(2026 - year));
    core.insert("age_estimated".into(), json!(true));
    row
}

fn event(kind: &str, state: &str) -> (String, String) {
    (kind.to_owned(), state.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_person_is_stopped_whatever_her_submitter_states_and_only_her_authority_learns_why()
-> Result<()> {
    let case = Case::new().await?;
    let her = person(70);
    let hold = case.hold(&her).await?;
    let answer = post(&case.inm, "/v1/messages", &her).await?;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let verdict: Value = answer.json()?;
    assert_eq!(
        (verdict["verdict"].as_str(), verdict["rule"]["id"].as_str(), verdict["refer_to"].as_str()),
        (Some("refused"), Some("R-HLD-01"), Some("COMAR"))
    );
    let text = verdict.to_string();
    assert!(!text.contains(&hold) && !text.contains("asylum") && !text.contains("fear"), "{text}");
    let waived = {
        let mut row = her.clone();
        row["subject"]["flags"]["written_waiver"] = json!("yes");
        row
    };
    assert_eq!(case.submit(&waived).await?["rule"], verdict["rule"]);
    assert_eq!(case.submit(&person(71)).await?["verdict"], "accepted", "somebody else travels");

    // The departure is near, so that the sender's silence may be told already.
    let mut told = case.told(&case.comar).await?;
    told.retain(|(kind, _)| kind != "protection_alarm");
    assert_eq!(told, vec![event("referral_opened", "opened"); 2]);
    let referrals: Value = case.comar.get("/v1/referrals").await?.json()?;
    let id = referrals["referrals"][0]["referral_id"].as_str().unwrap();
    let shown: Value = case.comar.get(&format!("/v1/referrals/{id}")).await?.json()?;
    assert_eq!(shown["sections"]["id.core"], her["sections"]["id.core"]);
    assert_eq!(shown["hold_id"], hold);

    let sre = case.federation.client("MX", "SRE")?;
    for other in [&case.inm, &sre] {
        assert_eq!(other.get("/v1/referrals").await?.json::<Value>()?["referrals"], json!([]));
        let theirs = other.get(&format!("/v1/referrals/{id}")).await?;
        let nobodys = other.get("/v1/referrals/01940000-0000-7000-8000-00000000dead").await?;
        assert_eq!((theirs.status, &theirs.body), (StatusCode::NOT_FOUND, &nobodys.body));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_agency_learns_whether_a_hold_exists_and_enforcement_cannot_place_one() -> Result<()> {
    let case = Case::new().await?;
    let hold = case.hold(&person(70)).await?;
    let nobodys = "/v1/holds/01940000-0000-7000-8000-00000000dead";
    let theirs = format!("/v1/holds/{hold}");
    assert_eq!(case.comar.get(&theirs).await?.json::<Value>()?["ended_ms"], Value::Null);
    for agency in ["INM", "SRE", "PFPNNA"] {
        let other = case.federation.client("MX", agency)?;
        let (one, none) = (other.get(&theirs).await?, other.get(nobodys).await?);
        assert_eq!((one.status, &one.body), (none.status, &none.body), "{agency}");
        assert!(matches!(one.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND));
    }
    assert_eq!(case.comar.get("/v1/holds").await?.status, StatusCode::METHOD_NOT_ALLOWED, "no list");

    let by_enforcement = signed(
        &case.raul,
        TYP_HOLD,
        ("MX", "INM", "raul"),
        hold_on(&person(1)),
        case.federation.clock.as_ref(),
    )?;
    let refused: Value = post(&case.inm, "/v1/holds", &by_enforcement).await?.json()?;
    assert_eq!(refused["code"], "client.not_entitled");
    let borrowed: Value = post(&case.comar, "/v1/holds", &by_enforcement).await?.json()?;
    assert_eq!(borrowed["code"], "officer.not_entitled");
    let another_kind: Value =
        post(&case.comar, "/v1/holds", &case.said(TYP_LIFT, hold_on(&person(1)))?).await?.json()?;
    assert_eq!(another_kind["code"], "officer.not_entitled");
    let mut nameless = hold_on(&person(1));
    nameless["person"]["names"] = json!([]);
    let nameless: Value = post(&case.comar, "/v1/holds", &case.said(TYP_HOLD, nameless)?).await?.json()?;
    assert_eq!(
        (nameless["code"].as_str(), nameless["field"].as_str()),
        (Some("field.missing"), Some("person/names"))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_outlives_a_restart_and_ends_when_its_authority_lifts_it() -> Result<()> {
    let mut case = Case::new().await?;
    let her = person(70);
    let hold = case.hold(&her).await?;
    case.federation.stop("MX").await?;
    case.federation.start("MX").await?;
    case.inm = case.federation.client("MX", "INM")?;
    case.comar = case.federation.client("MX", "COMAR")?;
    assert_eq!(case.submit(&her).await?["rule"]["id"], "R-HLD-01");
    let lift = case.said(TYP_LIFT, json!({"hold": hold, "reason": "claim_withdrawn"}))?;
    let path = format!("/v1/holds/{hold}/lift");
    let by_another = post(&case.federation.client("MX", "PFPNNA")?, &path, &lift).await?;
    assert_eq!(by_another.status, StatusCode::NOT_FOUND);
    assert_eq!(post(&case.comar, &path, &lift).await?.status, StatusCode::OK);
    assert_eq!(post(&case.comar, &path, &lift).await?.json::<Value>()?["code"], "refusal.closed");
    assert_eq!(case.submit(&her).await?["verdict"], "accepted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_with_an_end_ends_and_its_authority_is_told() -> Result<()> {
    let case = Case::new().await?;
    let her = person(70);
    let mut ending = hold_on(&her);
    ending["until"] = json!("2026-11-25T15:10:00Z");
    post(&case.comar, "/v1/holds", &case.said(TYP_HOLD, ending)?).await?;
    assert_eq!(case.submit(&her).await?["verdict"], "refused");
    case.federation.clock.advance_ms(600_000);
    assert_eq!(case.submit(&her).await?["verdict"], "accepted");
    let ended = |inbox: &Value| inbox.to_string().contains("hold_ended");
    case.federation.until(&case.comar, "/v1/inbox", ended).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_may_be_her_waits_for_her_authority_and_travels_when_it_is_somebody_else() -> Result<()> {
    let case = Case::new().await?;
    case.hold(&person(70)).await?;
    let alike = blurred(&person(70));
    let held = case.submit(&alike).await?;
    assert_eq!(
        (held["verdict"].as_str(), held["rule"]["id"].as_str(), held["refer_to"].as_str()),
        (Some("held"), Some("R-HLD-01"), Some("COMAR"))
    );
    assert!(held["approval_id"].is_null(), "the submitter's own officers cannot release it");
    let stop = held["refusal_id"].as_str().unwrap();
    let refusals: Value = case.inm.get("/v1/refusals").await?.json()?;
    assert_eq!(
        (refusals["refusals"][0]["state"].as_str(), refusals["refusals"][0]["refer_to"].as_str()),
        (Some("held"), Some("COMAR"))
    );
    let says = Review { stop: stop.parse()?, review: Reviewed::Released, reason: "mine".into() };
    let own = signed(&case.raul, TYP_REVIEW, ("MX", "INM", "raul"), says, case.federation.clock.as_ref())?;
    let own = post(&case.inm, &format!("/v1/referrals/{stop}/review"), &own).await?;
    assert_eq!(own.status, StatusCode::NOT_FOUND, "enforcement reviews nothing");

    let released = case.review(stop, Reviewed::Released).await?;
    let message = released["message_id"].as_str().unwrap().to_owned();
    let igm = case.federation.client("GT", "IGM")?;
    case.federation.until(&igm, "/v1/inbox", |inbox| inbox.to_string().contains(&message)).await?;
    assert!(case.told(&case.inm).await?.contains(&event("refusal_closed", "released")));
    assert_eq!(case.inm.get("/v1/refusals").await?.json::<Value>()?["refusals"], json!([]));
    assert_eq!(case.submit(&alike).await?["verdict"], "accepted", "the same row is not asked about twice");
    assert_eq!(case.submit(&person(70)).await?["verdict"], "refused", "she herself is still held");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_authority_cleared_stays_cleared_after_a_restart() -> Result<()> {
    let mut case = Case::new().await?;
    case.hold(&person(70)).await?;
    let alike = blurred(&person(70));
    let held = case.submit(&alike).await?;
    case.review(held["refusal_id"].as_str().unwrap(), Reviewed::Released).await?;
    case.federation.stop("MX").await?;
    case.federation.start("MX").await?;
    case.inm = case.federation.client("MX", "INM")?;
    assert_eq!(case.submit(&alike).await?["verdict"], "accepted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_placed_while_her_row_waits_stops_it_and_the_others_travel() -> Result<()> {
    let mut case = Case::new().await?;
    case.federation.stop("GT").await?;
    let rows: Vec<Value> = (69..=72).map(person).collect();
    let verdicts: Value = post(&case.inm, "/v1/messages/batch", &json!(rows)).await?.json()?;
    let id = |at: usize| verdicts["verdicts"][at]["message_id"].as_str().unwrap().to_owned();
    case.hold(&person(70)).await?;
    case.hold(&{
        let mut alike = person(71);
        alike["sections"]["id.core"]["second_surname"] = json!("Caal");
        alike["sections"]["id.core"]["first_surname"] = json!(format!(
            "{} {}",
            person(71)["sections"]["id.core"]["first_surname"].as_str().unwrap(),
            person(71)["sections"]["id.core"]["second_surname"].as_str().unwrap()
        ));
        alike
    })
    .await?;
    case.federation.start("GT").await?;
    let igm = case.federation.client("GT", "IGM")?;
    let both = |inbox: &Value| {
        let text = inbox.to_string();
        text.contains(&id(0)) && text.contains(&id(3))
    };
    let inbox = case.federation.until(&igm, "/v1/inbox", both).await?.to_string();
    assert!(!inbox.contains(&id(1)) && !inbox.contains(&id(2)));
    let stopped = format!("/v1/messages/{}", id(1));
    case.federation.until(&case.inm, &stopped, |seen| seen["message"]["state"] == "cancelled").await?;
    let told = case.told(&case.inm).await?;
    assert_eq!(told.iter().filter(|told| **told == event("refusal_opened", "opened")).count(), 2);

    let referrals: Value = case.comar.get("/v1/referrals").await?.json()?;
    let doubtful =
        referrals["referrals"].as_array().unwrap().iter().find(|one| one["kind"] == "held").unwrap();
    assert_eq!(doubtful["message_id"], id(2));
    case.review(doubtful["referral_id"].as_str().unwrap(), Reviewed::Released).await?;
    case.federation.until(&igm, "/v1/inbox", |inbox| inbox.to_string().contains(&id(2))).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_cannot_release_a_row_whose_person_came_under_a_hold() -> Result<()> {
    use puente_core::approval::{Captured, Statement, TYP_STATEMENT, Verdict};
    use puente_core::envelope::Sign as _;
    use puente_node::clock::Clock as _;
    use puente_node::keys::{KeyFile, KeyUse};

    let case = Case::new().await?;
    let ana = case.federation.officer("MX", "INM", "ana", "p-ana")?;
    let mut third = person(70);
    third["subject"]["nationality"] = json!("VE");
    third["sections"]["id.core"]["nationalities"] = json!(["VE"]);
    let waits = case.submit(&third).await?;
    let approval = waits["approval_id"].as_str().unwrap().to_owned();
    case.hold(&third).await?;
    let shown: Value = case.inm.get(&format!("/v1/approvals/{approval}")).await?.json()?;
    assert_eq!(shown["verdict"]["rule"]["id"], "R-HLD-01");
    let mut last = Value::Null;
    for (officer, key) in [("ana", &ana), ("raul", &case.raul)] {
        let now = jiff::Timestamp::from_millisecond(case.federation.clock.now_ms())?;
        let statement = Statement {
            realm: puente_core::ids::Realm::Training,
            country: "MX".parse()?,
            agency: "INM".parse()?,
            officer: officer.parse()?,
            approval: approval.parse()?,
            preview: shown["approval"]["preview"].as_str().unwrap().parse()?,
            verdict: Verdict::Grant,
            reason: "reviewed".into(),
            occurred_at: now.in_tz("America/Mexico_City")?,
            captured: Captured::Screen,
        };
        let signer = KeyFile::from_pem(key, KeyUse::Sign)?.signer()?;
        let compact = signer.sign(TYP_STATEMENT, &serde_json::to_vec(&statement)?)?;
        let path = format!("/v1/approvals/{approval}/statements");
        last = post(&case.inm, &path, &json!({"statement": compact})).await?.json()?;
    }
    assert_eq!((last["code"].as_str(), last["rule"].as_str()), (Some("policy.refused"), Some("R-HLD-01")));
    let closed: Value = case.inm.get(&format!("/v1/approvals/{approval}")).await?.json()?;
    assert_eq!(closed["approval"]["state"], "refused");
    assert_eq!(case.inm.get("/v1/refusals").await?.json::<Value>()?["refusals"].as_array().unwrap().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_without_sending_tells_the_same_and_her_authority_hears_of_it() -> Result<()> {
    let case = Case::with(|config| config.limits.questions_per_hour = 3).await?;
    case.hold(&person(70)).await?;
    let path = "/v1/messages/dry-run";
    let asked: Value = post(&case.inm, path, &person(70)).await?.json()?;
    let sent = case.submit(&person(70)).await?;
    assert_eq!(
        (&asked["verdict"], &asked["rule"], &asked["refer_to"]),
        (&sent["verdict"], &sent["rule"], &sent["refer_to"])
    );
    assert_eq!(
        case.told(&case.comar).await?,
        [event("referral_opened", "asked"), event("referral_opened", "opened")]
    );
    let all: Value = case.comar.get("/v1/referrals?all=true").await?.json()?;
    assert_eq!(
        (all["referrals"][0]["kind"].as_str(), all["referrals"][0]["from"].as_str()),
        (Some("probed"), Some("INM"))
    );
    assert_eq!(case.inm.get("/v1/refusals").await?.json::<Value>()?["refusals"].as_array().unwrap().len(), 1);

    for _ in 0..2 {
        assert_eq!(post(&case.inm, path, &person(1)).await?.status, StatusCode::OK);
    }
    for row in [person(70), person(1)] {
        let limited = post(&case.inm, path, &row).await?;
        assert_eq!(limited.json::<Value>()?["code"], "rate.limited", "a limit on hits would be an answer");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_about_a_refused_row_alarms_her_authority_before_departure_and_over_a_restart() -> Result<()>
{
    let mut case = Case::new().await?;
    case.hold(&person(70)).await?;
    let mut her = person(70);
    her["sections"]["return.logistics"]["eta"] = json!("2026-11-25T20:00:00Z");
    let refused = case.submit(&her).await?;
    let stop = refused["refusal_id"].as_str().unwrap().to_owned();
    let refusals: Value = case.inm.get("/v1/refusals").await?.json()?;
    let by = "2026-11-25T18:00:00Z".parse::<jiff::Timestamp>()?.as_millisecond();
    assert_eq!(refusals["refusals"][0]["answer_by_ms"], by);

    let hours = |count: i64| count * 3_600_000;
    case.federation.clock.advance_ms(hours(1));
    let silent = |state: &'static str| move |inbox: &Value| inbox.to_string().contains(state);
    case.federation.until(&case.comar, "/v1/inbox", silent("authority_silent")).await?;
    assert!(!case.told(&case.comar).await?.contains(&event("protection_alarm", "sender_silent")));
    case.federation.stop("MX").await?;
    case.federation.clock.advance_ms(hours(2));
    case.federation.start("MX").await?;
    case.inm = case.federation.client("MX", "INM")?;
    case.comar = case.federation.client("MX", "COMAR")?;
    case.federation.until(&case.comar, "/v1/inbox", silent("sender_silent")).await?;
    let metrics = case.federation.metrics("MX")?;
    assert!(metrics.contains("puente_protection_alarms_total{alarm=\"sender_silent\"} 1"), "{metrics}");
    let alarms = case.told(&case.comar).await?;
    assert_eq!(alarms.iter().filter(|(kind, _)| kind == "protection_alarm").count(), 2, "each is told once");

    let travels = case.answer(&stop, Answered::TravelsNevertheless).await?;
    assert_eq!(travels["answer"], "travels");
    assert!(case.told(&case.comar).await?.contains(&event("protection_alarm", "travels")));
    let shown: Value = case.comar.get(&format!("/v1/referrals/{stop}")).await?.json()?;
    assert_eq!(shown["statements"].as_array().unwrap().len(), 1, "the decision is signed and kept");
    assert_eq!(case.answer(&stop, Answered::TakenOff).await?["answer"], "taken_off");
    assert_eq!(case.answer(&stop, Answered::TakenOff).await?["code"], "refusal.closed");
    assert_eq!(case.inm.get("/v1/refusals").await?.json::<Value>()?["refusals"], json!([]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_hold_lies_on_the_disk_in_the_clear() -> Result<()> {
    let mut case = Case::new().await?;
    let her = person(70);
    let hold = case.hold(&her).await?;
    case.submit(&her).await?;
    case.submit(&blurred(&her)).await?;
    case.federation.stop("MX").await?;
    let folder = case.federation.member("MX")?.home.store();
    let core = &her["sections"]["id.core"];
    let marks: BTreeSet<&str> = ["given_names", "first_surname", "second_surname"]
        .iter()
        .map(|name| core[*name].as_str().unwrap())
        .collect();
    for entry in std::fs::read_dir(folder.parent().unwrap())? {
        let bytes = std::fs::read(entry?.path())?;
        for mark in marks.iter().copied().chain(["fear_of_return", hold.as_str()]) {
            let found = bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
            assert!(!found, "a name, a reason or an id in text");
        }
    }
    Ok(())
}
