//! Bad envelopes on the federation face: made with the sender's real key and sent over its real connection,
//! wrong in one place each. The last word is always the exact code, and nothing of them takes effect.

use anyhow::Result;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use puente_core::envelope::{TYP_DIRECT, base64url, from_base64url};
use puente_core::ids::{CountryCode, MessageId};
use puente_node::clock::Clock as _;
use puente_test_support::{Federation, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

struct Wire {
    federation: Federation,
    text: String,
}

/// A message of Mexico's that Guatemala has accepted, and its exact wire form.
async fn accepted() -> Result<Wire> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let inm = federation.client("MX", "INM")?;
    let verdict: Value = post(&inm, "/v1/messages", &adult_row(1)).await?.json()?;
    let id = verdict["message_id"].as_str().unwrap().to_owned();
    federation
        .until(&inm, &format!("/v1/messages/{id}"), |seen| seen["message"]["state"] == "accepted")
        .await?;
    let node = federation.member("MX")?.running.as_ref().unwrap().node();
    let row = node.store.message(id.parse::<MessageId>()?).await?.unwrap();
    Ok(Wire { text: String::from_utf8(row.wire)?, federation })
}

impl Wire {
    fn claims(&self) -> Value {
        let payload = self.text.split('.').nth(1).unwrap();
        serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap()
    }

    /// The same message with other claims, signed by Mexico's message key, under a fresh id unless changed.
    fn resigned(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        let node = self.federation.member("MX").unwrap().running.as_ref().unwrap().node();
        let jwt = node.keys.message.sign(TYP_DIRECT, &serde_json::to_vec(&claims).unwrap()).unwrap();
        let sealed = self.text.split_once('~').unwrap().1;
        format!("{jwt}~{sealed}")
    }

    async fn deliver(&self, body: &str) -> Result<Value> {
        self.request("/federation/v1/messages", "application/vnd.puente.batch", body).await
    }

    async fn request(&self, path: &str, media: &str, body: &str) -> Result<Value> {
        let running = self.federation.member("MX")?.running.as_ref().unwrap();
        let to: CountryCode = "GT".parse()?;
        let body = Bytes::from(body.to_owned());
        let answer = running.connector().request(&to, None, Method::POST, path, media, body).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn code(&self, line: &str) -> Result<String> {
        let answer = self.deliver(line).await?;
        assert_eq!(answer["receipts"], json!([]), "{answer}");
        Ok(answer["unreceipted"][0]["code"].as_str().unwrap().to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_message_gets_its_first_receipt_and_no_second_effect() -> Result<()> {
    let wire = accepted().await?;
    let first = wire.deliver(&wire.text).await?;
    let again = wire.deliver(&wire.text).await?;
    assert_eq!(first["receipts"][0]["receipt"], again["receipts"][0]["receipt"]);
    let igm = wire.federation.client("GT", "IGM")?;
    let inbox: Value = igm.get("/v1/inbox").await?.json()?;
    assert_eq!(inbox["events"].as_array().unwrap().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_as_never_accepted_is_not_accepted_afterwards() -> Result<()> {
    let wire = accepted().await?;
    let id = json!("01940000-0000-7000-8000-0000000000ab");
    let release = puente_core::ids::Digest::of(b"a release that never left");
    let question = json!({"messages": [{"message": id, "release": release}]});
    let asked = wire.request("/federation/v1/status", "application/json", &question.to_string()).await?;
    let entry: Value = serde_json::from_str(asked["receipts"][0]["entry"].as_str().unwrap())?;
    assert_eq!(entry["state"], "never_accepted");
    // Its sealed part names another message, but the id is looked at before anything else would take effect.
    let running = wire.federation.member("GT")?.running.as_ref().unwrap();
    let known = running.node().store.known_inbound(vec![id.as_str().unwrap().parse()?]).await?;
    assert_eq!(known.len(), 1);
    let again = wire.request("/federation/v1/status", "application/json", &question.to_string()).await?;
    assert_eq!(asked["receipts"], again["receipts"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_envelope_is_refused_with_its_own_code() -> Result<()> {
    let wire = accepted().await?;
    let now = wire.federation.clock.now_s();
    let fresh = json!("01940000-0000-7000-8000-0000000000aa");
    let mut flipped = wire.text.clone();
    let middle = wire.text.find('.').unwrap() + 40;
    let other = if flipped.as_bytes()[middle] == b'A' { "B" } else { "A" };
    flipped.replace_range(middle..=middle, other);
    assert_eq!(wire.code(&flipped).await?, "envelope.signature");
    assert_eq!(wire.code("half a message").await?, "envelope.malformed");
    let cases: Vec<(&str, String)> = vec![
        ("message.conflict", wire.resigned(|c| c["puente"]["purpose"] = json!("other"))),
        ("seal.mismatch", wire.resigned(|c| c["jti"] = fresh.clone())),
        ("realm.mismatch", wire.resigned(|c| c["realm"] = json!("production"))),
        ("country.mismatch", wire.resigned(|c| c["iss"] = json!("HN"))),
        ("country.mismatch", wire.resigned(|c| c["puente"]["sender"]["country"] = json!("HN"))),
        ("envelope.audience", wire.resigned(|c| c["aud"] = json!("SV"))),
        ("clock.skew", wire.resigned(|c| (c["iat"], c["exp"]) = (json!(now + 301), json!(now + 9_000)))),
        ("message.expired", wire.resigned(|c| (c["iat"], c["exp"]) = (json!(now - 9_000), json!(now - 1)))),
        ("envelope.malformed", wire.resigned(|c| c["surprise"] = json!(1))),
        ("disclosure.invalid", wire.resigned(|c| c["released"] = json!([]))),
        ("disclosure.invalid", wire.resigned(|c| c["sections"]["_sd"] = json!([]))),
        ("seal.mismatch", wire.resigned(|c| c["enc_hash"] = json!([base64url(&[7; 32])]))),
    ];
    for (expected, line) in cases {
        assert_eq!(wire.code(&line).await?, expected);
    }
    let twice = wire.deliver(&format!("{}\n{}\n", wire.text, "x~y~")).await?;
    assert_eq!(
        (twice["receipts"][0]["line"].as_u64(), twice["unreceipted"][0]["line"].as_u64()),
        (Some(0), Some(1))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_clock_is_five_minutes_ahead_is_told_so_and_delivers_once_it_agrees() -> Result<()> {
    let wire = accepted().await?;
    let ahead = wire.resigned(|c| c["iat"] = json!(wire.federation.clock.now_s() + 300));
    assert_eq!(wire.code(&ahead).await?, "clock.skew");
    wire.federation.clock.advance_ms(300_000);
    assert_eq!(
        wire.code(&ahead).await?,
        "message.conflict",
        "the time is right now; the id is the accepted one's"
    );
    Ok(())
}
