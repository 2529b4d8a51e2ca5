//! The reception list at the desk: a bus is announced, its people are pressed in, and the sender learns what became of each.

use anyhow::Result;
use serde_json::{Value, json};

use puente_test_support::{Federation, adult_row, notice, post};

use crate::browser::Browser;
use crate::desk::{entered, open};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

const OPERATION: &str = "01940000-0000-7000-8000-000000000001";

/// Looks again until a page of the desk says this.
async fn until(browser: &Browser, path: &str, says: &str) -> Result<String> {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let mut pause = tokio::time::interval(std::time::Duration::from_millis(50));
    loop {
        pause.tick().await;
        let page = browser.get(path).await?.body;
        if page.contains(says) {
            return Ok(page);
        }
        anyhow::ensure!(tokio::time::Instant::now() < deadline, "`{says}` never stood on {path}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_is_announced_its_people_are_pressed_in_and_the_sender_learns_of_each() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let inm = federation.client("MX", "INM")?;
    let mut second = adult_row(2);
    second["sections"]["needs.services"] = json!({"codes": ["insulin"]});
    second["sections"].as_object_mut().unwrap().remove("language");
    for message in [notice(), adult_row(1), second] {
        let verdict: Value = post(&inm, "/v1/messages", &message).await?.json()?;
        assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    }
    let desk = open(&federation, "GT", "IGM", "raul").await?;
    let browser = entered(&desk).await?;
    let list = until(&browser, "/operations", "Personas: 2 de 2").await?;
    assert!(list.contains("2026-11-25 10:00") && list.contains("Tecún Umán"), "{list}");

    let page = format!("/operations/{OPERATION}");
    let shown = browser.get(&page).await?.body;
    for said in ["Tzoc Güinac Ixchel 1", "32 años", "Insulina", "sin idioma", "0 de 2"] {
        assert!(shown.contains(said), "`{said}` is missing: {shown}");
    }
    let form = browser.get(&page).await?;
    let (row, mark) = (form.hidden("row")?, form.hidden("mark")?);
    let press = [("row", row.as_str()), ("status", "arrived"), ("mark", mark.as_str())];
    for _ in 0..2 {
        let pressed = browser.send(&format!("{page}/arrival"), &press).await?;
        assert_eq!(pressed.header("location"), format!("{page}#row-{row}"), "back to the row");
    }
    let shown = browser.get(&page).await?.body;
    assert!(shown.contains("1 de 2") && shown.contains("Llegó · "), "{shown}");

    let unlisted = [
        ("given_names", "Ángel"),
        ("first_surname", "Núñez"),
        ("sex", "M"),
        ("age", "41"),
        ("nationality", "gt"),
    ];
    let recorded = browser.fill(&page, &format!("{page}/unlisted"), &unlisted).await?.body;
    assert!(recorded.contains("llegó alguien más"), "{recorded}");

    let known = |operation: &Value| operation["unsolicited"][0]["status"] == "unlisted";
    let operation = federation.until(&inm, &format!("/v1{page}"), known).await?;
    let answers: Vec<&Value> = operation["messages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|m| m["answers"].as_array().unwrap())
        .collect();
    assert_eq!(answers.len(), 1, "the same press twice is said once: {answers:?}");
    assert_eq!((&answers[0]["status"], &answers[0]["captured"]), (&json!("arrived"), &json!("screen")));

    let elsewhere = open(&federation, "GT", "IGM", "rosa").await?;
    let tablet = entered(&elsewhere).await?.get(&page).await?.body;
    assert!(tablet.contains("Registrado desde otro equipo"), "{tablet}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_came_after_the_list_is_said_on_the_row() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let inm = federation.client("MX", "INM")?;
    let verdict: Value = post(&inm, "/v1/messages", &adult_row(1)).await?.json()?;
    let mut amended = adult_row(1);
    amended["type"] = json!("return.manifest.amend");
    amended["case"] = verdict["case"].clone();
    amended["after"] = verdict["message_id"].clone();
    amended.as_object_mut().unwrap().remove("row");
    amended["sections"].as_object_mut().unwrap().remove("language");
    amended["sections"]["return.logistics"]["change"] = json!("edit");
    amended["sections"]["return.logistics"]["reason"] = json!("data_correction");
    amended["sections"]["id.core"]["given_names"] = json!("Ixchel María");
    let verdict: Value = post(&inm, "/v1/messages", &amended).await?.json()?;
    assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    let desk = open(&federation, "GT", "IGM", "raul").await?;
    let browser = entered(&desk).await?;
    let page = format!("/operations/{OPERATION}");
    until(&browser, "/operations", "Personas: 1").await?;
    let shown = until(&browser, &page, "Ixchel María").await?;
    assert!(shown.contains("Corregido 2026-11-25") && shown.contains("hoja impresa"), "{shown}");
    Ok(())
}
