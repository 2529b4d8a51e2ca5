//! Who a certificate stands for, as a URN in its subject alternative name.
//!
//! `urn:puente:<realm>:<country>:gateway`, `...:agency:<agency>` or `...:authority:<kind>`.
//! Not here: whether the holder may act. Invariant: one identity has one text, and reads back equal.

use std::fmt;
use std::str::FromStr;

use puente_core::ids::{AgencyId, CountryCode, Realm};

/// What every name of ours starts with; a certificate may carry one such name.
pub(super) const PREFIX: &str = "urn:puente:";

/// Which face of a country's gateway an authority vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorityKind {
    /// Issues the gateway's certificate towards other members; stands in the membership.
    Federation,
    /// Issues the certificates of the country's own agencies and of the face turned to them.
    Domestic,
}

impl AuthorityKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Federation => "federation",
            Self::Domestic => "domestic",
        }
    }
}

impl fmt::Display for AuthorityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who a certificate stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A member's gateway.
    Gateway {
        /// The world it belongs to.
        realm: Realm,
        /// The member.
        country: CountryCode,
    },
    /// A system of a national agency.
    Agency {
        /// The world it belongs to.
        realm: Realm,
        /// The agency's country.
        country: CountryCode,
        /// The agency, as its country's directory names it.
        agency: AgencyId,
    },
    /// A certificate authority.
    Authority {
        /// The world it belongs to.
        realm: Realm,
        /// Its country.
        country: CountryCode,
        /// What it vouches for.
        kind: AuthorityKind,
    },
}

/// A text that is no identity of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an identity: expected `urn:puente:<realm>:<country>:` and `gateway`, `agency:<id>` or `authority:<kind>`"
)]
pub struct NotIdentity;

impl Identity {
    /// The world the holder belongs to.
    #[must_use]
    pub const fn realm(&self) -> Realm {
        match self {
            Self::Gateway { realm, .. } | Self::Agency { realm, .. } | Self::Authority { realm, .. } => {
                *realm
            }
        }
    }

    /// The holder's country.
    #[must_use]
    pub const fn country(&self) -> &CountryCode {
        match self {
            Self::Gateway { country, .. }
            | Self::Agency { country, .. }
            | Self::Authority { country, .. } => country,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}:", self.realm(), self.country())?;
        match self {
            Self::Gateway { .. } => f.write_str("gateway"),
            Self::Agency { agency, .. } => write!(f, "agency:{agency}"),
            Self::Authority { kind, .. } => write!(f, "authority:{kind}"),
        }
    }
}

impl FromStr for Identity {
    type Err = NotIdentity;

    fn from_str(text: &str) -> Result<Self, NotIdentity> {
        let mut parts = text.strip_prefix(PREFIX).ok_or(NotIdentity)?.split(':');
        let mut next = || parts.next();
        let realm = next().and_then(|part| part.parse().ok()).ok_or(NotIdentity)?;
        let country = next().and_then(|part| part.parse().ok()).ok_or(NotIdentity)?;
        match (next(), next(), next()) {
            (Some("gateway"), None, None) => Ok(Self::Gateway { realm, country }),
            (Some("agency"), Some(agency), None) => {
                Ok(Self::Agency { realm, country, agency: agency.parse().map_err(|_| NotIdentity)? })
            }
            (Some("authority"), Some("federation"), None) => {
                Ok(Self::Authority { realm, country, kind: AuthorityKind::Federation })
            }
            (Some("authority"), Some("domestic"), None) => {
                Ok(Self::Authority { realm, country, kind: AuthorityKind::Domestic })
            }
            _ => Err(NotIdentity),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_one_text() {
        for text in [
            "urn:puente:training:GT:gateway",
            "urn:puente:production:MX:agency:inm.returns",
            "urn:puente:conformance:HN:authority:federation",
            "urn:puente:conformance:HN:authority:domestic",
        ] {
            assert_eq!(text.parse::<Identity>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn whatever_is_not_exactly_an_identity_is_refused() {
        for text in [
            "",
            "urn:puente:",
            "urn:puente:training:GT",
            "urn:puente:training:gt:gateway",
            "urn:puente:drill:GT:gateway",
            "urn:puente:training:GT:gateway:",
            "urn:puente:training:GT:gateway:x",
            "urn:puente:training:GT:agency",
            "urn:puente:training:GT:agency:",
            "urn:puente:training:GT:agency:a b",
            "urn:puente:training:GT:agency:a:b",
            "urn:puente:training:GT:authority:root",
            "URN:puente:training:GT:gateway",
            " urn:puente:training:GT:gateway",
        ] {
            assert_eq!(text.parse::<Identity>(), Err(NotIdentity), "`{text}`");
        }
    }
}
