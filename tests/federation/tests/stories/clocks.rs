//! Clocks that do not agree: within two minutes nobody notices, beyond them the one that is alone begins nothing new.

use anyhow::{Context as _, Result};
use http::StatusCode;
use serde_json::{Value, json};

use puente_test_support::{Federation, adult_row, post};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "INM", "migration_enforcement"),
    ("GT", "IGM", "returns_reception"),
    ("HN", "INM-HN", "migration_enforcement"),
];

/// Three countries, one of whose clocks is this far from the others'.
async fn apart(country: &str, by_ms: i64) -> Result<Federation> {
    let mut federation = Federation::of(&["GT", "HN", "MX"], AGENCIES).await?;
    federation.stop(country).await?;
    federation.set_apart(country, by_ms)?;
    federation.start(country).await?;
    Ok(federation)
}

async fn delivered(federation: &Federation, row: u32) -> Result<String> {
    let inm = federation.client("MX", "INM")?;
    let verdict: Value = post(&inm, "/v1/messages", &adult_row(row)).await?.json()?;
    let id = verdict["message_id"].as_str().with_context(|| verdict.to_string())?.to_owned();
    let accepted = |seen: &Value| seen["message"]["state"] == "accepted";
    federation.until(&inm, &format!("/v1/messages/{id}"), accepted).await?;
    Ok(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn ninety_seconds_either_way_hold_nothing_up() -> Result<()> {
    for by_ms in [90_000, -90_000] {
        delivered(&apart("MX", by_ms).await?, 1).await?;
        delivered(&apart("GT", by_ms).await?, 1).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_that_is_five_minutes_off_begins_nothing_new_and_still_receipts_and_withdraws() -> Result<()>
{
    let federation = apart("MX", -300_000).await?;
    let inm = federation.client("MX", "INM")?;
    let row = adult_row(1);
    let asked = || post(&inm, "/v1/messages", &row);
    // Until the others were asked for the hour it cannot know.
    federation.until_measured("MX", "puente_clock_median_seconds 300").await?;
    let refused = asked().await?;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json::<Value>()?["code"], "clock.alone");
    // The others take no notice of one that is wrong.
    assert!(!federation.metrics("GT")?.contains("puente_clock_median_seconds -300"));
    // What takes back or cancels goes: late by its date, and nobody refuses it for that.
    let cancel = json!({
        "type": "return.cancel", "recipient": {"country": "GT", "role": "returns_reception"},
        "purpose": "return_reception", "operation": "01940000-0000-7000-8000-000000000001",
        "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"}, "subject": {"kind": "none"},
        "sections": {"return.logistics": {
            "operation": "01940000-0000-7000-8000-000000000001", "mode": "land", "origin": "Tapachula",
            "port_of_entry": "Tecún Umán", "eta": "2026-11-25T10:00:00-06:00", "zone": "America/Guatemala",
            "reason": "vehicle"}}
    });
    let verdict: Value = post(&inm, "/v1/messages", &cancel).await?.json()?;
    let id = verdict["message_id"].as_str().with_context(|| verdict.to_string())?;
    let accepted = |seen: &Value| seen["message"]["state"] == "accepted";
    federation.until(&inm, &format!("/v1/messages/{id}"), accepted).await?;
    Ok(())
}
