//! A new home: keys, certificates, configuration, catalogue, policies, and the country's first directory.
//!
//! Not here: the federation (`federation`), agencies and officers. INVARIANT: nothing that exists is touched, and
//! `puente.toml` is written last, so a home that has it is whole.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{CountryCode, Digest, Realm, Role};
use puente_core::membership::{Directory, DirectoryKey, Gateway, KeyUse as DirectoryUse};

use crate::clock::Clock;
use crate::config::{Config, Listen, reference};
use crate::home::{Home, write_file};
use crate::keys::pki::{Authority, AuthorityKind, PeerCertificate};
use crate::keys::{KeyFile, KeyUse};
use crate::setup::instant::{self, AUTHORITY_DAYS, CERTIFICATE_DAYS, DIRECTORY_DAYS, KEY_DAYS};
use crate::setup::{SetupError, credential, directory, embedded, roles};
use crate::store::{StoreKey, SubjectsKey};

/// What a new home is to be.
#[derive(Debug, Clone)]
pub struct Init {
    /// The country.
    pub country: CountryCode,
    /// The realm of its keys, certificates and documents.
    pub realm: Realm,
    /// The algorithms of its message, receipt and role keys.
    pub profile: SignatureProfile,
    /// Where the node listens.
    pub listen: Listen,
    /// Host names and addresses under which both faces are reached; they stand in the certificates.
    pub names: Vec<String>,
    /// `host:port` at which other members reach the federation face.
    pub gateway_address: String,
    /// Roles for which the node holds a key; `None` is every role that policy lets send or receive.
    pub roles: Option<BTreeSet<Role>>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initialised {
    /// Digest of the federation authority's certificate, to be compared by telephone before it is listed.
    pub authority: Digest,
    /// Id of the key that signs the country's directory.
    pub directory_key: String,
    /// Roles for which the node holds a key.
    pub roles: BTreeSet<Role>,
}

/// Sets up a home.
///
/// # Errors
/// `Occupied` when there is one already; otherwise what could not be made or written.
pub fn init(home: &Home, request: &Init, clock: &dyn Clock) -> Result<Initialised, SetupError> {
    for taken in [home.config(), home.keys()] {
        if taken.exists() {
            return Err(SetupError::Occupied(taken));
        }
    }
    let roles = request.roles.clone().map_or_else(roles::built_in, Ok)?;
    credential::make_key_folder(home)?;
    embedded::write_out(home)?;
    std::fs::create_dir_all(home.agencies()).map_err(SetupError::file(&home.agencies()))?;
    let authority = certificates(home, request, clock)?;
    let directory_key = keys(home, request, &roles, clock)?;
    let mut config = Config::new(request.country.clone(), request.realm);
    config.listen = request.listen.clone();
    let path = home.config();
    write_file(&path, reference(&config)?.as_bytes()).map_err(SetupError::file(&path))?;
    Ok(Initialised { authority, directory_key, roles })
}

/// Both authorities and the certificates they issue; answers the digest of the one that others will trust.
fn certificates(home: &Home, request: &Init, clock: &dyn Clock) -> Result<Digest, SetupError> {
    let long = instant::validity(clock, AUTHORITY_DAYS)?;
    let short = instant::validity(clock, CERTIFICATE_DAYS)?;
    let create = |kind, face: &str| {
        let name = format!("Puente {} {face}", request.country);
        Authority::create(&name, request.realm, request.country.clone(), kind, long)
    };
    let federation = create(AuthorityKind::Federation, "federation")?;
    let domestic = create(AuthorityKind::Domestic, "domestic")?;
    credential::store_authority(home, credential::FEDERATION_AUTHORITY, &federation)?;
    credential::store_authority(home, credential::DOMESTIC_AUTHORITY, &domestic)?;
    credential::store_issued(home, credential::GATEWAY, &federation.issue_gateway(&request.names, short)?)?;
    credential::store_issued(
        home,
        credential::DOMESTIC_SERVER,
        &domestic.issue_server(&domestic_names(request), short)?,
    )?;
    Ok(Digest::of(federation.certificate()))
}

/// The names of the domestic face: those asked for, and the address it listens on, by which agencies find it.
fn domestic_names(request: &Init) -> Vec<String> {
    let mut names = request.names.clone();
    let listens_on = request.listen.domestic.parse::<SocketAddr>().map(|address| address.ip());
    if let Ok(address) = listens_on
        && !address.is_unspecified()
        && !names.contains(&address.to_string())
    {
        names.push(address.to_string());
    }
    names
}

/// The JOSE keys and secrets, and the directory that names them; answers the id of the key that signs it.
fn keys(
    home: &Home,
    request: &Init,
    roles: &BTreeSet<Role>,
    clock: &dyn Clock,
) -> Result<String, SetupError> {
    let make = |name: &str, usage| credential::generate(home, name, request.profile, usage);
    let (not_before, not_after) = (instant::begins(clock), instant::ends(clock, KEY_DAYS));
    let listed = |key: &KeyFile, key_use, role| DirectoryKey {
        kid: key.key_id().clone(),
        key_use,
        role,
        agency: None,
        profile: key.profile(),
        jwk: key.public_jwk(),
        not_before,
        not_after,
    };
    let mut keys = vec![
        listed(&make(credential::MESSAGE, KeyUse::Sign)?, DirectoryUse::Message, None),
        listed(&make(credential::RECEIPT, KeyUse::Sign)?, DirectoryUse::Receipt, None),
    ];
    for role in roles {
        let key = make(&credential::seal_name(role), KeyUse::Open)?;
        keys.push(listed(&key, DirectoryUse::Seal, Some(role.clone())));
    }
    make(credential::MEMBERS, KeyUse::Sign)?;
    let signing = make(credential::DIRECTORY, KeyUse::Sign)?;
    credential::generate_pairwise(home)?;
    StoreKey::load_or_create(&credential::store_key_path(home))?;
    SubjectsKey::load_or_create(&credential::subjects_key_path(home))?;
    let gateway = PeerCertificate::from_der(&credential::load_certificate(home, credential::GATEWAY)?)?;
    let first = Directory {
        realm: request.realm,
        country: request.country.clone(),
        version: 1,
        expires: instant::ends(clock, DIRECTORY_DAYS),
        gateways: vec![Gateway { address: request.gateway_address.clone(), pins: vec![gateway.spki] }],
        keys,
        agencies: Vec::new(),
    };
    directory::sign(home, &first)?;
    Ok(signing.key_id().to_string())
}
