//! kill -9 of either node at ten seeded moments during traffic: every accepted row arrives once.
//!
//! Not here: faults of disk and network. A kill counts only if rows were accepted and not yet receipted at
//! that moment; the numbers are printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{CountryCode, Realm};
use puente_node::client::{AgencyClient, AgencyCredential};
use puente_node::clock::SystemClock;
use puente_node::config::Listen;
use puente_node::home::Home;
use puente_node::setup::{self, Init, agency, federation};

const OPERATION: &str = "01940000-0000-7000-8000-000000000009";
const BATCH: u32 = 16;
const SEED: u64 = 20_261_124;

/// A node as a process of its own.
struct Node {
    home: Home,
    process: Option<Child>,
    client: AgencyClient,
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn prepare(folder: &Path, country: &str, name: &str, role: &str) -> (CountryCode, Home, AgencyCredential) {
    let home = Home::at(folder.join(country));
    let listen =
        Listen { domestic: free_address(), federation: free_address(), operations: "127.0.0.1:0".to_owned() };
    let request = Init {
        country: country.parse().unwrap(),
        realm: Realm::Training,
        profile: SignatureProfile::P256,
        gateway_address: listen.federation.clone(),
        names: vec!["127.0.0.1".to_owned()],
        roles: Some(BTreeSet::from(
            ["migration_enforcement", "returns_reception"].map(|r| r.parse().unwrap()),
        )),
        listen,
    };
    let clock = SystemClock::default();
    setup::init(&home, &request, &clock).unwrap();
    let enrolled =
        agency::add(&home, &name.parse().unwrap(), &[role.parse().unwrap()], None, &clock).unwrap();
    let credential = AgencyCredential {
        address: enrolled.address,
        authority: enrolled.authority.into_bytes(),
        certificate: enrolled.certificate.into_bytes(),
        key: enrolled.key.unwrap().as_bytes().to_vec().into(),
    };
    (country.parse().unwrap(), home, credential)
}

impl Node {
    fn new(home: Home, credential: &AgencyCredential) -> Self {
        let client = AgencyClient::new(credential, Arc::new(SystemClock::default())).unwrap();
        Self { home, process: None, client }
    }

    async fn start(&mut self) {
        let home = self.home.path().to_str().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_puente"))
            .args(["serve", "--home", home])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(child);
        let client = self.client.clone();
        until(|| {
            let client = client.clone();
            async move { client.get("/v1/catalogue").await.is_ok_and(|answer| answer.status.is_success()) }
        })
        .await;
    }

