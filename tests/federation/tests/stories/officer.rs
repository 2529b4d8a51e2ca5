//! An officer of an authority, as the stories let one speak on what waits for it.

use anyhow::{Context as _, Result};
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::approval::{Captured, Statement, TYP_STATEMENT, Verdict};
use puente_core::authority::{Approves, Determines, TYP_APPROVES, TYP_DETERMINES, TYP_TAKES_BACK, TakesBack};
use puente_core::envelope::Sign as _;
use puente_core::ids::Realm;
use puente_core::personal::Personal;
use puente_core::policy::{Approval, Flag};
use puente_node::client::AgencyClient;
use puente_node::clock::Clock as _;
use puente_node::keys::{KeyFile, KeyUse};
use puente_test_support::{Federation, post, signed};

/// An authority's officer with the key.
pub struct Officer<'a> {
    pub federation: &'a Federation,
    pub country: &'a str,
    pub agency: &'a str,
    pub name: &'a str,
    pub key: Vec<u8>,
}

impl<'a> Officer<'a> {
    pub fn of(federation: &'a Federation, country: &'a str, agency: &'a str, name: &'a str) -> Result<Self> {
        let key = federation.officer(country, agency, name, &format!("p-{name}"))?;
        Ok(Self { federation, country, agency, name, key })
    }

    pub fn client(&self) -> Result<AgencyClient> {
        self.federation.client(self.country, self.agency)
    }

    pub fn says(&self, row: &Value, approval: Approval, hours: i64) -> Result<Approves> {
        let now = jiff::Timestamp::from_millisecond(self.federation.clock.now_ms())?;
        Ok(Approves {
            approval,
            row: row["approval_id"].as_str().context("no row")?.parse()?,
            preview: row["preview"].as_str().context("no preview")?.parse()?,
            verdict: Verdict::Grant,
            until: now + jiff::SignedDuration::from_hours(hours),
            reason: "reviewed".to_owned(),
        })
    }

    pub async fn say(&self, says: Approves) -> Result<Value> {
        let path = format!("/v1/approvals/{}/authority", says.row);
        let by = (self.country, self.agency, self.name);
        let body = signed(&self.key, TYP_APPROVES, by, says, self.federation.clock.as_ref())?;
        Ok(post(&self.client()?, &path, &body).await?.json()?)
    }

    /// Determines a fact about a person for two days.
    pub async fn determine(&self, about: &str, fact: Flag, holds: bool) -> Result<(StatusCode, Value)> {
        let now = jiff::Timestamp::from_millisecond(self.federation.clock.now_ms())?;
        let until = now + jiff::SignedDuration::from_hours(48);
        let about = Personal::new(about.to_owned());
        let says = Determines { about, fact, holds, until, reason: "assessed".to_owned() };
        let by = (self.country, self.agency, self.name);
        let body = signed(&self.key, TYP_DETERMINES, by, says, self.federation.clock.as_ref())?;
        let answer = post(&self.client()?, "/v1/determinations", &body).await?;
        Ok((answer.status, answer.json()?))
    }

    pub async fn take_back(&self, act: &Value) -> Result<Value> {
        let id = act.as_str().context("no act")?;
        let by = (self.country, self.agency, self.name);
        let says = TakesBack { act: id.parse()? };
        let body = signed(&self.key, TYP_TAKES_BACK, by, says, self.federation.clock.as_ref())?;
        Ok(post(&self.client()?, &format!("/v1/acts/{id}/withdraw"), &body).await?.json()?)
    }

    /// Says, as one of the two officers of the agency that submitted it, what becomes of a held row.
    pub async fn state(&self, row: &Value, verdict: Verdict) -> Result<Value> {
        let now = jiff::Timestamp::from_millisecond(self.federation.clock.now_ms())?;
        let approval = row["approval_id"].as_str().context("no row")?;
        let statement = Statement {
            realm: Realm::Training,
            country: self.country.parse()?,
            agency: self.agency.parse()?,
            officer: self.name.parse()?,
            approval: approval.parse()?,
            preview: row["preview"].as_str().context("no preview")?.parse()?,
            verdict,
            reason: "reviewed".to_owned(),
            occurred_at: now.in_tz("America/Mexico_City")?,
            captured: Captured::Screen,
        };
        let signer = KeyFile::from_pem(&self.key, KeyUse::Sign)?.signer()?;
        let compact = signer.sign(TYP_STATEMENT, &serde_json::to_vec(&statement)?)?;
        let path = format!("/v1/approvals/{approval}/statements");
        Ok(post(&self.client()?, &path, &json!({"statement": compact})).await?.json()?)
    }

    /// The only row that waits for this authority.
    pub async fn waiting(&self) -> Result<Value> {
        let list: Value = self.client()?.get("/v1/approvals?state=open&for_authority=true").await?.json()?;
        assert_eq!(list["approvals"].as_array().map(Vec::len), Some(1), "{list}");
        Ok(list["approvals"][0].clone())
    }
}
