//! Officers' statements: who may release a held row or put policies in force, and when two have.
//!
//! Not here: how statements are stored, and the new decision that a release needs. INVARIANT: a release
//! takes two people with different keys and different person ids, neither of them who brought it; one
//! refusal is enough.

use serde::{Deserialize, Serialize};

use crate::delivery::{ApprovalRow, ApprovalState, PolicyChangeRow, StatementRow};
use crate::envelope::Verify;
use crate::ids::{AgencyId, ApprovalId, CountryCode, Digest, OfficerId, PersonId, Realm};
use crate::problem::{self, Problem};

/// `typ` of an officer's statement.
pub const TYP_STATEMENT: &str = "puente-statement+jwt";

/// How old a statement may be when it is recorded at the screen, seconds; later ones say how they were captured.
const MAX_SCREEN_AGE_S: i64 = 900;

/// What an officer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Let it go as previewed.
    Grant,
    /// It does not go.
    Refuse,
}

impl Verdict {
    /// The verdict as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Refuse => "refuse",
        }
    }
}

/// How a human act reached the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Captured {
    /// At a screen, by the person.
    Screen,
    /// From paper, afterwards.
    Paper,
    /// By telephone, entered by another.
    Telephone,
    /// From another system's records.
    Import,
}

/// The claims of a statement on an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Realm.
    pub realm: Realm,
    /// Country.
    pub country: CountryCode,
    /// The officer's agency.
    pub agency: AgencyId,
    /// The officer.
    pub officer: OfficerId,
    /// On which approval.
    pub approval: ApprovalId,
    /// Digest of the preview that the officer saw.
    pub preview: Digest,
    /// What the officer says.
    pub verdict: Verdict,
    /// Why, as a code of the deployment; no personal data.
    pub reason: String,
    /// When it was decided: RFC 3339 with offset and zone in brackets (RFC 9557).
    pub occurred_at: jiff::Zoned,
    /// How it was captured.
    pub captured: Captured,
}

/// An officer as the node's register knows them.
pub struct RegisteredOfficer<'a> {
    /// The natural person.
    pub person: PersonId,
    /// Whether the credential stands now.
    pub active: bool,
    /// The public key.
    pub key: &'a dyn Verify,
}

/// A statement whose signature, officer and subject are in order.
#[derive(Debug, Clone)]
pub struct VerifiedStatement {
    statement: Statement,
    person: PersonId,
    compact: String,
}

impl VerifiedStatement {
    /// What was said.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The natural person who said it, pseudonymous.
    #[must_use]
    pub const fn person(&self) -> &PersonId {
        &self.person
    }

    /// The row that records it.
    #[must_use]
    pub fn row(&self, at_ms: i64) -> StatementRow {
        StatementRow {
            approval: self.statement.approval,
            officer: self.statement.officer.clone(),
            agency: self.statement.agency.clone(),
            person: self.person.clone(),
            verdict: self.statement.verdict.as_str().to_owned(),
            statement: self.compact.clone(),
            at_ms,
        }
    }
}

/// What a further statement makes of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// One officer has granted; another is needed.
    NeedsAnother,
    /// Two have.
    Granted,
    /// One has refused.
    Refused,
}

/// Reads the claims without judging them, to find the officer.
#[must_use]
pub fn peek_statement(compact: &str) -> Option<Statement> {
    let payload = compact.split('.').nth(1)?;
    serde_json::from_slice(&crate::envelope::from_base64url(payload)?).ok()
}

