//! A child's case between two authorities: what crosses, what is refused, what nobody answers, and the whole way.

use anyhow::Result;
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::policy::Approval;
use puente_node::client::AgencyClient;
use puente_node::clock::Clock as _;
use puente_test_support::{Federation, post};

use crate::officer::Officer;

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "DIF", "child_protection"),
    ("MX", "OTRA", "child_protection"),
    ("MX", "INM", "migration_enforcement"),
    ("GT", "PGN", "child_protection"),
];

const DAY_MS: i64 = 86_400_000;

/// An authority on each side of a case.
struct Both {
    federation: Federation,
    dif: AgencyClient,
    pgn: AgencyClient,
    /// The keys of Mexico's officer and of Guatemala's.
    officers: [Vec<u8>; 2],
}

fn message(to: &str, kind: &str, sections: Value) -> Value {
    json!({
        "type": kind,
        "recipient": {"country": to, "role": "child_protection"},
        "purpose": "child_protection",
        "legal_basis": {"type": "best_interests"},
        "subject": {
            "kind": "child", "age": 11, "nationality": "GT", "residence": "GT", "risk_countries": [],
            "protection": "none_expressed",
            "flags": {"unaccompanied": "yes", "bid_positive": "yes", "caregiver_assessed": "yes", "age_disputed": "no",
                      "child_welfare_recipient": "yes", "agreed_hours": "yes", "screening_done": "yes",
                      "guardian_alleged_abuser": "no", "open_family_link_in_custody": "no", "stateless_risk": "no"}
        },
        "facts": {"planned_local_hour": 12},
        "sections": sections
    })
}

fn offer() -> Value {
    let sections = json!({
        "id.core": {"given_names": "Yeimi", "first_surname": "Chub", "sex": "F", "age": 11, "age_estimated": true,
                    "nationalities": ["GT"]},
        "bid": {"ref": "BID-GT-2026-118", "kind": "determination", "decision": "return", "decided_on": "2026-11-20",
                "authority": "Procuraduría de Protección", "panel": ["Trabajo social", "Jurídico"],
                "appeal_until": "2026-11-24", "review_on": "2027-02-01"},
        "child.views": {"assent": "yes", "how": "interpreted", "wish": "Quiere vivir con su abuela",
                        "heard_on": "2026-11-18", "heard_by": "ts-0142"},
        "consent.record": {"id": "CNS-2026-0533", "given_by": "guardian", "assent": "yes",
                           "purposes": ["child_protection"], "not_after": "2027-09-30T23:59:59-06:00",
                           "language": "kek"},
        "needs.services": {"codes": ["interpreter"], "services": [
            {"kind": "education", "timeframe": "3_days", "from": "2026-12-01", "state": "planned"}]},
        "protection.concern": {"concerns": ["physically_or_mentally_abused"], "risk": "high"}
    });
    message("GT", "child.case.transfer", sections)
}

/// The content of each act of a case; hours are local to `at`.
fn act(status: &str, at: &str) -> Value {
    json!({"ops.metadata": {"status": status, "at": at, "zone": "America/Guatemala", "office": "PGN",
                            "officer": "pgn-0231"}})
}

impl Both {
    async fn meet() -> Result<Self> {
        let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
        let officers =
            [federation.officer("MX", "DIF", "ana", "p-1")?, federation.officer("GT", "PGN", "luz", "p-2")?];
        let (dif, pgn) = (federation.client("MX", "DIF")?, federation.client("GT", "PGN")?);
        Ok(Self { federation, dif, pgn, officers })
    }

    /// An officer of the side's own authority signs for what waits for it.
    async fn authorise(&self, by: &AgencyClient, held: &Value) -> Result<Value> {
        let ours = std::ptr::eq(by, &raw const self.dif);
        let (who, key) = if ours {
            (("MX", "DIF", "ana"), &self.officers[0])
        } else {
            (("GT", "PGN", "luz"), &self.officers[1])
        };
        let id = held["approval_id"].as_str().unwrap_or_else(|| panic!("{held}"));
        let shown: Value = by.get(&format!("/v1/approvals/{id}")).await?.json()?;
        let (country, agency, name) = who;
        let officer = Officer { federation: &self.federation, country, agency, name, key: key.clone() };
        officer.say(officer.says(&shown["approval"], Approval::SenderChildProtection, 48)?).await
    }

