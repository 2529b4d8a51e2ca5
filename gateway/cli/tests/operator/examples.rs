//! The worked clients of `ops/examples`, as an agency would run them, against nodes that serve.
//!
//! Needs python3, bash, curl, jq and openssl. One of them needs a library as well: `tests/interop/run` calls that test.

use super::*;

use std::collections::BTreeSet;
use std::net::TcpListener;

use puente_core::ids::Digest;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ops/examples");

/// Two countries that serve, and in Guatemala's inbox two messages that the worked clients sent from Mexico.
struct World {
    folder: tempfile::TempDir,
    _nodes: (Serving, Serving),
    ids: Vec<String>,
}

fn example(name: &str) -> Command {
    let interpreter = if name.ends_with(".py") { "python3" } else { "bash" };
    let mut command = Command::new(interpreter);
    // The machine's address book of proxies has nothing to do with a node.
    command.env("no_proxy", "*").env("PYTHONDONTWRITEBYTECODE", "1").arg(format!("{EXAMPLES}/{name}"));
    command
}

/// What an example printed, once it ended well.
pub fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}: {said} {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every JSON value in a text.
fn values(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().map(Result::unwrap).collect()
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair::found(folder.path());
        let Pair { mx, gt, .. } = &pair;
        let config = Path::new(gt).join("puente.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("networks = []", "networks = [\"127.0.0.0/8\"]")).unwrap();
        let nodes = pair.serve();
        let (inm, igm) = (path(folder.path(), "inm"), path(folder.path(), "igm"));
        add_agency(gt, "IGM", "returns_reception", &igm);
        add_agency(mx, "INM", "migration_enforcement", &inm);
        pair.introduce();
        std::fs::write(Path::new(&igm).join("address"), nodes.1.address("domestic")).unwrap();
        std::fs::write(Path::new(&inm).join("address"), nodes.0.address("domestic")).unwrap();

        let mut row: Value =
            serde_json::from_slice(&std::fs::read(format!("{EXAMPLES}/row.json")).unwrap()).unwrap();
        let ids = [("submit.py", 1), ("submit.sh", 2)].map(|(client, number)| {
            row["row"] = number.into();
            row["sections"]["id.core"]["given_names"] = format!("Ixchel {number}").into();
            let file = path(folder.path(), "row.json");
            std::fs::write(&file, row.to_string()).unwrap();
            let said = printed(example(client).args(["send", &inm, &file]));
            let verdict =
                said.rsplit_once("\n}").map_or(said.as_str(), |(verdict, _)| verdict).to_owned() + "\n}";
            values(&verdict)[0]["message_id"].as_str().unwrap().to_owned()
        });
        Self { folder, _nodes: nodes, ids: ids.into() }
    }

    fn at(&self, name: &str) -> String {
        path(self.folder.path(), name)
    }

    /// Reads everything from the beginning with this client; answers the ids of the messages it told of.
    fn read_anew(&self, client: &str, before: &[&str], pointer: &str) -> BTreeSet<String> {
        let igm = self.at("igm");
        let _ = std::fs::remove_file(Path::new(&igm).join("cursor"));
        let told = values(&printed(example(client).args(before).args([&igm, "2"])));
        let cursor = std::fs::read_to_string(Path::new(&igm).join("cursor")).unwrap();
        assert_eq!(cursor, "2", "{client} keeps its cursor");
        assert_eq!(told.len(), 2, "{client}");
        told.iter().map(|value| value.pointer(pointer).unwrap().as_str().unwrap().to_owned()).collect()
    }

    /// Registers a receiver with a certificate of its own, runs it until it has both events, and answers those.
    fn receive_with(&self, client: &str) -> Vec<Value> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("https://127.0.0.1:{port}/events");
        let (certificate, key) = (self.at("receiver.pem"), self.at("receiver.key"));
        printed(Command::new("openssl").args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=igm",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]));
        let public = self.at("receiver.pub");
        let mut export = Command::new("openssl");
        printed(export.args(["x509", "-in", &certificate, "-pubkey", "-noout", "-out", &public]));
        let der = Command::new("openssl")
            .args(["pkey", "-pubin", "-in", &public, "-outform", "DER"])
            .output()
            .unwrap();
        let pin = Digest::of(&der.stdout).to_string();
        let gt = self.at("gt");
        let own = self.at("gt/membership/directories/GT.json");
        let receiver = example(client)
            .args([&self.at("igm"), &url, &certificate, &key, &own, "2"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let add =
            ["agency", "webhook", "add", "IGM", "--home", &gt, "--url", &url, "--pin", &pin, "--after", "0"];
        let added = json(&add);
        assert_eq!(added["state"], "active", "{added}");
        let output = receiver.wait_with_output().unwrap();
        assert!(output.status.success(), "{client}");
        let id = added["webhook_id"].as_str().unwrap();
        for (act, state) in [("pause", "paused"), ("resume", "active")] {
            assert_eq!(json(&["agency", "webhook", act, id, "--home", &gt])["state"], state);
        }
        assert_eq!(json(&["webhook", "dead", "list", "--home", &gt])["dead_letters"], serde_json::json!([]));
        assert_eq!(status(&["agency", "webhook", "remove", id, "--home", &gt]), 0);
        values(&String::from_utf8(output.stdout).unwrap())
    }

    fn assert_both(&self, events: &[Value]) {
        let told: Vec<_> = events.iter().map(|event| event["data"]["message"].as_str().unwrap()).collect();
        assert_eq!(told, self.ids);
    }
}

#[test]
fn the_worked_clients_send_and_receive_by_long_poll_stream_and_webhook() {
    let world = World::new();
    let sent: BTreeSet<String> = world.ids.iter().cloned().collect();
    assert_eq!(sent.len(), 2);
    for client in ["submit.py", "submit.sh"] {
        assert_eq!(world.read_anew(client, &["receive"], "/message"), sent, "{client}");
    }
    for client in ["stream.py", "stream.sh"] {
        assert_eq!(world.read_anew(client, &[], "/data/message"), sent, "{client}");
    }
    world.assert_both(&world.receive_with("webhook.sh"));
}

#[test]
#[ignore = "needs a library for signatures; tests/interop/run calls it"]
fn the_worked_receiver_in_python_verifies_what_the_node_signed() {
    let world = World::new();
    world.assert_both(&world.receive_with("webhook.py"));
}
