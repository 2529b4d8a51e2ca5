//! Adoption of a proposed profile: two members sign the terms that they adopt, and nothing else.
//!
//! Not here: the profile (`policy`), nor the ceremony. A member signs with the keys that sign its directory, so an
//! adoption needs no key of its own and ends with the keys under it: one that no longer verifies no longer counts.
//! INVARIANT: an [`Adopted`] was signed by [`ADOPTERS`] members that are valid now, each by its own threshold, and no
//! key spoke for two of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::envelope::KeyFactory;
use crate::ids::{Digest, MessageType, Realm};
use crate::membership::document::SignedDocument;
use crate::membership::error::MembershipError;
use crate::membership::lookup::Membership;

/// `typ` of an adoption.
pub const TYP_ADOPTION: &str = "puente-adoption+jws";

/// How many members adopt a profile.
pub const ADOPTERS: usize = 2;

/// What the members sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adoption {
    /// Realm: an adoption rehearsed is none where people are real.
    pub realm: Realm,
    /// The type whose profile it is.
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// Digest of the profile's terms; another word in the profile is another profile.
    pub terms: Digest,
}

/// An adoption that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted(Adoption);

impl Adopted {
    /// The type whose profile was adopted.
    #[must_use]
    pub const fn message_type(&self) -> &MessageType {
        &self.0.message_type
    }

    /// Digest of the terms that were adopted.
    #[must_use]
    pub const fn terms(&self) -> Digest {
        self.0.terms
    }
}

impl Membership {
    /// Verifies an adoption against the members as they are at `now`, in seconds.
    ///
    /// # Errors
    /// When it is not of its form or realm, a member's signature is wrong, or fewer than [`ADOPTERS`] members signed.
    pub fn adopted(
        &self,
        document: &[u8],
        now: i64,
        factory: &dyn KeyFactory,
    ) -> Result<Adopted, MembershipError> {
        let document = SignedDocument::read(document)?;
        let mut spent = BTreeSet::new();
        let mut adoption: Option<Adoption> = None;
        let mut adopters = 0;
        for country in self.countries() {
            let Some((keys, threshold)) = self.directory_keys(country, now) else { continue };
            let own: Vec<_> = keys.iter().filter(|key| !spent.contains(&key.kid)).cloned().collect();
            match document.verify(TYP_ADOPTION, &own, threshold, factory) {
                Ok(signed) => {
                    adopters += 1;
                    adoption = Some(signed);
                    spent.extend(own.into_iter().map(|key| key.kid));
                }
                Err(MembershipError::Threshold { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let too_few = MembershipError::Threshold { have: adopters, need: ADOPTERS };
        let adoption = adoption.filter(|_| adopters >= ADOPTERS).ok_or(too_few)?;
        if adoption.realm == self.realm() {
            Ok(Adopted(adoption))
        } else {
            Err(MembershipError::Realm(adoption.realm))
        }
    }
}
