//! `puente peer`: the other members as the running node sees them.

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use puente_core::ids::CountryCode;

use crate::command::answer::{each, text};
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AtHome, read_json};

/// Los demás miembros / the other members.
#[derive(Debug, Subcommand)]
pub enum Peer {
    /// Los miembros y sus direcciones / the members and their addresses.
    List {
        #[command(flatten)]
        at: AtHome,
    },
    /// Saluda a un miembro, o a todos / greet one member, or all.
    Test {
        #[command(flatten)]
        at: AtHome,
        /// País; todos si se omite / country; all when left out.
        countries: Vec<CountryCode>,
    },
}

impl Peer {
    /// Does it; a test ends with 1 when a peer does not answer.
    ///
    /// # Errors
    /// When no node runs, or it refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::List { at } => list(&at, output).await,
            Self::Test { at, countries } => test(&at, countries, output).await,
        }
    }
}

async fn listed(at: &AtHome) -> anyhow::Result<Value> {
    read_json(&at.node().request(Method::GET, "/v1/peers").await?)
}

async fn list(at: &AtHome, output: &mut Output) -> anyhow::Result<Exit> {
    let listed = listed(at).await?;
    output.answer(&listed, |out| {
        writeln!(out, "Lista de miembros / members list: {}", text(&listed, "members_digest"))?;
        for peer in each(&listed, "peers") {
            let addresses: Vec<_> = each(peer, "gateways").map(|gateway| text(gateway, "address")).collect();
            let version = peer.get("directory_version").and_then(Value::as_u64);
            let version =
                version.map_or_else(|| "sin directorio / none".to_owned(), |v| format!("directorio {v}"));
            writeln!(out, "  {}  {version}  {}", text(peer, "country"), addresses.join(", "))?;
        }
        for refused in each(&listed, "rejected") {
            writeln!(out, "  {}  {}", text(refused, "country"), text(refused, "error"))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

async fn test(at: &AtHome, countries: Vec<CountryCode>, output: &mut Output) -> anyhow::Result<Exit> {
    let countries = if countries.is_empty() {
        let listed = listed(at).await?;
        each(&listed, "peers").map(|peer| text(peer, "country").parse()).collect::<Result<Vec<_>, _>>()?
    } else {
        countries
    };
    let mut results = Vec::new();
    for country in countries {
        let answer = at.node().request(Method::POST, &format!("/v1/peers/{country}/test")).await?;
        results.push(match read_json(&answer) {
            Ok(hello) => json!({"country": country, "ok": true, "hello": hello}),
            Err(refused) => json!({"country": country, "ok": false, "error": refused.to_string()}),
        });
    }
    let all = results.iter().all(|result| result.get("ok") == Some(&Value::Bool(true)));
    output.answer(&json!({"ok": all, "peers": results}), |out| {
        for result in &results {
            match result.get("error").and_then(Value::as_str) {
                None => writeln!(out, "  {}  responde / answers", text(result, "country"))?,
                Some(error) => writeln!(out, "  {}  {error}", text(result, "country"))?,
            }
        }
        Ok(())
    })?;
    Ok(Exit::expect(all))
}
