//! An operator's day with the program itself: set up, serve, ask, add an agency, send, end.
//!
//! Not here: what two countries exchange (`tests/`). The program reads the machine's clock, so this does too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod duty;
mod examples;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use puente_core::ids::{CountryCode, Realm};
use puente_node::clock::SystemClock;
use puente_node::home::Home;
use puente_node::setup::{directory, federation};
use serde_json::Value;

fn puente() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_puente"));
    command.env_remove("PUENTE_HOME").env_remove("PUENTE_AS");
    command
}

fn run(line: &[&str]) -> Output {
    puente().args(line).output().unwrap()
}

fn status(line: &[&str]) -> i32 {
    run(line).status.code().unwrap()
}

fn json(line: &[&str]) -> Value {
    let output = run(&[line, &["--format", "json"]].concat());
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{line:?}: {failed}"))
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

fn init(home: &str, country: &str) {
    init_in(home, country, "training");
}

fn init_in(home: &str, country: &str, realm: &str) {
    let free = "127.0.0.1:0";
    let line = [
        "init",
        "--home",
        home,
        "--country",
        country,
        "--realm",
        realm,
        "--name",
        "127.0.0.1",
        "--gateway",
        free,
        "--listen-domestic",
        free,
        "--listen-federation",
        free,
        "--listen-operations",
        free,
        "--role",
        "returns_reception",
        "--role",
        "migration_enforcement",
        "--role",
        "child_protection",
    ];
    assert_eq!(status(&line), 0);
}

/// A serving node; ended when dropped, whatever the test came to.
struct Serving {
    process: Child,
    addresses: Value,
}

impl Serving {
    fn start(home: &str) -> Self {
        let mut process = puente()
            .args(["serve", "--home", home, "--log", "json", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, addresses: serde_json::from_str(&line).unwrap() }
    }

    fn address(&self, face: &str) -> &str {
        self.addresses[face].as_str().unwrap()
    }

    /// Asks it to end; answers its exit status.
    fn terminate(mut self) -> Option<i32> {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn add_agency(home: &str, agency: &str, role: &str, out: &str) {
    let line = ["agency", "add", agency, "--home", home, "--role", role, "--out", out];
    assert_eq!(status(&line), 0);
}

/// The homes of Mexico and Guatemala, of one federation.
struct Pair {
    mx: String,
    gt: String,
    homes: Vec<(CountryCode, Home)>,
}

impl Pair {
    fn found(folder: &Path) -> Self {
        let (mx, gt) = (path(folder, "mx"), path(folder, "gt"));
        let homes: Vec<(CountryCode, Home)> = [("MX", &mx), ("GT", &gt)]
            .map(|(country, home)| {
                init(home, country);
                (country.parse().unwrap(), Home::at(home))
            })
            .into();
        federation::found(&homes, Realm::Training, &SystemClock::default()).unwrap();
        Self { mx, gt, homes }
    }

    /// Both serve, and each one's directory says where.
    fn serve(&self) -> (Serving, Serving) {
        let nodes = (Serving::start(&self.mx), Serving::start(&self.gt));
        for (node, (_, home)) in [&nodes.0, &nodes.1].into_iter().zip(&self.homes) {
            directory::move_gateway(home, node.address("federation"), &SystemClock::default()).unwrap();
        }
        nodes
    }

    /// Each has the other's directory, in force.
    fn introduce(&self) {
        directory::copy(&self.homes[1].1, &self.homes[0].1).unwrap();
        directory::copy(&self.homes[0].1, &self.homes[1].1).unwrap();
        for home in [&self.mx, &self.gt] {
            reload(home);
        }
    }
}

/// Lets a node take up what was copied into its home, now and not within a second.
fn reload(home: &str) {
    let socket = format!("{home}/admin.sock");
    let line =
        ["--silent", "--fail", "--request", "POST", "--unix-socket", &socket, "http://admin/v1/reload"];
    examples::printed(Command::new("curl").args(line));
}

#[test]
fn two_nodes_are_set_up_served_asked_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::found(folder.path());
    let Pair { mx, gt, homes } = &pair;
    assert_eq!(status(&["check", "--home", mx]), 0);
    assert_eq!(status(&["queue", "--home", mx]), 3, "no node runs yet");

    let (mx_node, gt_node) = pair.serve();
    let (inm, igm) = (path(folder.path(), "inm"), path(folder.path(), "igm"));
    // Each addition publishes the directory and reloads the running node.
    add_agency(gt, "igm", "returns_reception", &igm);
    directory::copy(&homes[1].1, &homes[0].1).unwrap();
    add_agency(mx, "inm", "migration_enforcement", &inm);

    assert_eq!(json(&["peer", "list", "--home", mx])["peers"][0]["country"], "GT");
    let tested = json(&["peer", "test", "--home", mx]);
    assert_eq!(tested["ok"], true, "{tested}");
    assert_eq!(status(&["check", "--home", mx]), 0);
    assert_eq!(status(&["queue", "--home", mx]), 0);

    std::fs::write(Path::new(&igm).join("address"), gt_node.address("domestic")).unwrap();
    std::fs::write(Path::new(&inm).join("address"), mx_node.address("domestic")).unwrap();
    assert_eq!(json(&["inbox", "--as", &igm])["events"], serde_json::json!([]));
    let malformed = path(folder.path(), "message.json");
    std::fs::write(&malformed, r#"{"type": "return.notice", "colour": 1}"#).unwrap();
    assert_eq!(json(&["message", "send", "--as", &inm, &malformed])["code"], "body.malformed");
    assert_eq!(status(&["message", "send", "--as", &inm, &malformed]), 1);
    assert_eq!(status(&["message", "show", "0190f0a4-7c1e-7abc-8def-0123456789ab", "--home", mx]), 1);

    let (keys, row) =
        (path(folder.path(), "keys"), concat!(env!("CARGO_MANIFEST_DIR"), "/../../ops/examples/row.json"));
    let (private, public) = (format!("{keys}/signing.key"), format!("{keys}/signing.jwk"));
    assert_eq!(status(&["agency", "key", "generate", "--out", &keys]), 0);
    assert_eq!(
        status(&["message", "send", "--as", &inm, "--sign", &private, row]),
        1,
        "its gateway signs for it"
    );
    assert_eq!(status(&["agency", "key", "add", "inm", &public, "--home", mx]), 0);
    let unsigned = json(&["message", "send", "--as", &inm, row]);
    assert_eq!(unsigned["problems"][0]["code"], "envelope.mode", "{unsigned}");
    let signed = json(&["message", "send", "--as", &inm, "--sign", &private, row]);
    assert_eq!(signed["verdict"], "accepted", "{signed}");
    let listed = json(&["agency", "key", "list", "--home", mx]);
    assert_eq!((&listed["keys"][0]["agency"], &listed["keys"][0]["stands"]), (&"inm".into(), &true.into()));
    let kid = listed["keys"][0]["kid"].as_str().unwrap();
    assert_eq!(status(&["agency", "key", "revoke", "inm", kid, "--home", mx]), 0);
    let ended = json(&["message", "send", "--as", &inm, "--sign", &private, row]);
    assert_eq!(ended["problems"][0]["code"], "envelope.key", "{ended}");

    assert_eq!(status(&["agency", "revoke", "igm", "--home", gt]), 0);
    assert_eq!(json(&["inbox", "--as", &igm])["code"], "client.revoked");
    assert_eq!(gt_node.terminate(), Some(0));
    assert_eq!(status(&["inbox", "--as", &igm]), 3);
    assert_eq!(status(&["peer", "test", "--home", mx]), 1);
    assert_eq!(mx_node.terminate(), Some(0));
}

#[test]
fn a_line_that_is_wrong_ends_with_two() {
    assert_eq!(status(&["serve"]), 2);
    assert_eq!(status(&["init", "--home", "x", "--country", "Mexico"]), 2);
    assert_eq!(status(&["message", "show", "not-a-message", "--home", "x"]), 2);
    assert_eq!(status(&["colour"]), 2);
}

#[test]
fn officers_are_registered_and_their_keys_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let (home, out) = (path(folder.path(), "gt"), path(folder.path(), "igm"));
    init(&home, "GT");
    add_agency(&home, "igm", "returns_reception", &out);
    let add = ["agency", "officer", "add", "igm", "ana", "--home", &home, "--person", "p-1", "--out", &out];
    assert_eq!(status(&add), 0);
    assert!(Path::new(&out).join("officer-ana.key").exists());
    assert_eq!(status(&add), 1);
    let listed = json(&["agency", "list", "--home", &home]);
    assert_eq!(listed["agencies"][0]["officers"][0]["officer"], "ana");
    assert_eq!(status(&["agency", "officer", "revoke", "igm", "ana", "--home", &home]), 0);
    let listed = json(&["agency", "list", "--home", &home]);
    assert_eq!(listed["agencies"][0]["officers"][0]["state"], "revoked");
}
