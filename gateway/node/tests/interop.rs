//! What other libraries for JOSE, SD-JWT and HTTP message signatures make of our messages, and what we make of theirs.
//!
//! Not here: the other libraries. Both tests are ignored unless asked for, because they share a folder with them:
//! `tests/interop/run` names it in `PUENTE_INTEROP_DIR`, runs the first test, the others, then the second. INVARIANT:
//! what is written comes from the gateway's own functions, under decisions of the published policies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use puente_core::delivery::{CLOUD_EVENT_MEDIA, CloudEvent, Event, EventKind};
use puente_core::envelope::{
    BasisRef, Draft, Handling, Header, Jwk, KeyFactory as _, Open, PolicyRef, Receiving, RecipientRef,
    Release, SenderKeys, SenderRef, SignatureProfile, Statement, Verify, issue, read_issued, release,
    release_issued, verify_inner, verify_outer,
};
use puente_core::evidence::{Receipt, ReceiptEntry, ReceiptState, issue_batch, verify_receipt};
use puente_core::ids::{
    AgencyId, CaseId, Category, CountryCode, DecisionId, Digest, KeyId, MessageId, Realm,
};
use puente_core::personal::Personal;
use puente_core::policy::{Decision, Outcome, PolicyEngine, SendFacts, cases};
use puente_node::keys::{Jose, KeyFile, KeyUse, SystemRandom};

const MATRIX: &[u8] = include_bytes!("../../../policies/cases/matrix.json");
const MANIFEST: &str = include_str!("../../../schemas/messages/return.manifest/1/examples/valid-full.json");

/// The instant at which everything happens, seconds; no clock is read.
const NOW: i64 = 1_900_000_000;

const PROFILES: [(&str, SignatureProfile); 2] =
    [("p256", SignatureProfile::P256), ("25519", SignatureProfile::Curve25519)];

/// One message that goes whole, one that loses a category on the way.
const CASES: [(&str, Outcome); 2] = [("PM-001", Outcome::Permit), ("PM-016", Outcome::PermitRedacted)];

#[expect(
    clippy::disallowed_methods,
    reason = "the folder is an argument of the test, not a setting of the node"
)]
fn folder() -> PathBuf {
    std::env::var_os("PUENTE_INTEROP_DIR").expect("tests/interop/run names the folder").into()
}

fn policies() -> PolicyEngine {
    fn walk(root: &Path, folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, into);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                into.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    PolicyEngine::load(files).unwrap()
}

/// A fictitious row with every category that the case asks for.
fn sections(facts: &SendFacts) -> BTreeMap<Category, Personal<Value>> {
    let manifest: Value = serde_json::from_str(MANIFEST).unwrap();
    let of = |category: &Category| {
        let example = manifest.pointer(&format!("/sections/{category}"));
        Personal::new(example.cloned().unwrap_or_else(|| json!({"ñ": [1, 2.5, null, "á\u{2028}\""]})))
    };
    facts.requested.iter().map(|category| (category.clone(), of(category))).collect()
}

fn header(facts: &SendFacts) -> Header {
    Header {
        message_type: facts.message.clone(),
        version: 1,
        sender: SenderRef {
            country: facts.sender.country.clone(),
            agency: "INTEROP".parse().unwrap(),
            role: facts.sender.role.clone(),
        },
        recipient: RecipientRef {
            country: facts.recipient.country.clone(),
            role: facts.recipient.role.clone(),
            agency: None,
        },
        case: CaseId(Uuid::from_u128(1)),
        operation: None,
        after: None,
        in_reply_to: None,
        replaces: None,
        step: None,
        subject_ref: None,
        purpose: facts.purpose.clone(),
        legal_basis: BasisRef { kind: facts.basis.basis.code().to_owned(), agreement: None },
        handling: Handling { onward: "domestic_same_purpose".to_owned(), retention_days: 365 },
        attachments: Vec::new(),
    }
}

/// The keys of one profile: a sender's for messages, a receiver's for receipts and for opening.
struct Keys {
    message: KeyFile,
    agency: KeyFile,
    receipt: KeyFile,
    seal: KeyFile,
}

impl Keys {
    fn generate(profile: SignatureProfile) -> Self {
        let key = |usage| KeyFile::generate(profile, usage).unwrap();
        Self {
            message: key(KeyUse::Sign),
            agency: key(KeyUse::Sign),
            receipt: key(KeyUse::Sign),
            seal: key(KeyUse::Open),
        }
    }

    fn described(&self) -> Value {
        let one = |key: &KeyFile| json!({"public": key.public_jwk(), "private_pem": key.to_pem().as_str()});
        json!({
            "message": one(&self.message),
            "agency": one(&self.agency),
            "receipt": one(&self.receipt),
            "seal": one(&self.seal),
        })
    }
}

/// Who signs a message as its issuer.
#[derive(Clone, Copy)]
enum Issuer {
    Gateway,
    Agency,
}

