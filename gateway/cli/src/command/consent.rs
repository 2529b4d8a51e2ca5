//! `puente consent`: records that an agency signs with its own key, and what happens to them.
//!
//! Not here: what a record must say (`puente_core::consent`). INVARIANT: what is signed is read first as the node will
//! read it, so that nobody signs what nobody takes.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

use puente_core::consent::{Record, SCHEMA_VERSION, StatusEvent, TYP_EVENT, TYP_RECORD};
use puente_core::ids::{AgencyId, ConsentId, CountryCode, Realm};
use puente_node::clock::{Clock as _, SystemClock};

use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AsAgency, read_json};

/// Consentimientos / consents.
#[derive(Debug, Subcommand)]
pub enum Consent {
    /// Firma un registro (JSON) y lo imprime / sign a record (JSON) and print it.
    Sign(File),
    /// Entrega un registro firmado al nodo / hand a signed record in to the node.
    Add(File),
    /// Anota que se redujo o se retiró; avisa a quienes recibieron datos / record that it was narrowed or withdrawn; those who were told are told.
    Event(Happens),
    /// El registro y lo que pasó con él / the record and what happened to it.
    Show {
        #[command(flatten)]
        agency: AsAgency,
        /// Consentimiento / consent.
        consent: ConsentId,
    },
    /// A quién hubo que avisar y quién ha respondido / who had to be told, and who has answered.
    Notices {
        #[command(flatten)]
        agency: AsAgency,
    },
}

/// Un archivo / a file.
#[derive(Debug, Args)]
pub struct File {
    #[command(flatten)]
    agency: AsAgency,
    /// Archivo / file.
    file: PathBuf,
}

/// Qué pasó / what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// Se redujo / narrowed.
    Narrowed,
    /// Se retiró / withdrawn.
    Withdrawn,
    /// En realidad no se dio / was not given after all.
    Refused,
}

/// Lo que pasó con un consentimiento / what happened to a consent.
#[derive(Debug, Args)]
pub struct Happens {
    #[command(flatten)]
    agency: AsAgency,
    /// Consentimiento / consent.
    consent: ConsentId,
    /// Qué pasó / what happened.
    state: State,
    /// Fin que queda; repetible / purpose that remains; may be repeated.
    #[arg(long = "purpose", value_name = "PURPOSE")]
    purposes: Vec<String>,
    /// Categoría que queda; repetible / category that remains; may be repeated.
    #[arg(long = "category", value_name = "CATEGORY")]
    categories: Vec<String>,
    /// País que queda; repetible / country that remains; may be repeated.
    #[arg(long = "recipient", value_name = "COUNTRY")]
    recipients: Vec<CountryCode>,
    /// Cuándo lo dijo la persona; ahora si se omite / when the person said so; now when left out.
    #[arg(long, value_name = "INSTANT")]
    occurred_at: Option<Zoned>,
    /// Zona horaria del acto / time zone of the act.
    #[arg(long, default_value = "UTC")]
    zone: String,
}

impl Consent {
    /// Does it.
    ///
    /// # Errors
    /// When the credential cannot be used, what is to be signed is not of its form, or the node refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Sign(file) => file.sign(output),
            Self::Add(file) => file.add(output).await,
            Self::Event(happens) => happens.run(output).await,
            Self::Show { agency, consent } => show(&agency, &format!("/v1/consents/{consent}"), output).await,
            Self::Notices { agency } => show(&agency, "/v1/notices", output).await,
        }
    }
}

async fn show(agency: &AsAgency, path: &str, output: &mut Output) -> anyhow::Result<Exit> {
    let value = read_json(&agency.act(output)?.get(path).await?)?;
    print(&value, output)
}

fn print(value: &Value, output: &mut Output) -> anyhow::Result<Exit> {
    output.answer(value, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })?;
    Ok(Exit::Done)
}

fn now(zone: &str) -> anyhow::Result<Zoned> {
    Ok(Timestamp::from_millisecond(SystemClock::default().now_ms())?.to_zoned(TimeZone::get(zone)?))
}

