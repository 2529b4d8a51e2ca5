//! A row that was corrected: what it says now, what it said before, who changed it when, and who knows.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use puente_node::client::AgencyClient;
use puente_test_support::{Federation, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

const OPERATION: &str = "/v1/operations/01940000-0000-7000-8000-000000000001";

/// An amendment of the row that this verdict is about.
fn amendment(verdict: &Value, after: &Value, change: &str, core: Option<Value>) -> Value {
    let mut row = adult_row(1);
    row["type"] = json!("return.manifest.amend");
    row["case"] = verdict["case"].clone();
    row["after"] = after.clone();
    row.as_object_mut().unwrap().remove("row");
    let mut logistics = row["sections"]["return.logistics"].clone();
    logistics["change"] = json!(change);
    logistics["reason"] = json!("data_correction");
    row["sections"] = json!({"return.logistics": logistics});
    if let Some(core) = core {
        row["sections"]["id.core"] = core;
    }
    row
}

async fn send(federation: &Federation, client: &AgencyClient, message: &Value) -> Result<Value> {
    let verdict: Value = post(client, "/v1/messages", message).await?.json()?;
    let id = verdict["message_id"].as_str().with_context(|| verdict.to_string())?;
    let accepted = |seen: &Value| seen["message"]["state"] == "accepted";
    federation.until(client, &format!("/v1/messages/{id}"), accepted).await?;
    Ok(verdict)
}

fn row_of<'a>(view: &'a Value, verdict: &Value) -> &'a Value {
    let messages = view["messages"].as_array().unwrap();
    messages.iter().find(|message| message["message_id"] == verdict["message_id"]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_row_says_what_it_said_before_and_who_has_acknowledged_the_correction() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let (inm, igm) = (federation.client("MX", "INM")?, federation.client("GT", "IGM")?);
    let row = send(&federation, &inm, &adult_row(1)).await?;
    let other = send(&federation, &inm, &adult_row(2)).await?;
    federation.clock.advance_ms(60_000);
    let mut core = adult_row(1)["sections"]["id.core"].clone();
    core["first_surname"] = json!("Tzoc Ixcoy");
    let corrected = amendment(&row, &row["message_id"], "edit", Some(core.clone()));
    let edit = send(&federation, &inm, &corrected).await?;

    let view: Value = igm.get(OPERATION).await?.json()?;
    let seen = row_of(&view, &row);
    assert_eq!(seen["corrected"]["sections"]["id.core"], core);
    assert_eq!(seen["corrected"]["removed"], false);
    let changed = &seen["corrections"][0]["changed"];
    assert_eq!(changed["before"], json!({"id.core": adult_row(1)["sections"]["id.core"]}));
    assert_eq!(changed["by"], json!({"country": "MX", "agency": "INM"}));
    assert_eq!(changed["at"], (puente_test_support::START_MS + 60_000) / 1000);
    assert_eq!(seen["corrections"][0]["acknowledged"], json!([]));
    let unchanged = row_of(&view, &other);
    assert_eq!((&unchanged["corrected"], &unchanged["corrections"]), (&Value::Null, &json!([])));
    let paper = String::from_utf8(igm.get(&format!("{OPERATION}/print")).await?.body.to_vec())?;
    assert!(paper.contains("Tzoc Ixcoy") && paper.contains("Corregido / corrected 2026-11-25 15:01 UTC"));
    let unlisted = json!({"sections": {"id.core": core}});
    let found: Value = post(&igm, &format!("{OPERATION}/candidates"), &unlisted).await?.json()?;
    assert_eq!(found["candidates"][0]["message_id"], row["message_id"], "{found}");

    let sent: Value = inm.get(OPERATION).await?.json()?;
    let correction = &row_of(&sent, &row)["corrections"][0];
    assert_eq!((&correction["message_id"], &correction["acknowledged"]), (&edit["message_id"], &json!([])));
    let acknowledges = json!({
        "type": "return.manifest.amend.ack", "recipient": {"country": "MX", "role": "migration_enforcement"},
        "purpose": "return_reception", "operation": "01940000-0000-7000-8000-000000000001",
        "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"}, "case": row["case"],
        "in_reply_to": edit["message_id"], "subject": adult_row(1)["subject"],
        "sections": {"ops.metadata": {"status": "applied", "at": "2026-11-25T09:02:00-06:00"}}
    });
    send(&federation, &igm, &acknowledges).await?;
    let known = |view: &Value| {
        let acknowledged = &row_of(view, &row)["corrections"][0]["acknowledged"];
        acknowledged[0]["status"] == "applied"
    };
    federation.until(&inm, OPERATION, known).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_taken_off_stays_in_sight_and_the_later_word_counts() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let (inm, igm) = (federation.client("MX", "INM")?, federation.client("GT", "IGM")?);
    let row = send(&federation, &inm, &adult_row(1)).await?;
    federation.clock.advance_ms(1_000);
    let off = send(&federation, &inm, &amendment(&row, &row["message_id"], "remove", None)).await?;
    let removed = |view: &Value| row_of(view, &row)["corrected"]["removed"].clone();
    let view: Value = igm.get(OPERATION).await?.json()?;
    assert_eq!(removed(&view), true);
    let paper = String::from_utf8(igm.get(&format!("{OPERATION}/print")).await?.body.to_vec())?;
    assert!(paper.contains("RETIRADO DE LA LISTA") && paper.contains("Tzoc"));
    federation.clock.advance_ms(1_000);
    send(&federation, &inm, &amendment(&row, &off["message_id"], "edit", None)).await?;
    let view: Value = igm.get(OPERATION).await?.json()?;
    assert_eq!(removed(&view), false, "named by its predecessor, it is of the same row");
    assert_eq!(row_of(&view, &row)["corrections"].as_array().unwrap().len(), 2);
    Ok(())
}
