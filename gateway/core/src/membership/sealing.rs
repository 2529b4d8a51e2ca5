//! To which key what is for a role is sealed: the gateway's, or the own key of the agency that is meant.
//!
//! Not here: sealing itself (`envelope`). INVARIANT: what is for an agency that holds a key of its own is never sealed to
//! another's, its gateway's least of all; with its last key ended nothing can be sealed to it, until it adds one.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::envelope::{KeyFactory, Seal};
use crate::ids::{AgencyId, KeyId, Role};
use crate::membership::entry::Window;
use crate::membership::error::MembershipError;
use crate::membership::list::{Agency, Directory, DirectoryKey, KeyUse};
use crate::problem::{self, Problem};

struct SealingKey {
    role: Role,
    /// The agency that alone opens; the gateway where there is none.
    holder: Option<AgencyId>,
    window: Window,
    sealer: Arc<dyn Seal>,
}

/// The sealing keys of one country.
pub(super) struct SealingKeys(Vec<SealingKey>);

impl SealingKeys {
    /// Reads those of a directory.
    ///
    /// # Errors
    /// `Form` for a key without a role, one of an agency that does not hold it, one of an agency that does not seal, and one
    /// listed twice: each has one holder and one role.
    pub(super) fn read(directory: &Directory, factory: &dyn KeyFactory) -> Result<Self, MembershipError> {
        let mut known: BTreeSet<&KeyId> = BTreeSet::new();
        let mut keys = Vec::new();
        for key in &directory.keys {
            let agency = key.agency.as_ref();
            if key.key_use != KeyUse::Seal {
                if agency.is_some() {
                    return Err(MembershipError::Form("agency of a key that does not seal"));
                }
                continue;
            }
            let role = key.role.clone().ok_or(MembershipError::Form("sealing key without a role"))?;
            if agency.is_some_and(|agency| !holds_role(&directory.agencies, agency, &role)) {
                return Err(MembershipError::Form("sealing key of an agency that does not hold its role"));
            }
            if !known.insert(&key.kid) {
                return Err(MembershipError::Form("sealing key listed twice"));
            }
            keys.push(read(key, role, factory)?);
        }
        Ok(Self(keys))
    }

    /// The key for what names this agency of the role, or none: of its holder's keys at that instant the one that began
    /// last.
    ///
    /// # Errors
    /// `seal.agency_needed` when none is named, several hold the role and one of them a key of its own; `seal.no_key` when
    /// all own keys of the agency have ended; `recipient.unknown` when the gateway has none for the role.
    pub(super) fn sealer(
        &self,
        role: &Role,
        named: Option<&AgencyId>,
        agencies: &[Agency],
        at: i64,
    ) -> Result<Arc<dyn Seal>, Problem> {
        let holder = match named {
            Some(agency) => Some(agency).filter(|agency| self.is_holder(role, agency)),
            None => self.only_holder(role, agencies)?,
        };
        let newest = self.newest(role, holder, at);
        newest.ok_or_else(|| match holder {
            Some(_) => Problem::new(&problem::SEAL_NO_KEY).at("/recipient"),
            None => Problem::new(&problem::RECIPIENT_UNKNOWN).at("/recipient"),
        })
    }

    /// The gateway's own key for a role at an instant.
    pub(super) fn gateways(&self, role: &Role, at: i64) -> Option<Arc<dyn Seal>> {
        self.newest(role, None, at)
    }

    /// Whether this key, whoever holds it, stands for a role at an instant.
    pub(super) fn stands(&self, role: &Role, kid: &KeyId, at: i64) -> bool {
        let mut keys = self.0.iter().filter(|key| key.role == *role && key.window.holds(at));
        keys.any(|key| key.sealer.key_id() == kid)
    }

    fn only_holder<'a>(&self, role: &Role, agencies: &'a [Agency]) -> Result<Option<&'a AgencyId>, Problem> {
        let of_role = agencies.iter().filter(|listed| listed.roles.contains(role)).map(|one| &one.agency);
        let of_role: Vec<&AgencyId> = of_role.collect();
        if !of_role.iter().any(|agency| self.is_holder(role, agency)) {
            return Ok(None);
        }
        match of_role.as_slice() {
            [only] => Ok(Some(only)),
            _ => Err(Problem::new(&problem::SEAL_AGENCY_NEEDED).at("/recipient/agency")),
        }
    }

    /// Whether an agency has a key of its own for the role, ended ones included.
    fn is_holder(&self, role: &Role, agency: &AgencyId) -> bool {
        self.0.iter().any(|key| key.role == *role && key.holder.as_ref() == Some(agency))
    }

    fn newest(&self, role: &Role, holder: Option<&AgencyId>, at: i64) -> Option<Arc<dyn Seal>> {
        self.0
            .iter()
            .filter(|key| key.role == *role && key.holder.as_ref() == holder && key.window.holds(at))
            .max_by_key(|key| key.window.not_before)
            .map(|key| Arc::clone(&key.sealer))
    }
}

fn read(key: &DirectoryKey, role: Role, factory: &dyn KeyFactory) -> Result<SealingKey, MembershipError> {
    Ok(SealingKey {
        role,
        holder: key.agency.clone(),
        window: Window::of(key.not_before, key.not_after),
        sealer: Arc::from(factory.sealer(&key.kid, &key.jwk)?),
    })
}

fn holds_role(agencies: &[Agency], agency: &AgencyId, role: &Role) -> bool {
    agencies.iter().any(|listed| listed.agency == *agency && listed.roles.contains(role))
}
