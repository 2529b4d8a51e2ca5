//! An agency that signs its messages itself: what it signed is what arrives, and nobody speaks in its name, its own gateway
//! least of all.

use anyhow::{Context as _, Result};
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::approval::{Captured, Statement, TYP_STATEMENT, Verdict};
use puente_core::envelope::{IssuerClaims, Sign as _, SignatureProfile, TYP_AGENCY, base64url};
use puente_core::ids::{MessageId, Realm};
use puente_node::client::AgencyClient;
use puente_node::clock::Clock as _;
use puente_node::keys::{KeyFile, KeyUse};
use puente_node::setup::agency_key;
use puente_test_support::{Federation, adult_row, post, sign_message, signed_with, to_sign};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("MX", "SRE", "consular"), ("GT", "IGM", "returns_reception")];

struct Signing {
    federation: Federation,
    inm: AgencyClient,
    key: KeyFile,
}

/// Mexico's migration system has a key of its own, and Guatemala knows it.
async fn signing() -> Result<Signing> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let key = federation.signs_itself("MX", "INM")?;
    let inm = federation.client("MX", "INM")?;
    Ok(Signing { federation, inm, key })
}

impl Signing {
    /// Submits; answers the verdict.
    async fn submit(&self, message: &Value) -> Result<Value> {
        Ok(post(&self.inm, "/v1/messages", message).await?.json()?)
    }

    /// The one problem for which a message is malformed, and where.
    async fn refused(&self, message: &Value) -> Result<(String, String)> {
        let verdict = self.submit(message).await?;
        assert_eq!(verdict["verdict"], "malformed", "{verdict}");
        let [problem] = verdict["problems"].as_array().context("no problems")?.as_slice() else {
            panic!("{verdict}")
        };
        let text = |name: &str| problem[name].as_str().unwrap().to_owned();
        Ok((text("code"), text("field")))
    }

    /// What the other country reads, once it is there.
    async fn read(&self, verdict: &Value) -> Result<Value> {
        let id = verdict["message_id"].as_str().with_context(|| verdict.to_string())?;
        let arrived = |seen: &Value| seen["message"]["state"] == "accepted";
        self.federation.until(&self.inm, &format!("/v1/messages/{id}"), arrived).await?;
        let igm = self.federation.client("GT", "IGM")?;
        Ok(igm.get(&format!("/v1/messages/{id}/content")).await?.json()?)
    }

    /// The issuer's token of a message as it lies in the other country's store.
    async fn issuer_jwt(&self, verdict: &Value) -> Result<String> {
        let id: MessageId = verdict["message_id"].as_str().context("not sent")?.parse()?;
        let node = self.federation.member("GT")?.running.as_ref().context("does not run")?.node();
        let wire = String::from_utf8(node.store.message(id).await?.context("not there")?.wire)?;
        Ok(wire.split('~').next().context("no token")?.to_owned())
    }
}

