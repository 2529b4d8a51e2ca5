//! Consent as a record: given, relied on, narrowed, withdrawn; and what each country does about it.

use anyhow::Result;
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::consent::{TYP_EVENT, TYP_RECORD};
use puente_core::ids::Digest;
use puente_node::client::AgencyClient;
use puente_node::subjects::{SubjectOf, erase_subject};
use puente_test_support::{Federation, consent_event, consent_record, post, received};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "SRE", "consular"),
    ("MX", "DIF", "child_protection"),
    ("GT", "RENAP", "civil_registry"),
    ("HN", "RNP", "civil_registry"),
];

struct Given {
    federation: Federation,
    sre: AgencyClient,
    consent: String,
    digest: Digest,
}

/// A consent that Mexico's consular service collected for Guatemala and Honduras.
async fn given() -> Result<Given> {
    let federation = Federation::of(&["GT", "HN", "MX"], AGENCIES).await?;
    let sre = federation.client("MX", "SRE")?;
    let (consent, digest) = hand_in(&federation, &sre, &consent_record("SRE")).await?;
    Ok(Given { federation, sre, consent, digest })
}

async fn hand_in(federation: &Federation, sre: &AgencyClient, record: &Value) -> Result<(String, Digest)> {
    let signed = federation.sign("MX", "SRE", TYP_RECORD, record)?;
    let added = post(sre, "/v1/consents", &json!({"record": signed})).await?;
    assert_eq!(added.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&added.body));
    let told: Value = added.json()?;
    Ok((told["consent_id"].as_str().unwrap().to_owned(), told["digest"].as_str().unwrap().parse()?))
}

impl Given {
    fn request(&self, country: &str) -> Value {
        json!({
            "type": "document.request", "recipient": {"country": country, "role": "civil_registry"},
            "purpose": "regularisation", "legal_basis": {"type": "consent", "consent_id": self.consent},
            "subject_id": "exp-1",
            "subject": {"kind": "adult", "age": 32, "nationality": "GT", "residence": "MX", "risk_countries": [],
                        "protection": "none_expressed",
                        "flags": {"age_disputed": "no", "stateless_risk": "no", "open_family_link_in_custody": "no"}},
            "sections": {
                "id.core": {"given_names": "Juana Micaela", "first_surname": "Tzoc", "sex": "F",
                            "birth_date": "1994-03-17", "nationalities": ["GT"]},
                "id.numbers": {"numbers": [{"country": "GT", "kind": "cui", "value": "2457866320101"}]},
                "doc.civil": {"kind": "birth", "registry": "RENAP Nebaj", "year": 1994, "number": "1187",
                              "delivery": "signed_pdf"}},
        })
    }

    async fn send(&self, country: &str) -> Result<Value> {
        Ok(post(&self.sre, "/v1/messages", &self.request(country)).await?.json()?)
    }

    async fn happens(&self, state: &str, after: Digest, more: Value) -> Result<Value> {
        let event = consent_event(&self.consent, after, state, self.federation.clock.as_ref(), more);
        let signed = self.federation.sign("MX", "SRE", TYP_EVENT, &event)?;
        let path = format!("/v1/consents/{}/events", self.consent);
        Ok(post(&self.sre, &path, &json!({"event": signed})).await?.json()?)
    }

    async fn until_state(&self, verdict: &Value, state: &str) -> Result<Value> {
        let path = format!("/v1/messages/{}", verdict["message_id"].as_str().unwrap());
        self.federation.until(&self.sre, &path, |seen| seen["message"]["state"] == state).await
    }
}

