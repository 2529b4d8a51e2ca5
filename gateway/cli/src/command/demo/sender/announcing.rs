//! Head-counts first, then the list.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Sender, with_verdict};
use crate::command::demo::journal::Entry;
use crate::command::demo::list::{Effect, upload};
use crate::command::demo::message::{logistics, to_reception};

impl Sender {
    /// Asks of every form of the list what would leave; answers how many people would.
    pub(super) async fn ask_first(&mut self) -> anyhow::Result<usize> {
        Entry::step("pregunta qué saldría", "asks what would leave").tell()?;
        let asked = upload(&self.enforcement, &self.plan, &self.plan.list, Effect::Ask).await?;
        for copy in self.plan.copies.clone() {
            let same = upload(&self.enforcement, &self.plan, &copy, Effect::Ask).await?;
            let name = copy.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match asked.iter().zip(&same).find(|(one, other)| one != other) {
                Some((one, _)) => self.fail(format!("{name}: row {} has another verdict", one["row"])),
                None if asked.len() != same.len() => self.fail(format!("{name} has another number of rows")),
                None => {}
            }
        }
        self.found("forms_of_the_list", self.plan.copies.len() + 1);
        Ok(with_verdict(&asked, &["accepted", "redacted"]).count())
    }

    /// Announces the operation by head-count and waits for the receipt.
    pub(super) async fn announce(&mut self, people: usize) -> anyhow::Result<()> {
        Entry::step("anuncia la operación", "announces the operation").tell()?;
        let notice = self.notice(json!({"total": people, "cells": []}))?;
        let verdict = self.enforcement.submit(&notice).await.context("notice")?;
        self.until_accepted("the notice", &verdict).await
    }

    /// A notice of the operation with these counts.
    pub(super) fn notice(&self, counts: Value) -> anyhow::Result<Value> {
        let operation = self.plan.operation;
        let sections = json!({"stats.aggregate": counts, "return.logistics": logistics(operation)?});
        Ok(to_reception("return.notice", operation, &sections))
    }

    /// Sends the list; answers the verdict on each row.
    pub(super) async fn send_list(&mut self) -> anyhow::Result<Vec<Value>> {
        Entry::step("envía la lista renglón por renglón", "sends the list row by row").tell()?;
        upload(&self.enforcement, &self.plan, &self.plan.list, Effect::Send).await
    }
}
