//! Attachments: whose the chunks are, that they are the attachment, and that nobody else reads or finds them.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use puente_core::consent::TYP_RECORD;
use puente_core::envelope::base64url;
use puente_core::ids::{CountryCode, MessageId};
use puente_node::attachment::{CHUNK_BYTES, Sealed, open, seal};
use puente_node::client::AgencyClient;
use puente_node::config::Config;
use puente_node::keys::SystemRandom;
use puente_test_support::{Federation, consent_record, post};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "SRE", "consular"),
    ("MX", "INM", "migration_enforcement"),
    ("GT", "MINEX", "consular"),
    ("GT", "RENAP", "civil_registry"),
];

/// Two countries, and a consent under which the consular service asks for papers.
struct Asking {
    federation: Federation,
    sre: AgencyClient,
    consent: Value,
}

async fn asking(change: impl Fn(&mut Config)) -> Result<Asking> {
    let federation = Federation::with(&["GT", "MX"], AGENCIES, change).await?;
    let sre = federation.client("MX", "SRE")?;
    let record = federation.sign("MX", "SRE", TYP_RECORD, &consent_record("SRE"))?;
    let taken: Value = post(&sre, "/v1/consents", &json!({"record": record})).await?.json()?;
    let consent = taken["consent_id"].clone();
    Ok(Asking { federation, sre, consent })
}

/// A document of two chunks, sealed.
fn document() -> (Vec<u8>, Sealed) {
    let plain = [b"%PDF-1.7 ".to_vec(), vec![7; CHUNK_BYTES]].concat();
    let sealed = seal(&plain, &SystemRandom).unwrap();
    assert_eq!(sealed.chunks.len(), 2);
    (plain, sealed)
}

async fn put(
    client: &AgencyClient,
    root: &impl std::fmt::Display,
    index: usize,
    chunk: &[u8],
) -> Result<StatusCode> {
    let path = format!("/v1/attachments/{root}/{index}");
    let answer = client.request(Method::PUT, &path, HeaderMap::new(), chunk.to_vec()).await?;
    Ok(answer.status)
}

async fn put_all(client: &AgencyClient, sealed: &Sealed) -> Result<()> {
    for (index, chunk) in sealed.chunks.iter().enumerate() {
        assert_eq!(put(client, &sealed.root, index, chunk).await?, StatusCode::NO_CONTENT);
    }
    Ok(())
}

impl Asking {
    /// A request for a document to which this attachment belongs.
    fn request(&self, sealed: &Sealed) -> Value {
        json!({
            "type": "document.request", "recipient": {"country": "GT", "role": "consular"}, "purpose": "regularisation",
            "legal_basis": {"type": "consent", "consent_id": self.consent}, "subject_id": "exp-1",
            "subject": {"kind": "adult", "age": 32, "nationality": "GT", "residence": "MX", "risk_countries": [],
                        "protection": "none_expressed",
                        "flags": {"age_disputed": "no", "stateless_risk": "no", "open_family_link_in_custody": "no"}},
            "sections": {
                "id.core": {"given_names": "Juana Micaela", "first_surname": "Tzoc", "sex": "F",
                            "birth_date": "1994-03-17", "nationalities": ["GT"]},
                "doc.civil": {"kind": "birth", "registry": "RENAP Nebaj", "year": 1994, "number": "1187",
                              "delivery": "signed_pdf",
                              "attachment": {"name": "acta.pdf", "media_type": "application/pdf", "size": sealed.size,
                                             "root": sealed.root, "chunk_size": CHUNK_BYTES,
                                             "key": base64url(&sealed.key)}}}})
    }

    async fn submit(&self, sealed: &Sealed) -> Result<Value> {
        Ok(post(&self.sre, "/v1/messages", &self.request(sealed)).await?.json()?)
    }

    /// The one problem of a verdict, and where it is.
    async fn refused(&self, sealed: &Sealed) -> Result<(String, String)> {
        let verdict = self.submit(sealed).await?;
        let text = |name: &str| verdict["problems"][0][name].as_str().map(str::to_owned);
        text("code").zip(text("field")).with_context(|| verdict.to_string())
    }

    async fn arrived(&self, verdict: &Value) -> Result<String> {
        let id = verdict["message_id"].as_str().with_context(|| verdict.to_string())?.to_owned();
        let accepted = |seen: &Value| seen["message"]["state"] == "accepted";
        self.federation.until(&self.sre, &format!("/v1/messages/{id}"), accepted).await?;
        Ok(id)
    }
}

