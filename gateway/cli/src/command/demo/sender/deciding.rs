//! Held rows: two officers release one, one officer refuses one, the others are left to lapse.
//!
//! INVARIANT: an officer signs what the gateway shows as preview, never a row by its number.

use anyhow::Context as _;
use serde_json::{Value, json};

use puente_core::approval::{Captured, Verdict};
use puente_core::ids::Realm;
use puente_node::client::{self, Decided, Decides};
use puente_node::keys::{KeyFile, KeyUse};

use super::{Sender, with_verdict};
use crate::command::demo::desk::Answer;
use crate::command::demo::journal::Entry;
use crate::command::demo::message::now_at_port;
use crate::command::demo::plan::Officer;

/// Rules whose hold officers may lift, in the order in which a row is looked for to be released.
const LIFTABLE: [&str; 4] = ["R-CHD-02", "R-TCN-01", "R-STL-01", "R-FAM-01"];

/// The last row held by one of these rules, the first of them that holds any.
fn held_by<'v>(held: &[&'v Value], rules: impl Iterator<Item = &'static str>) -> Option<&'v Value> {
    let mut rules = rules;
    rules.find_map(|rule| held.iter().rev().find(|verdict| verdict["rule"]["id"] == rule).copied())
}

impl Sender {
    /// Decides on two held rows, and announces the person who goes after all.
    pub(super) async fn decide(&mut self, verdicts: &[Value], promised: usize) -> anyhow::Result<()> {
        Entry::step("dos personas deciden lo retenido", "two people decide on what is held").tell()?;
        let held: Vec<&Value> = with_verdict(verdicts, &["held"]).collect();
        let granted = held_by(&held, LIFTABLE.into_iter());
        let others: Vec<&Value> = held.iter().copied().filter(|verdict| Some(*verdict) != granted).collect();
        if let Some(verdict) = granted {
            self.release(verdict).await?;
            let notice = self.notice(json!({"total": promised + 1, "cells": [], "delta": 1}))?;
            self.enforcement.submit(&notice).await.context("further notice")?;
        }
        if let Some(verdict) = held_by(&others, LIFTABLE.into_iter().rev()) {
            self.refuse(verdict).await?;
        }
        Ok(())
    }

    async fn release(&mut self, held: &Value) -> anyhow::Result<()> {
        self.found("granted_row", held["row"].clone());
        let [first, second, ..] = self.plan.sender.officers.as_slice() else {
            anyhow::bail!("two officers are needed")
        };
        let (first, second) = (first.clone(), second.clone());
        for (officer, expected) in [(&first, "open"), (&first, "officer.not_distinct"), (&second, "granted")]
        {
            let answer = self.say(officer, held, Verdict::Grant, "assessed").await?;
            let said = answer.body["state"].as_str().unwrap_or(answer.code()).to_owned();
            if said != expected {
                self.fail(format!("row {}: a grant was answered `{said}`, not `{expected}`", held["row"]));
            }
            if let Some(message) = answer.body.pointer("/verdict/message_id") {
                self.found("granted_message", message.clone());
            }
        }
        Ok(())
    }

    async fn refuse(&mut self, held: &Value) -> anyhow::Result<()> {
        self.found("refused_row", held["row"].clone());
        let officer = self.plan.sender.officers.last().cloned().context("an officer is needed")?;
        let answer = self.say(&officer, held, Verdict::Refuse, "family_unity").await?;
        if answer.body["state"] != "refused" {
            self.fail(format!("row {}: a refusal was answered {}", held["row"], answer.body));
        }
        Ok(())
    }

    /// An officer looks at the preview, signs and says it.
    async fn say(
        &self,
        officer: &Officer,
        held: &Value,
        verdict: Verdict,
        reason: &str,
    ) -> anyhow::Result<Answer> {
        let path = format!("/v1/approvals/{}", held["approval_id"].as_str().unwrap_or_default());
        let shown = self.enforcement.get(&path).await?.success()?;
        let decides = Decides {
            approval: held["approval_id"].as_str().unwrap_or_default().parse()?,
            preview: shown["approval"]["preview"].as_str().unwrap_or_default().parse()?,
            verdict,
            reason: reason.to_owned(),
        };
        let who = (Realm::Training, "MX".parse()?, self.plan.sender.agency.clone());
        let key = KeyFile::from_pem(&std::fs::read(&officer.key)?, KeyUse::Sign)?;
        let when = Decided { at: now_at_port()?, captured: Captured::Screen };
        let signed = client::Officer::new(who, officer.id.clone(), &key)?.states(decides, when)?;
        self.enforcement.post(&format!("{path}/statements"), &json!({"statement": signed})).await
    }
}
