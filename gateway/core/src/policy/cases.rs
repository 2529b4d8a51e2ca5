//! Worked cases in the JSON form of the policy matrix: read, decided, compared.
//!
//! Not here: the submission form of the domestic API. Reading rule: beside a list of flags, a flag that is listed is a
//! stated yes, one that is not a stated no; any other fact that is absent or null is unknown. Habitual residence may be
//! given beside nationality: unstated it is the country of nationality, where there is one.
//! Invariant: a field that a case does not expect is not compared, and an unreadable fact never reads as a harmless one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::basis::{AgreementClaim, BasisType, Consent, LegalBasis, Standing};
use super::engine::PolicyEngine;
use super::facts::{Approval, HostFacts, Party, PeerStatus, SendFacts, StatedFacts};
use super::subject::{Flag, Kind, Protection, Subject};
use crate::ids::{Category, CountryCode, MessageType, Purpose, Realm, Role};

/// A file of cases larger than this is not a file of cases.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Why a file of cases cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// The file is not the matrix's JSON.
    #[error("cases cannot be read at line {line} column {column}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The file is too large.
    #[error("cases exceed {MAX_BYTES} bytes")]
    TooLarge,
    /// The case asked for is not there, or several are and none was named.
    #[error("no such case: name one of the file by its id")]
    NotThere,
    /// The case is not of the matrix's form.
    #[error("case cannot be read: {0}")]
    Form(String),
}

/// How one case went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// The case's id.
    pub id: String,
    /// Whether everything expected was so.
    pub passed: bool,
    /// What was not: "field: expected x, got y".
    pub differences: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    reference_time: Timestamp,
    cases: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Case {
    message_type: MessageType,
    purpose: Purpose,
    sender: CaseParty,
    recipient: CaseParty,
    subject: CaseSubject,
    legal_basis: CaseBasis,
    approvals: Option<BTreeSet<Approval>>,
    facts: Option<CaseFacts>,
    requested_categories: BTreeSet<Category>,
    expected: Option<Expected>,
}