const PLACE: &str = "/sections/doc.civil/attachment";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_leaves_only_with_every_chunk_that_it_names_and_its_addressee_alone_reads_them()
-> Result<()> {
    let asking = asking(|_| {}).await?;
    let (plain, sealed) = document();
    let incomplete = ("attachment.incomplete".to_owned(), PLACE.to_owned());
    assert_eq!(asking.refused(&sealed).await?, incomplete);
    put(&asking.sre, &sealed.root, 1, &sealed.chunks[1]).await?;
    assert_eq!(asking.refused(&sealed).await?, incomplete);
    // The other agency's chunk does not complete it.
    let inm = asking.federation.client("MX", "INM")?;
    put(&inm, &sealed.root, 0, &sealed.chunks[0]).await?;
    assert_eq!(asking.refused(&sealed).await?, incomplete);
    put_all(&asking.sre, &sealed).await?;
    let verdict = asking.submit(&sealed).await?;
    asking.arrived(&verdict).await?;

    let minex = asking.federation.client("GT", "MINEX")?;
    let mut chunks = Vec::new();
    for index in 0..2 {
        let answer = minex.get(&format!("/v1/attachments/{}/{index}", sealed.root)).await?;
        assert_eq!(answer.status, StatusCode::OK);
        chunks.push(answer.body.to_vec());
    }
    assert_eq!(open(&sealed.root, &sealed.key, sealed.size, &chunks)?, plain);
    let renap = asking.federation.client("GT", "RENAP")?;
    let other = renap.get(&format!("/v1/attachments/{}/0", sealed.root)).await?;
    let nothing = renap.get(&format!("/v1/attachments/{}/0", document().1.root)).await?;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    assert_eq!(other.json::<Value>()?["code"], nothing.json::<Value>()?["code"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_neither_reads_nor_spoils_nor_finds_what_another_put() -> Result<()> {
    let asking = asking(|_| {}).await?;
    let inm = asking.federation.client("MX", "INM")?;
    let (_, sealed) = document();
    put_all(&asking.sre, &sealed).await?;
    let path = format!("/v1/attachments/{}/0", sealed.root);
    assert_eq!(inm.get(&path).await?.status, StatusCode::NOT_FOUND);
    // To put other bytes there answers as in any free place, and is nobody else's business.
    assert_eq!(put(&inm, &sealed.root, 0, b"spoilt").await?, StatusCode::NO_CONTENT);
    assert_eq!(inm.get(&path).await?.body.to_vec(), b"spoilt");
    assert_eq!(asking.sre.get(&path).await?.body.to_vec(), sealed.chunks[0]);
    // One's own is not changed either: the root would be of something else.
    assert_eq!(put(&inm, &sealed.root, 0, b"again").await?, StatusCode::CONFLICT);
    let verdict = asking.submit(&sealed).await?;
    asking.arrived(&verdict).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_that_are_not_what_the_message_names_never_leave() -> Result<()> {
    let asking = asking(|_| {}).await?;
    let (_, mut sealed) = document();
    sealed.chunks.swap(0, 1);
    put_all(&asking.sre, &sealed).await?;
    assert_eq!(asking.refused(&sealed).await?, ("attachment.mismatch".to_owned(), PLACE.to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_refuses_what_names_another_root_than_the_chunks_have() -> Result<()> {
    let asking = asking(|_| {}).await?;
    let (_, sealed) = document();
    let running = asking.federation.member("MX")?.running.as_ref().context("does not run")?;
    let gt: CountryCode = "GT".parse()?;
    let send = async |method: Method, path: &str, body: Bytes| {
        running.connector().request(&gt, None, method, path, "application/octet-stream", body).await
    };
    // A gateway that sends other chunks than it names: its courier would not, so it is done by hand.
    for index in 0..2 {
        let path = format!("/federation/v1/chunks/{}/{index}", sealed.root);
        send(Method::PUT, &path, Bytes::from_static(b"something else")).await?;
    }
    put_all(&asking.sre, &sealed).await?;
    let verdict = asking.submit(&sealed).await?;
    let id: MessageId = verdict["message_id"].as_str().with_context(|| verdict.to_string())?.parse()?;
    let wire = running.node().store.message(id).await?.context("not there")?.wire;
    let answer: Value =
        serde_json::from_slice(&send(Method::POST, "/federation/v1/messages", wire.into()).await?)?;
    let entry = answer["receipts"][0]["receipt"]["entry"].as_str().with_context(|| answer.to_string())?;
    let entry: Value = serde_json::from_str(entry)?;
    assert_eq!((&entry["state"], &entry["code"]), (&json!("refused"), &json!("attachment.mismatch")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_message_names_is_bounded_and_lapses() -> Result<()> {
    let asking = asking(|config| config.limits.unnamed_attachment_bytes = 2 * 1024 * 1024).await?;
    let ((_, first), (_, second)) = (document(), document());
    put_all(&asking.sre, &first).await?;
    let path = format!("/v1/attachments/{}/0", second.root);
    let over = asking.sre.request(Method::PUT, &path, HeaderMap::new(), second.chunks[0].clone()).await?;
    assert_eq!(
        (over.status, over.json::<Value>()?["code"].as_str()),
        (StatusCode::TOO_MANY_REQUESTS, Some("attachment.quota"))
    );
    let inm = asking.federation.client("MX", "INM")?;
    put_all(&inm, &second).await?;
    // Named, it counts no more.
    let verdict = asking.submit(&first).await?;
    asking.arrived(&verdict).await?;
    put_all(&asking.sre, &second).await?;
    Ok(())
}
