//! The facts a decision rests on, at the sending and at the receiving end.
//!
//! Not here: where they come from. Invariant: `ReceiveFacts` has no field for risk countries, fear or
//! any flag of a person: the receiver decides on what it may know (PROTOCOL.md section 6).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::basis::{AgreementClaim, BasisType, GivenBy, LegalBasis, coded};
use super::rule::RuleId;
use super::subject::Subject;
use crate::ids::{Category, CountryCode, MessageType, Purpose, Realm, Role};

/// A three-valued fact; what nobody stated is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// A stated yes.
    Yes,
    /// A stated no.
    No,
    /// Not stated.
    #[default]
    Unknown,
}

impl From<Option<bool>> for Known {
    fn from(stated: Option<bool>) -> Self {
        match stated {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }
}

/// One end of a message, as policy sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The country.
    pub country: CountryCode,
    /// The role; policy keys on roles, never on agencies.
    pub role: Role,
}

coded! {
    /// How the peer's gateway stands.
    PeerStatus {
        /// A member in good standing.
        Active = "active",
        /// Suspended by itself, by us or by the federation.
        Suspended = "suspended",
        /// Its key or certificate is revoked or unknown.
        Revoked = "revoked",
    }
}

/// An approval that a rule asks for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// The sending child-protection authority approved.
    SenderChildProtection,
    /// The receiving child-protection authority approved.
    RecipientChildProtection,
    /// The authority named for missing-child alerts authorised the broadcast.
    MissingChildAuthority,
}

impl Approval {
    /// Every approval.
    pub const ALL: [Self; 3] =
        [Self::SenderChildProtection, Self::RecipientChildProtection, Self::MissingChildAuthority];

    /// The code, as in the vocabulary and in the rules.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SenderChildProtection => "sender_child_protection",
            Self::RecipientChildProtection => "recipient_child_protection",
            Self::MissingChildAuthority => "missing_child_authority",
        }
    }
}

/// What the gateway knows by itself; never unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFacts {
    /// How the peer stands.
    pub peer_status: PeerStatus,
    /// The message is past its expiry, or was replayed.
    pub message_expired: bool,
    /// The country that first disclosed the record; `None` for an own record.
    pub originator: Option<CountryCode>,
    /// The content is one row per person.
    pub record_level: bool,
    /// The smallest count in a statistical table.
    pub min_cell: Option<u32>,
    /// The table is for publication.
    pub published: bool,
    /// She has objected, or what is held about her may be kept and not used.
    #[serde(default)]
    pub restricted: bool,
}

impl Default for HostFacts {
    fn default() -> Self {
        Self {
            peer_status: PeerStatus::Active,
            message_expired: false,
            originator: None,
            record_level: false,
            min_cell: None,
            published: false,
            restricted: false,
        }
    }
}

/// What the submission states about the step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatedFacts {
    /// Hours between sending and the event.
    pub notice_hours: Option<i32>,
    /// Hours promised.
    pub sla_hours: Option<i32>,
    /// Local hour of the handover, 0 to 23, in the port's zone.
    pub planned_local_hour: Option<u8>,
    /// A treaty makes consular notice mandatory for this nationality.
    pub mandatory_notification: Known,
    /// The requester proved who they are.
    pub identity_proven: Known,
    /// The originator authorised this onward step.
    pub originator_authorises: Known,
    /// A court orders disclosure.
    pub court_order: Known,
    /// The recipient's data protection is equivalent.
    pub adequacy_equivalent: Known,
    /// The sender's law demands equivalent protection.
    pub sender_requires_adequacy: Known,
    /// A lawsuit or archive law forbids erasure.
    pub legal_hold: Known,
}

/// Everything the sending end decides on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendFacts {
    /// The world the message belongs to.
    pub realm: Realm,
    /// The message type.
    pub message: MessageType,
    /// The purpose signed into it.
    pub purpose: Purpose,
    /// Who sends.
    pub sender: Party,
    /// Who is to receive.
    pub recipient: Party,
    /// The person.
    pub subject: Subject,
    /// The legal basis.
    pub basis: LegalBasis,
    /// Approvals given, by name.
    pub approvals: BTreeSet<Approval>,
    /// What the gateway knows.
    pub host: HostFacts,
    /// What the submission states.
    pub stated: StatedFacts,
    /// The categories asked to be sent.
    pub requested: BTreeSet<Category>,
    /// Holds that two officers released; honoured only where the rule allows (`Release::Officers`).
    pub released_holds: BTreeSet<RuleId>,
    /// The instant judged at.
    pub now: Timestamp,
}

/// The consent extract in a message's header (PROTOCOL.md section 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentExtract {
    /// Who gave it.
    pub giver: GivenBy,
    /// The purposes; `None` when not stated.
    pub purposes: Option<BTreeSet<Purpose>>,
    /// The recipient countries; `None` when the header names none.
    pub recipients: Option<BTreeSet<CountryCode>>,
    /// The categories; `None` when not stated.
    pub categories: Option<BTreeSet<Category>>,
    /// The instant from which it no longer stands.
    pub not_after: Option<Timestamp>,
}

/// Everything the receiving end decides on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiveFacts {
    /// The world the message belongs to.
    pub realm: Realm,
    /// The message type.
    pub message: MessageType,
    /// The purpose signed into it.
    pub purpose: Purpose,
    /// Who sent.
    pub sender: Party,
    /// Who is to receive: us.
    pub recipient: Party,
    /// The categories that were released.
    pub labels: BTreeSet<Category>,
    /// The basis claimed.
    pub basis: BasisType,
    /// The agreement claimed, as our own agreements know it.
    pub agreement: Option<AgreementClaim>,
    /// The consent extract.
    pub consent: Option<ConsentExtract>,
    /// A withdrawal of that consent is known here.
    pub consent_withdrawn: bool,
    /// How the peer stands.
    pub peer_status: PeerStatus,
    /// The message is past its expiry.
    pub message_expired: bool,
    /// The country that first disclosed the record; `None` for the sender's own.
    pub originator: Option<CountryCode>,
    /// The originator authorised this onward step.
    pub originator_authorises: Known,
    /// Days the sender allows it to be kept.
    pub retention_days: u32,
    /// The instant judged at.
    pub now: Timestamp,
}
