//! The country's agencies: letting a system in, taking it out, who is in.
//!
//! Not here: officers (`officer`), keys of their own (`agency_key`) and what an agency may do (policy). INVARIANT: an agency's file and the
//! directory change together, file first: a crash between leaves an agency that is let in and not yet addressed,
//! or out and still addressed, until the next change or `publish`.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use puente_core::ids::{AgencyId, Role};

use crate::clock::Clock;
use crate::config::Config;
use crate::home::Home;
use crate::keys::Jose;
use crate::keys::pki::{PeerCertificate, certified_key, to_pem};
use crate::register::{AgencyFile, CertificateEntry, Register, State};
use crate::setup::instant::{self, CERTIFICATE_DAYS};
use crate::setup::lock::EditLock;
use crate::setup::{SetupError, credential, directory, roles};

/// Most roles of one agency: policy knows about twenty, and no agency is all of a state.
pub const MAX_ROLES: usize = 16;

/// What an agency's system needs to connect.
pub struct Enrolled {
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its private key, PEM, when it was made here and not by the agency.
    pub key: Option<Zeroizing<String>>,
    /// The authority under which it knows the gateway, PEM.
    pub authority: String,
    /// `host:port` of the domestic face, as configured.
    pub address: String,
}

/// Registers an agency, or gives a registered one a further certificate and these roles; republishes the directory.
///
/// With `csr`, a PKCS#10 request in PEM, the agency keeps its key; without, a key is made for it.
///
/// # Errors
/// `Roles` or `UnknownRole`, `RevokedAgency`, `Pki` for a request that is none; otherwise what could not be written.
pub fn add(
    home: &Home,
    agency: &AgencyId,
    roles: &[Role],
    csr: Option<&[u8]>,
    clock: &dyn Clock,
) -> Result<Enrolled, SetupError> {
    let _alone = EditLock::take(home)?;
    let first = expect_known(home, roles)?;
    let mut file = if is_registered(home, agency) {
        read(home, agency)?
    } else {
        AgencyFile {
            agency: agency.clone(),
            roles: Vec::new(),
            state: State::Active,
            certificates: Vec::new(),
            officers: Vec::new(),
            keys: Vec::new(),
            seals: Vec::new(),
        }
    };
    if file.state == State::Revoked {
        return Err(SetupError::RevokedAgency(agency.clone()));
    }
    let authority = credential::load_authority(home, credential::DOMESTIC_AUTHORITY)?;
    let validity = instant::validity(clock, CERTIFICATE_DAYS)?;
    let (certificate, key) = match csr {
        Some(csr) => (authority.sign_csr(csr, agency, first, validity)?, None),
        None => {
            let issued = authority.issue_client(agency, first, validity)?;
            (issued.certificate, Some(issued.key.to_pem()))
        }
    };
    roles.clone_into(&mut file.roles);
    file.certificates.push(listed(&certificate)?);
    write(home, &file)?;
    republish(home, clock)?;
    Ok(Enrolled {
        certificate: to_pem(&certificate),
        key,
        authority: to_pem(authority.certificate()),
        address: Config::read(&home.config())?.listen.domestic,
    })
}

/// Takes an agency out: its certificates no longer count, its officers no longer stand, nobody can address it.
///
/// # Errors
/// `UnknownAgency`; otherwise what could not be written.
pub fn revoke(home: &Home, agency: &AgencyId, clock: &dyn Clock) -> Result<(), SetupError> {
    let _alone = EditLock::take(home)?;
    let mut file = read(home, agency)?;
    file.state = State::Revoked;
    write(home, &file)?;
    republish(home, clock)
}

/// Every agency, by id.
///
/// # Errors
/// `Register` when the folder cannot be read, `Form` when a file of it is not an agency's.
pub fn list(home: &Home) -> Result<Vec<AgencyFile>, SetupError> {
    let register = Register::read(&home.agencies(), &Jose)?;
    match register.unreadable().first() {
        Some(name) => {
            Err(SetupError::Form { path: home.agencies().join(name), expected: "an agency's file" })
        }
        None => Ok(register.agencies().cloned().collect()),
    }
}

fn expect_known<'a>(home: &Home, roles: &'a [Role]) -> Result<&'a Role, SetupError> {
    let first = roles.first().filter(|_| roles.len() <= MAX_ROLES).ok_or(SetupError::Roles)?;
    let known = roles::in_force(home)?;
    match roles.iter().find(|role| !known.contains(role)) {
        Some(unknown) => Err(SetupError::UnknownRole(unknown.clone())),
        None => Ok(first),
    }
}

fn listed(certificate: &CertificateDer<'_>) -> Result<CertificateEntry, SetupError> {
    let stated = PeerCertificate::from_der(certificate)?;
    Ok(CertificateEntry {
        spki: stated.spki,
        serial: stated.serial,
        not_after: stated.not_after.as_second(),
        state: State::Active,
        jwk: certified_key(certificate),
    })
}

fn is_registered(home: &Home, agency: &AgencyId) -> bool {
    path(&home.agencies(), agency).exists()
}

fn path(folder: &Path, agency: &AgencyId) -> std::path::PathBuf {
    folder.join(format!("{agency}.json"))
}

/// The file of a registered agency.
pub(super) fn read(home: &Home, agency: &AgencyId) -> Result<AgencyFile, SetupError> {
    if !is_registered(home, agency) {
        return Err(SetupError::UnknownAgency(agency.clone()));
    }
    AgencyFile::read(&home.agencies(), agency).map_err(SetupError::file(&path(&home.agencies(), agency)))
}

/// Writes an agency's file.
pub(super) fn write(home: &Home, file: &AgencyFile) -> Result<(), SetupError> {
    file.write(&home.agencies()).map_err(SetupError::file(&path(&home.agencies(), &file.agency)))
}

/// Signs the directory anew with the agencies as they are now; whoever calls holds the lock.
pub(super) fn republish(home: &Home, clock: &dyn Clock) -> Result<(), SetupError> {
    let register = Register::read(&home.agencies(), &Jose)?;
    directory::next(home, clock, |directory| directory::take_up(directory, &register)).map(|_| ())
}