/// An agency's answer to a withdrawal.
fn confirmation(withdrawal: &Value, status: &Value) -> Value {
    json!({
        "type": "consent.status", "recipient": {"country": "MX", "role": "consular", "agency": "SRE"},
        "purpose": "consent_control", "legal_basis": {"type": "control"}, "subject": {"kind": "none"},
        "case": withdrawal["header"]["case"], "in_reply_to": withdrawal["message_id"],
        "facts": {"identity_proven": "yes"}, "sections": {"ops.metadata": status},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_reaches_everyone_who_was_told_and_each_confirms() -> Result<()> {
    let given = given().await?;
    let (renap, rnp) = (given.federation.client("GT", "RENAP")?, given.federation.client("HN", "RNP")?);
    for country in ["GT", "HN"] {
        let verdict = given.send(country).await?;
        assert_eq!(verdict["verdict"], "redacted", "{verdict}");
        assert_eq!(verdict["removed"][0]["category"], "id.numbers");
        assert_eq!(verdict["removed"][0]["rule"]["id"], "R-CON-06");
        given.until_state(&verdict, "accepted").await?;
    }
    let question = received(&given.federation, &renap, "document.request").await?;
    assert_eq!(question["consent"]["id"], given.consent.as_str());
    assert_eq!(question["consent"]["record"], given.digest.to_string());
    assert!(!question["sections"].as_object().unwrap().contains_key("id.numbers"));

    let told = given.happens("withdrawn", given.digest, json!({})).await?;
    assert_eq!(told["notices"], 2, "{told}");
    let mut answered = Vec::new();
    for (agency, status) in
        [(&renap, json!({"status": "stopped"})), (&rnp, json!({"status": "kept", "code": "legal_hold"}))]
    {
        let withdrawal = received(&given.federation, agency, "consent.withdraw").await?;
        assert_eq!(withdrawal["sections"]["consent.record"]["consent"], given.consent.as_str());
        assert_eq!(withdrawal["consent"]["purposes"], json!([]));
        let verdict: Value =
            post(agency, "/v1/messages", &confirmation(&withdrawal, &status)).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
        answered.push(verdict["message_id"].clone());
    }
    let settled = |list: &Value| {
        list["notices"].as_array().is_some_and(|all| all.iter().all(|n| n["closed_ms"].is_i64()))
    };
    let list = given.federation.until(&given.sre, "/v1/notices", settled).await?;
    let mut said: Vec<_> = list["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| {
            (
                n["country"].as_str().unwrap(),
                n["state"].as_str().unwrap(),
                n["code"].as_str(),
                n["reply"].clone(),
            )
        })
        .collect();
    said.sort_by_key(|(country, ..)| *country);
    assert_eq!(
        said,
        [
            ("GT", "stopped", None, answered[0].clone()),
            ("HN", "kept", Some("legal_hold"), answered[1].clone())
        ]
    );

    let followup = given.send("GT").await?;
    assert_eq!(
        (followup["verdict"].as_str(), followup["rule"]["id"].as_str()),
        (Some("refused"), Some("R-CON-03"))
    );
    let again =
        renap.get(&format!("/v1/messages/{}/content", question["message_id"].as_str().unwrap())).await?;
    assert_eq!(again.json::<Value>()?["code"], "consent.lapsed");

    let ledger: Value = post(&given.sre, "/v1/disclosures", &json!({"subject_id": "exp-1"})).await?.json()?;
    let told: Vec<_> = ledger["disclosures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["to"]["country"].as_str().unwrap(),
                line["categories"].clone(),
                line["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("GT", json!(["doc.civil", "id.core"]), "accepted"),
            ("HN", json!(["doc.civil", "id.core"]), "accepted")
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_does_not_leave_once_its_consent_is_withdrawn_and_the_withdrawal_survives_a_restart()
-> Result<()> {
    let mut given = given().await?;
    given.federation.stop("GT").await?;
    let verdict = given.send("GT").await?;
    given.happens("withdrawn", given.digest, json!({})).await?;
    given.until_state(&verdict, "unconfirmed").await?;
    given.federation.stop("MX").await?;
    given.federation.start("MX").await?;
    given.federation.start("GT").await?;
    given.sre = given.federation.client("MX", "SRE")?;
    let seen = given.until_state(&verdict, "cancelled").await?;
    assert_eq!(seen["message"]["code"], "consent.lapsed");
    let renap = given.federation.client("GT", "RENAP")?;
    received(&given.federation, &renap, "consent.withdraw").await?;
    let inbox: Value = renap.get("/v1/inbox").await?.json()?;
    assert!(!inbox.to_string().contains("document.request"), "{inbox}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_ends_while_its_message_waits_takes_the_message_along() -> Result<()> {
    let mut given = given().await?;
    let mut short = consent_record("SRE");
    short["record_id"] = json!("01940000-0000-7000-8000-00000000c002");
    short["valid_until"] = json!("2026-11-26T15:00:00Z");
    given.consent = hand_in(&given.federation, &given.sre, &short).await?.0;
    given.federation.stop("GT").await?;
    let verdict = given.send("GT").await?;
    assert_eq!(verdict["verdict"], "redacted", "{verdict}");
    given.federation.clock.advance_ms(2 * 86_400_000);
    given.federation.start("GT").await?;
    let seen = given.until_state(&verdict, "cancelled").await?;
    assert_eq!(seen["message"]["code"], "consent.lapsed");
    assert_eq!(given.send("GT").await?["rule"]["id"], "R-CON-02");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_confirm_in_three_days_is_listed_and_alarmed() -> Result<()> {
    let given = given().await?;
    let verdict = given.send("GT").await?;
    given.until_state(&verdict, "accepted").await?;
    given.happens("withdrawn", given.digest, json!({})).await?;
    given.federation.clock.advance_ms(72 * 3_600_000 - 60_000);
    let open: Value = given.sre.get("/v1/notices").await?.json()?;
    assert_eq!(open["notices"][0]["state"], "open");
    given.federation.clock.advance_ms(120_000);
    let late = |list: &Value| list["notices"][0]["state"] == "overdue";
    given.federation.until(&given.sre, "/v1/notices", late).await?;
    let inbox: Value = given.sre.get("/v1/inbox").await?.json()?;
    assert!(
        inbox["events"]
            .as_array()
            .unwrap()
            .iter()
            .any(|e| e["type"] == "puente.notice_state" && e["data"]["state"] == "overdue")
    );
    let mut pause = tokio::time::interval(std::time::Duration::from_millis(20));
    while !given.federation.metrics("MX")?.contains("puente_notices_unresolved{late=\"yes\"} 1") {
        pause.tick().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrowing_reaches_only_those_who_hold_what_it_takes_away() -> Result<()> {
    let given = given().await?;
    for country in ["GT", "HN"] {
        let verdict = given.send(country).await?;
        given.until_state(&verdict, "accepted").await?;
    }
    let told = given.happens("narrowed", given.digest, json!({"recipients": ["GT"]})).await?;
    assert_eq!(told["notices"], 1, "{told}");
    let refused = given.send("HN").await?;
    assert_eq!(
        (refused["verdict"].as_str(), refused["rule"]["id"].as_str()),
        (Some("refused"), Some("R-CON-05")),
        "{refused}"
    );
    assert_eq!(given.send("GT").await?["verdict"], "redacted");
    let wider = given
        .happens("narrowed", told["digest"].as_str().unwrap().parse()?, json!({"recipients": ["GT", "HN"]}))
        .await?;
    assert_eq!(wider["code"], "consent.widens");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_its_agencys_and_its_persons_and_nobody_elses() -> Result<()> {
    let given = given().await?;
    let dif = given.federation.client("MX", "DIF")?;
    let theirs = given.federation.sign("MX", "DIF", TYP_RECORD, &consent_record("SRE"))?;
    assert_eq!(
        post(&given.sre, "/v1/consents", &json!({"record": theirs})).await?.json::<Value>()?["code"],
        "consent.signature"
    );
    let path = format!("/v1/consents/{}", given.consent);
    assert_eq!(dif.get(&path).await?.status, StatusCode::NOT_FOUND);
    let shown: Value = given.sre.get(&path).await?.json()?;
    assert_eq!(shown["processes"][0]["standing"], "given");
    let used: Value = post(&dif, "/v1/messages", &given.request("GT")).await?.json()?;
    assert_eq!(used["problems"][0]["code"], "consent.unknown", "{used}");
    let mut another = given.request("GT");
    another["subject_id"] = json!("exp-2");
    let other: Value = post(&given.sre, "/v1/messages", &another).await?.json()?;
    assert_eq!(other["problems"][0]["code"], "consent.subject", "{other}");
    let mut changed = consent_record("SRE");
    changed["conditional"] = json!(true);
    let changed = given.federation.sign("MX", "SRE", TYP_RECORD, &changed)?;
    assert_eq!(
        post(&given.sre, "/v1/consents", &json!({"record": changed})).await?.json::<Value>()?["code"],
        "consent.conflict"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_rests_on_the_consent_of_its_question_and_goes_nowhere_else() -> Result<()> {
    let given = given().await?;
    let verdict = given.send("GT").await?;
    given.until_state(&verdict, "accepted").await?;
    let renap = given.federation.client("GT", "RENAP")?;
    let question = received(&given.federation, &renap, "document.request").await?;
    let answer = |country: &str| {
        json!({
        "type": "document.response", "recipient": {"country": country, "role": if country == "MX" { "consular" } else { "child_protection" }},
        "purpose": "regularisation", "legal_basis": {"type": "consent", "consent_id": given.consent},
        "case": question["header"]["case"], "in_reply_to": question["message_id"],
        "subject": given.request("MX")["subject"],
        "sections": {"ops.metadata": {"status": "not_found"}}})
    };
    let elsewhere: Value = post(&renap, "/v1/messages", &answer("HN")).await?.json()?;
    assert!(
        ["consent.unknown", "recipient.unknown"]
            .contains(&elsewhere["problems"][0]["code"].as_str().unwrap_or_default()),
        "{elsewhere}"
    );
    let back: Value = post(&renap, "/v1/messages", &answer("MX")).await?.json()?;
    assert_eq!(back["verdict"], "accepted", "{back}");
    let came = received(&given.federation, &given.sre, "document.response").await?;
    assert_eq!(came["sections"]["ops.metadata"]["status"], "not_found");
    given.happens("withdrawn", given.digest, json!({})).await?;
    received(&given.federation, &renap, "consent.withdraw").await?;
    let late: Value = post(&renap, "/v1/messages", &answer("MX")).await?.json()?;
    assert_eq!(late["rule"]["id"], "R-CON-03", "{late}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_outlives_its_message() -> Result<()> {
    let mut given = given().await?;
    let verdict = given.send("GT").await?;
    given.until_state(&verdict, "accepted").await?;
    given.federation.stop("GT").await?;
    given.happens("withdrawn", given.digest, json!({})).await?;
    let first: Value = given.sre.get("/v1/notices").await?.json()?;
    given.federation.clock.advance_ms(91 * 86_400_000);
    given.federation.start("GT").await?;
    let another = |list: &Value| {
        list["notices"][0]["message"].is_string()
            && list["notices"][0]["message"] != first["notices"][0]["message"]
    };
    given.federation.until(&given.sre, "/v1/notices", another).await?;
    let renap = given.federation.client("GT", "RENAP")?;
    received(&given.federation, &renap, "consent.withdraw").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_waits_arrives_also_when_the_person_is_erased_at_home_meanwhile() -> Result<()> {
    let mut given = given().await?;
    let verdict = given.send("GT").await?;
    given.until_state(&verdict, "accepted").await?;
    given.federation.stop("GT").await?;
    given.happens("withdrawn", given.digest, json!({})).await?;
    let node = given.federation.member("MX")?.running.as_ref().unwrap().node();
    erase_subject(node, SubjectOf::Own("exp-1").tag(&node.keys.subjects)).await?;
    given.federation.start("GT").await?;
    let renap = given.federation.client("GT", "RENAP")?;
    let told = received(&given.federation, &renap, "consent.withdraw").await?;
    assert_eq!(told["sections"]["consent.record"]["state"], "withdrawn");
    Ok(())
}