    /// An offer that has come, once both authorities have signed for it: its case and its message.
    async fn offered(&self) -> Result<(String, String)> {
        let held: Value = post(&self.dif, "/v1/messages", &offer()).await?.json()?;
        assert_eq!(
            (held["verdict"].as_str(), held["rule"]["id"].as_str()),
            (Some("held"), Some("R-BID-02")),
            "{held}"
        );
        let id = held["approval_id"].as_str().unwrap_or_else(|| panic!("{held}"));
        let shown: Value = self.dif.get(&format!("/v1/approvals/{id}")).await?.json()?;
        let case = shown["approval"]["case"].as_str().unwrap_or_else(|| panic!("{shown}")).to_owned();
        assert_eq!(self.authorise(&self.dif, &held).await?["state"], "open");
        // The other authority agrees in the thread; there is no offer yet that it could answer.
        let mut agrees =
            message("MX", "child.case.transfer.accept", act("accepted", "2026-11-25T08:00:00-06:00"));
        agrees["case"] = json!(case);
        let theirs: Value = post(&self.pgn, "/v1/messages", &agrees).await?.json()?;
        assert_eq!(self.authorise(&self.pgn, &theirs).await?["state"], "granted");
        self.both_at(&case, "offered").await?;
        let seen = self.seen(&self.dif, &case).await?;
        Ok((case, seen["transfer"].as_str().unwrap_or_else(|| panic!("{seen}")).to_owned()))
    }

    async fn both_at(&self, case: &str, stage: &str) -> Result<()> {
        let path = format!("/v1/cases/{case}");
        for client in [&self.dif, &self.pgn] {
            self.federation.until(client, &path, |seen| seen["transfers"][0]["stage"] == stage).await?;
        }
        Ok(())
    }

    async fn seen(&self, client: &AgencyClient, case: &str) -> Result<Value> {
        let seen: Value = client.get(&format!("/v1/cases/{case}")).await?.json()?;
        Ok(seen["transfers"][0].clone())
    }

    /// The verdict on a step; Mexico's goes to Guatemala and the other way.
    async fn step(&self, by: &AgencyClient, transfer: &str, kind: &str, sections: Value) -> Result<Value> {
        let to = if std::ptr::eq(by, &raw const self.dif) { "GT" } else { "MX" };
        let mut body = message(to, kind, sections);
        body["in_reply_to"] = json!(transfer);
        Ok(post(by, "/v1/messages", &body).await?.json()?)
    }

    async fn taken(&self, by: &AgencyClient, transfer: &str, kind: &str, sections: Value) -> Result<()> {
        let verdict = self.step(by, transfer, kind, sections).await?;
        if verdict["verdict"] == "held" {
            let said = self.authorise(by, &verdict).await?;
            assert_eq!(said["state"], "granted", "{kind}: {said}");
            return Ok(());
        }
        assert_eq!(verdict["verdict"], "accepted", "{kind}: {verdict}");
        Ok(())
    }

    /// How often the inbox of a side says this of a case.
    async fn told(&self, client: &AgencyClient, kind: &str, state: &str) -> Result<usize> {
        let inbox: Value = client.get("/v1/inbox?limit=500").await?.json()?;
        let events = inbox["events"].as_array().unwrap();
        Ok(events
            .iter()
            .filter(|told| told["type"] == format!("puente.{kind}") && told["data"]["state"] == state)
            .count())
    }
}

