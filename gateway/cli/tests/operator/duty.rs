//! A drill, and the officer of the other authority who answers it with the program.

use super::*;

/// Two authorities that serve: Mexico's and Guatemala's, and Guatemala's officer.
struct Authorities {
    folder: tempfile::TempDir,
    _nodes: (Serving, Serving),
}

impl Authorities {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair::found(folder.path());
        let Pair { mx, gt, .. } = &pair;
        let nodes = pair.serve();
        let (dif, pgn) = (path(folder.path(), "dif"), path(folder.path(), "pgn"));
        add_agency(mx, "DIF", "child_protection", &dif);
        add_agency(gt, "PGN", "child_protection", &pgn);
        let add =
            ["agency", "officer", "add", "PGN", "lucia", "--home", gt, "--person", "p-1", "--out", &pgn];
        assert_eq!(status(&add), 0);
        pair.introduce();
        std::fs::write(Path::new(&dif).join("address"), nodes.0.address("domestic")).unwrap();
        std::fs::write(Path::new(&pgn).join("address"), nodes.1.address("domestic")).unwrap();
        Self { folder, _nodes: nodes }
    }

    fn at(&self, name: &str) -> String {
        path(self.folder.path(), name)
    }
}

#[test]
fn a_drill_ends_when_an_officer_has_acted_and_reports_the_minutes() {
    let world = Authorities::new();
    let (dif, pgn) = (world.at("dif"), world.at("pgn"));
    let drill = puente()
        .args(["drill", "--as", &dif, "--to", "GT", "--to-agency", "PGN", "--there", &pgn, "--to-action"])
        .args(["--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let came = json(&["inbox", "--as", &pgn, "--wait", "20"]);
    assert_eq!(came["events"][0]["data"]["message_type"], "child.alert", "{came}");
    let listed = json(&["alert", "list", "--as", &pgn]);
    let alert = listed["alerts"][0]["alert_id"].as_str().unwrap().to_owned();
    let (officer, subject) = (format!("{pgn}/officer-lucia.key"), world.at("subject.json"));
    let stated = serde_json::json!({
        "kind": "child", "age": 11, "nationality": "GT", "residence": "GT", "risk_countries": [],
        "protection": "none_expressed",
    });
    let stated = stated.to_string();
    std::fs::write(&subject, stated).unwrap();
    let acted = ["alert", "action", "--as", &pgn, &alert, "exercise", "--officer", &officer];
    assert_eq!(json(&acted)["code"], "alert.unanswered");
    let ack = [
        "alert",
        "ack",
        "--as",
        &pgn,
        &alert,
        "--phone",
        "+50224148888",
        "--office",
        "PGN",
        "--subject",
        &subject,
        "--officer",
        &officer,
        "--zone",
        "America/Guatemala",
    ];
    assert_eq!(json(&ack)["verdict"], "accepted");
    assert_eq!(json(&["alert", "show", "--as", &pgn, &alert])["state"], "answered");
    assert_eq!(json(&acted)["state"], "acted");
    let output = drill.wait_with_output().unwrap();
    let failed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{failed}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["state"], &report["to"]), (&"acted".into(), &"GT".into()), "{report}");
    assert!(report["answered_minutes"].as_f64().unwrap() < 1.0, "{report}");
    assert_eq!(status(&["drill", "--as", &dif, "--to", "GT", "--alert", &alert]), 0, "looked at again");
}

#[test]
fn a_drill_with_a_credential_of_production_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (home, dif) = (path(folder.path(), "mx"), path(folder.path(), "dif"));
    init_in(&home, "MX", "production");
    add_agency(&home, "DIF", "child_protection", &dif);
    // No node serves: a drill that got as far as asking would end with 3.
    assert_eq!(status(&["drill", "--as", &dif, "--to", "GT"]), 1);
}