fn message(policies: &PolicyEngine, case: &str, expected: Outcome, issuer: Issuer, keys: &Keys) -> Value {
    let facts = cases::facts(MATRIX).unwrap().remove(case).unwrap();
    let decision = policies.send(&facts);
    assert_eq!(decision.outcome, expected, "{case}");
    let sections = sections(&facts);
    let statement = Statement {
        message: MessageId(Uuid::now_v7()),
        realm: Realm::Conformance,
        from: facts.sender.country.clone(),
        header: header(&facts),
        consent: None,
        issued_at: NOW,
        expires_at: NOW + 3600,
    };
    let made = released(statement, &decision, &sections, issuer, keys);
    let released: BTreeMap<_, _> =
        sections.iter().filter(|(category, _)| made.labels.contains(category)).collect();
    json!({
        "issuer": match issuer { Issuer::Gateway => "gateway", Issuer::Agency => "agency" },
        "wire": String::from_utf8(made.wire).unwrap(),
        "release_id": made.id,
        "sections": released,
        "withheld": decision.removed.keys().collect::<Vec<_>>(),
    })
}

fn released(
    statement: Statement,
    decision: &Decision,
    sections: &BTreeMap<Category, Personal<Value>>,
    issuer: Issuer,
    keys: &Keys,
) -> Release {
    let policy = PolicyRef { digest: decision.digest, decision: DecisionId(Uuid::from_u128(2)) };
    let permit = decision.permit().unwrap();
    let gateway = keys.message.signer().unwrap();
    let sealer = Jose.sealer(keys.seal.key_id(), &keys.seal.public_jwk()).unwrap();
    match issuer {
        Issuer::Gateway => {
            let draft = Draft { statement, policy, sections };
            release(draft, &permit, &gateway, sealer.as_ref(), &SystemRandom).unwrap()
        }
        Issuer::Agency => {
            let releaser = keys.message.public_jwk();
            let agency = statement.header.sender.agency.clone();
            let signer = keys.agency.signer().unwrap();
            let signed = issue(statement.unsigned(&releaser), sections, &signer, &SystemRandom).unwrap();
            let (_, verifier) = verifier(&keys.agency.public_jwk());
            let issued = read_issued(&signed, &agency, verifier.as_ref(), &releaser).unwrap();
            release_issued(&issued, policy, NOW, &permit, &gateway, sealer.as_ref()).unwrap()
        }
    }
}

/// An odd number of entries, so that one of them moves up a level without a sibling.
fn receipts(keys: &Keys, iss: &CountryCode, aud: &CountryCode) -> Vec<Receipt> {
    let entry = |number: u128, state, code: Option<&str>| ReceiptEntry {
        message_id: MessageId(Uuid::from_u128(number)),
        release_id: Digest::of(&number.to_be_bytes()),
        state,
        code: code.map(str::to_owned),
        at_ms: NOW * 1000,
        log_origin: "puente.example/MX".to_owned(),
        leaf_hash: Digest::of(b"leaf"),
        salt: Digest::of(&[number.to_be_bytes(), [7; 16]].concat()).to_string(),
    };
    let entries = [
        entry(1, ReceiptState::Accepted, None),
        entry(2, ReceiptState::Refused, Some("refused")),
        entry(3, ReceiptState::Opened, None),
        entry(4, ReceiptState::Accepted, None),
        entry(5, ReceiptState::HandedToAgency, None),
    ];
    let signer = keys.receipt.signer().unwrap();
    issue_batch(&entries, iss, aud, Realm::Conformance, NOW, &signer).unwrap().receipts
}

/// A call of a webhook as its receiver gets it.
fn call(keys: &Keys) -> Value {
    let event = Event {
        kind: EventKind::MessageState,
        agency: None,
        role: "returns_reception".parse().unwrap(),
        message: Some(MessageId(Uuid::from_u128(1))),
        approval: None,
        message_type: None,
        state: "accepted".to_owned(),
        at_ms: NOW * 1000,
    };
    let event = CloudEvent::of(Realm::Conformance, &country("GT"), 42, event);
    let mut request = http::Request::post("https://igm.example:8443/events?of=gt")
        .header("content-type", CLOUD_EVENT_MEDIA)
        .body(serde_json::to_vec(&event).unwrap())
        .unwrap();
    keys.message.http_signer().unwrap().sign(&mut request, NOW).unwrap();
    let headers: BTreeMap<_, _> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    json!({
        "method": request.method().as_str(),
        "url": request.uri().to_string(),
        "headers": headers,
        "body": String::from_utf8(request.body().clone()).unwrap(),
    })
}

