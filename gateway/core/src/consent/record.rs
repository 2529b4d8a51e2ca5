//! The consent record: what was asked, how it was shown, who answered what.
//!
//! Field by field after ISO/IEC TS 27560 clause 6, with the additions of DOMAIN.md 4.1. Not here: signatures
//! (`verify`) and what happened afterwards (`event`). INVARIANT: a record names every purpose, category and
//! recipient; "all" cannot be said, so a consent that was read is never blanket.

use std::collections::BTreeSet;

use jiff::{Timestamp, Zoned, civil};
use serde::{Deserialize, Serialize};

use crate::approval::Captured;
use crate::ids::{AgencyId, Category, ConsentId, CountryCode, Digest, Purpose, Realm};
use crate::personal::Personal;
use crate::policy::GivenBy;
use crate::problem::{self, Problem};

/// The form of the record that this code writes and reads.
pub const SCHEMA_VERSION: &str = "iso-27560-2023/puente-1";

/// Longest text of a record; references and method texts are short.
const MAX_TEXT: usize = 200;
/// Most purposes of one record: the text that was shown names each.
const MAX_PROCESSES: usize = 8;
/// Most entries of any other list of a record.
const MAX_LIST: usize = 40;
/// Longest life, days: after that the person is asked again.
const MAX_DAYS: i64 = 5 * 366;

/// The person, as the collecting agency knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// The agency's own reference, the `subject_id` of its submissions.
    #[serde(rename = "ref")]
    pub reference: Personal<String>,
    /// Date of birth, where known: coming of age is reckoned from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Personal<civil::Date>>,
    /// IANA zone in which the person's days are counted.
    pub zone: String,
}

/// The text or recording that was put before the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its BCP 47 language tag.
    pub language: String,
    /// SHA-256 of its exact bytes.
    pub digest: Digest,
}

/// Whoever put an approved text into the person's language by mouth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpreter {
    /// Into which language, BCP 47.
    pub language: String,
    /// The agency's reference for the interpreter.
    pub name_ref: Personal<String>,
}

/// One separately revocable purpose (TS 27560: each is its own process).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// What for.
    pub purpose: Purpose,
    /// Which categories of data.
    pub categories: BTreeSet<Category>,
    /// Which countries may receive them.
    pub recipients: BTreeSet<CountryCode>,
    /// Days the recipients may keep them.
    pub retention_days: u32,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Giver {
    /// In which capacity.
    pub kind: GivenBy,
    /// The agency's reference for that person; the subject's own when the subject answered.
    pub party: Personal<String>,
    /// Digest of what proves the capacity: a custody order, a power of attorney.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_proof: Option<Digest>,
}

/// What a child said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssentAnswer {
    /// Agrees.
    Yes,
    /// Does not.
    No,
    /// Nobody asked.
    NotAsked,
}

/// How a child said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssentForm {
    /// By word or sign.
    Oral,
    /// By hand or thumbprint.
    Written,
}

/// A child's own agreement, beside the adult's consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assent {
    /// The answer.
    pub answer: AssentAnswer,
    /// Its form.
    pub how: AssentForm,
}

/// What kind of proof is on file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A signature.
    Signature,
    /// A thumbprint.
    Thumbprint,
    /// A recording.
    Audio,
    /// A witness's word.
    Witness,
}

/// Proof on file, by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Its kind.
    pub kind: EvidenceKind,
    /// SHA-256 of it.
    pub hash: Digest,
}

/// The answer that the record was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstState {
    /// Given.
    Given,
    /// Refused: recorded just the same.
    Refused,
}

/// When and how the answer was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstEvent {
    /// The answer.
    pub state: FirstState,
    /// When the person answered.
    pub occurred_at: Zoned,
    /// How it was captured.
    pub captured: Captured,
}

/// One consent of one person, as the collecting agency signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// Realm.
    pub realm: Realm,
    /// Its id.
    pub record_id: ConsentId,
    /// The country of the agency that asked: whose law governs it.
    pub jurisdiction: CountryCode,
    /// The agency that asked: the controller.
    pub agency: AgencyId,
    /// Further agencies of that country that may rely on it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub relying: BTreeSet<AgencyId>,
    /// The person.
    pub principal: Principal,
    /// Where the data lies.
    pub storage: BTreeSet<CountryCode>,
    /// How the person takes it back; stands in the text that was shown.
    pub withdrawal_method: String,
    /// The text or recording that was shown.
    pub shown: Shown,
    /// The person's language, BCP 47.
    pub language: String,
    /// Who interpreted, when the text is in another language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<Interpreter>,
    /// Whether it was read aloud.
    pub read_aloud: bool,
    /// Whether the person said in their own words what it means.
    pub understood_check: bool,
    /// The purposes, each revocable by itself.
    pub processes: Vec<Process>,
    /// Who answered.
    pub giver: Giver,
    /// The child's own agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assent: Option<Assent>,
    /// Whether anything else was made to depend on the answer.
    pub conditional: bool,
    /// Whether the person was in detention.
    pub in_detention: bool,
    /// Digest of the check, by somebody who does not hold the person, that the answer was free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freedom_check: Option<Digest>,
    /// People from whom the data is to be withheld, by the agency's references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld_from: Vec<Personal<String>>,
    /// Proof on file.
    pub evidence: Vec<Evidence>,
    /// The answer.
    pub event: FirstEvent,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Until when it stands at most.
    pub valid_until: Timestamp,
}

