//! The person a message is about, as far as policy may ask.
//!
//! Not here: names or numbers; those are sections of the message. Invariant: what was not stated is
//! `unknown`, and `Debug` shows nothing of a person (risk countries are the most dangerous field there is).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::facts::Known;
use crate::ids::CountryCode;

/// Whether the message is about an adult, a child, nobody, or somebody of unknown age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 18 or over.
    Adult,
    /// Under 18.
    Child,
    /// The message carries no person.
    None,
    /// Nobody stated it: treated as a child.
    #[default]
    Unknown,
}

/// What the authority that screens for protection needs has stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Sought, feared to be needed, or held.
    Sought,
    /// A claim existed and was finally refused or withdrawn.
    Ended,
    /// Screened, and nothing that needs protection was expressed.
    NoneExpressed,
    /// Not screened or not stated; never treated as none expressed.
    #[default]
    Unknown,
}

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// A three-valued fact about the person (DOMAIN.md 5, vocabulary).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Flag { $($(#[$doc])* #[serde(rename = $code)] $name,)* }

        impl Flag {
            /// Every flag there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The flag's code, as in the vocabulary and in the rules.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

flags! {
    /// An international-protection claim is open.
    AsylumPending = "asylum_pending",
    /// The person expressed fear of return at screening.
    FearExpressed = "fear_expressed",
    /// Protection was granted.
    Refugee = "refugee",
    /// The claim was finally refused.
    AsylumRefusedFinal = "asylum_refused_final",
    /// Written, specific, advance waiver by the person, with counsel.
    WrittenWaiver = "written_waiver",
    /// A child without a responsible adult.
    Unaccompanied = "unaccompanied",
    /// A child-welfare authority is named to receive the child.
    ChildWelfareRecipient = "child_welfare_recipient",
    /// The handover falls within the agreed daylight hours.
    AgreedHours = "agreed_hours",
    /// Vulnerability and protection screening is completed.
    ScreeningDone = "screening_done",
    /// A best-interests determination in favour of the step exists.
    BidPositive = "bid_positive",
    /// The proposed caregiver was assessed.
    CaregiverAssessed = "caregiver_assessed",
    /// The person acting as guardian is alleged to have harmed the child.
    GuardianAllegedAbuser = "guardian_alleged_abuser",
    /// The subject turned 18 since consent was given.
    CameOfAge = "came_of_age",
    /// The age is in doubt.
    AgeDisputed = "age_disputed",
    /// A child or parent of the person is still in the sender's custody.
    OpenFamilyLinkInCustody = "open_family_link_in_custody",
    /// No state recognises the person as its national, or registration is missing.
    StatelessRisk = "stateless_risk",
    /// The person declined consular notice.
    DeclinedConsular = "declined_consular",
    /// The missing child has been found.
    Found = "found",
    /// The sought person was found and refuses contact.
    FoundRefusesContact = "found_refuses_contact",
    /// Victim or presumed victim of trafficking.
    TraffickingVictim = "trafficking_victim",
    /// Protected by 8 U.S.C. 1367.
    Us1367Protected = "us_1367_protected",
}

/// The person, as the submission states them.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Adult, child, nobody or unknown.
    #[serde(default)]
    pub kind: Kind,
    /// Age in whole years by the subject's local date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<u8>,
    /// Nationality; `XXA` and its like have no two-letter code and are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<CountryCode>,
    /// Further nationalities; they belong to the feared set too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub other_nationalities: BTreeSet<CountryCode>,
    /// Habitual residence, the country of nationality included; `None` when nobody stated it, and then any may be it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<CountryCode>,
    /// Countries of feared harm; `None` when nobody stated the list. Never leaves the sender's node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_countries: Option<BTreeSet<CountryCode>>,
    /// What the screening authority stated.
    #[serde(default)]
    pub protection: Protection,
    /// Further facts; one that is not here is unknown.
    #[serde(default)]
    pub flags: BTreeMap<Flag, Known>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[subject]")
    }
}
