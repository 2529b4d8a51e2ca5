//! A birth certificate, asked for by the consulate with the person's consent.

use anyhow::Context as _;
use puente_core::consent::TYP_RECORD;
use puente_core::ids::ConsentId;
use puente_node::keys::pki::Identity;
use serde_json::{Value, json};

use super::Sender;
use crate::command::demo::certificate;
use crate::command::demo::journal::Entry;
use crate::command::demo::message::{consent_record, screened_adult, under_consent};

/// The consulate's own reference for the person.
const PERSON: &str = "SRE-2026-0117";

impl Sender {
    /// Asks Guatemala's civil registry for a birth certificate.
    pub(super) async fn ask_for_certificate(&mut self) -> anyhow::Result<()> {
        Entry::step("pide un acta de nacimiento", "asks for a birth certificate").tell()?;
        let consent = self.record_consent().await.context("consent")?;
        let request = json!({
            "type": "document.request",
            "recipient": {"country": "GT", "role": "civil_registry"},
            "purpose": "regularisation",
            "legal_basis": under_consent(&consent),
            "subject_id": PERSON,
            "subject": screened_adult(),
            "sections": {
                "id.core": {
                    "given_names": "Juana Micaela", "first_surname": "Tzoc", "second_surname": "Ixcoy", "sex": "F",
                    "birth_date": "1994-03-17", "nationalities": ["GT"],
                    "birth_place": {"country": "GT", "area": "Nebaj, Quiché"},
                },
                "doc.civil": {
                    "kind": "birth", "registry": "RENAP Nebaj", "year": 1994, "number": "1187",
                    "delivery": "signed_pdf",
                },
            },
        });
        let verdict = self.consular.submit(&request).await.context("document request")?;
        self.found("document_request", verdict["message_id"].clone());
        Ok(())
    }

    /// Hands in the consent that the consulate recorded and signed; answers its id.
    async fn record_consent(&mut self) -> anyhow::Result<Value> {
        let Identity::Agency { country, agency, .. } = self.consular.identity()? else {
            anyhow::bail!("the consulate's certificate is not an agency's");
        };
        let record = consent_record(ConsentId(uuid::Uuid::now_v7()), &agency, &country, PERSON)?;
        let signed = self.consular.sign(TYP_RECORD, &record)?;
        let told = self.consular.post("/v1/consents", &json!({"record": signed})).await?.success()?;
        Ok(told["consent_id"].clone())
    }

    /// Waits for the answer, fetches the paper and compares it with the one that was sealed.
    pub(super) async fn receive_certificate(&mut self) -> anyhow::Result<()> {
        Entry::step("recibe el acta", "receives the certificate").tell()?;
        let deadline = tokio::time::Instant::now() + super::PATIENCE;
        let mut cursor = 0;
        while tokio::time::Instant::now() < deadline {
            let (events, next) = self.consular.events(cursor, 5).await?;
            cursor = next;
            for event in events.iter().filter(|event| event["data"]["message_type"] == "document.response") {
                if event["type"] == "puente.message_received" {
                    return self.compare(event["data"]["message"].as_str().unwrap_or_default()).await;
                }
            }
        }
        self.fail("the birth certificate did not come");
        Ok(())
    }

    async fn compare(&mut self, message: &str) -> anyhow::Result<()> {
        let content = self.consular.get(&format!("/v1/messages/{message}/content")).await?.success()?;
        let section: &Value = &content["sections"]["doc.civil"];
        let paper = certificate::fetch(&self.consular, section).await?;
        self.found("certificate_bytes", paper.len());
        if paper != certificate::paper() {
            self.fail("the birth certificate is not the one that was issued");
        }
        Ok(())
    }
}
