//! Homes in temporary folders, under a clock that stands still: what is set up loads, and nothing else does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adoptions;
mod agencies;
mod agency_keys;
mod agreements;
mod checks;
mod home;
mod membership;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{AgencyId, CountryCode, OfficerId, Realm, Role};
use puente_core::membership::{KeyUse as DirectoryUse, MembershipError, SignedDocument};

use super::lock::EditLock;
use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::config::{Config, Listen};
use crate::home::{Home, write_file};
use crate::keys::pki::{Identity, PeerCertificate};
use crate::keys::{KeyFile, KeyUse};
use crate::register::{NotAdmitted, State};

/// 2031-01-05T12:00:00Z.
const NOW_MS: i64 = 1_925_380_800_000;
const DAY_MS: i64 = 86_400_000;

fn clock() -> ManualClock {
    ManualClock::at(NOW_MS)
}

fn request(country: &str, profile: SignatureProfile) -> Init {
    Init {
        country: country.parse().unwrap(),
        realm: Realm::Training,
        profile,
        listen: Listen::default(),
        names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        gateway_address: "127.0.0.1:9443".to_owned(),
        roles: None,
    }
}

fn new_home(folder: &Path, country: &str) -> Home {
    let home = Home::at(folder.join(country));
    init(&home, &request(country, SignatureProfile::P256), &clock()).unwrap();
    home
}

fn federation(folder: &Path, countries: &[&str]) -> Vec<(CountryCode, Home)> {
    let homes: Vec<_> =
        countries.iter().map(|country| (country.parse().unwrap(), new_home(folder, country))).collect();
    super::federation::found(&homes, Realm::Training, &clock()).unwrap();
    homes
}

fn config(home: &Home) -> Config {
    Config::read(&home.config()).unwrap()
}

fn agency_id(text: &str) -> AgencyId {
    text.parse().unwrap()
}

fn reception() -> Vec<Role> {
    vec!["returns_reception".parse().unwrap()]
}

fn level_of(findings: &[CheckFinding], code: &str) -> Level {
    findings
        .iter()
        .find(|finding| finding.code == code)
        .unwrap_or_else(|| panic!("no finding `{code}`"))
        .level
}
