//! Show 2, over five nodes: a consent given, used, withdrawn and confirmed; the person's question answered by all who were
//! told; and she is erased: unreadable on every disk and in a restored backup, while the receipts still verify.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use puente_core::consent::{TYP_EVENT, TYP_RECORD};
use puente_core::envelope::claimed_key;
use puente_core::evidence::{Receipt, claimed_time, verify_receipt};
use puente_core::ids::{Digest, MessageId};
use puente_core::membership::KeyUse;
use puente_core::rights::{Answers, Outcome, TYP_ANSWERS};
use puente_node::subjects::{SubjectOf, erase_subject};
use puente_test_support::{Federation, consent_event, consent_record, files, post, received, signed};

const COUNTRIES: [&str; 5] = ["GT", "HN", "MX", "SV", "US"];
const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "SRE", "consular"),
    ("MX", "Titulares", "data_subject"),
    ("GT", "MINEX", "consular"),
    ("HN", "SRECI", "consular"),
    ("SV", "RREE", "consular"),
    ("US", "STATE", "consular"),
];
/// Who is told: country and agency.
const TOLD: [(&str, &str); 2] = [("GT", "MINEX"), ("HN", "SRECI")];
/// What names her, as bytes on a disk would.
const MARKS: [&str; 2] = ["Juana Micaela", "2457866320101"];

fn subject() -> Value {
    json!({"kind": "adult", "age": 32, "nationality": "GT", "residence": "MX", "risk_countries": [],
           "protection": "none_expressed",
           "flags": {"age_disputed": "no", "stateless_risk": "no", "open_family_link_in_custody": "no"}})
}

fn person() -> Value {
    json!({"given_names": "Juana Micaela", "first_surname": "Tzoc", "sex": "F", "birth_date": "1994-03-17",
           "nationalities": ["GT"]})
}

fn request(consent: &str, country: &str) -> Value {
    json!({
        "type": "document.request", "recipient": {"country": country, "role": "consular"},
        "purpose": "regularisation", "legal_basis": {"type": "consent", "consent_id": consent},
        "subject_id": "exp-1", "subject": subject(),
        "sections": {
            "id.core": person(),
            "id.numbers": {"numbers": [{"country": "GT", "kind": "cui", "value": "2457866320101"}]},
            "doc.civil": {"kind": "birth", "registry": "RENAP Nebaj", "year": 1994, "number": "1187",
                          "delivery": "signed_pdf"}}})
}