fn departure() -> Value {
    json!({
        "ops.metadata": {"status": "departed", "at": "2026-11-25T08:30:00-06:00", "zone": "America/Mexico_City"},
        "return.logistics": {"mode": "air", "port_of_entry": "La Aurora", "eta": "2026-11-25T11:00:00-06:00",
            "zone": "America/Guatemala",
            "handover": {"place": "La Aurora", "at": "2026-11-25T12:00:00-06:00", "office": "PGN"}}
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_crosses_an_acceptance_ends_the_case_the_same_on_both_sides() -> Result<()> {
    let both = Both::meet().await?;
    let (case, transfer) = both.offered().await?;
    let accept = act("accepted", "2026-11-25T09:00:00-06:00");
    both.taken(&both.pgn, &transfer, "child.case.transfer.accept", accept).await?;
    let revoke = json!({"ops.metadata": {"status": "revoked", "at": "2026-11-25T09:00:00-06:00",
                                         "zone": "America/Mexico_City", "approver": "pp-0009"}});
    both.taken(&both.dif, &transfer, "child.case.transfer.revoke", revoke).await?;
    both.both_at(&case, "revoked").await?;
    let (ours, theirs) = (both.seen(&both.dif, &case).await?, both.seen(&both.pgn, &case).await?);
    assert_eq!(ours["steps"], theirs["steps"]);
    assert_eq!(ours["owner"], "sender");
    assert_eq!(theirs["allowed"], json!([]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_illegal_step_is_refused_before_it_is_queued_and_is_told_what_is_allowed() -> Result<()> {
    let both = Both::meet().await?;
    let (case, transfer) = both.offered().await?;
    let done = act("complete", "2026-11-25T09:00:00-06:00");
    let refused = both.step(&both.pgn, &transfer, "child.case.transfer.complete", done.clone()).await?;
    assert_eq!(
        (refused["verdict"].as_str(), refused.get("message_id")),
        (Some("malformed"), None),
        "{refused}"
    );
    assert_eq!(refused["problems"][0]["code"], "case.step_not_allowed");
    assert_eq!(refused["allowed"], json!(["child.case.transfer.reject", "child.case.transfer.accept"]));
    let (es, en) = (refused["problems"][0]["es"].to_string(), refused["problems"][0]["en"].to_string());
    assert!(es.contains("Rechazo de la transferencia") && en.contains("Transfer rejected"), "{es} {en}");
    assert_eq!(both.seen(&both.pgn, &case).await?["steps"].as_array().map(Vec::len), Some(1));

    // Whoever is not party to a case can neither see it nor step into it.
    let other = both.federation.client("MX", "OTRA")?;
    assert_eq!(other.get(&format!("/v1/cases/{case}")).await?.status, StatusCode::NOT_FOUND);
    let list: Value = other.get("/v1/cases").await?.json()?;
    assert_eq!(list, json!({"transfers": [], "next": null}));
    let mut foreign = message("GT", "child.case.transfer.revoke", done);
    foreign["sections"]["ops.metadata"] =
        json!({"status": "revoked", "at": "2026-11-25T09:00:00-06:00", "approver": "pp-0009"});
    foreign["in_reply_to"] = json!(transfer);
    let refused: Value = post(&other, "/v1/messages", &foreign).await?.json()?;
    assert_eq!(refused["problems"][0]["code"], "case.unknown", "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_nobody_answers_alarms_both_sides_once_and_survives_a_restart() -> Result<()> {
    let mut both = Both::meet().await?;
    let (case, _) = both.offered().await?;
    let seen = both.seen(&both.pgn, &case).await?;
    assert_eq!(
        (seen["clocks"][0]["what"].as_str(), seen["clocks"][0]["alarmed"].as_bool()),
        (Some("answer"), Some(false))
    );
    // Wednesday; the third working day is Monday.
    both.federation.stop("GT").await?;
    both.federation.clock.advance_ms(5 * DAY_MS + 60_000);
    both.federation.start("GT").await?;
    both.pgn = both.federation.client("GT", "PGN")?;
    let path = format!("/v1/cases/{case}");
    for client in [&both.dif, &both.pgn] {
        let alarmed = |seen: &Value| seen["transfers"][0]["clocks"][0]["alarmed"] == true;
        both.federation.until(client, &path, alarmed).await?;
    }
    let late: Value =
        both.pgn.get(&format!("/v1/cases?due={}", both.federation.clock.now_ms())).await?.json()?;
    assert_eq!(late["transfers"][0]["case"], json!(case));
    both.federation.clock.advance_ms(DAY_MS);
    let accept = act("accepted", "2026-11-30T09:00:00-06:00");
    let transfer = late["transfers"][0]["transfer"].as_str().unwrap().to_owned();
    both.taken(&both.pgn, &transfer, "child.case.transfer.accept", accept).await?;
    both.both_at(&case, "accepted").await?;
    for client in [&both.dif, &both.pgn] {
        assert_eq!(both.told(client, "case_alarm", "answer").await?, 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_policy_asks_of_a_childs_way_bites_at_the_offer_and_at_the_departure() -> Result<()> {
    let both = Both::meet().await?;
    let mut undecided = offer();
    undecided["subject"]["flags"]["bid_positive"] = json!("no");
    let refused: Value = post(&both.dif, "/v1/messages", &undecided).await?.json()?;
    assert_eq!(
        (refused["verdict"].as_str(), refused["rule"]["id"].as_str()),
        (Some("refused"), Some("R-BID-01"))
    );

    let (_, transfer) = both.offered().await?;
    let accept = act("accepted", "2026-11-25T09:00:00-06:00");
    both.taken(&both.pgn, &transfer, "child.case.transfer.accept", accept).await?;
    let leaving = |flag: &str, value: &str, hour: u8| {
        let mut body = message("GT", "child.case.transfer.departure", departure());
        body["in_reply_to"] = json!(transfer);
        body["subject"]["flags"][flag] = json!(value);
        body["facts"]["planned_local_hour"] = json!(hour);
        body
    };
    let accepted = |seen: &Value| seen["transfers"][0]["stage"] == "accepted";
    both.federation.until(&both.dif, "/v1/cases", |seen| seen["transfers"].is_array()).await?;
    let case: Value = both.dif.get(&format!("/v1/messages/{transfer}")).await?.json()?;
    let path = format!("/v1/cases/{}", case["message"]["case"].as_str().unwrap());
    both.federation.until(&both.dif, &path, accepted).await?;
    for (body, verdict, rule) in [
        (leaving("age_disputed", "no", 23), "refused", "R-CHD-01"),
        (leaving("child_welfare_recipient", "no", 12), "refused", "R-CHD-01"),
        (leaving("open_family_link_in_custody", "yes", 12), "held", "R-FAM-01"),
    ] {
        let told: Value = post(&both.dif, "/v1/messages", &body).await?.json()?;
        assert_eq!(
            (told["verdict"].as_str(), told["rule"]["id"].as_str()),
            (Some(verdict), Some(rule)),
            "{told}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_the_whole_way_and_both_sides_read_the_same_at_every_step() -> Result<()> {
    let both = Both::meet().await?;
    let (case, transfer) = both.offered().await?;
    let (dif, pgn) = (&both.dif, &both.pgn);
    let report = json!({"ops.metadata": {"status": "visited", "kind": "after_reunification", "day": 7,
        "visited_on": "2026-12-02", "safe": true, "in_school": true, "next_on": "2026-12-25"}});
    let closing = json!({"ops.metadata": {"status": "closed", "reason": "adult", "outcome": "Vive con su abuela",
        "approver": "pp-0009", "at": "2026-12-03T10:00:00-06:00", "zone": "America/Guatemala"}});
    let way = [
        (pgn, "child.case.transfer.accept", act("accepted", "2026-11-25T09:00:00-06:00"), "accepted"),
        (dif, "child.case.transfer.departure", departure(), "en_route"),
        (dif, "child.case.transfer.handover", act("handed_over", "2026-11-25T12:05:00-06:00"), "handed_over"),
        (pgn, "child.case.transfer.complete", act("complete", "2026-11-25T12:10:00-06:00"), "received"),
        (pgn, "child.followup.report", report, "received"),
        (pgn, "child.case.closure", closing, "closed"),
    ];
    for (by, kind, sections, stage) in way {
        both.federation.clock.advance_ms(60_000);
        both.taken(by, &transfer, kind, sections).await?;
        both.both_at(&case, stage).await?;
        let reported = kind == "child.followup.report";
        let path = format!("/v1/cases/{case}");
        let whole = |seen: &Value| {
            !reported || seen["transfers"][0]["steps"].as_array().is_some_and(|all| all.len() == 6)
        };
        both.federation.until(dif, &path, whole).await?;
        let (ours, theirs) = (both.seen(dif, &case).await?, both.seen(pgn, &case).await?);
        for same in ["stage", "owner", "steps", "waiting", "void"] {
            assert_eq!(ours[same], theirs[same], "{kind}: {same}");
        }
        assert_eq!((&ours["void"], &ours["waiting"]), (&json!([]), &json!([])), "{kind}");
    }
    let ours = both.seen(dif, &case).await?;
    assert_eq!(
        (ours["owner"].as_str(), &ours["clocks"], &ours["allowed"]),
        (Some("receiver"), &json!([]), &json!([]))
    );
    // An hour that is over when it is told is when it happened.
    let happened: i64 = ours["steps"][2]["happened_ms"].as_i64().unwrap();
    assert_eq!(happened, "2026-11-25T08:30:00-06:00".parse::<jiff::Timestamp>()?.as_millisecond());
    let told = |inbox: &Value| {
        let all = inbox["events"].as_array().unwrap();
        all.iter().any(|told| told["type"] == "puente.case_state" && told["data"]["state"] == "closed")
    };
    both.federation.until(dif, "/v1/inbox?limit=500", told).await?;
    let closed =
        both.step(pgn, &transfer, "child.case.transfer.accept", act("accepted", "2026-11-25T09:00:00-06:00"));
    assert_eq!(closed.await?["problems"][0]["code"], "case.step_not_allowed");
    // Nothing of the child is in what the cases show.
    assert!(!ours.to_string().contains("Chub"));
    Ok(())
}
