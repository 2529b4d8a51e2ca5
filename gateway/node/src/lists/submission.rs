//! One row ready to submit: the JSON that the domestic API takes.
//!
//! Not here: reading it (`domestic`). Invariants: the subject's facts stand beside the sections, never in them;
//! `Debug` shows no person.

use std::collections::BTreeMap;
use std::fmt;

use puente_core::ids::{AgreementId, Category, CountryCode, MessageType, Purpose, Role};
use puente_core::personal::Personal;
use serde::Serialize;
use serde_json::Value;

/// A row of a list as it is submitted.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SubmissionRow {
    /// The row as people see it on the sheet.
    pub row: u32,
    /// The message type.
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// To whom.
    pub recipient: Recipient,
    /// What for.
    pub purpose: Purpose,
    /// On what legal basis.
    pub legal_basis: LegalBasis,
    /// The person, by the file number of the agency that hands in the list; it stays in this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<Personal<String>>,
    /// The facts that policy reads; they stay in this node.
    pub subject: Personal<Subject>,
    /// What is to be sent, by category.
    pub sections: BTreeMap<Category, Personal<Value>>,
}

impl fmt::Debug for SubmissionRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmissionRow")
            .field("row", &self.row)
            .field("type", &self.message_type)
            .finish_non_exhaustive()
    }
}

/// The country and role that a row goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// The country.
    pub country: CountryCode,
    /// The role in that country.
    pub role: Role,
}

/// The basis of a row of a list: an agreement between states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegalBasis {
    /// Always `legal_obligation`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The agreement; whether it is in force the node looks up.
    pub agreement: AgreementId,
}

/// A fact in three values; one that nobody stated is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stated {
    /// Stated to be so.
    Yes,
    /// Stated not to be so.
    No,
    /// Not stated.
    Unknown,
}

/// Whether the person is a child, at the operation's local date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// 18 or over.
    Adult,
    /// Under 18.
    Child,
    /// Neither date of birth nor age is known.
    Unknown,
}

/// What the screening for international protection said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Claimed, feared to need, or granted.
    Sought,
    /// Finally refused or withdrawn.
    Ended,
    /// Screened, and nothing was expressed.
    NoneExpressed,
    /// Not screened or not stated.
    Unknown,
}

/// What policy reads about the person.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Adult, child or unknown.
    pub kind: SubjectKind,
    /// Age in years at the operation's local date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u8>,
    /// The first nationality stated.
    pub nationality: CountryCode,
    /// The others: each may be the country that the person fears.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_nationalities: Vec<CountryCode>,
    /// Country of habitual residence, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residence: Option<CountryCode>,
    /// Countries where the person fears harm; `None` when the list does not say, which is not "none".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_countries: Option<Vec<CountryCode>>,
    /// Outcome of the screening.
    pub protection: Protection,
    /// Stated facts by code; a blank cell is unknown, never no.
    pub flags: BTreeMap<&'static str, Stated>,
}
