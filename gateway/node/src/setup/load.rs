//! The parts of a node, read from its home; `run` puts them together.
//!
//! Not here: sockets. INVARIANT: a part is read whole and checked against the others, or not at all:
//! a private key that the directory does not name is refused, because peers would refuse what it signs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::time_provider::TimeProvider;
use rustls_pki_types::{CertificateDer, UnixTime};

use puente_core::cases::Plan;
use puente_core::catalogue::Catalogue;
use puente_core::consent::ApprovedTexts;
use puente_core::duty::{DEADLINES, Ladders};
use puente_core::ids::{CountryCode, Role};
use puente_core::membership::{
    Adopted, Directory, DirectoryKey, KeyUse as DirectoryUse, Membership, MembershipError, MembershipFiles,
};

use crate::clock::Clock;
use crate::config::Config;
use crate::duty::Rosters;
use crate::home::{Home, make_private_folder, read_tree};
use crate::keys::tls::CertificateHolder;
use crate::keys::{Jose, KeyFile, KeyUse, Openers};
use crate::lists::codes::{CodeNames, Codes};
use crate::node::{NodeKeys, Rules};
use crate::policy::PolicySet;
use crate::register::Register;
use crate::setup::{SetupError, credential};
use crate::store::{CommitObserver, SqliteStore, StoreKey, StoreOwner, SubjectKeyFile, SubjectsKey};

/// The node's private keys, each compared with the country's own directory.
///
/// # Errors
/// `Key` for one that cannot be used, `OtherKey` for one that the directory does not name.
pub fn keys(home: &Home, directory: &Directory) -> Result<NodeKeys, SetupError> {
    let sign = |name, key_use| -> Result<_, SetupError> {
        let key = named_key(home, directory, name, KeyUse::Sign, (key_use, None))?;
        key.signer().map_err(SetupError::key(&home.key(name)))
    };
    let mut openers = Openers::new();
    // What an agency opens itself is carried: its private half is nowhere in this home.
    let own = |key: &&DirectoryKey| key.key_use == DirectoryUse::Seal && key.agency.is_none();
    let roles = directory.keys.iter().filter(own);
    for role in roles.filter_map(|key| key.role.as_ref()) {
        let name = credential::seal_name(role);
        let key = named_key(home, directory, &name, KeyUse::Open, (DirectoryUse::Seal, Some(role)))?;
        let opener = key.opener().map_err(SetupError::key(&home.key(&name)))?;
        openers.insert(key.key_id().clone(), Box::new(opener));
    }
    Ok(NodeKeys {
        message: Box::new(sign(credential::MESSAGE, DirectoryUse::Message)?),
        receipt: Box::new(sign(credential::RECEIPT, DirectoryUse::Receipt)?),
        calls: credential::load_key(home, credential::MESSAGE, KeyUse::Sign)?
            .http_signer()
            .map_err(SetupError::key(&home.key(credential::MESSAGE)))?,
        openers,
        pairwise: credential::load_pairwise(home)?,
        subjects: SubjectsKey::load_or_create(&credential::subjects_key_path(home))?.tags(),
    })
}

fn named_key(
    home: &Home,
    directory: &Directory,
    name: &str,
    usage: KeyUse,
    listed_for: (DirectoryUse, Option<&Role>),
) -> Result<KeyFile, SetupError> {
    let key = credential::load_key(home, name, usage)?;
    let named = directory.keys.iter().any(|listed| {
        (listed.key_use, listed.role.as_ref()) == listed_for
            && listed.kid == *key.key_id()
            && listed.jwk == key.public_jwk()
    });
    if named { Ok(key) } else { Err(SetupError::OtherKey(home.key(name))) }
}

/// Catalogue, policies, agreements, approved texts and words of lists, as they stand in the home, in force or not.
///
/// # Errors
/// When one is not of its form or disagrees with another.
pub fn rules(home: &Home, adopted: &[Adopted]) -> Result<Rules, SetupError> {
    rules_of(home, &PolicySet::read(&home.policies())?, adopted)
}

