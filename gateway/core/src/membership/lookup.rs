//! The verified membership: what the node asks of it.
//!
//! Not here: what is done when a list has expired; `is_current` says so, and who asks decides by lane (PROTOCOL.md
//! section 4). INVARIANT: a document that does not verify never takes the place of one that did.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::envelope::{Jwk, KeyFactory, Seal, Verify, from_base64url};
use crate::ids::{AgencyId, CountryCode, Digest, KeyId, Realm, Role};
use crate::membership::document::{SignedDocument, TYP_MEMBERS, TYP_ROOT};
use crate::membership::entry::{MemberEntry, SigningKey, VerifiedDirectory, refuse_rollback};
use crate::membership::error::MembershipError;
use crate::membership::list::{DelegatedKey, Gateway, KeyUse, Members, Root};
use crate::problem::{self, Problem};

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
    /// Verifies the documents; `previous` guards against going back. Expiry is not judged here: see `is_current`.
    ///
    /// # Errors
    /// When root or members do not verify. A directory that does not verify costs only its country, which is
    /// then listed by `rejected` and keeps the directory that `previous` held.
    pub fn load(
        files: &MembershipFiles,
        realm: Realm,
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
        for found in [root.realm, members.realm] {
            if found != realm {
                return Err(MembershipError::Realm(found));
            }
        }
        refuse_rollback("root", root.version, previous.map(|held| held.root_version))?;
        refuse_rollback("members", members.version, previous.map(|held| held.members_version))?;
        let mut membership = Self {
            realm,
            root_version: root.version,
            members_version: members.version,
            members_digest: Digest::of(&files.members),
            expires: root.expires.min(members.expires),
            entries: BTreeMap::new(),
            rejected: Vec::new(),
        };
        for member in members.members {
            let country = member.country.clone();
            if membership.entries.contains_key(&country) {
                return Err(MembershipError::Country(country));
            }
            let held = previous.and_then(|held| held.entries.get(&country)).and_then(|held| {
                // Under other keys of the country the held directory has to prove itself again.
                let same = held.member.directory_keys == member.directory_keys
                    && held.member.directory_threshold == member.directory_threshold;
                held.directory.clone().filter(|_| same)
            });
            let mut entry = MemberEntry::new(member)?;
            let found = files.directories.iter().find(|(of, _)| *of == country);
            entry.directory = match found {
                None => held,
                Some((_, bytes)) => {
                    let version = held.as_ref().map(|held| held.directory.version);
                    match VerifiedDirectory::read(bytes, &entry.member, realm, version, factory) {
                        Ok(directory) => Some(Arc::new(directory)),
                        Err(error) => {
                            membership.rejected.push((country.clone(), error));
                            held
                        }
                    }
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

    /// When the members' list or its root expires, seconds.
    #[must_use]
    pub const fn expires(&self) -> i64 {
        self.expires
    }

    /// Whether neither the lists nor this country's directory have expired. New traffic waits for that; what was
    /// accepted, withdrawals, receipts and child alerts do not.
    #[must_use]
    pub fn is_current(&self, country: &CountryCode, now: i64) -> bool {
        now < self.expires && self.directory(country).is_some_and(|verified| now < verified.directory.expires)
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

    /// Pins of a member's gateways; empty when its directory names none, `None` when there is no directory.
    #[must_use]
    pub fn pins(&self, country: &CountryCode) -> Option<Vec<Digest>> {
        self.directory(country)?;
        Some(self.gateways(country).iter().flat_map(|gateway| gateway.pins.iter().copied()).collect())
    }

    /// A member's gateways.
    #[must_use]
    pub fn gateways(&self, country: &CountryCode) -> &[Gateway] {
        self.directory(country).map_or(&[], |verified| verified.directory.gateways.as_slice())
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

    /// The key with which a country signs messages or receipts, when its window holds `at`.
    #[must_use]
    pub fn verifier(
        &self,
        country: &CountryCode,
        key_use: KeyUse,
        kid: &KeyId,
        at: i64,
    ) -> Option<Arc<dyn Verify>> {
        let key = self.signing_key(country, key_use, kid).filter(|key| key.window.holds(at))?;
        self.valid(country, at).map(|_| Arc::clone(&key.verifier))
    }

    /// The public half of a country's message key, whether or not its window holds now.
    #[must_use]
    pub fn message_key(&self, country: &CountryCode, kid: &KeyId) -> Option<&Jwk> {
        self.signing_key(country, KeyUse::Message, kid).map(|key| &key.jwk)
    }

    /// The key with which an agency signs its messages, when its window holds `at`, and whose it is.
    pub(super) fn agency_key(
        &self,
        country: &CountryCode,
        kid: &KeyId,
        at: i64,
    ) -> Option<(AgencyId, Arc<dyn Verify>)> {
        self.valid(country, at)?;
        let key = self.directory(country)?.agencies.iter().find(|key| key.kid == *kid)?;
        key.window.holds(at).then(|| (key.agency.clone(), Arc::clone(&key.verifier)))
    }

    /// Whether an agency signs its messages itself, by its country's directory.
    #[must_use]
    pub fn signs_itself(&self, country: &CountryCode, agency: &AgencyId) -> bool {
        self.directory(country)
            .is_some_and(|verified| verified.agencies.iter().any(|key| key.agency == *agency))
    }

    /// The key to which what is for this agency of a role, or for the role, is sealed now.
    ///
    /// # Errors
    /// `recipient.unknown` when the country is no member or has no key for the role; `seal.agency_needed` when none is
    /// named, several hold the role and one of them a key of its own; `seal.no_key` when the agency's own keys have ended.
    pub fn sealer(
        &self,
        country: &CountryCode,
        role: &Role,
        agency: Option<&AgencyId>,
        now: i64,
    ) -> Result<Arc<dyn Seal>, Problem> {
        let valid = self.valid(country, now).and_then(|entry| entry.directory.as_ref());
        let valid = valid.ok_or_else(|| Problem::new(&problem::RECIPIENT_UNKNOWN).at("/recipient"))?;
        valid.sealing.sealer(role, agency, &valid.directory.agencies, now)
    }

    /// Whether what was sealed to this key for a country's role may still be sent: the key has not ended.
    #[must_use]
    pub fn seals_still(&self, country: &CountryCode, role: &Role, kid: &KeyId, now: i64) -> bool {
        let valid = self.valid(country, now).and_then(|entry| entry.directory.as_ref());
        valid.is_some_and(|verified| verified.sealing.stands(role, kid, now))
    }

    /// The key that a country's gateway itself holds for a role now: only for what it has to take note of whoever reads it.
    #[must_use]
    pub fn gateway_sealer(&self, country: &CountryCode, role: &Role, now: i64) -> Option<Arc<dyn Seal>> {
        self.valid(country, now)?.directory.as_ref()?.sealing.gateways(role, now)
    }

    /// Whether a country has an agency with this role (and this id, when one is named).
    #[must_use]
    pub fn answers(&self, country: &CountryCode, role: &Role, agency: Option<&AgencyId>) -> bool {
        self.directory(country).is_some_and(|verified| {
            verified.directory.agencies.iter().any(|listed| {
                listed.roles.contains(role) && agency.is_none_or(|wanted| listed.agency == *wanted)
            })
        })
    }

    /// The version of a country's directory in force.
    #[must_use]
    pub fn directory_version(&self, country: &CountryCode) -> Option<u64> {
        self.entries.get(country).and_then(MemberEntry::version)
    }

    fn directory(&self, country: &CountryCode) -> Option<&VerifiedDirectory> {
        self.entries.get(country).and_then(|entry| entry.directory.as_deref())
    }

    fn signing_key(&self, country: &CountryCode, key_use: KeyUse, kid: &KeyId) -> Option<&SigningKey> {
        self.directory(country)?.signing.iter().find(|key| key.key_use == key_use && key.kid == *kid)
    }

    /// The keys with which a country signs national acts, and how many of them are needed.
    pub(super) fn directory_keys(&self, country: &CountryCode, now: i64) -> Option<(&[DelegatedKey], usize)> {
        let member = &self.valid(country, now)?.member;
        Some((&member.directory_keys, member.directory_threshold))
    }

    fn valid(&self, country: &CountryCode, now: i64) -> Option<&MemberEntry> {
        self.entries.get(country).filter(|entry| entry.is_valid(now))
    }
}
