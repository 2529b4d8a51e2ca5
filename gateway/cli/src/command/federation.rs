//! `puente federation`: a sandbox's federation, founded on one machine.
//!
//! Not here: ceremonies between states, on machines without a network. A production realm is refused: its root
//! is signed by keys that never lie on one disk.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use puente_core::ids::Realm;
use puente_node::clock::SystemClock;
use puente_node::config::Config;
use puente_node::home::Home;
use puente_node::setup::federation;

use crate::exit::Exit;
use crate::output::Output;

/// Una federación de ensayo / a federation for rehearsal.
#[derive(Debug, Subcommand)]
pub enum Federation {
    /// La funda con los nodos de este equipo / found it with the nodes of this machine.
    Found {
        /// Carpeta de cada nodo; repetible / folder of each node; may be repeated.
        #[arg(long = "home", value_name = "DIR", required = true)]
        homes: Vec<PathBuf>,
    },
}

impl Federation {
    /// Does it.
    ///
    /// # Errors
    /// When a home is not of the same realm, is founded already, or the realm is production.
    pub fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let Self::Found { homes } = self;
        let mut members = Vec::with_capacity(homes.len());
        let mut realm = None;
        for path in homes {
            let home = Home::at(path);
            let config = Config::read(&home.config())?;
            anyhow::ensure!(
                config.realm != Realm::Production,
                "a production federation is not founded on one machine"
            );
            realm = Some(config.realm);
            members.push((config.country, home));
        }
        let realm = realm.ok_or_else(|| anyhow::anyhow!("a federation needs members"))?;
        federation::found(&members, realm, &SystemClock::default())?;
        let countries: Vec<_> = members.iter().map(|(country, _)| country.as_str()).collect();
        output.answer(&json!({"realm": realm, "members": countries}), |out| {
            writeln!(out, "Federación de ensayo fundada: {}", countries.join(", "))?;
            writeln!(out, "Federation for rehearsal founded: {}", countries.join(", "))
        })?;
        Ok(Exit::Done)
    }
}