#[derive(Deserialize)]
struct CaseParty {
    country: CountryCode,
    role: Role,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseSubject {
    kind: Option<Kind>,
    age: Option<u8>,
    nationality: Option<CaseNationality>,
    residence: Option<CountryCode>,
    risk_countries: Option<BTreeSet<CountryCode>>,
    flags: Option<BTreeSet<Flag>>,
    protection: Option<Protection>,
}

/// A country, or a code of ISO/IEC 7501 for a person without one: no state then receives as the state of nationality.
#[derive(Deserialize)]
#[serde(try_from = "String")]
enum CaseNationality {
    Of(CountryCode),
    Stateless(CountryCode),
}

impl TryFrom<String> for CaseNationality {
    type Error = crate::ids::InvalidId;
    fn try_from(code: String) -> Result<Self, Self::Error> {
        match code.as_str() {
            "XXA" | "XXB" | "XXC" | "XXX" => "XX".parse().map(Self::Stateless),
            country => country.parse().map(Self::Of),
        }
    }
}

#[derive(Deserialize)]
struct CaseBasis {
    #[serde(rename = "type")]
    basis: Option<BasisType>,
    consent: Option<CaseConsent>,
    agreement: Option<CaseAgreement>,
}

// The matrix may grow fields; a case's consent is read by its own names, then handed on.
#[derive(Deserialize)]
#[serde(transparent)]
struct CaseConsent(Consent);

#[derive(Deserialize)]
struct CaseAgreement {
    status: Option<Standing>,
    covers_biometrics: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CaseFacts {
    peer_status: Option<PeerStatus>,
    message_expired: Option<bool>,
    notice_hours: Option<i32>,
    sla_hours: Option<i32>,
    planned_local_hour: Option<u8>,
    mandatory_notification: Option<bool>,
    identity_proven: Option<bool>,
    originator: Option<CountryCode>,
    originator_authorises: Option<bool>,
    court_order: Option<bool>,
    adequacy: Option<Adequacy>,
    sender_requires_adequacy: Option<bool>,
    legal_hold: Option<bool>,
    min_cell: Option<u32>,
    published: Option<bool>,
    record_level: Option<bool>,
    restricted: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Adequacy {
    None,
    Equivalent,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Expected {
    decision: Option<String>,
    remove: Option<BTreeSet<Category>>,
    deliver: Option<BTreeSet<Category>>,
    rule: Option<String>,
    obligations: Option<BTreeSet<String>>,
}

/// Runs every case of a file; a case that cannot be read has failed.
///
/// # Errors
/// When the file itself is not a file of cases.
pub fn run(engine: &PolicyEngine, bytes: &[u8]) -> Result<Vec<CaseReport>, CaseError> {
    Ok(read(bytes)?.into_iter().map(|(id, case)| report(engine, id, case)).collect())
}

/// The facts of every readable case, by id, as the reading rule gives them.
///
/// # Errors
/// When the file itself is not a file of cases.
pub fn facts(bytes: &[u8]) -> Result<BTreeMap<String, SendFacts>, CaseError> {
    let cases = read(bytes)?.into_iter();
    Ok(cases.filter_map(|(id, case)| Some((id, case.ok()?.0))).collect())
}

/// The facts of one case: a file's case by its id, or a case that stands alone, judged at `now` unless it
/// states its own `reference_time`.
///
/// # Errors
/// When there is no such case, or it is not of the matrix's form.
pub fn one(bytes: &[u8], id: Option<&str>, now: Timestamp) -> Result<SendFacts, CaseError> {
    let malformed =
        |error: &serde_json::Error| CaseError::Malformed { line: error.line(), column: error.column() };
    if bytes.len() > MAX_BYTES {
        return Err(CaseError::TooLarge);
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    if value.get("cases").is_some() {
        let mut found = read(bytes)?;
        let named = match id {
            Some(id) => found.into_iter().find(|(known, _)| known == id),
            None if found.len() == 1 => found.pop(),
            None => None,
        };
        return named.ok_or(CaseError::NotThere)?.1.map(|(facts, _)| facts).map_err(CaseError::Form);
    }
    let now = match value.get("reference_time") {
        Some(stated) => {
            serde_json::from_value(stated.clone()).map_err(|error| CaseError::Form(error.to_string()))?
        }
        None => now,
    };
    let case: Case = serde_json::from_value(value).map_err(|error| CaseError::Form(error.to_string()))?;
    Ok(case.into_facts(now).0)
}

type Read = Result<(SendFacts, Expected), String>;

fn read(bytes: &[u8]) -> Result<Vec<(String, Read)>, CaseError> {
    if bytes.len() > MAX_BYTES {
        return Err(CaseError::TooLarge);
    }
    let file: File = serde_json::from_slice(bytes)
        .map_err(|error| CaseError::Malformed { line: error.line(), column: error.column() })?;
    let now = file.reference_time;
    let read_one = |value: serde_json::Value| {
        let id = value.get("id").and_then(serde_json::Value::as_str).unwrap_or("unnamed").to_owned();
        let case = serde_json::from_value::<Case>(value).map_err(|error| error.to_string());
        (id, case.map(|case| case.into_facts(now)))
    };
    Ok(file.cases.into_iter().map(read_one).collect())
}

fn report(engine: &PolicyEngine, id: String, case: Read) -> CaseReport {
    let differences = match case {
        Err(why) => vec![format!("case cannot be read: {why}")],
        Ok((facts, expected)) => compare(&expected, &engine.send(&facts)),
    };
    CaseReport { id, passed: differences.is_empty(), differences }
}

fn compare(expected: &Expected, decision: &super::Decision) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |field: &str, expected: String, got: String| {
        differences.push(format!("{field}: expected {expected}, got {got}"));
    };
    let got = decision.outcome.as_str();
    if let Some(outcome) = expected.decision.as_deref().filter(|outcome| *outcome != got) {
        differ("decision", outcome.to_owned(), got.to_owned());
    }
    if let Some(rule) = expected.rule.as_deref().filter(|rule| *rule != decision.rule.as_str()) {
        differ("rule", rule.to_owned(), decision.rule.to_string());
    }
    let removed: BTreeSet<Category> = decision.removed.keys().cloned().collect();
    if let Some(remove) = expected.remove.as_ref().filter(|remove| **remove != removed) {
        differ("remove", list(remove), list(&removed));
    }
    if let Some(deliver) = expected.deliver.as_ref().filter(|deliver| **deliver != decision.deliver) {
        differ("deliver", list(deliver), list(&decision.deliver));
    }
    // A case lists the obligations it is about; further ones are no difference.
    let missing = expected.obligations.iter().flatten().filter(|o| !decision.obligations.contains(o));
    for obligation in missing {
        differ("obligations", obligation.clone(), decision.obligations.join(" "));
    }
    differences
}

fn list(categories: &BTreeSet<Category>) -> String {
    categories.iter().map(Category::as_str).collect::<Vec<_>>().join(" ")
}

impl Case {
    fn into_facts(self, now: Timestamp) -> (SendFacts, Expected) {
        let given = self.facts.unwrap_or_default();
        let facts = SendFacts {
            realm: Realm::Production,
            message: self.message_type,
            purpose: self.purpose,
            sender: self.sender.into(),
            recipient: self.recipient.into(),
            subject: self.subject.into(),
            basis: self.legal_basis.into(),
            approvals: self.approvals.unwrap_or_default(),
            host: given.host(),
            stated: given.stated(),
            requested: self.requested_categories,
            released_holds: BTreeSet::new(),
            now,
        };
        (facts, self.expected.unwrap_or_default())
    }
}

impl From<CaseParty> for Party {
    fn from(party: CaseParty) -> Self {
        Self { country: party.country, role: party.role }
    }
}

impl From<CaseSubject> for Subject {
    fn from(subject: CaseSubject) -> Self {
        let listed = |flags: BTreeSet<Flag>| {
            Flag::ALL.iter().map(|flag| (*flag, Some(flags.contains(flag)).into())).collect()
        };
        let (nationality, own) = match subject.nationality {
            None => (None, None),
            Some(CaseNationality::Of(country)) => (Some(country.clone()), Some(country)),
            Some(CaseNationality::Stateless(none)) => (Some(none), None),
        };
        Self {
            kind: subject.kind.unwrap_or_default(),
            age: subject.age,
            nationality,
            other_nationalities: BTreeSet::new(),
            residence: subject.residence.or(own),
            risk_countries: subject.risk_countries,
            protection: subject.protection.unwrap_or_default(),
            flags: subject.flags.map(listed).unwrap_or_default(),
        }
    }
}

impl From<CaseBasis> for LegalBasis {
    fn from(basis: CaseBasis) -> Self {
        let agreement = basis.agreement.and_then(|agreement| {
            let mut claim = AgreementClaim::unverified("case".parse().ok()?);
            claim.standing = agreement.status.unwrap_or(Standing::Absent);
            claim.covers_biometrics = agreement.covers_biometrics;
            Some(claim)
        });
        let consent = basis.consent.map(|CaseConsent(consent)| consent);
        Self { basis: basis.basis.unwrap_or(BasisType::None), agreement, consent }
    }
}

impl CaseFacts {
    fn host(&self) -> HostFacts {
        HostFacts {
            peer_status: self.peer_status.unwrap_or(PeerStatus::Active),
            message_expired: self.message_expired.unwrap_or(false),
            originator: self.originator.clone(),
            record_level: self.record_level.unwrap_or(false),
            restricted: self.restricted.unwrap_or(false),
            min_cell: self.min_cell,
            published: self.published.unwrap_or(false),
        }
    }

    fn stated(&self) -> StatedFacts {
        StatedFacts {
            notice_hours: self.notice_hours,
            sla_hours: self.sla_hours,
            planned_local_hour: self.planned_local_hour,
            mandatory_notification: self.mandatory_notification.into(),
            identity_proven: self.identity_proven.into(),
            originator_authorises: self.originator_authorises.into(),
            court_order: self.court_order.into(),
            adequacy_equivalent: self.adequacy.map(|standing| standing == Adequacy::Equivalent).into(),
            sender_requires_adequacy: self.sender_requires_adequacy.into(),
            legal_hold: self.legal_hold.into(),
        }
    }
}
