//! A row that waits for two officers: what is kept of it, and the digest of what they will see.
//!
//! Not here: their statements (`approvals`). INVARIANT: what is kept is the submission as it came, its agency's signature
//! with it, so that what officers release is what was submitted.

use std::collections::{BTreeMap, BTreeSet};

use puente_core::delivery::{ApprovalRow, ApprovalState, Event, EventKind, Write};
use puente_core::ids::{ApprovalId, Category, Digest, PersonId};
use puente_core::policy::Decision;
use puente_core::problem::{self, Problem};

use crate::domestic::submit::form::{Removal, Submission, Verdict};
use crate::domestic::submit::prepare::Parts;

impl Parts<'_> {
    /// Opens the approval that it waits for.
    ///
    /// # Errors
    /// When the submission cannot be serialised.
    pub(super) fn hold(
        &self,
        decision: &Decision,
        preview: Digest,
        verdict: &mut Verdict,
        writes: &mut Vec<Write>,
    ) -> Result<(), Problem> {
        let node = self.node;
        let approval = ApprovalId(node.fresh_id());
        verdict.approval_id = Some(approval);
        // The thread is fixed now, so that what is released later lies under the same key as the draft.
        let draft = Submission { case: Some(self.case), ..self.submission.clone() };
        let draft = serde_json::to_vec(&draft).map_err(|_| Problem::new(&problem::INTERNAL))?;
        let seconds = i64::try_from(node.config.times.approval_seconds).unwrap_or(i64::MAX);
        writes.push(Write::Approval(ApprovalRow {
            approval,
            agency: self.caller.agency.clone(),
            role: self.role.clone(),
            submitter: None::<PersonId>,
            message_type: self.submission.message_type.clone(),
            peer: self.submission.recipient.country.clone(),
            operation: self.submission.operation,
            row: self.submission.row,
            rules: decision.spoke.iter().map(|rule| rule.as_str().to_owned()).collect(),
            preview,
            subject: Some(self.subject),
            draft,
            opened_ms: self.now_ms,
            lapses_ms: self.now_ms.saturating_add(seconds.saturating_mul(1000)),
            state: ApprovalState::Open,
            closed_ms: None,
            message: None,
        }));
        writes.push(Write::Event(Event {
            kind: EventKind::ApprovalOpened,
            agency: Some(self.caller.agency.clone()),
            role: self.role.clone(),
            message: None,
            approval: Some(approval),
            message_type: Some(self.submission.message_type.clone()),
            state: ApprovalState::Open.as_str().to_owned(),
            at_ms: self.now_ms,
        }));
        Ok(())
    }
}

/// Digest of what officers see before they release it: the submission, what would be delivered of it, and why not the
/// rest. Of what a protection hold removes it knows the neutral reason alone, or it could be tried out. The thread is not
/// part of it: a new one is only given once the row is held.
///
/// # Errors
/// When the submission cannot be serialised.
pub(super) fn preview_digest(
    submission: &Submission,
    deliver: &BTreeSet<Category>,
    removed: &[Removal],
) -> Result<Digest, Problem> {
    let seen = Submission { case: None, ..submission.clone() };
    let removed: BTreeMap<_, _> =
        removed.iter().map(|removal| (&removal.category, &removal.rule.id)).collect();
    let bytes =
        serde_json::to_vec(&(seen, deliver, removed)).map_err(|_| Problem::new(&problem::INTERNAL))?;
    Ok(Digest::of(&bytes))
}
