//! Officers' statements: who may release or refuse a held row, and when two have.
//!
//! Not here: how statements are stored, and the new decision that a release needs. INVARIANT: a release
//! takes two people with different keys and different person ids, neither of them the submitter; one
//! refusal is enough.

use serde::{Deserialize, Serialize};

use crate::delivery::{ApprovalRow, ApprovalState, StatementRow};
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
    let payload = officer
        .key
        .verify(TYP_STATEMENT, compact)
        .map_err(|_| Problem::new(&problem::OFFICER_NOT_ENTITLED))?;
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|_| Problem::new(&problem::BODY_MALFORMED).at("statement"))?;
    if statement.realm != realm || statement.country != *country || statement.agency != *agency {
        return Err(Problem::new(&problem::OFFICER_NOT_ENTITLED));
    }
    may_speak(officer, &statement.occurred_at, statement.captured, now_s)?;
    Ok(VerifiedStatement { statement, person: officer.person.clone(), compact: compact.to_owned() })
}

/// Whether this officer may say this now: the credential stands, and the hour is neither to come nor, at a screen, long past.
pub(crate) fn may_speak(
    officer: &RegisteredOfficer<'_>,
    occurred_at: &jiff::Zoned,
    captured: Captured,
    now_s: i64,
) -> Result<(), Problem> {
    if !officer.active {
        return Err(Problem::new(&problem::OFFICER_REVOKED));
    }
    let age = now_s.saturating_sub(occurred_at.timestamp().as_second());
    if age < -crate::envelope::CLOCK_TOLERANCE_S || (captured == Captured::Screen && age > MAX_SCREEN_AGE_S) {
        return Err(Problem::new(&problem::CLOCK_SKEW).at("occurred_at"));
    }
    Ok(())
}

/// What this statement makes of the approval, given those already recorded.
///
/// `still_active` says of a recorded officer whether the credential stands now: one revoked between the
/// two statements no longer counts.
///
/// # Errors
/// `approval.closed`, `approval.preview_stale`, `officer.not_distinct`.
pub fn standing(
    approval: &ApprovalRow,
    recorded: &[StatementRow],
    said: &VerifiedStatement,
    now_ms: i64,
    still_active: &dyn Fn(&AgencyId, &OfficerId) -> bool,
) -> Result<Standing, Problem> {
    if approval.state != ApprovalState::Open || now_ms >= approval.lapses_ms {
        return Err(Problem::new(&problem::APPROVAL_CLOSED));
    }
    if said.statement.approval != approval.approval || said.statement.preview != approval.preview {
        return Err(Problem::new(&problem::PREVIEW_STALE).at("preview"));
    }
    let same_person = |row: &StatementRow| {
        row.person == said.person
            || (row.officer == said.statement.officer && row.agency == said.statement.agency)
    };
    if approval.submitter.as_ref() == Some(&said.person) || recorded.iter().any(same_person) {
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