impl File {
    /// What the agency is known by is filled in; the rest is the agency's to say.
    fn sign(self, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let bytes = std::fs::read(&self.file).with_context(|| format!("`{}`", self.file.display()))?;
        let mut claims: Value = serde_json::from_slice(&bytes)?;
        fill_in(&mut claims, &acting.realm, &acting.country, &acting.agency, &now("UTC")?)?;
        Record::read(&serde_json::to_vec(&claims)?)?;
        let signed = self.agency.sign(TYP_RECORD, &claims)?;
        output.answer(&json!({ "record": signed }), |out| writeln!(out, "{signed}"))?;
        Ok(Exit::Done)
    }

    async fn add(self, output: &mut Output) -> anyhow::Result<Exit> {
        let signed =
            std::fs::read_to_string(&self.file).with_context(|| format!("`{}`", self.file.display()))?;
        let body = serde_json::to_vec(&json!({ "record": signed.trim() }))?;
        let acting = self.agency.act(output)?;
        let value = read_json(&acting.post("/v1/consents", "application/json", None, body).await?)?;
        print(&value, output)
    }
}

fn fill_in(
    claims: &mut Value,
    realm: &Realm,
    country: &CountryCode,
    agency: &AgencyId,
    now: &Zoned,
) -> anyhow::Result<()> {
    let claims = claims.as_object_mut().context("a record is a JSON object")?;
    let known = [
        ("schema_version", json!(SCHEMA_VERSION)),
        ("realm", json!(realm)),
        ("record_id", json!(ConsentId(uuid::Uuid::now_v7()))),
        ("jurisdiction", json!(country)),
        ("agency", json!(agency)),
        ("recorded_at", json!(now.timestamp())),
    ];
    for (name, value) in known {
        claims.entry(name).or_insert(value);
    }
    Ok(())
}

impl Happens {
    async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let path = format!("/v1/consents/{}", self.consent);
        let shown = read_json(&acting.get(&path).await?)?;
        let last = shown.get("events").and_then(Value::as_array).and_then(|events| events.last());
        let after = last.unwrap_or(&shown).get("digest").context("digest of what came before")?.clone();
        let recorded = now(&self.zone)?;
        let mut claims = json!({
            "realm": acting.realm, "record_id": self.consent, "after": after,
            "state": match self.state {
                State::Narrowed => "narrowed",
                State::Withdrawn => "withdrawn",
                State::Refused => "refused",
            },
            "occurred_at": self.occurred_at.as_ref().unwrap_or(&recorded),
            "captured": if self.occurred_at.is_some() { "paper" } else { "screen" },
            "recorded_at": recorded.timestamp(),
        });
        let remain = [
            ("purposes", json!(self.purposes)),
            ("categories", json!(self.categories)),
            ("recipients", json!(self.recipients)),
        ];
        for (name, these) in remain {
            if these.as_array().is_some_and(|these| !these.is_empty())
                && let Some(claims) = claims.as_object_mut()
            {
                claims.insert(name.to_owned(), these);
            }
        }
        StatusEvent::read(&serde_json::to_vec(&claims)?)?;
        let signed = self.agency.sign(TYP_EVENT, &claims)?;
        let body = serde_json::to_vec(&json!({ "event": signed }))?;
        let value =
            read_json(&acting.post(&format!("{path}/events"), "application/json", None, body).await?)?;
        print(&value, output)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use puente_core::ids::Digest;

    use super::*;

    #[test]
    fn the_worked_example_is_a_record_and_shows_the_text_that_was_approved() {
        let mut claims: Value =
            serde_json::from_str(include_str!("../../../../ops/examples/consent.json")).unwrap();
        let now = "2026-11-24T16:05:00Z[UTC]".parse().unwrap();
        let (country, agency) = ("MX".parse().unwrap(), "SRE".parse().unwrap());
        fill_in(&mut claims, &Realm::Training, &country, &agency, &now).unwrap();
        let record = Record::read(&serde_json::to_vec(&claims).unwrap()).unwrap();
        let policies = puente_node::setup::built_in_policies();
        let (_, text) = policies.iter().find(|(path, _)| path == "consent/es.txt").unwrap();
        assert_eq!(record.shown.digest, Digest::of(text));
    }
}