/// This set of policies beside catalogue and words of lists as they stand in the home.
///
/// # Errors
/// When one is not of its form or disagrees with another.
pub fn rules_of(home: &Home, set: &PolicySet, adopted: &[Adopted]) -> Result<Rules, SetupError> {
    let schemas = tree(&home.schemas())?;
    let (policy, agreements) = set.load(adopted)?;
    Ok(Rules {
        set: set.digest(),
        codes: Arc::new(codes(home, &schemas)?),
        catalogue: Catalogue::load(schemas)?,
        texts: ApprovedTexts::load(set.files().iter().map(|(path, text)| (path.as_str(), text.as_bytes())))?,
        ladders: Ladders::load(set.files().get(DEADLINES).map_or(&[], |text| text.as_bytes()))?,
        plan: Plan::load(set.bytes())?,
        policy,
        agreements,
    })
}

/// The adoptions of a set of policies.
#[derive(Debug, Default)]
pub struct Adoptions {
    /// Those that the members stand by now.
    pub adopted: Vec<Adopted>,
    /// Those that do not count, by file under `policies/`, and why.
    pub void: Vec<(String, MembershipError)>,
}

/// The adoptions of `policies/adoptions/` that the members stand by now, and each that they do not.
///
/// One that does not count is no error: a member's keys change, and what was adopted under them must not stop a node.
///
pub fn adoptions(set: &PolicySet, membership: &Membership, clock: &dyn Clock) -> Adoptions {
    let mut adoptions = Adoptions::default();
    for (path, document) in set.files().iter().filter(|(path, _)| path.starts_with("adoptions/")) {
        match membership.adopted(document.as_bytes(), clock.now_s(), &Jose) {
            Ok(act) => adoptions.adopted.push(act),
            Err(error) => adoptions.void.push((path.clone(), error)),
        }
    }
    adoptions
}

/// The adoptions of a set that count; those that do not are logged.
#[must_use]
pub fn adopted(set: &PolicySet, membership: &Membership, clock: &dyn Clock) -> Vec<Adopted> {
    let Adoptions { adopted, void } = adoptions(set, membership, clock);
    for (file, error) in &void {
        tracing::warn!(file, %error, "an adoption does not count");
    }
    adopted
}

fn tree(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, SetupError> {
    read_tree(folder).map_err(SetupError::file(folder))
}

fn codes(home: &Home, schemas: &[(String, Vec<u8>)]) -> Result<Codes, SetupError> {
    let list = |name: &str| {
        let place = format!("codes/{name}.json");
        let bytes = schemas.iter().find(|(path, _)| *path == place).map(|(_, bytes)| bytes.as_slice());
        let not_a_list = || SetupError::Form { path: home.schemas().join(&place), expected: "a code list" };
        CodeNames::from_list(bytes.ok_or_else(not_a_list)?).map_err(|_| not_a_list())
    };
    Ok(Codes {
        countries: list("countries")?,
        languages: list("languages")?,
        needs: list("needs")?,
        relations: list("relations")?,
        escorts: list("escorts")?,
    })
}

/// The federation as the documents of the home prove it now.
///
/// # Errors
/// `File` when root or members list cannot be read, `Membership` when they do not verify.
pub fn membership(
    home: &Home,
    config: &Config,
    previous: Option<&Membership>,
) -> Result<Membership, SetupError> {
    let files = membership_files(home)?;
    Ok(Membership::load(&files, config.realm, &Jose, previous)?)
}

/// The documents of membership as they lie in the home, unverified.
///
/// # Errors
/// `File` when root or members list cannot be read.
pub fn membership_files(home: &Home) -> Result<MembershipFiles, SetupError> {
    let folder = home.membership();
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(SetupError::file(&path))
    };
    let directories = folder.join("directories");
    let found = if directories.is_dir() { tree(&directories)? } else { Vec::new() };
    let directories = found
        .into_iter()
        .filter_map(|(name, bytes)| Some((name.strip_suffix(".json")?.parse::<CountryCode>().ok()?, bytes)))
        .collect();
    Ok(MembershipFiles { root: read("root.json")?, members: read("members.json")?, directories })
}

/// The country's agencies and officers.
///
/// # Errors
/// `Register` when the folder cannot be read; one wrong file costs its agency only.
pub fn register(home: &Home) -> Result<Register, SetupError> {
    Ok(Register::read(&home.agencies(), &Jose)?)
}

