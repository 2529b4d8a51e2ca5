//! The register of the country's own agencies and officers: one file per agency in the node's home.
//!
//! Not here: who is a member of the federation. INVARIANT: an agency or officer counts only while its file
//! says active, and a file that cannot be read takes nobody with it but its own agency.

mod file;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use puente_core::approval::RegisteredOfficer;
use puente_core::envelope::{KeyFactory, Verify};
use puente_core::ids::{AgencyId, Digest, KeyId, OfficerId, Role};
use puente_core::membership::{DirectoryKey, KeyUse};

pub use file::{AgencyFile, CertificateEntry, OfficerEntry, SealEntry, State};

/// Why the register cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("register of agencies cannot be read")]
pub struct RegisterError(#[from] std::io::Error);

struct Officer {
    entry: OfficerEntry,
    key: Arc<dyn Verify>,
}

/// An agency as the domestic face knows it after mTLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAgency {
    /// Its id.
    pub agency: AgencyId,
    /// Its roles.
    pub roles: Vec<Role>,
}

/// Why a client certificate is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// No agency lists this certificate.
    Unknown,
    /// The agency or the certificate was revoked.
    Revoked,
}

/// A key with which an agency signs, while its certificate stands.
struct SigningKey {
    kid: KeyId,
    not_after: i64,
    key: Arc<dyn Verify>,
}

/// All agencies and officers.
#[derive(Default)]
pub struct Register {
    agencies: BTreeMap<AgencyId, AgencyFile>,
    officers: BTreeMap<(AgencyId, OfficerId), Officer>,
    signing: BTreeMap<AgencyId, Vec<SigningKey>>,
    unreadable: Vec<String>,
}

impl Register {
    /// Reads every agency file of the folder.
    ///
    /// # Errors
    /// When the folder cannot be read; a file that is not of its form is listed by `unreadable`.
    pub fn read(folder: &Path, keys: &dyn KeyFactory) -> Result<Self, RegisterError> {
        let mut register = Self::default();
        if !folder.exists() {
            return Ok(register);
        }
        for (name, bytes) in crate::home::read_tree(folder)? {
            let Ok(file) = serde_json::from_slice::<AgencyFile>(&bytes) else {
                register.unreadable.push(name);
                continue;
            };
            let keys_of = register.signing.entry(file.agency.clone()).or_default();
            for entry in file.certificates.iter().filter(|entry| entry.state == State::Active) {
                let Some(jwk) = &entry.jwk else { continue };
                let kid =
                    jwk.0.get("kid").and_then(serde_json::Value::as_str).and_then(|kid| kid.parse().ok());
                match kid.and_then(|kid: KeyId| Some((keys.verifier(&kid, jwk).ok()?, kid))) {
                    Some((key, kid)) => {
                        keys_of.push(SigningKey { kid, not_after: entry.not_after, key: Arc::from(key) });
                    }
                    None => register.unreadable.push(format!("{name}: certificate {}", entry.serial)),
                }
            }
            for entry in &file.officers {
                match keys.verifier(&entry.kid, &entry.jwk) {
                    Ok(key) => {
                        let officer = Officer { entry: entry.clone(), key: Arc::from(key) };
                        register.officers.insert((file.agency.clone(), entry.officer.clone()), officer);
                    }
                    Err(_) => register.unreadable.push(format!("{name}: officer {}", entry.officer)),
                }
            }
            register.agencies.insert(file.agency.clone(), file);
        }
        Ok(register)
    }

    /// Files and officers that could not be read, by name.
    #[must_use]
    pub fn unreadable(&self) -> &[String] {
        &self.unreadable
    }

    /// Every agency.
    pub fn agencies(&self) -> impl Iterator<Item = &AgencyFile> {
        self.agencies.values()
    }

