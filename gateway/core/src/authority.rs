//! Authorities' approvals as signed acts: what an officer of the authority says on a held row, or what the other
//! country's authority states by message; and which of them cover a step at an instant.
//!
//! Not here: the two officers who release a row (`approval`), and who is an authority (`policy::Approvers`). INVARIANT:
//! an act covers the exact content that was shown, until its end; a revoked officer's act and one taken back cover nothing.

mod determination;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::Verdict;
use crate::ids::{
    ActId, AgencyId, ApprovalId, CaseId, CountryCode, Digest, MessageId, MessageType, OfficerId, PersonId,
    Role,
};
use crate::policy::{Approval, Approver};
use crate::problem::{self, Problem};

pub use determination::{DeterminationRow, Determines, TYP_DETERMINES, determine, states_reserved};

/// `typ` of the statement by which an officer of an authority approves, or refuses to.
pub const TYP_APPROVES: &str = "puente-authority-approval+jwt";
/// `typ` of the statement that takes an approval back.
pub const TYP_TAKES_BACK: &str = "puente-authority-withdrawal+jwt";

const HOUR_S: i64 = 3_600;
/// A reason is a code, not a text.
const MAX_REASON: usize = 64;

/// What an officer of an authority says on a held row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approves {
    /// Which approval.
    pub approval: Approval,
    /// On which held row.
    pub row: ApprovalId,
    /// Digest of the preview that the officer saw.
    pub preview: Digest,
    /// Whether it may go.
    pub verdict: Verdict,
    /// Until when it stands.
    pub until: Timestamp,
    /// Why, as a code of the deployment; no personal data.
    pub reason: String,
}

/// What an officer says to take an approval back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakesBack {
    /// Which act.
    pub act: ActId,
}

impl Approves {
    /// Whether an officer who acts in one of these roles may say this now.
    ///
    /// # Errors
    /// `officer.not_entitled` when it is not theirs to give, `field.invalid` for a reason that is no code, and an end that has
    /// passed or lies beyond what one act may span.
    pub fn check(
        &self,
        roles: &[Role],
        approver: Option<&Approver>,
        now: Timestamp,
    ) -> Result<Role, Problem> {
        let given_here = approver.filter(|approver| approver.by_message.is_none());
        let approver =
            given_here.ok_or_else(|| Problem::new(&problem::OFFICER_NOT_ENTITLED).at("approval"))?;
        let role = roles.iter().find(|role| approver.roles.contains(*role));
        let role = role.ok_or_else(|| Problem::new(&problem::OFFICER_NOT_ENTITLED).at("role"))?;
        code(&self.reason)?;
        within(self.until, approver.max_hours, now)?;
        Ok(role.clone())
    }
}

/// A reason is a code of the deployment.
fn code(reason: &str) -> Result<(), Problem> {
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if reason.is_empty() || reason.len() > MAX_REASON || !reason.bytes().all(is_code) {
        return Err(Problem::new(&problem::FIELD_INVALID).at("reason"));
    }
    Ok(())
}

/// What is said stands for some time, and for no longer than it may.
fn within(until: Timestamp, max_hours: u32, now: Timestamp) -> Result<(), Problem> {
    let latest = now.as_second().saturating_add(i64::from(max_hours).saturating_mul(HOUR_S));
    if until <= now || until.as_second() > latest {
        return Err(Problem::new(&problem::FIELD_INVALID).at("until"));
    }
    Ok(())
}

/// Who gave an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// An officer of this country, on a held row.
    Officer {
        /// The row.
        row: ApprovalId,
        /// The authority.
        agency: AgencyId,
        /// The officer.
        officer: OfficerId,
        /// The natural person, pseudonymous.
        person: PersonId,
        /// The signed statement, compact JWS.
        statement: String,
    },
    /// The recipient's country, by a signed message.
    Message(MessageId),
}

/// An authority's act as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActRow {
    /// Names it.
    pub act: ActId,
    /// Which approval it gives.
    pub approval: Approval,
    /// The type of message that it approves.
    pub message_type: MessageType,
    /// The thread.
    pub case: CaseId,
    /// Toward which country; `None` for every one.
    pub peer: Option<CountryCode>,
    /// The role in which it was given.
    pub role: Role,
    /// Who gave it.
    pub given: Given,
    /// Digest of what was approved, as `Contents` makes it; `None` where the thread alone was.
    pub content: Option<Digest>,
    /// Until when it stands, milliseconds.
    pub until_ms: i64,
    /// When it was recorded, milliseconds.
    pub at_ms: i64,
    /// When it was taken back; an act that refuses is kept as one taken back at once.
    pub ended_ms: Option<i64>,
}

/// The step that wants to be covered.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The type of message.
    pub message_type: &'a MessageType,
    /// The thread.
    pub case: CaseId,
    /// Toward which country.
    pub peer: &'a CountryCode,
    /// Digest of the content for this recipient, and of the same for any.
    pub content: [Digest; 2],
}

/// Whether an officer's credential stands, and their agency still holds the role.
pub type Stands<'a> = dyn Fn(&AgencyId, &OfficerId, &Role) -> bool + 'a;

impl ActRow {
    /// Whether it stands at this instant.
    #[must_use]
    pub fn stands(&self, now_ms: i64, officers: &Stands<'_>) -> bool {
        let author = match &self.given {
            Given::Officer { agency, officer, .. } => officers(agency, officer, &self.role),
            Given::Message(_) => true,
        };
        self.ended_ms.is_none() && now_ms < self.until_ms && author
    }

    fn covers(&self, step: &Step<'_>) -> bool {
        self.message_type == *step.message_type
            && self.case == step.case
            && self.peer.as_ref().is_none_or(|peer| peer == step.peer)
            && self.content.is_none_or(|content| step.content.contains(&content))
    }
}

/// What authorities have approved of a step, and by which acts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approved {
    /// The approvals that stand.
    pub approvals: BTreeSet<Approval>,
    /// The acts that give them.
    pub acts: Vec<ActId>,
}

/// The acts of a thread that cover a step at this instant.
#[must_use]
pub fn approved(acts: &[ActRow], step: &Step<'_>, now_ms: i64, officers: &Stands<'_>) -> Approved {
    let covering = acts.iter().filter(|act| act.covers(step) && act.stands(now_ms, officers));
    let mut approved = Approved::default();
    for act in covering {
        approved.approvals.insert(act.approval);
        approved.acts.push(act.act);
    }
    approved
}

/// Whether this person may give an approval on a held row: not who brought it, nor one who has spoken on it.
///
/// # Errors
/// `officer.not_distinct`.
pub fn distinct<'a>(
    person: &PersonId,
    brought_by: Option<&PersonId>,
    spoke: impl IntoIterator<Item = &'a PersonId>,
) -> Result<(), Problem> {
    if brought_by == Some(person) || spoke.into_iter().any(|one| one == person) {
        return Err(Problem::new(&problem::OFFICER_NOT_DISTINCT));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