/// Verifies a statement against the officer's registered key.
///
/// # Errors
/// `officer.not_entitled` for another key, realm, country or agency, `officer.revoked`, `clock.skew` when it
/// claims to come from the future or was at a screen too long ago.
pub fn verify_statement(
    compact: &str,
    officer: &RegisteredOfficer<'_>,
    agency: &AgencyId,
    country: &CountryCode,
    realm: Realm,
    now_s: i64,
) -> Result<VerifiedStatement, Problem> {
    let not_entitled = || Problem::new(&problem::OFFICER_NOT_ENTITLED);
    let payload = officer.key.verify(TYP_STATEMENT, compact).map_err(|_| not_entitled())?;
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|_| Problem::new(&problem::BODY_MALFORMED).at("statement"))?;
    if !officer.active {
        return Err(Problem::new(&problem::OFFICER_REVOKED));
    }
    if statement.realm != realm || statement.country != *country || statement.agency != *agency {
        return Err(not_entitled());
    }
    said_in_time(&statement.occurred_at, statement.captured, now_s)?;
    Ok(VerifiedStatement { statement, person: officer.person.clone(), compact: compact.to_owned() })
}

/// Whether an act is not of the future, and at a screen not of long ago.
///
/// # Errors
/// `clock.skew`.
pub(crate) fn said_in_time(occurred_at: &jiff::Zoned, captured: Captured, now_s: i64) -> Result<(), Problem> {
    let age = now_s.saturating_sub(occurred_at.timestamp().as_second());
    let late = captured == Captured::Screen && age > MAX_SCREEN_AGE_S;
    if late || age < -crate::envelope::CLOCK_TOLERANCE_S {
        return Err(Problem::new(&problem::CLOCK_SKEW).at("occurred_at"));
    }
    Ok(())
}

/// What two officers are asked: to release a held row, or to put policies in force.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Names it.
    pub approval: ApprovalId,
    /// Digest of the preview in force.
    pub preview: Digest,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it lapses, milliseconds.
    pub lapses_ms: i64,
    /// Who brought it, when a person did, and so has no say.
    pub brought_by: Option<&'a PersonId>,
}

impl<'a> From<&'a ApprovalRow> for Question<'a> {
    fn from(row: &'a ApprovalRow) -> Self {
        Self {
            approval: row.approval,
            preview: row.preview,
            state: row.state,
            lapses_ms: row.lapses_ms,
            brought_by: row.submitter.as_ref(),
        }
    }
}

impl<'a> From<&'a PolicyChangeRow> for Question<'a> {
    fn from(row: &'a PolicyChangeRow) -> Self {
        Self {
            approval: row.change,
            preview: row.preview,
            state: row.state,
            lapses_ms: row.lapses_ms,
            brought_by: row.proposer.as_ref().map(|proposer| &proposer.person),
        }
    }
}

/// What this statement makes of the question, given those already recorded.
///
/// `still_active` says of a recorded officer whether the credential stands now: one revoked between the
/// two statements no longer counts.
///
/// # Errors
/// `approval.closed`, `approval.preview_stale`, `officer.not_distinct`.
pub fn standing(
    question: &Question<'_>,
    recorded: &[StatementRow],
    said: &VerifiedStatement,
    now_ms: i64,
    still_active: &dyn Fn(&AgencyId, &OfficerId) -> bool,
) -> Result<Standing, Problem> {
    if question.state != ApprovalState::Open || now_ms >= question.lapses_ms {
        return Err(Problem::new(&problem::APPROVAL_CLOSED));
    }
    if said.statement.approval != question.approval || said.statement.preview != question.preview {
        return Err(Problem::new(&problem::PREVIEW_STALE).at("preview"));
    }
    let same_person = |row: &StatementRow| {
        row.person == said.person
            || (row.officer == said.statement.officer && row.agency == said.statement.agency)
    };
    if question.brought_by == Some(&said.person) || recorded.iter().any(same_person) {
        return Err(Problem::new(&problem::OFFICER_NOT_DISTINCT));
    }
    if said.statement.verdict == Verdict::Refuse {
        return Ok(Standing::Refused);
    }
    let another = recorded
        .iter()
        .any(|row| row.verdict == Verdict::Grant.as_str() && still_active(&row.agency, &row.officer));
    Ok(if another { Standing::Granted } else { Standing::NeedsAnother })
}
