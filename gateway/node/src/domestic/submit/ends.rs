//! Why a submission goes no further, and what its sender is told of it.
//!
//! Not here: refusals by rule; those are decisions (`prepare`). INVARIANT: what failed in this node is never told as the
//! sender's mistake.

use puente_core::ids::MessageType;
use puente_core::problem::{Fault, Problem};

use crate::domestic::submit::form::{Finding, Outcome, Submission, Verdict};
use crate::domestic::submit::prepare::Prepared;
use crate::domestic::submit::report::problem_finding;
use crate::domestic::submit::step::Misstep;

/// Why a submission goes no further.
pub(super) enum Stop {
    /// It is not a message of its type: the sender has to mend it.
    Malformed(Vec<Finding>),
    /// The child's case that it is a step of allows other ones.
    Misstep(Finding, Vec<MessageType>),
    /// Something of this node's own failed: the same may be taken later.
    Failed(Problem),
}

impl From<Vec<Finding>> for Stop {
    fn from(findings: Vec<Finding>) -> Self {
        Self::Malformed(findings)
    }
}

impl From<Misstep> for Stop {
    fn from(misstep: Misstep) -> Self {
        match misstep {
            Misstep::Problem(problem) => problem.into(),
            Misstep::NotAllowed(finding, allowed) => Self::Misstep(finding, allowed),
        }
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        if problem.kind.fault == Fault::Node {
            Self::Failed(problem)
        } else {
            Self::Malformed(vec![problem_finding(&problem)])
        }
    }
}

/// The verdict on a submission, whichever way it ended.
///
/// # Errors
/// Only when something of this node's own failed.
pub(super) fn told(submission: &Submission, outcome: Result<Prepared, Stop>) -> Result<Prepared, Problem> {
    match outcome {
        Ok(prepared) => Ok(prepared),
        Err(Stop::Failed(problem)) => Err(problem),
        Err(Stop::Malformed(problems)) => Ok(malformed(submission, problems, Vec::new())),
        Err(Stop::Misstep(finding, allowed)) => Ok(malformed(submission, vec![finding], allowed)),
    }
}

fn malformed(submission: &Submission, problems: Vec<Finding>, allowed: Vec<MessageType>) -> Prepared {
    let verdict = Verdict { problems, allowed, ..Verdict::new(submission.row, Outcome::Malformed) };
    Prepared { verdict, writes: Vec::new(), preview: None, erases: None }
}