impl Record {
    /// Whether this agency may rest a submission on it.
    #[must_use]
    pub fn entitles(&self, agency: &AgencyId) -> bool {
        self.agency == *agency || self.relying.contains(agency)
    }

    /// Reads claims that a signature covers.
    ///
    /// # Errors
    /// `consent.invalid`, with the field where one is at fault.
    pub fn read(payload: &[u8]) -> Result<Self, Problem> {
        let value = crate::json::parse(payload, crate::json::MAX_DEPTH)
            .map_err(|_| Problem::new(&problem::CONSENT_INVALID))?;
        let record: Self =
            serde_json::from_value(value).map_err(|_| Problem::new(&problem::CONSENT_INVALID))?;
        match record.fault() {
            Some(field) => Err(Problem::new(&problem::CONSENT_INVALID).at(field)),
            None => Ok(record),
        }
    }

    /// The first field that contradicts the rest or its bounds.
    fn fault(&self) -> Option<&'static str> {
        let text = |text: &str| !text.is_empty() && text.len() <= MAX_TEXT;
        let purposes: BTreeSet<_> = self.processes.iter().map(|process| &process.purpose).collect();
        let lasts =
            self.valid_until.as_second().saturating_sub(self.event.occurred_at.timestamp().as_second());
        let subject_speaks = self.giver.kind == GivenBy::Subject;
        let checks = [
            ("/schema_version", self.schema_version == SCHEMA_VERSION),
            ("/principal/ref", text(self.principal.reference.reveal())),
            ("/principal/zone", jiff::tz::TimeZone::get(&self.principal.zone).is_ok()),
            ("/storage", (1..=MAX_LIST).contains(&self.storage.len())),
            ("/relying", self.relying.len() <= MAX_LIST),
            ("/withdrawal_method", text(&self.withdrawal_method)),
            ("/shown/language", is_tag(&self.shown.language)),
            ("/language", is_tag(&self.language)),
            (
                "/interpreter",
                self.interpreter.as_ref().is_none_or(|by| is_tag(&by.language) && text(by.name_ref.reveal())),
            ),
            (
                "/processes",
                (1..=MAX_PROCESSES).contains(&self.processes.len()) && purposes.len() == self.processes.len(),
            ),
            ("/processes", self.processes.iter().all(Process::is_specific)),
            ("/giver/kind", self.giver.kind != GivenBy::Unknown),
            ("/giver/party", text(self.giver.party.reveal())),
            ("/giver/party", subject_speaks == (self.giver.party == self.principal.reference)),
            ("/giver/authority_proof", !needs_proof(self.giver.kind) || self.giver.authority_proof.is_some()),
            (
                "/withheld_from",
                self.withheld_from.len() <= MAX_LIST
                    && self.withheld_from.iter().all(|who| text(who.reveal())),
            ),
            ("/evidence", self.evidence.len() <= MAX_LIST),
            ("/recorded_at", self.recorded_at >= self.event.occurred_at.timestamp()),
            ("/valid_until", (1..=MAX_DAYS * 86_400).contains(&lasts)),
        ];
        checks.into_iter().find(|(_, holds)| !holds).map(|(field, _)| field)
    }
}

impl Process {
    fn is_specific(&self) -> bool {
        (1..=MAX_LIST).contains(&self.categories.len()) && (1..=MAX_LIST).contains(&self.recipients.len())
    }
}

/// Capacities that somebody else conferred, and which a paper therefore proves.
const fn needs_proof(kind: GivenBy) -> bool {
    matches!(kind, GivenBy::Guardian | GivenBy::Authority)
}

/// A well-formed language tag, as far as comparing asks (RFC 5646 section 2.1): subtags of 1 to 8 letters or digits.
pub(super) fn is_tag(tag: &str) -> bool {
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let primary = tag.split('-').next().unwrap_or_default();
    (2..=35).contains(&tag.len())
        && (2..=8).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_lowercase())
        && tag.split('-').all(subtag)
}
