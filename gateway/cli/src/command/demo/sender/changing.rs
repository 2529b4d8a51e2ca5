//! After the list has left: one row is corrected, and another operation is called off.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Sender, with_verdict};
use crate::command::demo::journal::Entry;
use crate::command::demo::message::{logistics, screened_adult, to_reception, under_agreement};

impl Sender {
    /// Gives the person of the first row that left another seat; the correction follows its row.
    pub(super) async fn amend(&mut self, verdicts: &[Value]) -> anyhow::Result<()> {
        Entry::step("corrige un renglón", "corrects a row").tell()?;
        let Some(row) = with_verdict(verdicts, &["accepted", "redacted"]).next() else { return Ok(()) };
        let mut logistics = logistics(self.plan.operation)?;
        if let Some(section) = logistics.as_object_mut() {
            section.insert("seat".to_owned(), json!("12A"));
            section.insert("change".to_owned(), json!("edit"));
            section.insert("reason".to_owned(), json!("data_correction"));
        }
        let amendment = json!({
            "type": "return.manifest.amend",
            "recipient": {"country": "GT", "role": "returns_reception"},
            "case": row["case"],
            "operation": self.plan.operation,
            "after": row["message_id"],
            "purpose": "return_reception",
            "legal_basis": under_agreement(),
            "subject": screened_adult(),
            "sections": {"return.logistics": logistics},
        });
        let verdict = self.enforcement.submit(&amendment).await.context("amendment")?;
        self.found("amendment", verdict["message_id"].clone());
        Ok(())
    }

    /// Announces another operation and cancels it.
    pub(super) async fn cancel_another(&mut self) -> anyhow::Result<()> {
        Entry::step("anuncia y cancela otra operación", "announces and cancels another operation").tell()?;
        let other = self.plan.cancelled;
        let mut logistics = logistics(other)?;
        let announced = json!({"stats.aggregate": {"total": 6, "cells": []}, "return.logistics": logistics});
        self.enforcement.submit(&to_reception("return.notice", other, &announced)).await.context("notice")?;
        if let Some(section) = logistics.as_object_mut() {
            section.insert("reason".to_owned(), json!("vehicle"));
        }
        let cancelled = to_reception("return.cancel", other, &json!({"return.logistics": logistics}));
        let verdict = self.enforcement.submit(&cancelled).await.context("cancellation")?;
        self.found("cancellation", verdict["message_id"].clone());
        Ok(())
    }
}
