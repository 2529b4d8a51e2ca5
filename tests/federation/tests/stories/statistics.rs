//! A table for publication: what arrives holds no count that is small, nor one from which it could be worked out.

use anyhow::Result;
use serde_json::{Value, json};

use puente_test_support::{Federation, post};

const AGENCIES: &[(&str, &str, &str)] =
    &[("HN", "INE", "statistics"), ("CR", "SECRETARIA", "crm_secretariat")];

fn report(published: bool) -> Value {
    let cell =
        |area: &str, sex: &str, count: u32| json!({"area": area, "sex": sex, "age": "all", "count": count});
    let areas = [("Cortés", 182, 411), ("Gracias a Dios", 2, 37), ("Yoro", 64, 90)];
    let mut cells: Vec<Value> = areas
        .iter()
        .flat_map(|(area, f, m)| [cell(area, "F", *f), cell(area, "M", *m), cell(area, "all", f + m)])
        .collect();
    cells.extend([cell("all", "F", 248), cell("all", "M", 538), cell("all", "all", 786)]);
    json!({
        "type": "indicator.report",
        "recipient": {"country": "CR", "role": "crm_secretariat"},
        "purpose": "regional_statistics",
        "legal_basis": {"type": "none_required"},
        "subject": {"kind": "none"},
        "sections": {"stats.aggregate": {
            "indicator": "returns_received", "from": "2026-01-01", "to": "2026-03-31",
            "published": published, "cells": cells
        }}
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_table_arrives_without_its_small_counts_though_nobody_stated_them() -> Result<()> {
    let federation = Federation::of(&["CR", "HN"], AGENCIES).await?;
    let ine = federation.client("HN", "INE")?;
    let verdict: Value = post(&ine, "/v1/messages", &report(true)).await?.json()?;
    assert_eq!(
        (&verdict["verdict"], &verdict["rule"]["id"]),
        (&json!("redacted"), &json!("R-STA-01")),
        "{verdict}"
    );
    let crm = federation.client("CR", "SECRETARIA")?;
    let came = |inbox: &Value| inbox["events"].as_array().is_some_and(|events| events.len() == 1);
    federation.until(&crm, "/v1/inbox", came).await?;
    let path = format!("/v1/messages/{}/content", verdict["message_id"].as_str().unwrap());
    let content: Value = crm.get(&path).await?.json()?;
    let cells = content["sections"]["stats.aggregate"]["cells"].as_array().unwrap();
    let hidden: Vec<_> = cells.iter().filter(|cell| cell["suppressed"] == true).collect();
    assert!(hidden.iter().any(|cell| cell["area"] == "Gracias a Dios" && cell["sex"] == "F"));
    assert!(hidden.len() >= 4 && hidden.iter().all(|cell| cell.get("count").is_none()), "{hidden:?}");
    assert!(cells.iter().filter_map(|cell| cell["count"].as_u64()).all(|count| count >= 5));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_between_offices_keeps_its_counts_and_one_that_was_cut_is_not_published() -> Result<()> {
    let federation = Federation::of(&["CR", "HN"], AGENCIES).await?;
    let ine = federation.client("HN", "INE")?;
    let verdict: Value = post(&ine, "/v1/messages", &report(false)).await?.json()?;
    assert_eq!(verdict["verdict"], "accepted", "{verdict}");
    let mut cut = report(true);
    cut["sections"]["stats.aggregate"]["cells"].as_array_mut().unwrap().remove(4);
    let verdict: Value = post(&ine, "/v1/messages", &cut).await?.json()?;
    assert_eq!(verdict["problems"][0]["code"], "statistics.unprotected", "{verdict}");
    Ok(())
}
