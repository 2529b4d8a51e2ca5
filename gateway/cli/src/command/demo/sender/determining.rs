//! What Mexico's child-protection authority determined before the list: for whom the return is in the child's best interests.
//!
//! INVARIANT: what a list says in its column counts for nothing; the gateway asks for the authority's signed word.

use anyhow::Context as _;
use serde_json::json;

use puente_core::approval::Captured;
use puente_core::authority::{Determines, TYP_DETERMINES};
use puente_core::envelope::Sign as _;
use puente_core::ids::Realm;
use puente_core::personal::Personal;
use puente_core::policy::Flag;
use puente_core::protection::Act;
use puente_node::keys::pki::Identity;
use puente_node::keys::{KeyFile, KeyUse};
use puente_node::lists::{Sheet, columns, import};

use super::Sender;
use crate::command::demo::desk::Desk;
use crate::command::demo::journal::Entry;
use crate::command::demo::message::now_at_port;

/// How long a determination of the demonstration stands.
const HOURS: i64 = 48;

impl Sender {
    /// The authority signs one determination for each child of whom the list will say so.
    pub(super) async fn determine(&mut self) -> anyhow::Result<()> {
        Entry::step("la autoridad de niñez determina", "the child-protection authority determines").tell()?;
        let list = &self.plan.list;
        let bytes = std::fs::read(&list.path).with_context(|| format!("list `{}`", list.path.display()))?;
        let media = Sheet::of(&list.media).context("a media type of lists")?;
        let files = import::files_stating(&bytes, media, columns::BEST_INTERESTS)
            .map_err(|problem| anyhow::anyhow!("the list: {problem}"))?;
        let protection = Desk::at(&self.plan.sender.protection)?;
        let Identity::Agency { country, agency, .. } = protection.identity()? else {
            anyhow::bail!("the protection authority's credential names no agency")
        };
        let officer = &self.plan.sender.determining;
        let signer = KeyFile::from_pem(&std::fs::read(&officer.key)?, KeyUse::Sign)?.signer()?;
        for file in &files {
            let occurred_at = now_at_port()?;
            let until = occurred_at.timestamp().checked_add(jiff::SignedDuration::from_hours(HOURS))?;
            let act = Act {
                realm: Realm::Training,
                country: country.clone(),
                agency: agency.clone(),
                officer: officer.id.clone(),
                occurred_at,
                captured: Captured::Screen,
                says: Determines {
                    about: Personal::new(file.clone()),
                    fact: Flag::BidPositive,
                    holds: true,
                    until,
                    reason: "assessed".to_owned(),
                },
            };
            let signed = signer.sign(TYP_DETERMINES, &serde_json::to_vec(&act)?)?;
            protection.post("/v1/determinations", &json!({"statement": signed})).await?.success()?;
        }
        self.found("determined", files.len());
        Ok(())
    }
}
