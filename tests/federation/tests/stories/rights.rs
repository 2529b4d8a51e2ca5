//! A person's rights across the federation: who was told what, and erasure where it was received.

use anyhow::Result;
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::consent::TYP_RECORD;
use puente_core::delivery::HoldChange;
use puente_core::ids::Digest;
use puente_core::rights::{Answers, Outcome, TYP_ANSWERS};
use puente_node::client::AgencyClient;
use puente_node::subjects::{SubjectOf, legal_hold};
use puente_test_support::{Federation, consent_record, post, received, signed};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "SRE", "consular"),
    ("MX", "Titulares", "data_subject"),
    ("GT", "MINEX", "consular"),
    ("GT", "RENAP", "civil_registry"),
];

fn subject() -> Value {
    json!({"kind": "adult", "age": 32, "nationality": "GT", "residence": "MX", "risk_countries": [], "protection": "none_expressed",
           "flags": {"age_disputed": "no", "stateless_risk": "no", "open_family_link_in_custody": "no"}})
}

fn person() -> Value {
    json!({"given_names": "Juana Micaela", "first_surname": "Tzoc", "sex": "F", "birth_date": "1994-03-17",
           "nationalities": ["GT"]})
}

/// Mexico's consular service told Guatemala's consular service and its registry about one person.
async fn told() -> Result<(Federation, AgencyClient)> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let sre = federation.client("MX", "SRE")?;
    let record = federation.sign("MX", "SRE", TYP_RECORD, &consent_record("SRE"))?;
    let consent: Value = post(&sre, "/v1/consents", &json!({"record": record})).await?.json()?;
    for role in ["consular", "civil_registry"] {
        let request = json!({
            "type": "document.request", "recipient": {"country": "GT", "role": role}, "purpose": "regularisation",
            "legal_basis": {"type": "consent", "consent_id": consent["consent_id"]}, "subject_id": "exp-1",
            "subject": subject(),
            "sections": {"id.core": person(), "doc.civil": {"kind": "birth", "registry": "RENAP Nebaj", "year": 1994,
                         "number": "1187", "delivery": "signed_pdf"}}});
        let verdict: Value = post(&sre, "/v1/messages", &request).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
        let path = format!("/v1/messages/{}", verdict["message_id"].as_str().unwrap());
        federation.until(&sre, &path, |seen| seen["message"]["state"] == "accepted").await?;
    }
    Ok((federation, sre))
}