/// The token of what was submitted.
fn submitted_jwt(message: &Value) -> &str {
    message["signed"].as_str().unwrap().split('~').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agency_signed_arrives_under_its_own_signature_and_is_receipted() -> Result<()> {
    let signing = signing().await?;
    let message = sign_message(&signing.inm, &signing.key, &adult_row(1)).await?;
    let verdict = signing.submit(&message).await?;
    assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    let read = signing.read(&verdict).await?;
    assert_eq!(read["sections"], adult_row(1)["sections"]);
    assert_eq!(signing.issuer_jwt(&verdict).await?, submitted_jwt(&message));
    let path = format!("/v1/messages/{}", verdict["message_id"].as_str().unwrap());
    let handed = |seen: &Value| {
        let states = seen["receipts"].as_array().into_iter().flatten();
        let states: Vec<_> = states.filter_map(|receipt| receipt["state"].as_str()).collect();
        states.contains(&"accepted") && states.contains(&"opened")
    };
    signing.federation.until(&signing.inm, &path, handed).await?;
    assert_eq!(
        signing.refused(&message).await?,
        ("message.conflict".to_owned(), "/signed/jti".to_owned()),
        "the same signature is no second message"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_in_the_name_of_an_agency_that_signs_unless_it_signed() -> Result<()> {
    let signing = signing().await?;
    assert_eq!(signing.refused(&adult_row(1)).await?, ("envelope.mode".to_owned(), "/signed".to_owned()));
    let inside = signing.federation.member("MX")?.running.as_ref().unwrap().node();
    // Ended, it is still an agency that signs: its gateway does not begin to speak for it.
    agency_key::revoke(
        &signing.federation.member("MX")?.home,
        &"INM".parse()?,
        signing.key.key_id(),
        inside.clock.as_ref(),
    )?;
    let message = sign_message(&signing.inm, &signing.key, &adult_row(1)).await?;
    signing.federation.spread("MX")?;
    assert_eq!(signing.refused(&message).await?, ("envelope.key".to_owned(), "/signed".to_owned()));
    assert_eq!(signing.refused(&adult_row(1)).await?, ("envelope.mode".to_owned(), "/signed".to_owned()));
    // One without a key in the directory signs nothing, whatever it has at home.
    let sre = signing.federation.client("MX", "SRE")?;
    let mut own = adult_row(2);
    own["signed"] = message["signed"].clone();
    let verdict: Value = post(&sre, "/v1/messages", &own).await?.json()?;
    assert_eq!(verdict["problems"][0]["code"], "envelope.mode", "{verdict}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agency_signed_otherwise_than_its_gateway_would_say_is_refused_at_its_field() -> Result<()> {
    let signing = signing().await?;
    let row = adult_row(1);
    let asked = to_sign(&signing.inm, &row).await?;
    assert_eq!((asked.typ.as_str(), asked.digests), (TYP_AGENCY, 8));
    let now = signing.federation.clock.now_s();
    type Change = fn(&mut IssuerClaims, i64);
    let changes: Vec<(&str, &str, Change)> = vec![
        ("signed.differs", "/signed/aud", |claims, _| claims.aud = "SV".parse().unwrap()),
        ("signed.differs", "/signed/iss", |claims, _| claims.iss = "HN".parse().unwrap()),
        ("signed.differs", "/signed/realm", |claims, _| claims.realm = Realm::Production),
        ("signed.differs", "/signed/exp", |claims, _| claims.exp += 1),
        ("signed.differs", "/signed/jti", |claims, _| {
            claims.jti = "7c2f0c1e-54a4-4f3e-9a52-6a1d2f7f4e10".parse().unwrap();
        }),
        ("signed.differs", "/signed/puente/purpose", |claims, _| {
            claims.puente.purpose = "other".parse().unwrap();
        }),
        ("signed.differs", "/signed/puente/recipient/role", |claims, _| {
            claims.puente.recipient.role = "consular".parse().unwrap();
        }),
        ("signed.differs", "/signed/puente/handling/retention_days", |claims, _| {
            claims.puente.handling.retention_days += 1;
        }),
        ("signed.differs", "/signed/puente/subject_ref", |claims, _| {
            claims.puente.subject_ref = Some("another".to_owned());
        }),
        ("envelope.key", "/signed", |claims, _| claims.puente.sender.agency = "SRE".parse().unwrap()),
        ("envelope.key", "/signed", |claims, _| {
            let other = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
            claims.cnf.as_mut().unwrap().jwk = other.public_jwk();
        }),
        ("signed.stale", "/signed/iat", |claims, now| claims.iat = now - 901),
        ("clock.skew", "/signed/iat", |claims, now| claims.iat = now + 121),
        ("message.expired", "/signed/exp", |claims, now| claims.exp = now),
    ];
    for (code, field, change) in changes {
        let mut claims = asked.claims.clone();
        change(&mut claims, now);
        let message = signed_with(&signing.key, claims, &row)?;
        assert_eq!(signing.refused(&message).await?, (code.to_owned(), field.to_owned()));
    }
    let good = signed_with(&signing.key, asked.claims, &row)?;
    assert_eq!(signing.submit(&good).await?["verdict"], "accepted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_word_or_a_strange_key_is_refused_with_its_own_code() -> Result<()> {
    let signing = signing().await?;
    let consulate = signing.federation.signs_itself("MX", "SRE")?;
    let row = adult_row(1);
    let asked = to_sign(&signing.inm, &row).await?;
    let code = async |message: &Value| signing.refused(message).await.map(|(code, _)| code);
    let signed = |key: &KeyFile| signed_with(key, asked.claims.clone(), &row);

    let stranger = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign)?;
    assert_eq!(code(&signed(&stranger)?).await?, "envelope.key");
    assert_eq!(code(&signed(&consulate)?).await?, "envelope.key", "another agency's");

    let good = signed(&signing.key)?;
    let text = good["signed"].as_str().unwrap();
    let with = |signed: String| {
        let mut message = good.clone();
        message["signed"] = json!(signed);
        message
    };
    let payload = text.find('.').unwrap() + 40;
    let mut altered = text.to_owned();
    let other = if text.as_bytes()[payload] == b'A' { "B" } else { "A" };
    altered.replace_range(payload..=payload, other);
    assert_eq!(code(&with(altered)).await?, "envelope.signature");
    let forged = json!(["AAAAAAAAAAAAAAAAAAAAAA", "id.core", row["sections"]["id.core"]]);
    let forged = format!("{}~{}~", submitted_jwt(&good), base64url(forged.to_string().as_bytes()));
    assert_eq!(code(&with(forged)).await?, "disclosure.invalid");
    let fewer: Vec<&str> = text.split('~').collect();
    let fewer = format!("{}~{}~", fewer[0], fewer[1..3].join("~"));
    // Missing a category shows only in the ladder, and eight digests are a step for up to eight: the sender's own choice.
    assert_eq!(signing.submit(&with(fewer)).await?["problems"][0]["code"], "field.missing");
    let mut beside = good.clone();
    beside["sections"] = adult_row(2)["sections"].clone();
    assert_eq!(signing.refused(&beside).await?, ("signed.differs".to_owned(), "/sections".to_owned()));
    assert_eq!(
        post(&signing.inm, "/v1/messages", &with("~".to_owned())).await?.status,
        StatusCode::BAD_REQUEST
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_that_the_rules_strip_stays_though_the_agency_signed_it() -> Result<()> {
    let signing = signing().await?;
    let mut row = adult_row(1);
    row["sections"]["migration.history"] = json!({"entries": [{"country": "MX", "year": 2025}]});
    let message = sign_message(&signing.inm, &signing.key, &row).await?;
    let verdict = signing.submit(&message).await?;
    assert_eq!(
        (verdict["verdict"].as_str(), verdict["removed"][0]["category"].as_str()),
        (Some("redacted"), Some("migration.history")),
        "{verdict}"
    );
    let read = signing.read(&verdict).await?;
    assert_eq!(read["sections"], adult_row(1)["sections"]);
    assert_eq!(signing.issuer_jwt(&verdict).await?, submitted_jwt(&message), "the commitment to it travels");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_officers_release_is_what_the_agency_signed() -> Result<()> {
    let signing = signing().await?;
    let mut row = adult_row(1);
    row["subject"]["nationality"] = json!("VE");
    row["sections"]["id.core"]["nationalities"] = json!(["VE"]);
    let message = sign_message(&signing.inm, &signing.key, &row).await?;
    let held = signing.submit(&message).await?;
    assert_eq!((&held["verdict"], &held["rule"]["id"]), (&json!("held"), &json!("R-TCN-01")), "{held}");
    let path = format!("/v1/approvals/{}", held["approval_id"].as_str().unwrap());
    let shown: Value = signing.inm.get(&path).await?.json()?;
    assert_eq!((&shown["stale"], &shown["verdict"]["verdict"]), (&json!(false), &json!("held")), "{shown}");
    // Officers take their time: the signature was fresh when it was handed in.
    signing.federation.clock.advance_ms(3_600_000);
    let mut released = Value::Null;
    for (officer, person) in [("ana", "p-1"), ("luz", "p-2")] {
        let key = signing.federation.officer("MX", "INM", officer, person)?;
        let now = jiff::Timestamp::from_millisecond(signing.federation.clock.now_ms())?;
        let statement = Statement {
            realm: Realm::Training,
            country: "MX".parse()?,
            agency: "INM".parse()?,
            officer: officer.parse()?,
            approval: shown["approval"]["approval_id"].as_str().unwrap().parse()?,
            preview: shown["approval"]["preview"].as_str().unwrap().parse()?,
            verdict: Verdict::Grant,
            reason: "reviewed".into(),
            occurred_at: now.in_tz("America/Mexico_City")?,
            captured: Captured::Screen,
        };
        let signer = KeyFile::from_pem(&key, KeyUse::Sign)?.signer()?;
        let compact = signer.sign(TYP_STATEMENT, &serde_json::to_vec(&statement)?)?;
        let said = json!({"statement": compact});
        released = post(&signing.inm, &format!("{path}/statements"), &said).await?.json()?;
    }
    assert_eq!(released["state"], "granted", "{released}");
    assert_eq!(signing.read(&released["verdict"]).await?["sections"], row["sections"]);
    assert_eq!(signing.issuer_jwt(&released["verdict"]).await?, submitted_jwt(&message));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_to_erase_leaves_though_nobody_is_at_hand_with_the_agencys_key() -> Result<()> {
    let signing = signing().await?;
    let mut row = adult_row(1);
    row["subject_id"] = json!("INM/1");
    let message = sign_message(&signing.inm, &signing.key, &row).await?;
    let verdict = signing.submit(&message).await?;
    signing.read(&verdict).await?;
    let order = json!({"kind": "erasure", "subject_id": "INM/1",
                       "sections": {"ops.metadata": {"status": "erase", "at": "2026-11-25T15:00:00Z", "ground": "request"}}});
    let told = post(&signing.inm, "/v1/notices", &order).await?;
    assert_eq!(told.json::<Value>()?["notices"], 1);
    let notices: Value = signing.inm.get("/v1/notices").await?.json()?;
    let sent = notices["notices"][0]["message"].as_str().with_context(|| notices.to_string())?;
    let arrived = |seen: &Value| seen["message"]["state"] == "accepted";
    signing.federation.until(&signing.inm, &format!("/v1/messages/{sent}"), arrived).await?;
    Ok(())
}