    fn signal(&self, name: &str) {
        let pid = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn kill(&mut self) {
        let mut child = self.process.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Asks until yes, every 20 ms, at most a minute.
async fn until<F: Future<Output = bool>>(ask: impl Fn() -> F) {
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    let asking = async {
        while !ask().await {
            pause.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect("never became what was waited for");
}

fn row(number: u32) -> Value {
    json!({
        "row": number, "type": "return.manifest", "operation": OPERATION, "purpose": "return_reception",
        "recipient": {"country": "GT", "role": "returns_reception"},
        "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"},
        "subject": {"kind": "adult", "age": 30, "nationality": "GT", "risk_countries": [], "protection": "none_expressed",
                    "flags": {"unaccompanied": "no", "screening_done": "yes", "age_disputed": "no",
                              "open_family_link_in_custody": "no", "stateless_risk": "no"}},
        "sections": {
            "id.core": {"given_names": format!("Persona {number}"), "first_surname": "Prueba", "sex": "F", "age": 30,
                        "nationalities": ["GT"]},
            "return.logistics": {"operation": OPERATION, "mode": "land", "origin": "Tapachula",
                                 "port_of_entry": "Tecún Umán", "eta": "2026-11-25T10:00:00-06:00",
                                 "zone": "America/Guatemala"}}
    })
}

/// Submits rows under a key of their own until an answer says what became of them.
async fn submit(client: &AgencyClient, first: u32) -> Vec<(u32, String)> {
    let body = serde_json::to_vec(&(first..first + BATCH).map(row).collect::<Vec<_>>()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("idempotency-key", HeaderValue::from_str(&format!("rows-from-{first}")).unwrap());
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    loop {
        pause.tick().await;
        let asked = client.request(Method::POST, "/v1/messages/batch", headers.clone(), body.clone()).await;
        let Ok(answer) = asked else { continue };
        if !answer.status.is_success() {
            continue;
        }
        let verdicts: Value = answer.json().unwrap();
        let told = verdicts["verdicts"].as_array().unwrap().iter();
        return told
            .map(|verdict| {
                assert_eq!(verdict["verdict"], "accepted", "{verdict}");
                let number = u32::try_from(verdict["row"].as_u64().unwrap()).unwrap();
                (number, verdict["message_id"].as_str().unwrap().to_owned())
            })
            .collect();
    }
}

async fn operation(client: &AgencyClient) -> Vec<Value> {
    let Ok(answer) = client.get(&format!("/v1/operations/{OPERATION}")).await else { return Vec::new() };
    answer.json::<Value>().ok().and_then(|seen| seen["messages"].as_array().cloned()).unwrap_or_default()
}

async fn inbox(client: &AgencyClient) -> Vec<String> {
    let (mut after, mut all) = (0, Vec::new());
    loop {
        let page: Value =
            client.get(&format!("/v1/inbox?after={after}&limit=500")).await.unwrap().json().unwrap();
        let events = page["events"].as_array().unwrap();
        if events.is_empty() {
            return all;
        }
        all.extend(events.iter().map(|event| event["data"]["message"].as_str().unwrap().to_owned()));
        after = page["next"].as_i64().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_every_accepted_row_arrives_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mx, mx_home, inm) = prepare(folder.path(), "MX", "INM", "migration_enforcement");
    let (gt, gt_home, igm) = prepare(folder.path(), "GT", "IGM", "returns_reception");
    let homes = [(mx, mx_home.clone()), (gt, gt_home.clone())];
    federation::found(&homes, Realm::Training, &SystemClock::default()).unwrap();
    let (mut sender, mut receiver) = (Node::new(mx_home, &inm), Node::new(gt_home, &igm));
    sender.start().await;
    receiver.start().await;

    let mut accepted: BTreeMap<u32, String> = BTreeMap::new();
    let mut counted = Vec::new();
    let (mut next, mut random) = (1, SEED);
    for kill in 0..10 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for _ in 0..(random >> 60) % 4 {
            accepted.extend(submit(&sender.client, next).await);
            next += BATCH;
        }
        if kill % 2 == 0 {
            // The receiver stands still, so what is accepted now cannot be receipted before the sender dies.
            receiver.signal("-STOP");
            let rows = submit(&sender.client, next).await;
            sender.kill();
            receiver.signal("-CONT");
            counted.push(rows.len());
            accepted.extend(rows);
            next += BATCH;
            sender.start().await;
        } else {
            let (rows, ()) = tokio::join!(submit(&sender.client, next), async { receiver.kill() });
            accepted.extend(rows);
            next += BATCH;
            let waiting = operation(&sender.client).await;
            counted.push(waiting.iter().filter(|message| message["state"] == "queued").count());
            receiver.start().await;
        }
    }
    let mut whole = counted.clone();
    whole.retain(|rows| *rows > 0);
    println!("kills that counted: {} of 10; rows accepted and unreceipted at each: {counted:?}", whole.len());
    assert_eq!(whole.len(), 10);

    let total = accepted.len();
    let asking = sender.client.clone();
    until(|| {
        let asking = asking.clone();
        async move {
            let all = operation(&asking).await;
            all.len() == total && all.iter().all(|message| message["state"] == "accepted")
        }
    })
    .await;
    let sent: BTreeSet<String> = accepted.values().cloned().collect();
    assert_eq!(sent.len(), total, "a row was accepted twice under two ids");
    let came = inbox(&receiver.client).await;
    assert_eq!(came.len(), total, "rows took effect twice or not at all");
    assert_eq!(came.into_iter().collect::<BTreeSet<_>>(), sent);
    println!("accepted {total}, arrived {total}, lost 0, doubled 0");
}
