//! The verified membership: what the node asks of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::envelope::{CryptoFailure, KeyFactory, Seal, Verify, from_base64url};
use crate::ids::{AgencyId, CountryCode, Digest, KeyId, Realm, Role};
use crate::membership::document::{SignedDocument, TYP_DIRECTORY, TYP_MEMBERS, TYP_ROOT};
use crate::membership::list::{Directory, Gateway, KeyUse, Member, Members, Root};

/// Why membership cannot be trusted as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// A document is not of its form.
    #[error("membership document is not of its form: {0}")]
    Form(&'static str),
    /// Too few distinct keys signed.
    #[error("{have} of {need} required keys signed")]
    Threshold {
        /// Distinct listed keys that signed.
        have: usize,
        /// Keys that are needed.
        need: usize,
    },
    /// A signature or key failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailure),
    /// A document is of another realm.
    #[error("membership document is of realm `{0}`")]
    Realm(Realm),
    /// A document is past its expiry.
    #[error("{0} has expired")]
    Expired(&'static str),
    /// A document is older than the one in force.
    #[error("{what} of version {offered} is older than {held}")]
    Rollback {
        /// Which document.
        what: &'static str,
        /// Offered version.
        offered: u64,
        /// Version in force.
        held: u64,
    },
    /// A directory speaks for another country, or names one twice.
    #[error("directory of `{0}` does not belong to it")]
    Country(CountryCode),
}

/// The bytes from which a membership is built.
#[derive(Debug, Clone, Default)]
pub struct MembershipFiles {
    /// Root document: pinned by the operator when the node was set up.
    pub root: Vec<u8>,
    /// Members document.
    pub members: Vec<u8>,
    /// Directories by country, as found; a missing or wrong one only costs that country.
    pub directories: Vec<(CountryCode, Vec<u8>)>,
}

/// A peer whose TLS identity belongs to a member that is valid now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPeer(CountryCode);

impl VerifiedPeer {
    /// The peer's country.
    #[must_use]
    pub const fn country(&self) -> &CountryCode {
        &self.0
    }
}

struct MessageKey {
    kid: KeyId,
    key_use: KeyUse,
    not_before: i64,
    not_after: i64,
    verifier: Arc<dyn Verify>,
}

struct SealingKey {
    role: Role,
    not_before: i64,
    not_after: i64,
    sealer: Arc<dyn Seal>,
}

struct MemberEntry {
    member: Member,
    authorities: Vec<Vec<u8>>,
    directory: Option<Directory>,
    message_keys: Vec<MessageKey>,
    sealing_keys: Vec<SealingKey>,
}

/// The federation as this node believes it, all of it verified.
pub struct Membership {
    realm: Realm,
    root_version: u64,
    members_version: u64,
    members_digest: Digest,
    expires: i64,
    entries: BTreeMap<CountryCode, MemberEntry>,
    rejected: Vec<(CountryCode, MembershipError)>,
}

impl Membership {
    /// Verifies the documents; `previous` guards against going back.
    ///
    /// # Errors
    /// When root or members do not verify. A directory that does not verify costs only its country, which is
    /// then listed by `rejected` and, if `previous` held a valid directory, keeps that one.
    pub fn load(
        files: &MembershipFiles,
        realm: Realm,
        now: i64,
        factory: &dyn KeyFactory,
        previous: Option<&Self>,
    ) -> Result<Self, MembershipError> {
        let root_document = SignedDocument::read(&files.root)?;
        let claimed: Root = serde_json::from_slice(
            &from_base64url(&root_document.payload).ok_or(MembershipError::Form("root payload"))?,
        )
        .map_err(|_| MembershipError::Form("root payload"))?;
        let root: Root =
            root_document.verify(TYP_ROOT, &claimed.root_keys, claimed.root_threshold, factory)?;
        let members: Members = SignedDocument::read(&files.members)?.verify(
            TYP_MEMBERS,
            &root.members_keys,
            root.members_threshold,
            factory,
        )?;
        for (what, found, expires) in
            [("root", root.realm, root.expires), ("members", members.realm, members.expires)]
        {
            if found != realm {
                return Err(MembershipError::Realm(found));
            }
            if expires <= now {
                return Err(MembershipError::Expired(what));
            }
        }
        if let Some(held) = previous {
            refuse_rollback("root", root.version, held.root_version)?;
            refuse_rollback("members", members.version, held.members_version)?;
        }
        let mut membership = Self {
            realm,
            root_version: root.version,
            members_version: members.version,
            members_digest: Digest::of(&files.members),
            expires: members.expires,
            entries: BTreeMap::new(),
            rejected: Vec::new(),
        };
        for member in members.members {
            let country = member.country.clone();
            if membership.entries.contains_key(&country) {
                return Err(MembershipError::Country(country));
            }
            let bytes =
                files.directories.iter().find(|(of, _)| *of == country).map(|(_, bytes)| bytes.as_slice());
            let held = previous.and_then(|held| held.directory_version(&country));
            let entry = match MemberEntry::build(member.clone(), bytes, realm, now, held, factory) {
                Ok(entry) => entry,
                Err(error) => {
                    membership.rejected.push((country.clone(), error));
                    MemberEntry::build(member, None, realm, now, None, factory)?
                }
            };
            membership.entries.insert(country, entry);
        }
        Ok(membership)
    }

    /// Realm.
    #[must_use]
    pub const fn realm(&self) -> Realm {
        self.realm
    }

    /// Version and digest of the members list, as peers exchange them.
    #[must_use]
    pub const fn version(&self) -> (u64, Digest) {
        (self.members_version, self.members_digest)
    }

    /// When the members list expires, seconds.
    #[must_use]
    pub const fn expires(&self) -> i64 {
        self.expires
    }

    /// Countries, sorted.
    pub fn countries(&self) -> impl Iterator<Item = &CountryCode> {
        self.entries.keys()
    }

    /// Directories that were refused, and why.
    #[must_use]
    pub fn rejected(&self) -> &[(CountryCode, MembershipError)] {
        &self.rejected
    }

    /// A member's authorities (DER), when the member is valid at `now`.
    #[must_use]
    pub fn authorities(&self, country: &CountryCode, now: i64) -> Option<&[Vec<u8>]> {
        self.valid(country, now).map(|entry| entry.authorities.as_slice())
    }

    /// Pins of a member's gateways; empty when its directory names none.
    #[must_use]
    pub fn pins(&self, country: &CountryCode) -> Vec<Digest> {
        self.gateways(country).iter().flat_map(|gateway| gateway.pins.iter().copied()).collect()
    }

    /// A member's gateways.
    #[must_use]
    pub fn gateways(&self, country: &CountryCode) -> &[Gateway] {
        self.entries
            .get(country)
            .and_then(|entry| entry.directory.as_ref())
            .map_or(&[], |directory| directory.gateways.as_slice())
    }

    /// The peer behind a TLS identity of that country, when it is a member at `now`.
    #[must_use]
    pub fn peer(&self, country: &CountryCode, now: i64) -> Option<VerifiedPeer> {
        self.valid(country, now).map(|_| VerifiedPeer(country.clone()))
    }

    /// Whether a country that is a member at `now` signed a document, with as many directory keys as it must.
    #[must_use]
    pub fn signed(
        &self,
        country: &CountryCode,
        typ: &str,
        document: &SignedDocument,
        now: i64,
        factory: &dyn KeyFactory,
    ) -> bool {
        self.valid(country, now).is_some_and(|MemberEntry { member, .. }| {
            let read = document.verify::<serde::de::IgnoredAny>(
                typ,
                &member.directory_keys,
                member.directory_threshold,
                factory,
            );
            read.is_ok()
        })
    }

    /// The key with which a country signs messages or receipts, when its window holds `now`.
    #[must_use]
    pub fn verifier(
        &self,
        country: &CountryCode,
        key_use: KeyUse,
        kid: &KeyId,
        now: i64,
    ) -> Option<Arc<dyn Verify>> {
        let entry = self.valid(country, now)?;
        let key = entry.message_keys.iter().find(|key| key.key_use == key_use && key.kid == *kid)?;
        (key.not_before <= now && now < key.not_after).then(|| Arc::clone(&key.verifier))
    }

    /// The key to which a country's role has content sealed now: the one that began last.
    #[must_use]
    pub fn sealer(&self, country: &CountryCode, role: &Role, now: i64) -> Option<Arc<dyn Seal>> {
        let entry = self.valid(country, now)?;
        entry
            .sealing_keys
            .iter()
            .filter(|key| key.role == *role && key.not_before <= now && now < key.not_after)
            .max_by_key(|key| key.not_before)
            .map(|key| Arc::clone(&key.sealer))
    }

    /// Whether a country has an agency with this role (and this id, when one is named).
    #[must_use]
    pub fn answers(&self, country: &CountryCode, role: &Role, agency: Option<&AgencyId>) -> bool {
        self.entries.get(country).and_then(|entry| entry.directory.as_ref()).is_some_and(|directory| {
            directory.agencies.iter().any(|listed| {
                listed.roles.contains(role) && agency.is_none_or(|wanted| listed.agency == *wanted)
            })
        })
    }

    /// The version of a country's directory in force.
    #[must_use]
    pub fn directory_version(&self, country: &CountryCode) -> Option<u64> {
        self.entries
            .get(country)
            .and_then(|entry| entry.directory.as_ref())
            .map(|directory| directory.version)
    }

    fn valid(&self, country: &CountryCode, now: i64) -> Option<&MemberEntry> {
        self.entries
            .get(country)
            .filter(|entry| entry.member.valid_from <= now && now < entry.member.valid_to)
    }
}

impl MemberEntry {
    fn build(
        member: Member,
        directory: Option<&[u8]>,
        realm: Realm,
        now: i64,
        held_version: Option<u64>,
        factory: &dyn KeyFactory,
    ) -> Result<Self, MembershipError> {
        let authorities = member
            .authorities
            .iter()
            .map(|text| from_base64url(text).ok_or(MembershipError::Form("authority certificate")))
            .collect::<Result<_, _>>()?;
        let mut entry =
            Self { member, authorities, directory: None, message_keys: Vec::new(), sealing_keys: Vec::new() };
        let Some(bytes) = directory else { return Ok(entry) };
        let directory: Directory = SignedDocument::read(bytes)?.verify(
            TYP_DIRECTORY,
            &entry.member.directory_keys,
            entry.member.directory_threshold,
            factory,
        )?;
        if directory.country != entry.member.country {
            return Err(MembershipError::Country(directory.country));
        }
        if directory.realm != realm {
            return Err(MembershipError::Realm(directory.realm));
        }
        if directory.expires <= now {
            return Err(MembershipError::Expired("directory"));
        }
        if let Some(held) = held_version {
            refuse_rollback("directory", directory.version, held)?;
        }
        for key in &directory.keys {
            let (not_before, not_after) = (key.not_before, key.not_after);
            match (key.key_use, key.role.clone()) {
                (KeyUse::Seal, Some(role)) => entry.sealing_keys.push(SealingKey {
                    role,
                    not_before,
                    not_after,
                    sealer: Arc::from(factory.sealer(&key.kid, &key.jwk)?),
                }),
                (KeyUse::Seal, None) => return Err(MembershipError::Form("sealing key without a role")),
                (key_use, _) => entry.message_keys.push(MessageKey {
                    kid: key.kid.clone(),
                    key_use,
                    not_before,
                    not_after,
                    verifier: Arc::from(factory.verifier(&key.kid, &key.jwk)?),
                }),
            }
        }
        entry.directory = Some(directory);
        Ok(entry)
    }
}

fn refuse_rollback(what: &'static str, offered: u64, held: u64) -> Result<(), MembershipError> {
    if offered < held { Err(MembershipError::Rollback { what, offered, held }) } else { Ok(()) }
}