#[test]
#[ignore = "shares a folder with other libraries; tests/interop/run calls it"]
fn messages_and_receipts_are_written_for_other_libraries() {
    let folder = folder().join("ours");
    std::fs::create_dir_all(&folder).unwrap();
    let policies = policies();
    let (mx, us) = (country("MX"), country("US"));
    for (name, profile) in PROFILES {
        let keys = Keys::generate(profile);
        let messages: Vec<Value> = [Issuer::Gateway, Issuer::Agency]
            .iter()
            .flat_map(|issuer| {
                CASES.map(|(case, expected)| message(&policies, case, expected, *issuer, &keys))
            })
            .collect();
        let body = json!({
            "now": NOW,
            "keys": keys.described(),
            "messages": messages,
            "receipts": receipts(&keys, &mx, &us),
            "calls": [call(&keys)],
        });
        std::fs::write(folder.join(format!("{name}.json")), body.to_string()).unwrap();
    }
}

/// What another library made, from the United States to Mexico, sealed to the key that we gave.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Theirs {
    message_key: Jwk,
    agency_key: Jwk,
    /// The agency that signs with it.
    agency: AgencyId,
    receipt_key: Jwk,
    accepted: Vec<Accepted>,
    refused: Vec<Refused>,
    receipts: Vec<Receipt>,
    refused_receipts: Vec<Receipt>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    wire: String,
    sections: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    what: String,
    wire: String,
    code: String,
}

fn country(code: &str) -> CountryCode {
    code.parse().unwrap()
}

fn verifier(jwk: &Jwk) -> (KeyId, Arc<dyn Verify>) {
    let id: KeyId = jwk.0.get("kid").and_then(Value::as_str).unwrap().parse().unwrap();
    let verifier = Jose.verifier(&id, jwk).unwrap();
    (id, Arc::from(verifier))
}

/// The directory of a country with one gateway key and one agency that signs by itself.
struct Directory {
    gateway: Jwk,
    agency: AgencyId,
    agency_key: Jwk,
}

impl SenderKeys for Directory {
    fn gateway(&self, kid: &KeyId) -> Option<Arc<dyn Verify>> {
        let (id, key) = verifier(&self.gateway);
        (id == *kid).then_some(key)
    }

    fn is_gateway(&self, kid: &KeyId, jwk: &Jwk) -> bool {
        verifier(&self.gateway).0 == *kid && self.gateway == *jwk
    }

    fn agency(&self, kid: &KeyId) -> Option<(AgencyId, Arc<dyn Verify>)> {
        let (id, key) = verifier(&self.agency_key);
        (id == *kid).then(|| (self.agency.clone(), key))
    }

    fn signs_itself(&self, agency: &AgencyId) -> bool {
        self.agency == *agency
    }
}

/// The content, or the code of the first thing found wrong.
fn open(wire: &str, keys: &Directory, opener: &dyn Open) -> Result<Value, &'static str> {
    let (mx, us) = (country("MX"), country("US"));
    let receiving = Receiving { us: &mx, realm: Realm::Conformance, now: NOW, peer: &us, keys };
    verify_outer(wire.as_bytes(), &receiving)
        .and_then(|outer| verify_inner(&outer, opener))
        .map(|inner| json!(inner.sections()))
        .map_err(|problem| problem.kind.code)
}

#[test]
#[ignore = "shares a folder with other libraries; tests/interop/run calls it"]
fn what_other_libraries_made_is_accepted_and_what_they_altered_is_refused() {
    let folder = folder();
    for (name, _) in PROFILES {
        let read = |side: &str| std::fs::read(folder.join(side).join(format!("{name}.json"))).unwrap();
        let ours: Value = serde_json::from_slice(&read("ours")).unwrap();
        let theirs: Theirs = serde_json::from_slice(&read("theirs")).unwrap();
        let pem = ours.pointer("/keys/seal/private_pem").and_then(Value::as_str).unwrap();
        let opener = KeyFile::from_pem(pem.as_bytes(), KeyUse::Open).unwrap().opener().unwrap();
        let keys =
            Directory { gateway: theirs.message_key, agency: theirs.agency, agency_key: theirs.agency_key };
        assert!(!theirs.accepted.is_empty() && !theirs.refused.is_empty());
        for made in &theirs.accepted {
            assert_eq!(open(&made.wire, &keys, &opener), Ok(made.sections.clone()), "{name}");
        }
        for altered in &theirs.refused {
            let refused = open(&altered.wire, &keys, &opener);
            assert_eq!(refused, Err(altered.code.as_str()), "{name}: {}", altered.what);
        }
        let (_, key) = verifier(&theirs.receipt_key);
        let judge = |receipt: &Receipt| {
            let (mx, us) = (country("MX"), country("US"));
            verify_receipt(receipt, &us, &mx, Realm::Conformance, key.as_ref()).map_err(|p| p.kind.code)
        };
        assert!(!theirs.receipts.is_empty() && !theirs.refused_receipts.is_empty());
        assert!(theirs.receipts.iter().all(|receipt| judge(receipt).is_ok()), "{name}");
        for altered in &theirs.refused_receipts {
            assert_eq!(judge(altered).map(|entry| entry.state), Err("envelope.signature"), "{name}");
        }
    }
}
