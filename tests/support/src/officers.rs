//! The officers of a country's supervisory authority: ana proposes sets of policies, luz and eva grant them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use puente_core::approval::{Captured, Statement, TYP_STATEMENT, Verdict};
use puente_core::delivery::ApprovalState;
use puente_core::envelope::Sign as _;
use puente_core::ids::{AgencyId, CountryCode, OfficerId, Realm};
use puente_core::problem::Problem;
use puente_core::proposal::{Proposal, TYP_PROPOSAL};
use puente_node::clock::Clock as _;
use puente_node::keys::{KeyFile, KeyUse};
use puente_node::policy::{self, PolicySet};
use puente_node::setup::agency;

use crate::Federation;

/// The id of the authority; a country that has none gets it.
const AUTHORITY: &str = "SUPERVISION";

/// Who may put policies in force in one country.
pub struct Officers {
    country: CountryCode,
    agency: AgencyId,
    credentials: BTreeMap<&'static str, (OfficerId, Vec<u8>)>,
}

impl Officers {
    /// Enrols them; a second time they are further persons.
    ///
    /// # Errors
    /// When they cannot be enrolled.
    pub fn of(federation: &Federation, country: &str) -> Result<Self> {
        let home = &federation.member(country)?.home;
        let agency: AgencyId = AUTHORITY.parse()?;
        let known = agency::list(home)?.into_iter().find(|file| file.agency == agency);
        if known.is_none() {
            let role = "supervisory_authority".parse()?;
            agency::add(home, &agency, &[role], None, federation.clock.as_ref())?;
        }
        let before = known.map_or(0, |file| file.officers.len());
        let mut credentials = BTreeMap::new();
        for name in ["ana", "luz", "eva"] {
            let officer = format!("{name}-{before}");
            let key = federation.officer(country, AUTHORITY, &officer, &format!("p-{officer}"))?;
            credentials.insert(name, (officer.parse()?, key));
        }
        Ok(Self { country: country.parse()?, agency, credentials })
    }

    fn signed(&self, name: &str, typ: &str, claims: &[u8]) -> Result<String> {
        let (_, key) = self.credentials.get(name).context("no such officer")?;
        Ok(KeyFile::from_pem(key, KeyUse::Sign)?.signer()?.sign(typ, claims)?)
    }

    fn id(&self, name: &str) -> Result<OfficerId> {
        Ok(self.credentials.get(name).context("no such officer")?.0.clone())
    }

    fn now(federation: &Federation) -> Result<jiff::Zoned> {
        Ok(jiff::Timestamp::from_millisecond(federation.clock.now_ms())?.in_tz("America/Mexico_City")?)
    }

    /// Ana proposes a set; what the others see of it.
    ///
    /// # Errors
    /// When she cannot sign, or the node does not run; inside, what the node answered.
    pub async fn propose(&self, federation: &Federation, set: PolicySet) -> Result<Result<Value, Problem>> {
        let proposal = Proposal {
            realm: Realm::Training,
            country: self.country.clone(),
            agency: self.agency.clone(),
            officer: self.id("ana")?,
            set: set.digest(),
            reason: "drill".to_owned(),
            occurred_at: Self::now(federation)?,
            captured: Captured::Screen,
        };
        let signed = self.signed("ana", TYP_PROPOSAL, &serde_json::to_vec(&proposal)?)?;
        let running = federation.member(self.country.as_str())?.running.as_ref();
        Ok(policy::propose(running.context("does not run")?.node(), set, &signed).await)
    }

    /// One of them states on what was shown.
    ///
    /// # Errors
    /// As `propose`.
    pub async fn state(
        &self,
        federation: &Federation,
        name: &str,
        shown: &Value,
        verdict: Verdict,
    ) -> Result<Result<ApprovalState, Problem>> {
        let text = |pointer: &str| shown.pointer(pointer).and_then(Value::as_str).context("not shown");
        let approval = text("/change/change_id")?.parse()?;
        let statement = Statement {
            realm: Realm::Training,
            country: self.country.clone(),
            agency: self.agency.clone(),
            officer: self.id(name)?,
            approval,
            preview: text("/change/preview")?.parse()?,
            verdict,
            reason: "drill".to_owned(),
            occurred_at: Self::now(federation)?,
            captured: Captured::Screen,
        };
        let signed = self.signed(name, TYP_STATEMENT, &serde_json::to_vec(&statement)?)?;
        let running = federation.member(self.country.as_str())?.running.as_ref();
        let node = running.context("does not run")?.node();
        Ok(policy::state(node, &self.agency, approval, &signed).await)
    }
}
