//! Identifiers of the domain, parsed once at the edge; inside they cannot be wrong.
//!
//! Not here: keys and certificates (`envelope`, `membership`). Invariant: every value of these types
//! is within its stated length and alphabet, so it is safe in a log, a metric label or a path.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not the identifier it claims to be; never repeats the text (it may be personal data).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: expected {expected}")]
pub struct InvalidId {
    /// Name of the identifier, as in the vocabulary.
    pub what: &'static str,
    /// The form that was expected.
    pub expected: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $min:literal, $max:literal, $ok:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let accepted: fn(u8) -> bool = $ok;
                if text.len() < $min || text.len() > $max || !text.bytes().all(accepted) {
                    return Err(InvalidId { what: $what, expected: $expected });
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the hyphenated lower-case form (RFC 9562 section 4): one value, one text.
                let id = Uuid::parse_str(text)
                    .map_err(|_| InvalidId { what: $what, expected: "a hyphenated lower-case UUID" })?;
                if id.hyphenated().to_string() == text {
                    Ok(Self(id))
                } else {
                    Err(InvalidId { what: $what, expected: "a hyphenated lower-case UUID" })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

fn code_byte(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.'
}

fn name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')
}

text_id!(
    /// A country: ISO 3166-1 alpha-2, upper case.
    CountryCode, "country code", "two upper-case letters (ISO 3166-1 alpha-2)", 2, 2,
    |b| b.is_ascii_uppercase()
);
text_id!(
    /// An agency within its country, as its directory names it.
    AgencyId, "agency id", "1 to 64 of A-Z a-z 0-9 . _ -", 1, 64, name_byte
);
text_id!(
    /// An officer within an agency.
    OfficerId, "officer id", "1 to 64 of A-Z a-z 0-9 . _ -", 1, 64, name_byte
);
text_id!(
    /// The natural person behind an officer's credential, pseudonymous: two credentials of one human share it.
    PersonId, "person id", "1 to 64 of A-Z a-z 0-9 . _ -", 1, 64, name_byte
);
text_id!(
    /// A role that policy keys on, such as `returns_reception`.
    Role, "role", "1 to 48 of a-z 0-9 _ .", 1, 48, code_byte
);
text_id!(
    /// A data category, such as `id.core`.
    Category, "category", "1 to 48 of a-z 0-9 _ .", 1, 48, code_byte
);
text_id!(
    /// A message type, such as `return.manifest`.
    MessageType, "message type", "1 to 64 of a-z 0-9 _ .", 1, 64, code_byte
);
text_id!(
    /// A purpose code, such as `return_reception`.
    Purpose, "purpose", "1 to 48 of a-z 0-9 _ .", 1, 48, code_byte
);
text_id!(
    /// The identifier of a key: RFC 7638 thumbprint or a name given by its owner.
    KeyId, "key id", "1 to 86 of A-Z a-z 0-9 . _ -", 1, 86, name_byte
);
text_id!(
    /// An agreement between states, such as `MX-GT-2005`.
    AgreementId, "agreement id", "1 to 64 of A-Z a-z 0-9 . _ -", 1, 64, name_byte
);

uuid_id!(
    /// The unit of effect: UUIDv7, the `jti` of the issuer JWT.
    MessageId, "message id"
);
uuid_id!(
    /// One return operation: a flight, a bus, a crossing.
    OperationId, "operation id"
);
uuid_id!(
    /// The thread of messages that belong together and keep their order.
    CaseId, "case id"
);
uuid_id!(
    /// One recorded decision of the policy engine.
    DecisionId, "decision id"
);
uuid_id!(
    /// One row that waits for officers.
    ApprovalId, "approval id"
);
uuid_id!(
    /// One protection hold that an authority placed.
    HoldId, "hold id"
);
uuid_id!(
    /// One act by which an authority approved a step.
    ActId, "act id"
);
uuid_id!(
    /// One outgoing row that a protection hold stopped.
    StopId, "stop id"
);

uuid_id!(
    /// One person called over an alert by one channel.
    SummonsId, "summons id"
);
uuid_id!(
    /// One consent record.
    ConsentId, "consent id"
);
uuid_id!(
    /// One webhook of an agency.
    WebhookId, "webhook id"
);
uuid_id!(
    /// One recipient that has to be told something after the fact.
    NoticeId, "notice id"
);
impl Role {
    /// The authority that supervises data protection (DOMAIN.md 1.3).
    #[must_use]
    pub fn supervisory_authority() -> Self {
        Self("supervisory_authority".to_owned())
    }
}

impl CountryCode {
    /// The country in lower case, for host names and file names.
    #[must_use]
    pub fn lower(&self) -> String {
        self.as_str().to_ascii_lowercase()
    }
}

impl MessageType {
    /// The part before the first dot: what metrics and operator screens may count by.
    #[must_use]
    pub fn family(&self) -> &str {
        self.as_str().split('.').next().unwrap_or_default()
    }
}

/// The world a key, a message or a store belongs to; each refuses the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Realm {
    /// Real people.
    Production,
    /// Demonstrations, sandboxes and drills.
    Training,
    /// The conformance suite.
    Conformance,
}

impl Realm {
    /// The realm as it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Training => "training",
            Self::Conformance => "conformance",
        }
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Realm {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text {
            "production" => Ok(Self::Production),
            "training" => Ok(Self::Training),
            "conformance" => Ok(Self::Conformance),
            _ => Err(InvalidId { what: "realm", expected: "production, training or conformance" }),
        }
    }
}

/// A SHA-256 digest; its text form is base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// SHA-256 of the bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::envelope::base64url(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { what: "digest", expected: "43 characters of base64url" };
        let bytes = crate::envelope::from_base64url(text).ok_or_else(|| invalid.clone())?;
        Ok(Self(bytes.try_into().map_err(|_| invalid)?))
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

/// The unit of receipt: SHA-256 of the exact wire bytes of one release of a message.
pub type ReleaseId = Digest;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn country_is_two_upper_case_letters() {
        assert!("MX".parse::<CountryCode>().is_ok());
        assert!("mx".parse::<CountryCode>().is_err());
        assert!("MEX".parse::<CountryCode>().is_err());
        assert!("M".parse::<CountryCode>().is_err());
    }

    #[test]
    fn a_uuid_has_one_text() {
        let text = "0190f0a4-7c1e-7abc-8def-0123456789ab";
        assert_eq!(text.parse::<MessageId>().map(|id| id.to_string()), Ok(text.to_owned()));
        assert!(text.to_uppercase().parse::<MessageId>().is_err());
        assert!(format!("{{{text}}}").parse::<MessageId>().is_err());
    }

    #[test]
    fn digest_text_is_strict_base64url() {
        let digest = Digest::of(b"puente");
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        assert!(format!("{digest}=").parse::<Digest>().is_err());
    }
}
