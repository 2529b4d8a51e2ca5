//! The names of a home's keys and certificates, and reading and writing them.
//!
//! Not here: what they are used for. INVARIANT: a key is written only where none lies, readable by its owner alone.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use puente_core::envelope::{Randomness as _, SignatureProfile};
use puente_core::ids::Role;

use crate::home::{Home, make_private_folder, write_file};
use crate::keys::pki::{Authority, Issued, to_pem};
use crate::keys::{KeyFile, KeyUse, SystemRandom, read_private, write_private};
use crate::setup::SetupError;

/// Signs messages.
pub(super) const MESSAGE: &str = "message";
/// Signs receipts.
pub(super) const RECEIPT: &str = "receipt";
/// Signs the country's directory.
pub(super) const DIRECTORY: &str = "directory";
/// Signs root and members list for this country.
pub(super) const MEMBERS: &str = "members";
/// The gateway's certificate towards other members.
pub(super) const GATEWAY: &str = "gateway";
/// The server's certificate towards the country's own agencies.
pub(super) const DOMESTIC_SERVER: &str = "domestic-server";
/// Issues the gateway's certificate.
pub(super) const FEDERATION_AUTHORITY: &str = "federation-ca";
/// Issues the server's and the agencies' certificates.
pub(super) const DOMESTIC_AUTHORITY: &str = "domestic-ca";

/// Bytes of the key for pairwise pseudonyms: as long as the digest of its HMAC.
const PAIRWISE_BYTES: usize = 32;

/// Certificates in one file: the own one and a short path to the authority.
const MAX_CHAIN: usize = 4;

/// The name of the key that opens what is sealed to a role.
pub(super) fn seal_name(role: &Role) -> String {
    format!("seal-{role}")
}

/// The file of the key for pairwise pseudonyms.
pub(super) fn pairwise_path(home: &Home) -> PathBuf {
    home.keys().join("pairwise.key")
}

/// The file of the key that the store is sealed under.
pub(super) fn store_key_path(home: &Home) -> PathBuf {
    home.keys().join("store.key")
}

/// The file of the key that wraps the keys of subjects.
pub(super) fn subjects_key_path(home: &Home) -> PathBuf {
    home.keys().join("subjects.key")
}

/// Makes the folder of keys, for its owner alone.
pub(super) fn make_key_folder(home: &Home) -> Result<(), SetupError> {
    let path = home.keys();
    make_private_folder(home.path()).map_err(SetupError::file(home.path()))?;
    DirBuilder::new().mode(0o700).create(&path).map_err(SetupError::file(&path))
}

/// Makes a key and writes it under a name that is still free.
pub(super) fn generate(
    home: &Home,
    name: &str,
    profile: SignatureProfile,
    usage: KeyUse,
) -> Result<KeyFile, SetupError> {
    let path = home.key(name);
    let key = KeyFile::generate(profile, usage).map_err(SetupError::key(&path))?;
    store(home, name, &key)?;
    Ok(key)
}

/// Makes the key for pairwise pseudonyms.
pub(super) fn generate_pairwise(home: &Home) -> Result<(), SetupError> {
    let mut secret = zeroize::Zeroizing::new([0_u8; PAIRWISE_BYTES]);
    SystemRandom.fill(secret.as_mut_slice());
    Ok(write_private(&pairwise_path(home), secret.as_slice())?)
}

/// Reads the key for pairwise pseudonyms.
pub(super) fn load_pairwise(home: &Home) -> Result<aws_lc_rs::hmac::Key, SetupError> {
    let path = pairwise_path(home);
    let secret = read_private(&path)?;
    if secret.len() != PAIRWISE_BYTES {
        return Err(SetupError::Form { path, expected: "a key of 32 bytes" });
    }
    Ok(aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret))
}

/// Reads the key of this name.
pub(super) fn load_key(home: &Home, name: &str, usage: KeyUse) -> Result<KeyFile, SetupError> {
    let path = home.key(name);
    KeyFile::load(&path, usage).map_err(SetupError::key(&path))
}

/// Writes a certificate with its key.
pub(super) fn store_issued(home: &Home, name: &str, issued: &Issued) -> Result<(), SetupError> {
    store(home, name, &issued.key)?;
    store_certificate(home, name, &issued.certificate)
}

/// Writes an authority's certificate and key.
pub(super) fn store_authority(home: &Home, name: &str, authority: &Authority) -> Result<(), SetupError> {
    store(home, name, authority.key())?;
    store_certificate(home, name, authority.certificate())
}

/// Reads an authority.
pub(super) fn load_authority(home: &Home, name: &str) -> Result<Authority, SetupError> {
    let certificate = load_certificate(home, name)?;
    Ok(Authority::load(certificate, load_key(home, name, KeyUse::Sign)?)?)
}

/// The first certificate of the file of this name.
pub(super) fn load_certificate(home: &Home, name: &str) -> Result<CertificateDer<'static>, SetupError> {
    let not_one = || SetupError::Form { path: home.certificate(name), expected: "a certificate in PEM" };
    load_chain(home, name)?.into_iter().next().ok_or_else(not_one)
}

/// Every certificate of the file of this name, the own one first.
pub(super) fn load_chain(home: &Home, name: &str) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let path = home.certificate(name);
    let pem = std::fs::read(&path).map_err(SetupError::file(&path))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).take(MAX_CHAIN + 1).collect();
    match chain {
        Ok(chain) if (1..=MAX_CHAIN).contains(&chain.len()) => Ok(chain),
        _ => Err(SetupError::Form { path, expected: "one to four certificates in PEM" }),
    }
}

fn store(home: &Home, name: &str, key: &KeyFile) -> Result<(), SetupError> {
    let path = home.key(name);
    // INVARIANT: no key is ever written over another; what was signed or sealed with the old one would be lost.
    if path.exists() {
        return Err(SetupError::Occupied(path));
    }
    key.store(&path).map_err(SetupError::key(&path))
}

fn store_certificate(home: &Home, name: &str, der: &CertificateDer<'_>) -> Result<(), SetupError> {
    let path = home.certificate(name);
    write_file(&path, to_pem(der).as_bytes()).map_err(SetupError::file(&path))
}
