//! The legal basis a message claims, and the consent or agreement under it.
//!
//! Not here: whether it suffices; the rules of stage 2 say so. Invariant: an agreement's standing cannot
//! come from a submission, which names an id and no more; only from the agreements a node holds.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{AgreementId, Category, CountryCode, Purpose};

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The code, as in the vocabulary and in the rules.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
        }
    };
}
pub(super) use coded;

coded! {
    /// Which legal basis is claimed (DOMAIN.md 3.1).
    BasisType {
        /// The person's, or for a child the entitled adult's, consent.
        Consent = "consent",
        /// An agreement or statute in force.
        LegalObligation = "legal_obligation",
        /// To save life or physical integrity.
        VitalInterest = "vital_interest",
        /// A recorded decision of a child-protection authority.
        BestInterests = "best_interests",
        /// The person asked for it.
        SubjectRequest = "subject_request",
        /// Tracing of a sought person.
        PublicInterestHumanitarian = "public_interest_humanitarian",
        /// Rights, corrections, security.
        Control = "control",
        /// No personal data.
        NoneRequired = "none_required",
        /// No basis is claimed.
        None = "none",
    }
}

coded! {
    /// Where an agreement stands at an instant for a pair of countries and a message type.
    Standing {
        /// In force and covering the message.
        InForce = "in_force",
        /// No longer, or not yet, in force.
        Lapsed = "lapsed",
        /// Unknown here, or not covering the message or the parties.
        Absent = "absent",
    }
}

coded! {
    /// Whether consent was given.
    ConsentStatus {
        /// Given.
        Given = "given",
        /// Given and later withdrawn.
        Withdrawn = "withdrawn",
        /// Refused.
        Refused = "refused",
        /// Nobody stated it.
        Unknown = "unknown",
    }
}

coded! {
    /// Who gave the consent.
    GivenBy {
        /// The person.
        Subject = "subject",
        /// A parent.
        Parent = "parent",
        /// A guardian.
        Guardian = "guardian",
        /// A child-protection authority.
        Authority = "authority",
        /// Another trusted adult.
        TrustedAdult = "trusted_adult",
        /// The next of kin.
        NextOfKin = "next_of_kin",
        /// The one who looks for somebody.
        Inquirer = "inquirer",
        /// Nobody stated it.
        Unknown = "unknown",
    }
}

/// What a consent covers, in one dimension: in JSON absent, `null` or a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope<T> {
    /// Nobody stated it: the consent is not specific.
    #[default]
    Unstated,
    /// What this message needs, no more.
    OfThisMessage,
    /// Exactly these.
    Only(BTreeSet<T>),
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for Scope<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(Option::<BTreeSet<T>>::deserialize(input)?.map_or(Self::OfThisMessage, Self::Only))
    }
}

impl<T: Serialize> Serialize for Scope<T> {
    /// `Unstated` is an absent field: whoever holds a scope leaves it out (`Scope::is_unstated`).
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unstated | Self::OfThisMessage => output.serialize_none(),
            Self::Only(set) => set.serialize(output),
        }
    }
}

impl<T> Scope<T> {
    const fn is_unstated(&self) -> bool {
        matches!(self, Self::Unstated)
    }
}

/// A consent as far as policy asks; in JSON an unstated boolean is `null` or absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Given, withdrawn or refused.
    #[serde(default = "unknown_status")]
    pub status: ConsentStatus,
    /// The instant from which it no longer stands.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The purposes it names.
    #[serde(default, skip_serializing_if = "Scope::is_unstated")]
    pub purposes: Scope<Purpose>,
    /// The countries it names as recipients.
    #[serde(default, skip_serializing_if = "Scope::is_unstated")]
    pub recipients: Scope<CountryCode>,
    /// The categories it names.
    #[serde(default, skip_serializing_if = "Scope::is_unstated")]
    pub categories: Scope<Category>,
    /// Who gave it.
    #[serde(default = "unknown_giver")]
    pub given_by: GivenBy,
    /// The child's own agreement.
    #[serde(default)]
    pub assent: Option<bool>,
    /// Explained in a language the person understands.
    #[serde(default)]
    pub understood: Option<bool>,
    /// Made a condition of something else.
    #[serde(default)]
    pub conditional: Option<bool>,
    /// Not specific.
    #[serde(default)]
    pub blanket: Option<bool>,
    /// A record of it is on file.
    #[serde(default)]
    pub evidence: Option<bool>,
}

const fn unknown_status() -> ConsentStatus {
    ConsentStatus::Unknown
}

const fn unknown_giver() -> GivenBy {
    GivenBy::Unknown
}

/// The agreement a basis rests on: its id comes from the sender, its standing from `Agreements`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementClaim {
    /// Which agreement.
    pub id: AgreementId,
    /// Where it stands; absent until looked up.
    pub standing: Standing,
    /// Whether it covers biometrics; `None` when nobody stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers_biometrics: Option<bool>,
    /// The categories it covers; `None` for all that the message type admits.
    pub categories: Option<BTreeSet<Category>>,
    /// The instant from which it no longer stands.
    pub lapses_at: Option<Timestamp>,
}

impl AgreementClaim {
    /// A claim not yet looked up: it covers nothing.
    #[must_use]
    pub const fn unverified(id: AgreementId) -> Self {
        Self { id, standing: Standing::Absent, covers_biometrics: None, categories: None, lapses_at: None }
    }
}

/// The basis a message claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    /// Which kind.
    #[serde(rename = "type")]
    pub basis: BasisType,
    /// The agreement, where one is claimed.
    #[serde(default)]
    pub agreement: Option<AgreementClaim>,
    /// The consent, where there is one.
    #[serde(default)]
    pub consent: Option<Consent>,
}
