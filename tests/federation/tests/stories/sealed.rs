//! What is sealed to an authority's own key: the node carries it, the authority's machine opens it, and nothing that lies on any
//! node's disk, in its memory or in a copy of both does.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::envelope::{Open, VerifiedInner, claimed_key, read_stored, verify_inner};
use puente_core::ids::{MessageId, ReleaseId};
use puente_core::opening::{Opening, Outcome, Reply, TYP_OPENING};
use puente_core::problem::Problem;
use puente_node::client::AgencyClient;
use puente_node::config::Config;
use puente_node::keys::{KeyFile, KeyUse, Openers, openers};
use puente_node::opening::open_wire;
use puente_node::setup::{agency_key, load};
use puente_node::store::{CommitObserver, Store};
use puente_test_support::{Federation, adult_row, files, post, received, signed};

use crate::on_duty;

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "PFPNNA", "child_protection"),
    ("MX", "INM", "migration_enforcement"),
    ("GT", "PGN", "child_protection"),
    ("GT", "IGM", "returns_reception"),
];
const OPERATION: &str = "/v1/operations/01940000-0000-7000-8000-000000000001";

/// Two countries; Guatemala's child protection opens with a key of its own, which lies on its desk.
struct Sealed {
    federation: Federation,
    pfpnna: AgencyClient,
    desk: Desk,
}

/// An authority's own machine: its credential, its officer's key and the keys that it opens with.
struct Desk {
    country: &'static str,
    agency: &'static str,
    client: AgencyClient,
    officer: Vec<u8>,
    keys: Vec<KeyFile>,
}

impl Desk {
    fn of(
        federation: &Federation,
        country: &'static str,
        agency: &'static str,
        key: KeyFile,
    ) -> Result<Self> {
        let officer = federation.officer(country, agency, "lucia", "p-lucia")?;
        Ok(Self { country, agency, client: federation.client(country, agency)?, officer, keys: vec![key] })
    }

    fn openers(&self) -> Openers {
        openers(&self.keys).unwrap()
    }

    /// Fetches a message and opens it; answers what its officer may say of that, and the content.
    async fn open(
        &self,
        federation: &Federation,
        id: &str,
    ) -> Result<(Option<Opening>, Result<VerifiedInner, Problem>)> {
        let sealed: Value = self.client.get(&format!("/v1/messages/{id}/sealed")).await?.json()?;
        let wire = sealed["wire"].as_str().with_context(|| sealed.to_string())?;
        let release: ReleaseId = serde_json::from_value(sealed["release"].clone())?;
        let running = federation.member(self.country)?.running.as_ref().context("does not run")?;
        let catalogue = &running.node().rules.get().catalogue;
        let (outer, opened) = open_wire(&self.openers(), catalogue, wire.as_bytes(), release)?;
        Ok((Opening::of(&outer, &opened), opened))
    }

    async fn say(&self, federation: &Federation, says: &Opening) -> Result<(StatusCode, Value)> {
        let by = (self.country, self.agency, "lucia");
        let word = signed(&self.officer, TYP_OPENING, by, says, federation.clock.as_ref())?;
        let answer = post(&self.client, &format!("/v1/messages/{}/opened", says.message), &word).await?;
        Ok((answer.status, answer.json()?))
    }

    /// The word that the key of a message is lost.
    async fn lost(&self, federation: &Federation, id: &str) -> Result<(StatusCode, Value)> {
        let sealed: Value = self.client.get(&format!("/v1/messages/{id}/sealed")).await?.json()?;
        let says = Opening {
            message: id.parse()?,
            release: serde_json::from_value(sealed["release"].clone())?,
            outcome: Outcome::KeyLost,
            reason: Some("card_destroyed".to_owned()),
            reply: None,
        };
        self.say(federation, &says).await
    }
}

impl Sealed {
    async fn new() -> Result<Self> {
        let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
        let key = federation.opens_itself("GT", "PGN", "child_protection")?;
        let desk = Desk::of(&federation, "GT", "PGN", key)?;
        Ok(Self { pfpnna: federation.client("MX", "PFPNNA")?, federation, desk })
    }

