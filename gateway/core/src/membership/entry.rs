//! One member with its directory, verified: the keys of a country and their windows.
//!
//! Not here: whose turn it is to be believed (`lookup`). INVARIANT: every key here was signed by its own country, under
//! keys that the members' list names for it.

use std::sync::Arc;

use crate::envelope::{Jwk, KeyFactory, Verify, from_base64url};
use crate::ids::{AgencyId, KeyId, Realm};
use crate::membership::document::{SignedDocument, TYP_DIRECTORY};
use crate::membership::error::MembershipError;
use crate::membership::list::{Directory, KeyUse, Member};
use crate::membership::sealing::SealingKeys;

/// When a key may be used, seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) not_before: i64,
    not_after: i64,
}

impl Window {
    pub(super) const fn of(not_before: i64, not_after: i64) -> Self {
        Self { not_before, not_after }
    }

    pub(super) const fn holds(self, at: i64) -> bool {
        self.not_before <= at && at < self.not_after
    }
}

pub(super) struct SigningKey {
    pub(super) kid: KeyId,
    pub(super) key_use: KeyUse,
    pub(super) window: Window,
    pub(super) jwk: Jwk,
    pub(super) verifier: Arc<dyn Verify>,
}

pub(super) struct AgencySigningKey {
    pub(super) agency: AgencyId,
    pub(super) kid: KeyId,
    pub(super) window: Window,
    pub(super) verifier: Arc<dyn Verify>,
}

/// A country's directory, verified.
pub(super) struct VerifiedDirectory {
    pub(super) directory: Directory,
    pub(super) signing: Vec<SigningKey>,
    pub(super) agencies: Vec<AgencySigningKey>,
    pub(super) sealing: SealingKeys,
}

/// What the members' list says of a country, and its directory if one verified.
#[derive(Clone)]
pub(super) struct MemberEntry {
    pub(super) member: Member,
    pub(super) authorities: Vec<Vec<u8>>,
    pub(super) directory: Option<Arc<VerifiedDirectory>>,
}

impl MemberEntry {
    /// A member without a directory.
    pub(super) fn new(member: Member) -> Result<Self, MembershipError> {
        let authorities = member
            .authorities
            .iter()
            .map(|text| from_base64url(text).ok_or(MembershipError::Form("authority certificate")))
            .collect::<Result<_, _>>()?;
        Ok(Self { member, authorities, directory: None })
    }

    /// The version of its directory.
    pub(super) fn version(&self) -> Option<u64> {
        self.directory.as_ref().map(|verified| verified.directory.version)
    }

    pub(super) fn is_valid(&self, now: i64) -> bool {
        self.member.valid_from <= now && now < self.member.valid_to
    }
}

impl VerifiedDirectory {
    /// Verifies a directory against what the members' list says of its country.
    pub(super) fn read(
        bytes: &[u8],
        member: &Member,
        realm: Realm,
        held: Option<u64>,
        factory: &dyn KeyFactory,
    ) -> Result<Self, MembershipError> {
        let directory: Directory = SignedDocument::read(bytes)?.verify(
            TYP_DIRECTORY,
            &member.directory_keys,
            member.directory_threshold,
            factory,
        )?;
        if directory.country != member.country {
            return Err(MembershipError::Country(directory.country));
        }
        if directory.realm != realm {
            return Err(MembershipError::Realm(directory.realm));
        }
        refuse_rollback("directory", directory.version, held)?;
        let sealing = SealingKeys::read(&directory, factory)?;
        let (mut signing, mut agencies) = (Vec::new(), Vec::new());
        for key in directory.keys.iter().filter(|key| key.key_use != KeyUse::Seal) {
            signing.push(SigningKey {
                kid: key.kid.clone(),
                key_use: key.key_use,
                window: Window::of(key.not_before, key.not_after),
                jwk: key.jwk.clone(),
                verifier: Arc::from(factory.verifier(&key.kid, &key.jwk)?),
            });
        }
        for agency in &directory.agencies {
            for key in &agency.keys {
                agencies.push(AgencySigningKey {
                    agency: agency.agency.clone(),
                    kid: key.kid.clone(),
                    window: Window::of(key.not_before, key.not_after),
                    verifier: Arc::from(factory.verifier(&key.kid, &key.jwk)?),
                });
            }
        }
        Ok(Self { directory, signing, agencies, sealing })
    }
}

/// A document may not be older than the one in force.
pub(super) fn refuse_rollback(
    what: &'static str,
    offered: u64,
    held: Option<u64>,
) -> Result<(), MembershipError> {
    match held {
        Some(held) if offered < held => Err(MembershipError::Rollback { what, offered, held }),
        _ => Ok(()),
    }
}
