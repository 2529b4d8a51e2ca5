//! What an authority has determined about a person: a fact that lets something go, stated by who may state it.
//!
//! Not here: approvals of a step (`authority`), and which facts are reserved (`policy::Determiners`). INVARIANT: a reserved fact
//! is yes only where its authority says so itself or a determination of it stands; one that says no outweighs any yes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Stands, code, within};
use crate::delivery::SubjectTag;
use crate::ids::{ActId, AgencyId, OfficerId, PersonId, Role};
use crate::personal::Personal;
use crate::policy::{Determiner, Determiners, Flag, Known, Subject};
use crate::problem::{self, Problem};

/// `typ` of the statement by which an officer of an authority states a fact about a person.
pub const TYP_DETERMINES: &str = "puente-determination+jwt";

/// Longest reference of a person, bytes.
const MAX_REFERENCE: usize = 200;

/// What an officer states about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Determines {
    /// The person, by the reference under which the country's agencies submit (`subject_id`; on a list, the file number).
    pub about: Personal<String>,
    /// Which fact.
    pub fact: Flag,
    /// Whether it is so.
    pub holds: bool,
    /// Until when it stands.
    pub until: Timestamp,
    /// Why, as a code of the deployment; no personal data.
    pub reason: String,
}

impl Determines {
    /// Whether an officer who acts in one of these roles may state this now.
    ///
    /// # Errors
    /// `officer.not_entitled` when it is not theirs to state, `field.invalid` for an empty or overlong reference, a reason that is
    /// no code, and an end that has passed or lies beyond what one determination may span.
    pub fn check(
        &self,
        roles: &[Role],
        determiner: Option<&Determiner>,
        now: Timestamp,
    ) -> Result<Role, Problem> {
        let not_entitled = |field| Problem::new(&problem::OFFICER_NOT_ENTITLED).at(field);
        let determiner = determiner.ok_or_else(|| not_entitled("fact"))?;
        let role = roles.iter().find(|role| determiner.roles.contains(*role));
        let role = role.ok_or_else(|| not_entitled("role"))?;
        if self.about.reveal().trim().is_empty() || self.about.reveal().len() > MAX_REFERENCE {
            return Err(Problem::new(&problem::FIELD_INVALID).at("about"));
        }
        code(&self.reason)?;
        within(self.until, determiner.max_hours, now)?;
        Ok(role.clone())
    }
}

/// A determination as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeterminationRow {
    /// Names it.
    pub act: ActId,
    /// Whom it is about.
    pub subject: SubjectTag,
    /// Which fact.
    pub fact: Flag,
    /// Whether it is so.
    pub holds: bool,
    /// The role in which it was made.
    pub role: Role,
    /// The authority.
    pub agency: AgencyId,
    /// The officer.
    pub officer: OfficerId,
    /// The natural person who made it, pseudonymous.
    pub person: PersonId,
    /// The signed statement, compact JWS; kept under the subject's key, for it names her.
    pub statement: Personal<String>,
    /// Until when it stands, milliseconds.
    pub until_ms: i64,
    /// When it was recorded, milliseconds.
    pub at_ms: i64,
    /// When it was taken back.
    pub ended_ms: Option<i64>,
}

impl DeterminationRow {
    /// Whether it stands at this instant.
    #[must_use]
    pub fn stands(&self, now_ms: i64, officers: &Stands<'_>) -> bool {
        self.ended_ms.is_none() && now_ms < self.until_ms && officers(&self.agency, &self.officer, &self.role)
    }
}

/// Leaves of the reserved facts that somebody states as so only those that are theirs to state, or that a determination
/// supports; answers the determinations that were needed.
///
/// A yes that nobody entitled stands for becomes unknown. A determination never makes a yes of what the sender did not state:
/// whoever states less, sends on less.
#[must_use]
pub fn determine(
    subject: &mut Subject,
    sender: &Role,
    determiners: &Determiners,
    made: &[DeterminationRow],
    now_ms: i64,
    officers: &Stands<'_>,
) -> Vec<ActId> {
    let mut needed = Vec::new();
    for (fact, determiner) in determiners.all() {
        let Some(stated) = subject.flags.get_mut(&fact).filter(|stated| **stated == Known::Yes) else {
            continue;
        };
        let standing = || made.iter().filter(|row| row.fact == fact && row.stands(now_ms, officers));
        if standing().any(|row| !row.holds) {
            *stated = Known::No;
        } else if !determiner.roles.contains(sender) {
            let found = needed.len();
            needed.extend(standing().map(|row| row.act));
            if needed.len() == found {
                *stated = Known::Unknown;
            }
        }
    }
    needed
}

/// Whether a subject states a reserved fact as so.
#[must_use]
pub fn states_reserved(subject: &Subject, determiners: &Determiners) -> bool {
    determiners.all().any(|(fact, _)| subject.flags.get(&fact) == Some(&Known::Yes))
}

#[cfg(test)]
mod tests;