    /// The agency that presented this certificate.
    ///
    /// # Errors
    /// When no active agency lists it.
    pub fn admit(&self, agency: &AgencyId, spki: &Digest) -> Result<KnownAgency, NotAdmitted> {
        let file = self.agencies.get(agency).ok_or(NotAdmitted::Unknown)?;
        let listed =
            file.certificates.iter().find(|entry| entry.spki == *spki).ok_or(NotAdmitted::Unknown)?;
        if file.state != State::Active || listed.state != State::Active {
            return Err(NotAdmitted::Revoked);
        }
        Ok(KnownAgency { agency: file.agency.clone(), roles: file.roles.clone() })
    }

    /// The key of this id with which an active agency signs, while its certificate stands.
    #[must_use]
    pub fn signing_key(&self, agency: &AgencyId, kid: &KeyId, now_s: i64) -> Option<Arc<dyn Verify>> {
        self.agencies.get(agency).filter(|file| file.state == State::Active)?;
        let keys = self.signing.get(agency)?;
        let key = keys.iter().find(|key| key.kid == *kid && now_s < key.not_after)?;
        Some(Arc::clone(&key.key))
    }

    /// The officer with this credential, whether active or not.
    #[must_use]
    pub fn officer(&self, agency: &AgencyId, officer: &OfficerId) -> Option<RegisteredOfficer<'_>> {
        let found = self.officers.get(&(agency.clone(), officer.clone()))?;
        Some(RegisteredOfficer {
            person: found.entry.person.clone(),
            active: self.officer_stands(agency, officer),
            key: found.key.as_ref(),
        })
    }

    /// Whether the officer's credential stands now.
    #[must_use]
    pub fn officer_stands(&self, agency: &AgencyId, officer: &OfficerId) -> bool {
        let agency_stands = self.agencies.get(agency).is_some_and(|file| file.state == State::Active);
        let found = self.officers.get(&(agency.clone(), officer.clone()));
        agency_stands && found.is_some_and(|found| found.entry.state == State::Active)
    }

    /// Roles held by an active agency.
    #[must_use]
    pub fn roles(&self, agency: &AgencyId) -> &[Role] {
        self.agencies.get(agency).filter(|file| file.state == State::Active).map_or(&[], |file| &file.roles)
    }

    /// The keys of active agencies to which the country's directory has what is for them sealed, in roles that they hold.
    #[must_use]
    pub fn sealing_keys(&self) -> Vec<DirectoryKey> {
        let active = self.agencies.values().filter(|file| file.state == State::Active);
        let entries = active.flat_map(|file| file.seals.iter().map(move |entry| (file, entry)));
        entries
            .filter(|(file, entry)| file.roles.contains(&entry.role))
            .map(|(file, SealEntry { role, profile, key })| DirectoryKey {
                kid: key.kid.clone(),
                key_use: KeyUse::Seal,
                role: Some(role.clone()),
                agency: Some(file.agency.clone()),
                profile: *profile,
                jwk: key.jwk.clone(),
                not_before: key.not_before,
                not_after: key.not_after,
            })
            .collect()
    }

    /// The agency that alone opens what is sealed to this key, and until when the key stands, seconds; revoked agencies and
    /// ended keys among them.
    #[must_use]
    pub fn opens_itself(&self, kid: &KeyId) -> Option<(&AgencyId, i64)> {
        let entries =
            self.agencies.values().flat_map(|file| file.seals.iter().map(move |entry| (file, entry)));
        let mut entries = entries.filter(|(_, entry)| entry.key.kid == *kid);
        entries.next().map(|(file, entry)| (&file.agency, entry.key.not_after))
    }

    /// What the country's directory says of its agencies: active ones with their roles and keys.
    #[must_use]
    pub fn addressable(&self) -> Vec<puente_core::membership::Agency> {
        self.agencies
            .values()
            .filter(|file| file.state == State::Active)
            .map(|file| puente_core::membership::Agency {
                agency: file.agency.clone(),
                roles: file.roles.clone(),
                keys: file.keys.clone(),
            })
            .collect()
    }
}