    /// Sends an alert; answers its id once it has arrived.
    async fn alert(&self, message: &Value) -> Result<String> {
        self.sent(&self.pfpnna, message).await
    }

    async fn sent(&self, client: &AgencyClient, message: &Value) -> Result<String> {
        let verdict: Value = post(client, "/v1/messages", message).await?.json()?;
        let id = verdict["message_id"].as_str().with_context(|| verdict.to_string())?.to_owned();
        self.until(client, &id, "accepted").await?;
        Ok(id)
    }

    /// Waits until the sender has this receipt; answers all its states so far.
    async fn until(&self, client: &AgencyClient, id: &str, state: &str) -> Result<Vec<String>> {
        let path = format!("/v1/messages/{id}");
        let seen = self.federation.until(client, &path, |seen| states(seen).iter().any(|s| s == state)).await;
        Ok(states(&seen?))
    }

    /// The code of a problem.
    async fn refused(&self, client: &AgencyClient, path: &str) -> Result<String> {
        let answer: Value = client.get(path).await?.json()?;
        Ok(answer["code"].as_str().with_context(|| answer.to_string())?.to_owned())
    }
}

fn states(seen: &Value) -> Vec<String> {
    let receipts = seen["receipts"].as_array().into_iter().flatten();
    receipts.filter_map(|receipt| receipt["state"].as_str().map(str::to_owned)).collect()
}