/// The duty rosters of the country's agencies.
///
/// # Errors
/// `Rosters` when the folder cannot be read; one wrong file costs its agency only.
pub fn rosters(home: &Home) -> Result<Rosters, SetupError> {
    Ok(Rosters::read(&home.rosters())?)
}

/// The store of a home, with the keys of subjects that lie apart from it; both are made where there are none.
///
/// # Errors
/// `Store` when a file is in use, foreign, damaged or not under its key; `File` when a folder cannot be made.
pub fn store(
    home: &Home,
    config: &Config,
    observer: Arc<dyn CommitObserver>,
) -> Result<SqliteStore, SetupError> {
    store_at(home, &home.store(), &home.subjects(), config, observer)
}

/// The same with both files elsewhere, under the keys of this home.
///
/// # Errors
/// As [`store`].
pub fn store_at(
    home: &Home,
    data: &Path,
    subjects: &Path,
    config: &Config,
    observer: Arc<dyn CommitObserver>,
) -> Result<SqliteStore, SetupError> {
    for folder in [data, subjects].iter().filter_map(|path| path.parent()) {
        make_private_folder(folder).map_err(SetupError::file(folder))?;
    }
    let owner = StoreOwner { country: config.country.clone(), realm: config.realm };
    let key = StoreKey::load_or_create(&credential::store_key_path(home))?;
    let wrapping = SubjectsKey::load_or_create(&credential::subjects_key_path(home))?;
    let subjects = SubjectKeyFile::open(subjects, &owner, &wrapping)?;
    Ok(SqliteStore::open(data, &owner, &key, subjects, observer)?)
}

/// The certificates that the two faces present.
pub struct Certificates {
    /// Towards other members, as server and as client.
    pub gateway: Arc<CertificateHolder>,
    /// Towards the country's own agencies.
    pub domestic_server: Arc<CertificateHolder>,
    /// The authorities under which agencies are let in.
    pub domestic_authorities: Vec<CertificateDer<'static>>,
}

/// Own certificates with their keys.
///
/// # Errors
/// `Certificate` when one does not fit its key, `File`, `Form` or `Key` when one cannot be read.
pub fn certificates(home: &Home) -> Result<Certificates, SetupError> {
    Ok(Certificates {
        gateway: holder(home, credential::GATEWAY)?,
        domestic_server: holder(home, credential::DOMESTIC_SERVER)?,
        domestic_authorities: credential::load_chain(home, credential::DOMESTIC_AUTHORITY)?,
    })
}

/// Puts the certificates of the home in force for the next handshakes; the authorities are the caller's to put.
///
/// # Errors
/// As [`certificates`]; a face whose certificate does not fit keeps its former one.
pub fn renew_certificates(home: &Home, current: &Certificates) -> Result<(), SetupError> {
    for (name, holder) in
        [(credential::GATEWAY, &current.gateway), (credential::DOMESTIC_SERVER, &current.domestic_server)]
    {
        let key = credential::load_key(home, name, KeyUse::Sign)?;
        let chain = credential::load_chain(home, name)?;
        holder.replace(chain, &key).map_err(|source| SetupError::Certificate { name, source })?;
    }
    Ok(())
}

fn holder(home: &Home, name: &'static str) -> Result<Arc<CertificateHolder>, SetupError> {
    let key = credential::load_key(home, name, KeyUse::Sign)?;
    CertificateHolder::new(credential::load_chain(home, name)?, &key)
        .map(Arc::new)
        .map_err(|source| SetupError::Certificate { name, source })
}

/// A clock as TLS asks it.
#[must_use]
pub fn tls_time(clock: Arc<dyn Clock>) -> Arc<dyn TimeProvider> {
    Arc::new(TlsTime(clock))
}

struct TlsTime(Arc<dyn Clock>);

impl std::fmt::Debug for TlsTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsTime")
    }
}

impl TimeProvider for TlsTime {
    fn current_time(&self) -> Option<UnixTime> {
        // Before 1970 there is no time to judge a certificate by, and the handshake fails.
        u64::try_from(self.0.now_s())
            .ok()
            .map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