/// The officer sol of Guatemala's consular service answers.
async fn answer(federation: &Federation, minex: &AgencyClient, key: &[u8], says: &Answers) -> Result<Value> {
    let by = ("GT", "MINEX", "sol");
    let mut body = signed(key, TYP_ANSWERS, by, says, federation.clock.as_ref())?;
    body["subject"] = subject();
    Ok(post(minex, &format!("/v1/messages/{}/response", says.question), &body).await?.json()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_person_names_everyone_who_was_told_and_who_has_not_answered() -> Result<()> {
    let (federation, sre) = told().await?;
    let office = federation.client("MX", "Titulares")?;
    let question = json!({"subject_id": "exp-1", "subject": subject(), "facts": {"identity_proven": "yes"},
        "sections": {"ops.metadata": {"status": "asked", "at": "2026-11-25T15:00:00Z"}, "id.core": person()}});
    let denied = post(&sre, "/v1/accesses", &question).await?;
    assert_eq!(denied.json::<Value>()?["code"], "client.not_entitled");
    let asked: Value = post(&office, "/v1/accesses", &question).await?.json()?;
    let verdicts: Vec<_> = asked["asked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["role"].as_str().unwrap(), one["verdict"]["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(verdicts, [("civil_registry", "refused"), ("consular", "accepted")], "{asked}");
    let path = format!("/v1/accesses/{}", asked["case"].as_str().unwrap());
    let before: Value = office.get(&path).await?.json()?;
    assert_eq!((before["whole"].clone(), before["missing"].as_array().unwrap().len()), (json!(false), 2));

    let minex = federation.client("GT", "MINEX")?;
    let came = received(&federation, &minex, "rights.access").await?;
    let id = came["message_id"].as_str().unwrap();
    let account: Value = minex.get(&format!("/v1/messages/{id}/accounting")).await?.json()?;
    let types: Vec<_> =
        account["received"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert!(types.contains(&"document.request"), "{account}");
    let by_hand = json!({
        "type": "rights.response", "recipient": {"country": "MX", "role": "data_subject"},
        "purpose": "data_subject_rights", "legal_basis": {"type": "control"}, "facts": {"identity_proven": "yes"},
        "case": came["header"]["case"], "in_reply_to": id, "subject": subject(),
        "sections": {"ops.metadata": {"status": "answered", "disclosures": []}}});
    let by_hand: Value = post(&minex, "/v1/messages", &by_hand).await?.json()?;
    assert_eq!(by_hand["problems"][0]["field"], "/type", "{by_hand}");
    let key = federation.officer("GT", "MINEX", "sol", "p-sol")?;
    let mut says = Answers {
        question: id.parse()?,
        account: Digest::of(b"another account"),
        outcome: Outcome::Answered,
        ground: None,
    };
    let stale = answer(&federation, &minex, &key, &says).await?;
    assert_eq!(stale["code"], "approval.preview_stale", "{stale}");
    says.account = account["account"].as_str().unwrap().parse()?;
    let verdict = answer(&federation, &minex, &key, &says).await?;
    assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    let answered = |seen: &Value| seen["answers"].as_array().is_some_and(|all| all.len() == 1);
    let seen = federation.until(&office, &path, answered).await?;
    assert_eq!(seen["own"].as_array().unwrap().len(), 2);
    assert_eq!(seen["answers"][0]["answer"]["status"], "answered");
    assert_eq!(seen["missing"], json!([{"country": "GT", "role": "civil_registry", "agency": null}]));
    assert_eq!(seen["whole"], json!(false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_an_erasure_is_erasing_and_without_an_order_there_is_nothing_to_confirm() -> Result<()> {
    let (federation, sre) = told().await?;
    let minex = federation.client("GT", "MINEX")?;
    let request = received(&federation, &minex, "document.request").await?;
    let order = json!({"kind": "erasure", "subject_id": "exp-1",
        "sections": {"ops.metadata": {"status": "erase", "at": "2026-11-25T15:00:00Z", "ground": "request"}}});
    let queued: Value = post(&sre, "/v1/notices", &order).await?.json()?;
    assert_eq!(queued["notices"], 2);
    let came = received(&federation, &minex, "data.erasure.order").await?;
    let confirm = |in_reply_to: &Value| {
        json!({
        "type": "data.erasure.confirm", "recipient": {"country": "MX", "role": "consular", "agency": "SRE"},
        "purpose": "data_subject_rights", "legal_basis": {"type": "control"}, "subject": {"kind": "none"},
        "case": came["header"]["case"], "in_reply_to": in_reply_to, "facts": {"identity_proven": "yes"},
        "sections": {"ops.metadata": {"status": "deleted", "backups_until": "2026-12-02"}}})
    };
    let without: Value = post(&minex, "/v1/messages", &confirm(&request["message_id"])).await?.json()?;
    assert_eq!(without["problems"][0]["field"], "/in_reply_to", "{without}");
    let mut hasty = confirm(&came["message_id"]);
    hasty["sections"]["ops.metadata"]["backups_until"] = json!("2026-12-01");
    let hasty: Value = post(&minex, "/v1/messages", &hasty).await?.json()?;
    assert_eq!(hasty["problems"][0]["field"], "/sections/ops.metadata/backups_until", "{hasty}");

    let content = format!("/v1/messages/{}/content", request["message_id"].as_str().unwrap());
    let node = federation.member("GT")?.running.as_ref().unwrap().node();
    let pseudonym = came["header"]["subject_ref"].as_str().unwrap();
    let subject = SubjectOf::Peer(&"MX".parse()?, pseudonym).tag(&node.keys.subjects);
    legal_hold(node, subject, HoldChange::Placed).await?;
    let held: Value = post(&minex, "/v1/messages", &confirm(&came["message_id"])).await?.json()?;
    assert_eq!(held["problems"][0]["code"], "erasure.legal_hold", "{held}");
    // In a list it costs its own row.
    let other = json!({"type": "unknown.type"});
    let batch = json!([confirm(&came["message_id"]), other]);
    let batch: Value = post(&minex, "/v1/messages/batch", &batch).await?.json()?;
    assert_eq!(batch["verdicts"][0]["problems"][0]["code"], "erasure.legal_hold", "{batch}");
    assert_eq!(batch["verdicts"][1]["verdict"], "malformed", "{batch}");
    assert_eq!(minex.get(&content).await?.status, StatusCode::OK);
    legal_hold(node, subject, HoldChange::Lifted).await?;

    // The order goes with what it is about, and the same confirmation again is still one.
    for _ in 0..2 {
        let verdict: Value = post(&minex, "/v1/messages", &confirm(&came["message_id"])).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    }
    let gone = minex.get(&content).await?;
    assert_eq!(gone.status, StatusCode::GONE);
    assert_eq!(gone.json::<Value>()?["code"], "message.erased");
    let path = format!("/v1/messages/{}", request["message_id"].as_str().unwrap());
    let erased = |seen: &Value| seen["receipts"].to_string().contains("\"erased\"");
    federation.until(&sre, &path, erased).await?;
    let settled = |list: &Value| {
        list["notices"].as_array().is_some_and(|all| all.iter().any(|n| n["state"] == "deleted"))
    };
    let list = federation.until(&sre, "/v1/notices", settled).await?;
    let kept_here: Vec<_> = list["notices"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|n| n["message"].is_null())
        .map(|n| (n["to_role"].clone(), n["code"].clone()))
        .collect();
    assert!(kept_here.is_empty(), "every recipient of a correction's profile can be told: {list}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_objects_is_told_of_no_more_at_home_or_abroad_until_the_objection_is_refused() -> Result<()> {
    let (mut federation, sre) = told().await?;
    let minex = federation.client("GT", "MINEX")?;
    let request = received(&federation, &minex, "document.request").await?;
    let office = federation.client("MX", "Titulares")?;
    let objection = json!({
        "type": "rights.object", "recipient": {"country": "GT", "role": "consular", "agency": "MINEX"},
        "purpose": "data_subject_rights", "legal_basis": {"type": "control"}, "subject_id": "exp-1",
        "subject": subject(), "facts": {"identity_proven": "yes"},
        "sections": {"ops.metadata": {"status": "asked", "at": "2026-11-25T15:00:00Z"}}});
    let sent: Value = post(&office, "/v1/messages", &objection).await?.json()?;
    assert_eq!(sent["verdict"], "accepted", "{sent}");
    let came = received(&federation, &minex, "rights.object").await?;

    let rule = |verdict: &Value| (verdict["verdict"].clone(), verdict["rule"]["id"].clone());
    let held = (json!("held"), json!("R-RGT-03"));
    let consent = request["consent"]["id"].clone();
    let next = json!({
        "type": "document.request", "recipient": {"country": "GT", "role": "consular"}, "purpose": "regularisation",
        "legal_basis": {"type": "consent", "consent_id": consent}, "subject_id": "exp-1", "subject": subject(),
        "sections": {"id.core": person(), "doc.civil": {"kind": "birth", "registry": "RENAP Nebaj", "year": 1994,
                     "number": "1187", "delivery": "signed_pdf"}}});
    let about = json!({
        "type": "document.response", "recipient": {"country": "MX", "role": "consular"},
        "purpose": "regularisation", "legal_basis": {"type": "consent", "consent_id": consent},
        "case": request["header"]["case"], "in_reply_to": request["message_id"], "subject": subject(),
        "sections": {"ops.metadata": {"status": "not_found"}}});
    assert_eq!(rule(&post(&sre, "/v1/messages", &next).await?.json()?), held);
    assert_eq!(rule(&post(&minex, "/v1/messages", &about).await?.json()?), held);
    let mut another = next.clone();
    another["subject_id"] = json!("exp-2");
    another["legal_basis"] = json!({"type": "legal_obligation", "agreement": "MX-GT"});
    let another: Value = post(&sre, "/v1/messages", &another).await?.json()?;
    assert_ne!(another["rule"]["id"], "R-RGT-03", "{another}");

    // It outlives a restart of both, and ends with the answer that refuses it.
    for country in ["GT", "MX"] {
        federation.stop(country).await?;
        federation.start(country).await?;
    }
    let (sre, minex) = (federation.client("MX", "SRE")?, federation.client("GT", "MINEX")?);
    assert_eq!(rule(&post(&minex, "/v1/messages", &about).await?.json()?), held);
    let id = came["message_id"].as_str().unwrap();
    let account: Value = minex.get(&format!("/v1/messages/{id}/accounting")).await?.json()?;
    let key = federation.officer("GT", "MINEX", "sol", "p-sol")?;
    let says = Answers {
        question: id.parse()?,
        account: account["account"].as_str().unwrap().parse()?,
        outcome: Outcome::Refused,
        ground: Some("legal_claim".to_owned()),
    };
    let refused = answer(&federation, &minex, &key, &says).await?;
    assert_eq!(refused["verdict"], "accepted", "{refused}");
    let goes: Value = post(&minex, "/v1/messages", &about).await?.json()?;
    assert_eq!(goes["verdict"], "accepted", "{goes}");
    let office = federation.client("MX", "Titulares")?;
    received(&federation, &office, "rights.response").await?;
    let goes: Value = post(&sre, "/v1/messages", &next).await?.json()?;
    assert_eq!(goes["verdict"], "accepted", "{goes}");
    Ok(())
}