/// An alert to the role, whichever agency has it.
fn alert() -> Value {
    let mut alert = on_duty::alert();
    alert["recipient"] = json!({"country": "GT", "role": "child_protection"});
    alert
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authoritys_machine_opens_what_its_node_only_carries_and_the_sender_is_told_by_its_officers_word()
-> Result<()> {
    let sealed = Sealed::new().await?;
    let (federation, desk) = (&sealed.federation, &sealed.desk);
    let id = sealed.alert(&alert()).await?;
    let path = format!("/v1/messages/{id}");
    assert_eq!(sealed.refused(&desk.client, &format!("{path}/content")).await?, "seal.held_by_agency");
    let (word, opened) = desk.open(federation, &id).await?;
    let content: Value = opened?
        .sections()
        .iter()
        .map(|(category, value)| (category.to_string(), value.reveal().clone()))
        .collect();
    assert_eq!(content["id.core"], alert()["sections"]["id.core"]);
    assert_eq!(
        sealed.until(&sealed.pfpnna, &id, "handed_to_agency").await?,
        ["accepted", "handed_to_agency"]
    );

    let word = word.context("nothing to say")?;
    assert_eq!(word.reply, None, "of what does not rest on control nothing is told");
    let foreign = Opening { release: ReleaseId::of(b"another"), ..word.clone() };
    assert_eq!(desk.say(federation, &foreign).await?.1["field"], "release");
    let reply = Some(Reply { status: "read".to_owned(), code: None });
    let telling = Opening { reply, ..word.clone() };
    assert_eq!(desk.say(federation, &telling).await?.1["field"], "reply");
    let blamed =
        Opening { outcome: Outcome::Refused, reason: Some("node.internal".to_owned()), ..word.clone() };
    assert_eq!(desk.say(federation, &blamed).await?.1["field"], "reason");
    for _ in 0..2 {
        let (status, said) = desk.say(federation, &word).await?;
        assert_eq!((status, &said["states"]), (StatusCode::OK, &json!(["opened", "handed_to_agency"])));
    }
    let told = sealed.until(&sealed.pfpnna, &id, "opened").await?;
    assert_eq!(told, ["accepted", "handed_to_agency", "opened"], "each once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_holder_of_its_key_is_handed_a_sealed_message_or_speaks_for_it() -> Result<()> {
    let sealed = Sealed::new().await?;
    let (federation, desk) = (&sealed.federation, &sealed.desk);
    let (igm, inm) = (federation.client("GT", "IGM")?, federation.client("MX", "INM")?);
    let id = sealed.alert(&alert()).await?;
    assert_eq!(sealed.refused(&igm, &format!("/v1/messages/{id}/sealed")).await?, "not_found");
    assert_eq!(sealed.refused(&sealed.pfpnna, &format!("/v1/messages/{id}/sealed")).await?, "not_found");
    let (word, _) = desk.open(federation, &id).await?;
    let ana = federation.officer("GT", "IGM", "ana", "p-ana")?;
    let word = word.context("nothing to say")?;
    let forged = signed(&ana, TYP_OPENING, ("GT", "PGN", "lucia"), &word, federation.clock.as_ref())?;
    let forged = post(&desk.client, &format!("/v1/messages/{id}/opened"), &forged).await?;
    assert_eq!(forged.json::<Value>()?["code"], "officer.not_entitled");
    // What the node opens is not for a desk.
    let row = sealed.sent(&inm, &adult_row(1)).await?;
    assert_eq!(sealed.refused(&igm, &format!("/v1/messages/{row}/sealed")).await?, "seal.held_by_node");
    assert_eq!(igm.get(&format!("/v1/messages/{row}/content")).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_a_role_that_several_share_names_the_one_that_opens_itself_or_is_not_sent() -> Result<()>
{
    let agencies = [AGENCIES, &[("GT", "SBS", "child_protection")]].concat();
    let federation = Federation::of(&["GT", "MX"], &agencies).await?;
    federation.opens_itself("GT", "PGN", "child_protection")?;
    let pfpnna = federation.client("MX", "PFPNNA")?;
    let mut alert = alert();
    for path in ["/v1/messages/dry-run", "/v1/messages"] {
        let verdict: Value = post(&pfpnna, path, &alert).await?.json()?;
        assert_eq!(verdict["problems"][0]["code"], "seal.agency_needed", "{verdict}");
    }
    for agency in ["PGN", "SBS"] {
        alert["recipient"]["agency"] = json!(agency);
        let verdict: Value = post(&pfpnna, "/v1/messages", &alert).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    }
    let sbs = federation.client("GT", "SBS")?;
    assert_eq!(received(&federation, &sbs, "child.alert").await?["opened_by"], "node");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_keys_in_overlap_everything_opens_and_without_the_former_what_was_sealed_to_it_waits()
-> Result<()> {
    let mut sealed = Sealed::new().await?;
    let before = sealed.alert(&alert()).await?;
    sealed.federation.clock.advance_ms(60_000);
    let next = sealed.federation.opens_itself("GT", "PGN", "child_protection")?;
    let after = sealed.alert(&alert()).await?;
    sealed.desk.keys.push(next);
    for id in [&before, &after] {
        assert!(sealed.desk.open(&sealed.federation, id).await?.1.is_ok());
    }
    let former = sealed.desk.keys.remove(0);
    assert!(sealed.desk.open(&sealed.federation, &after).await?.1.is_ok(), "the later one is sealed to");
    let (word, waits) = sealed.desk.open(&sealed.federation, &before).await?;
    assert_eq!(waits.unwrap_err().kind.code, "seal.key_missing");
    assert_eq!(word, None, "that is nobody's fault, and nothing is said to the sender");
    // Ended in the directory, it opens what came under it still.
    let home = &sealed.federation.member("GT")?.home;
    agency_key::revoke(home, &"PGN".parse()?, former.key_id(), sealed.federation.clock.as_ref())?;
    sealed.federation.spread("GT")?;
    sealed.desk.keys.push(former);
    assert!(sealed.desk.open(&sealed.federation, &before).await?.1.is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_leave_when_its_key_ends_stays_and_its_sender_is_told_to_submit_it_again() -> Result<()>
{
    let mut sealed = Sealed::new().await?;
    sealed.federation.stop("GT").await?;
    let verdict: Value = post(&sealed.pfpnna, "/v1/messages", &alert()).await?.json()?;
    let path = format!("/v1/messages/{}", verdict["message_id"].as_str().context("not sent")?);
    let home = &sealed.federation.member("GT")?.home;
    let ended = sealed.desk.keys.remove(0);
    agency_key::revoke(home, &"PGN".parse()?, ended.key_id(), sealed.federation.clock.as_ref())?;
    sealed.desk.keys.push(sealed.federation.opens_itself("GT", "PGN", "child_protection")?);
    sealed.federation.clock.advance_ms(600_000);
    sealed.federation.start("GT").await?;
    let cancelled = |seen: &Value| seen["message"]["state"] == "cancelled";
    let seen = sealed.federation.until(&sealed.pfpnna, &path, cancelled).await?;
    assert_eq!(seen["message"]["code"], "seal.key_ended");
    sealed.desk.client = sealed.federation.client("GT", "PGN")?;
    let again = sealed.alert(&alert()).await?;
    assert!(sealed.desk.open(&sealed.federation, &again).await?.1.is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_key_opened_is_sent_again_by_its_originator_and_the_former_is_marked_on_both_sides()
-> Result<()> {
    let mut sealed = Sealed::new().await?;
    let lost = sealed.alert(&alert()).await?;
    let mut again = alert();
    again["replaces"] = json!(lost);
    let early: Value = post(&sealed.pfpnna, "/v1/messages", &again).await?.json()?;
    assert_eq!(early["problems"][0]["field"], "/replaces", "nobody has said that it is lost: {early}");

    let (status, stands) = sealed.desk.lost(&sealed.federation, &lost).await?;
    assert_eq!((status, &stands["code"]), (StatusCode::CONFLICT, &json!("seal.key_stands")));
    let gone = sealed.desk.keys.remove(0);
    let home = &sealed.federation.member("GT")?.home;
    agency_key::revoke(home, &"PGN".parse()?, gone.key_id(), sealed.federation.clock.as_ref())?;
    sealed.federation.spread("GT")?;
    let closed: Value = post(&sealed.pfpnna, "/v1/messages", &alert()).await?.json()?;
    assert_eq!(closed["problems"][0]["code"], "seal.no_key", "{closed}");

    let next = sealed.federation.opens_itself("GT", "PGN", "child_protection")?;
    sealed.desk.keys.push(next);
    let (status, said) = sealed.desk.lost(&sealed.federation, &lost).await?;
    assert_eq!((status, &said["code"]), (StatusCode::OK, &json!("seal.key_lost")));
    sealed.until(&sealed.pfpnna, &lost, "key_lost").await?;
    let told = |inbox: &Value| {
        let mut events = inbox["events"].as_array().into_iter().flatten();
        events.any(|e| e["data"]["message"] == lost.as_str() && e["data"]["state"] == "key_lost")
    };
    sealed.federation.until(&sealed.pfpnna, "/v1/inbox", told).await?;

    let second = sealed.alert(&again).await?;
    let (_, opened) = sealed.desk.open(&sealed.federation, &second).await?;
    assert_eq!(opened?.section("id.core"), Some(&alert()["sections"]["id.core"]));
    sealed.until(&sealed.pfpnna, &lost, "replaced").await?;
    let here: Value = sealed.desk.client.get(&format!("/v1/messages/{lost}")).await?.json()?;
    assert_eq!(states(&here).last().map(String::as_str), Some("replaced"));
    let twice: Value = post(&sealed.pfpnna, "/v1/messages", &again).await?.json()?;
    assert_eq!(twice["problems"][0]["field"], "/replaces", "{twice}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_for_an_authority_with_its_own_key_is_carried_and_said_to_be_sealed() -> Result<()> {
    let sealed = Sealed::new().await?;
    let federation = &sealed.federation;
    let (igm, inm) = (federation.client("GT", "IGM")?, federation.client("MX", "INM")?);
    let before = sealed.sent(&inm, &adult_row(1)).await?;
    let key = federation.opens_itself("GT", "IGM", "returns_reception")?;
    let after = sealed.sent(&inm, &adult_row(2)).await?;
    let view: Value = igm.get(OPERATION).await?.json()?;
    let is_sealed = |id: &str| {
        let mut messages = view["messages"].as_array().unwrap().iter();
        messages.find(|message| message["message_id"] == id).unwrap()["sealed"].clone()
    };
    assert_eq!((is_sealed(&before), is_sealed(&after)), (json!(false), json!(true)));
    let paper = String::from_utf8(igm.get(&format!("{OPERATION}/print")).await?.body.to_vec())?;
    assert!(paper.contains("Ixchel 1") && paper.contains("KEPT SEALED FOR THE AUTHORITY"));
    let unlisted = json!({"sections": {"id.core": adult_row(2)["sections"]["id.core"]}});
    let candidates: Value = post(&igm, &format!("{OPERATION}/candidates"), &unlisted).await?.json()?;
    assert_eq!(candidates["uncompared"], json!([after]), "{candidates}");
    // None of this told the sender that it was opened, and its own machine opens it.
    let told = sealed.until(&inm, &after, "accepted").await?;
    assert_eq!(told, ["accepted"]);
    let desk = Desk::of(federation, "GT", "IGM", key)?;
    assert!(desk.open(federation, &after).await?.1.is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_to_an_authority_takes_effect_and_its_answer_counts_once_an_officer_has_read_it()
-> Result<()> {
    let sealed = Sealed::new().await?;
    let federation = &sealed.federation;
    let key = federation.opens_itself("MX", "PFPNNA", "child_protection")?;
    let asking = Desk::of(federation, "MX", "PFPNNA", key)?;
    let mut named = alert();
    named["subject_id"] = json!("nna-1");
    sealed.alert(&named).await?;
    let order = json!({"kind": "erasure", "subject_id": "nna-1",
        "sections": {"ops.metadata": {"status": "erase", "at": "2026-11-25T15:00:00Z", "ground": "request"}}});
    let queued: Value = post(&asking.client, "/v1/notices", &order).await?.json()?;
    assert_eq!(queued["notices"], 1, "{queued}");
    let ordered = came(federation, &sealed.desk.client, "data.erasure.order").await?;
    let (word, opened) = sealed.desk.open(federation, &ordered).await?;
    assert_eq!((word.and_then(|word| word.reply), opened.is_ok()), (None, true), "it answers nothing");

    let known: Value = sealed.desk.client.get(&format!("/v1/messages/{ordered}")).await?.json()?;
    let kept = json!({
        "type": "data.erasure.confirm",
        "recipient": {"country": "MX", "role": "child_protection", "agency": "PFPNNA"},
        "purpose": "data_subject_rights", "legal_basis": {"type": "control"}, "subject": {"kind": "none"},
        "case": known["message"]["case"], "in_reply_to": ordered, "facts": {"identity_proven": "yes"},
        "sections": {"ops.metadata": {"status": "kept", "code": "legal_hold"}}});
    let answer = sealed.sent(&sealed.desk.client, &kept).await?;
    let notices: Value = asking.client.get("/v1/notices").await?.json()?;
    assert_eq!(notices["notices"][0]["state"], "open", "nobody has read it: {notices}");
    let (word, _) = asking.open(federation, &answer).await?;
    assert_eq!(asking.say(federation, &word.context("nothing to say")?).await?.0, StatusCode::OK);
    let notices: Value = asking.client.get("/v1/notices").await?.json()?;
    let notice = &notices["notices"][0];
    assert_eq!((&notice["state"], &notice["code"]), (&json!("kept"), &json!("legal_hold")), "{notices}");
    Ok(())
}

/// The id of the first message of this type that came in for an agency.
async fn came(federation: &Federation, agency: &AgencyClient, message_type: &str) -> Result<String> {
    let find = |inbox: &Value| -> Option<String> {
        let mut events = inbox["events"].as_array()?.iter();
        let came = events
            .find(|e| e["data"]["message_type"] == message_type && e["type"] == "puente.message_received")?;
        Some(came["data"]["message"].as_str()?.to_owned())
    };
    let inbox = federation.until(agency, "/v1/inbox?wait=1", |inbox| find(inbox).is_some()).await?;
    find(&inbox).context("did not come")
}

struct Unobserved;

impl CommitObserver for Unobserved {
    fn committed(&self, _commits: usize, _writes: usize, _micros: u64) {}
}

/// Every private key in any file under a folder that can open anything: of each use and kind, signing keys of P-256 among
/// them, and every secret of 32 bytes taken for X25519.
fn keys_in(folder: &Path) -> Result<Vec<KeyFile>> {
    let mut found = Vec::new();
    for (_, bytes) in files(folder)? {
        found.extend(KeyFile::from_pem(&bytes, KeyUse::Open).ok());
        if bytes.len() == 32 {
            found.extend(KeyFile::from_pem(x25519(&bytes).as_bytes(), KeyUse::Open).ok());
        }
    }
    Ok(found)
}

/// A raw secret as PKCS#8 in PEM (RFC 8410 section 7).
fn x25519(secret: &[u8]) -> String {
    const PREFIX: [u8; 16] =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20];
    let der = [PREFIX.as_slice(), secret].concat();
    let text = puente_core::envelope::base64url(&der).replace('-', "+").replace('_', "/");
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// Whether any of these opens a stored message, by the routine that both the node and the desk run.
fn opens(openers: &[Box<dyn Open>], wire: &[u8], release: ReleaseId) -> Result<bool> {
    let outer = read_stored(wire, release)?;
    Ok(openers.iter().any(|opener| verify_inner(&outer, opener.as_ref()).is_ok()))
}

fn all_openers(keys: &[KeyFile]) -> Vec<Box<dyn Open>> {
    keys.iter().map(|key| -> Box<dyn Open> { Box::new(key.opener().unwrap()) }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_on_a_disk_in_memory_or_in_a_backup_of_either_node_opens_what_is_sealed_to_the_authority()
-> Result<()> {
    let mut sealed = Sealed::new().await?;
    let inm = sealed.federation.client("MX", "INM")?;
    let (child, adult) = (sealed.alert(&alert()).await?, sealed.sent(&inm, &adult_row(1)).await?);
    let (child, adult): (MessageId, MessageId) = (child.parse()?, adult.parse()?);
    let authoritys = all_openers(&sealed.desk.keys);
    let pem = sealed.desk.keys[0].to_pem();
    let secret = pem.lines().nth(1).context("no body")?.as_bytes().to_vec();
    let mut on_disks = Vec::new();
    for country in ["GT", "MX"] {
        let home = &sealed.federation.member(country)?.home;
        on_disks.extend(keys_in(home.path())?);
        for (path, bytes) in files(home.path())? {
            let holds = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!holds, "{country} has the authority's key in {}", path.display());
        }
    }
    assert!(on_disks.len() > 20, "the search finds what there is: {}", on_disks.len());
    let on_disks = all_openers(&on_disks);

    let mut wires = Vec::new();
    for country in ["GT", "MX"] {
        let node = sealed.federation.member(country)?.running.as_ref().context("does not run")?.node();
        for (id, to_the_authority) in [(child, true), (adult, false)] {
            let row = node.store.message(id).await?.context("not stored")?;
            let kid = claimed_key(std::str::from_utf8(&row.wire)?.split('~').nth(1).context("no seal")?)
                .context("no key")?;
            assert_eq!(authoritys.iter().any(|key| *key.key_id() == kid), to_the_authority, "{country}");
            let outer = read_stored(&row.wire, row.release)?;
            let in_memory = node.keys.openers.values().any(|key| verify_inner(&outer, key.as_ref()).is_ok());
            assert_eq!(in_memory, country == "GT" && !to_the_authority, "{country}: in memory");
            wires.push((to_the_authority, row.wire, row.release));
        }
    }
    // A copy of data and keys of each node, as an operator takes it, opened elsewhere.
    for country in ["GT", "MX"] {
        sealed.federation.stop(country).await?;
        let home = &sealed.federation.member(country)?.home;
        let (data, subjects) =
            (home.path().with_extension("data.backup"), home.path().with_extension("subjects.backup"));
        std::fs::copy(home.store(), &data)?;
        std::fs::copy(home.subjects(), &subjects)?;
        let config = Config::read(&home.config())?;
        let store = load::store_at(home, &data, &subjects, &config, Arc::new(Unobserved))?;
        for (id, to_the_authority) in [(child, true), (adult, false)] {
            let row = store.message(id).await?.context("not in the backup")?;
            wires.push((to_the_authority, row.wire, row.release));
        }
    }
    assert_eq!(wires.len(), 8);
    for (to_the_authority, wire, release) in &wires {
        assert_eq!(opens(&on_disks, wire, *release)?, !to_the_authority);
        assert_eq!(opens(&authoritys, wire, *release)?, *to_the_authority);
    }
    Ok(())
}
