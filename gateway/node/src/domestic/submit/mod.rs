//! From a submission to a queued message, a held row or a recorded refusal.
//!
//! Not here: HTTP. INVARIANT: nothing is answered before the commit that holds its writes is durable, and
//! the decision is recorded whatever it was.

mod answering;
mod attached;
mod broadcast;
mod contents;
mod ends;
mod erasing;
mod form;
mod prepare;
mod preview;
mod protect;
mod published;
mod recipient;
mod replacing;
mod report;
mod rests;
mod signed;
mod statement;
mod step;
mod told;
mod validate;
mod waiting;

use puente_core::delivery::{CommitId, IdempotentAnswer, Write};
use puente_core::problem::{self, Problem};

use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::store::{Guard, StoreError};
use crate::subjects::erase_subject;

pub use contents::contents;
pub use form::{BasisForm, Finding, Outcome, Reason, Removal, Submission, ToSign, Verdict};
pub use prepare::{Mode, Prepared, prepare, prepare_resting_on};
pub use report::{problem_finding, verdict_status};

/// Commits what was prepared, with the stored answer when there is one, and counts the verdicts.
///
/// # Errors
/// When the store did not commit: then nothing was accepted. `None` when the idempotency key was taken meanwhile: the
/// caller reads the stored answer.
pub async fn commit(
    node: &Node,
    prepared: Vec<Prepared>,
    answer: impl FnOnce(&[Verdict]) -> Option<IdempotentAnswer>,
) -> Result<Option<Vec<Verdict>>, Problem> {
    let mut writes = Vec::with_capacity(prepared.len() * 4 + 1);
    let mut verdicts = Vec::with_capacity(prepared.len());
    for mut item in prepared {
        if let Some(subject) = item.erases {
            match erase_subject(node, subject).await {
                Ok(_) => {}
                // A legal hold costs the row that meets it, and no other of its list.
                Err(problem) if problem.kind.code == problem::ERASURE_HELD.code => {
                    item = refused(&item, &problem)
                }
                Err(problem) => return Err(problem),
            }
        }
        writes.extend(item.writes);
        verdicts.push(item.verdict);
    }
    let key_at = writes.len();
    if let Some(answer) = answer(&verdicts) {
        writes.push(Write::Idempotent(answer));
    }
    let token = match node.commit(writes).await {
        Ok(token) => token,
        Err(StoreError::Conflict { write, what: Guard::Taken }) if write == key_at => return Ok(None),
        // Only an agency that signs names its messages itself: one name twice, in one list or at the same time.
        Err(StoreError::Conflict { what: Guard::Taken, .. }) => {
            return Err(Problem::new(&problem::MESSAGE_CONFLICT).at("/signed/jti"));
        }
        Err(error) => return Err(store_problem(&error)),
    };
    debug_assert!(token.id() != CommitId(0));
    for verdict in &verdicts {
        count(node, verdict);
    }
    Ok(Some(verdicts))
}

/// What is left of a row that says to have erased somebody who must not be: the refusal, and nothing to write.
fn refused(item: &Prepared, problem: &Problem) -> Prepared {
    let mut verdict = Verdict::new(item.verdict.row, Outcome::Refused);
    verdict.problems.push(problem_finding(problem));
    Prepared { verdict, writes: Vec::new(), preview: None, erases: None }
}

/// Counts a verdict by its rule.
pub fn count(node: &Node, verdict: &Verdict) {
    node.metrics.verdict(verdict.verdict.as_str(), verdict.rule.as_ref().map(|rule| rule.id.as_str()));
}

/// The role in which an agency acts: the one it names, or its only one.
#[must_use]
pub fn acting_role<'a>(
    caller: &'a KnownAgency,
    named: Option<&puente_core::ids::Role>,
) -> Option<&'a puente_core::ids::Role> {
    match named {
        Some(role) => caller.roles.iter().find(|held| *held == role),
        None => match caller.roles.as_slice() {
            [only] => Some(only),
            _ => None,
        },
    }
}