/// An answer in the thread of a message that came in.
fn reply(to: &Value, message_type: &str, purpose: &str, said: &Value) -> Value {
    json!({
        "type": message_type, "recipient": {"country": "MX", "role": "consular", "agency": "SRE"},
        "purpose": purpose, "legal_basis": {"type": "control"}, "subject": {"kind": "none"},
        "case": to["header"]["case"], "in_reply_to": to["message_id"], "facts": {"identity_proven": "yes"},
        "sections": {"ops.metadata": said}})
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The stretches of 32 bytes or more that stood in a file and are zeros now: keys that were destroyed.
fn overwritten(before: &[u8], after: &[u8]) -> Vec<Vec<u8>> {
    let mut stretches = vec![Vec::new()];
    for (was, is) in before.iter().zip(after) {
        match stretches.last_mut() {
            Some(open) if *is == 0 && (*was != 0 || !open.is_empty()) => open.push(*was),
            Some(open) if !open.is_empty() => stretches.push(Vec::new()),
            _ => {}
        }
    }
    let trimmed = stretches.into_iter().map(|mut stretch| {
        let end = stretch.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        stretch.truncate(end);
        stretch
    });
    trimmed.filter(|stretch| stretch.len() >= 32).collect()
}

/// Whether every receipt that Mexico keeps for a message verifies with the keys of the member that gave it.
async fn receipts_verify(federation: &Federation, message: MessageId) -> Result<usize> {
    let node = federation.member("MX")?.running.as_ref().context("does not run")?.node();
    let membership = node.membership.get();
    let rows = node.store.receipts(message).await?;
    for row in &rows {
        let receipt: Receipt = serde_json::from_slice(&row.receipt)?;
        let kid = claimed_key(&receipt.root).context("no key")?;
        let at = claimed_time(&receipt).context("no time")?;
        let key = membership.verifier(&row.peer, KeyUse::Receipt, &kid, at).context("no such key")?;
        verify_receipt(&receipt, &row.peer, node.country(), node.realm(), key.as_ref())?;
    }
    Ok(rows.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_used_withdrawn_confirmed_and_answered_for_and_the_person_is_erased_everywhere()
-> Result<()> {
    let mut federation = Federation::of(&COUNTRIES, AGENCIES).await?;
    let sre = federation.client("MX", "SRE")?;
    let record = federation.sign("MX", "SRE", TYP_RECORD, &consent_record("SRE"))?;
    let consent: Value = post(&sre, "/v1/consents", &json!({"record": record})).await?.json()?;
    let consent_id = consent["consent_id"].as_str().context("no consent")?;

    // Delivered without what the consent does not name, to two recipients.
    let mut sent = Vec::new();
    for (country, agency) in TOLD {
        let verdict: Value = post(&sre, "/v1/messages", &request(consent_id, country)).await?.json()?;
        assert_eq!(verdict["verdict"], "redacted", "{verdict}");
        assert_eq!(verdict["removed"][0]["category"], "id.numbers");
        sent.push(verdict["message_id"].as_str().context("not sent")?.to_owned());
        let came = received(&federation, &federation.client(country, agency)?, "document.request").await?;
        assert_eq!(came["sections"]["id.core"]["given_names"], "Juana Micaela");
        assert!(came["sections"].get("id.numbers").is_none());
    }

    // Withdrawn; both confirm; the next follow-up is refused.
    let digest: Digest = consent["digest"].as_str().context("no digest")?.parse()?;
    let event = consent_event(consent_id, digest, "withdrawn", federation.clock.as_ref(), json!({}));
    let event = federation.sign("MX", "SRE", TYP_EVENT, &event)?;
    let path = format!("/v1/consents/{consent_id}/events");
    let told: Value = post(&sre, &path, &json!({"event": event})).await?.json()?;
    assert_eq!(told["notices"], 2, "{told}");
    for (country, agency) in TOLD {
        let there = federation.client(country, agency)?;
        let withdrawal = received(&federation, &there, "consent.withdraw").await?;
        let stopped = reply(&withdrawal, "consent.status", "consent_control", &json!({"status": "stopped"}));
        let verdict: Value = post(&there, "/v1/messages", &stopped).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    }
    let states = |list: &Value, state: &str| {
        let notices = list["notices"].as_array().into_iter().flatten();
        notices.filter(|notice| notice["state"] == state).count()
    };
    federation.until(&sre, "/v1/notices", |list| states(list, "stopped") == 2).await?;
    let next: Value = post(&sre, "/v1/messages", &request(consent_id, "GT")).await?.json()?;
    assert_eq!((next["verdict"].as_str(), next["rule"]["id"].as_str()), (Some("refused"), Some("R-CON-03")));

    // Her question: every recipient answers from its own ledger, on an officer's word.
    let office = federation.client("MX", "Titulares")?;
    let question = json!({"subject_id": "exp-1", "subject": subject(), "facts": {"identity_proven": "yes"},
        "sections": {"ops.metadata": {"status": "asked", "at": "2026-11-25T15:00:00Z"}, "id.core": person()}});
    let asked: Value = post(&office, "/v1/accesses", &question).await?.json()?;
    for (country, agency) in TOLD {
        let there = federation.client(country, agency)?;
        let came = received(&federation, &there, "rights.access").await?;
        let id = came["message_id"].as_str().context("no question")?;
        let account: Value = there.get(&format!("/v1/messages/{id}/accounting")).await?.json()?;
        let key = federation.officer(country, agency, "sol", &format!("p-sol-{country}"))?;
        let says = Answers {
            question: id.parse()?,
            account: account["account"].as_str().context("no account")?.parse()?,
            outcome: Outcome::Answered,
            ground: None,
        };
        let by = (country, agency, "sol");
        let mut body = signed(&key, TYP_ANSWERS, by, says, federation.clock.as_ref())?;
        body["subject"] = subject();
        let verdict: Value = post(&there, &format!("/v1/messages/{id}/response"), &body).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    }
    let path = format!("/v1/accesses/{}", asked["case"].as_str().context("no case")?);
    let whole = federation.until(&office, &path, |seen| seen["whole"] == true).await?;
    assert_eq!((whole["answers"].as_array().map(Vec::len), whole["missing"].clone()), (Some(2), json!([])));
    let told_of: Vec<_> =
        whole["own"].as_array().into_iter().flatten().map(|line| line["to"]["country"].clone()).collect();
    assert_eq!(told_of, ["GT", "HN"], "{whole}");

    // A backup of every country's store and keys, taken while she can be read.
    let homes: Vec<_> = COUNTRIES
        .iter()
        .map(|code| Ok((*code, federation.member(code)?.home.clone())))
        .collect::<Result<_>>()?;
    for (code, _) in &homes {
        federation.stop(code).await?;
    }
    let mut backup = BTreeMap::new();
    for (code, home) in &homes {
        let keys = home.subjects();
        backup.insert(
            *code,
            (std::fs::read(home.store())?, keys.exists().then(|| std::fs::read(&keys)).transpose()?),
        );
    }
    for (code, _) in &homes {
        federation.start(code).await?;
    }

    // Erased where she was told of, on order, and at home.
    let sre = federation.client("MX", "SRE")?;
    let order = json!({"kind": "erasure", "subject_id": "exp-1",
        "sections": {"ops.metadata": {"status": "erase", "at": "2026-11-25T15:00:00Z", "ground": "request"}}});
    let ordered: Value = post(&sre, "/v1/notices", &order).await?.json()?;
    assert_eq!(ordered["notices"], 2, "{ordered}");
    for (country, agency) in TOLD {
        let there = federation.client(country, agency)?;
        let came = received(&federation, &there, "data.erasure.order").await?;
        let deleted = json!({"status": "deleted", "backups_until": "2026-12-02"});
        let deleted = reply(&came, "data.erasure.confirm", "data_subject_rights", &deleted);
        let verdict: Value = post(&there, "/v1/messages", &deleted).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    }
    federation.until(&sre, "/v1/notices", |list| states(list, "deleted") == 2).await?;
    {
        let node = federation.member("MX")?.running.as_ref().context("does not run")?.node();
        erase_subject(node, SubjectOf::Own("exp-1").tag(&node.keys.subjects)).await?;
    }

    // Byte by byte: neither she nor any key that opens her stands in any file, and the copy of before opens nothing.
    for (code, _) in &homes {
        federation.stop(code).await?;
    }
    let mut destroyed = 0;
    for (code, home) in &homes {
        let folder = home.config().parent().context("no folder")?.to_path_buf();
        let keys = home.subjects();
        let (_, keys_before) = backup.get(code).context("no backup")?;
        let gone = match keys_before {
            Some(before) => overwritten(before, &std::fs::read(&keys)?),
            None => Vec::new(),
        };
        destroyed += gone.len();
        // The catalogue's worked examples are nobody's data.
        let data = files(&folder)?.into_iter().filter(|(path, _)| !path.starts_with(home.schemas()));
        for (path, bytes) in data {
            for mark in MARKS {
                assert!(!holds(&bytes, mark.as_bytes()), "{} holds {mark}", path.display());
            }
            for key in &gone {
                assert!(!holds(&bytes, key), "{} holds a destroyed key", path.display());
            }
        }
    }
    assert!(destroyed >= 3, "her keys in three countries were overwritten: {destroyed}");
    for (code, home) in &homes {
        let (store, _) = backup.get(code).context("no backup")?;
        std::fs::write(home.store(), store)?;
        federation.start(code).await?;
    }
    for ((country, agency), id) in TOLD.into_iter().zip(&sent) {
        let there = federation.client(country, agency)?;
        let gone: Value = there.get(&format!("/v1/messages/{id}/content")).await?.json()?;
        assert_eq!(gone["code"], "message.erased", "{gone}");
        // The evidence stays, and stays true.
        assert!(receipts_verify(&federation, id.parse()?).await? >= 1);
    }
    Ok(())
}
