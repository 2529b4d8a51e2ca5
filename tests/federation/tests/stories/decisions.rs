//! Held rows at the desk: what would leave stands beside what was submitted, and two people's words let it go.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use puente_core::ids::Digest;
use puente_test_support::{Federation, adult_row, post};

use crate::desk::{entered, open};

const AGENCIES: &[(&str, &str, &str)] = &[
    ("MX", "INM", "migration_enforcement"),
    ("MX", "DIF", "child_protection"),
    ("GT", "IGM", "returns_reception"),
    ("GT", "PGN", "child_protection"),
];

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_see_what_is_withheld_by_which_rule_and_let_the_rest_go() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let inm = federation.client("MX", "INM")?;
    let mut row = adult_row(1);
    row["subject"]["nationality"] = json!("VE");
    row["sections"]["id.core"]["nationalities"] = json!(["VE"]);
    row["sections"]["contact"] = json!({"channel": "phone", "value": "+584125550101", "safe_to_call": true});
    let held: Value = post(&inm, "/v1/messages", &row).await?.json()?;
    let id = held["approval_id"].as_str().with_context(|| format!("{held}"))?;
    let page = format!("/approvals/{id}");

    let (ana, luz) =
        (open(&federation, "MX", "INM", "ana").await?, open(&federation, "MX", "INM", "luz").await?);
    let (first, second) = (entered(&ana).await?, entered(&luz).await?);
    assert!(first.get("/approvals").await?.body.contains("R-TCN-01"));
    let shown = first.get(&page).await?.body;
    let (before, after) = shown.split_once("+584125550101").context("what was submitted is not shown")?;
    assert!(before.contains("R-MIN-01"), "the removal stands in one sentence with its rule: {before}");
    assert!(after.contains("Se retiene") && !after.contains("+584125550101"), "{after}");

    let preview = first.get(&page).await?.hidden("preview")?;
    let says = |verdict| [("verdict", verdict), ("preview", preview.as_str()), ("reason", "reviewed")];
    let action = format!("{page}/state");
    let noted = first.fill(&page, &action, &says("grant")).await?.body;
    assert!(noted.contains("falta alguien más") && noted.contains("ana"), "{noted}");
    let again = first.fill(&page, &action, &says("grant")).await?.body;
    assert!(again.contains("officer.not_distinct"), "one person is not two: {again}");
    let another = Digest::of(b"another preview").to_string();
    let stale = [("verdict", "grant"), ("preview", another.as_str()), ("reason", "reviewed")];
    let stale = second.fill(&page, &action, &stale).await?.body;
    assert!(stale.contains("approval.preview_stale"), "what was not shown is not signed: {stale}");
    let released = second.fill(&page, &action, &says("grant")).await?.body;
    assert!(released.contains("sale por la cola"), "{released}");
    let igm = federation.client("GT", "IGM")?;
    let came = |inbox: &Value| inbox.to_string().contains("return.manifest");
    federation.until(&igm, "/v1/inbox?wait=1", came).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_is_asked_only_for_what_is_its_to_give_and_its_refusal_is_enough() -> Result<()> {
    let federation = Federation::of(&["GT", "MX"], AGENCIES).await?;
    let dif = federation.client("MX", "DIF")?;
    let example =
        include_str!("../../../../schemas/messages/child.case.transfer/1/examples/valid-least.json");
    let sections: Value = serde_json::from_str(example)?;
    let transfer = json!({
        "type": "child.case.transfer", "recipient": {"country": "GT", "role": "child_protection"},
        "purpose": "child_protection", "legal_basis": {"type": "best_interests"}, "subject_id": "caso-7",
        "subject": {"kind": "child", "age": 11, "nationality": "GT", "residence": "GT", "risk_countries": [],
                    "protection": "none_expressed",
                    "flags": {"unaccompanied": "yes", "bid_positive": "yes", "caregiver_assessed": "yes",
                              "guardian_alleged_abuser": "no", "age_disputed": "no", "found": "no"}},
        "sections": sections["sections"],
    });
    let held: Value = post(&dif, "/v1/messages", &transfer).await?.json()?;
    let id = held["approval_id"].as_str().with_context(|| format!("{held}"))?;
    let page = format!("/approvals/{id}");
    let desk = open(&federation, "MX", "DIF", "eva").await?;
    let browser = entered(&desk).await?;
    let shown = browser.get(&page).await?;
    assert!(shown.body.contains("value=\"sender_child_protection\""), "{}", shown.body);
    assert!(!shown.body.contains("value=\"recipient_child_protection\""), "that is the other country's");
    let preview = shown.hidden("preview")?;
    let form = [
        ("approval", "sender_child_protection"),
        ("verdict", "refuse"),
        ("preview", preview.as_str()),
        ("reason", "not_in_interest"),
        ("hours", "24"),
    ];
    let refused = browser.fill(&page, &format!("{page}/give"), &form).await?.body;
    assert!(refused.contains("no sale") && refused.contains("Ya no espera decisión"), "{refused}");
    let row: Value = dif.get(&format!("/v1/approvals/{id}")).await?.json()?;
    assert_eq!(row["approval"]["state"], "refused");
    Ok(())
}
