//! The federation of the demonstration: five homes on one machine, their agencies, officers and credentials.
//!
//! Not here: processes. INVARIANT: the realm is `training`, whatever happens.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{CountryCode, Realm};
use puente_node::clock::SystemClock;
use puente_node::config::{Config, Listen, reference};
use puente_node::home::{Home, write_file};
use puente_node::keys::write_private;
use puente_node::setup::{Init, agency, federation, init, officer};

use super::plan::{Officer, Receiving, Sending};

/// Who takes part: country and its agencies, each with its role.
const MEMBERS: [(&str, &[(&str, &str)]); 5] = [
    ("MX", &[("INM", "migration_enforcement"), ("SRE", "consular"), ("DIF", "child_protection")]),
    (
        "GT",
        &[
            ("IGM-Recepcion", "returns_reception"),
            ("PGN", "child_protection"),
            ("RENAP", "civil_registry"),
            ("MINEX", "consular"),
        ],
    ),
    ("HN", &[("INM-Recepcion", "returns_reception")]),
    ("SV", &[("DGME-Recepcion", "returns_reception")]),
    ("US", &[("CBP", "migration_enforcement")]),
];

/// Officers of Mexico's enforcement agency, each another person.
const OFFICERS: [&str; 3] = ["inm-0417", "inm-0522", "inm-0803"];

/// The officer of Mexico's child-protection authority.
const DETERMINING: &str = "dif-0091";

/// A held row lapses after this many seconds: time enough for two officers here, and a lapse within the minute.
const APPROVAL_SECONDS: u64 = 15;

/// The homes, and where the credentials of agencies lie.
pub struct Stage {
    folder: PathBuf,
    /// Homes by country.
    pub homes: BTreeMap<CountryCode, Home>,
    /// Configurations by country.
    pub configs: BTreeMap<CountryCode, Config>,
    officers: Vec<Officer>,
    determining: Option<Officer>,
}

impl Stage {
    /// Sets everything up in an empty folder.
    pub fn set(folder: &Path) -> anyhow::Result<Self> {
        let clock = SystemClock::default();
        let mut stage = Self {
            folder: folder.to_owned(),
            homes: BTreeMap::new(),
            configs: BTreeMap::new(),
            officers: Vec::new(),
            determining: None,
        };
        for ((country, agencies), listen) in MEMBERS.into_iter().zip(free_listeners(MEMBERS.len())?) {
            stage.add_member(country.parse()?, agencies, listen)?;
        }
        stage.enrol_officers()?;
        let homes: Vec<_> =
            stage.homes.iter().map(|(country, home)| (country.clone(), home.clone())).collect();
        federation::found(&homes, Realm::Training, &clock)?;
        Ok(stage)
    }

    fn add_member(
        &mut self,
        country: CountryCode,
        agencies: &[(&str, &str)],
        listen: Listen,
    ) -> anyhow::Result<()> {
        let clock = SystemClock::default();
        let home = Home::at(self.folder.join(country.as_str()));
        let request = Init {
            country: country.clone(),
            realm: Realm::Training,
            profile: SignatureProfile::P256,
            gateway_address: listen.federation.clone(),
            listen,
            names: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
            roles: None,
        };
        init(&home, &request, &clock)?;
        let mut config = Config::read(&home.config())?;
        config.times.approval_seconds = APPROVAL_SECONDS;
        write_file(&home.config(), reference(&config)?.as_bytes())?;
        for (name, role) in agencies {
            let enrolled = agency::add(&home, &name.parse()?, &[role.parse()?], None, &clock)?;
            let folder = self.credential(&country, name);
            let key = enrolled.key.context("a key was made for the agency")?;
            write_file(&folder.join("address"), enrolled.address.as_bytes())?;
            write_file(&folder.join("ca.pem"), enrolled.authority.as_bytes())?;
            write_file(&folder.join("client.pem"), enrolled.certificate.as_bytes())?;
            write_private(&folder.join("client.key"), key.as_bytes())?;
        }
        self.homes.insert(country.clone(), home);
        self.configs.insert(country, config);
        Ok(())
    }

    /// Takes the homes and credentials away, so that the stage can be set anew.
    pub fn strike(self) -> anyhow::Result<()> {
        for home in self.homes.values() {
            std::fs::remove_dir_all(home.path())?;
        }
        Ok(std::fs::remove_dir_all(self.folder.join("credentials"))?)
    }

    fn credential(&self, country: &CountryCode, agency: &str) -> PathBuf {
        self.folder.join("credentials").join(format!("{country}-{agency}"))
    }

    fn enrol_officers(&mut self) -> anyhow::Result<()> {
        let home = self.homes.get(&"MX".parse::<CountryCode>()?).context("home of MX")?;
        let folder = self.folder.join("credentials").join("officers");
        std::fs::create_dir_all(&folder)?;
        let enrol = |agency: &str, name: &str, number: usize| -> anyhow::Result<Officer> {
            let person = format!("mx-person-{number}").parse()?;
            let secret = officer::add(home, &agency.parse()?, &name.parse()?, &person)?;
            let key = folder.join(format!("{name}.pem"));
            write_private(&key, secret.as_bytes())?;
            Ok(Officer { id: name.parse()?, key })
        };
        for (number, name) in (1..).zip(OFFICERS) {
            self.officers.push(enrol("INM", name, number)?);
        }
        self.determining = Some(enrol("DIF", DETERMINING, OFFICERS.len() + 1)?);
        Ok(())
    }

    /// Mexico's credentials.
    pub fn sending(&self) -> anyhow::Result<Sending> {
        let mexico: CountryCode = "MX".parse()?;
        Ok(Sending {
            agency: "INM".parse()?,
            enforcement: self.credential(&mexico, "INM"),
            consular: self.credential(&mexico, "SRE"),
            officers: self.officers.clone(),
            protection: self.credential(&mexico, "DIF"),
            determining: self.determining.clone().context("an officer of the protection authority")?,
        })
    }

    /// Guatemala's credentials.
    pub fn receiving(&self) -> anyhow::Result<Receiving> {
        let guatemala: CountryCode = "GT".parse()?;
        Ok(Receiving {
            reception: self.credential(&guatemala, "IGM-Recepcion"),
            child_protection: self.credential(&guatemala, "PGN"),
            registry: self.credential(&guatemala, "RENAP"),
        })
    }
}

/// Addresses that are free now; all are held until the last is found, so that no two are the same.
fn free_listeners(nodes: usize) -> anyhow::Result<Vec<Listen>> {
    let mut held = Vec::new();
    let mut listeners = Vec::with_capacity(nodes);
    for _ in 0..nodes {
        let mut free = || -> anyhow::Result<String> {
            let listener = TcpListener::bind("127.0.0.1:0").context("a free port on loopback")?;
            let address = listener.local_addr()?.to_string();
            held.push(listener);
            Ok(address)
        };
        listeners.push(Listen { domestic: free()?, federation: free()?, operations: free()? });
    }
    Ok(listeners)
}
