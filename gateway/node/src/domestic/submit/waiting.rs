//! A submission that waits for people: the row that is kept, who is told, and what authorities have approved of it.
//!
//! Not here: the decision (`prepare`) and what is said on the row (`approvals`, `authorities`). INVARIANT: an act counts only
//! for the content that it names.

use std::collections::BTreeSet;

use jiff::Timestamp;

use puente_core::authority::{ActRow, Approved, Step};
use puente_core::delivery::{ApprovalRow, ApprovalState, Event, EventKind, Ground, RestrictionRow, Write};
use puente_core::ids::{ApprovalId, CaseId, Digest, MessageId, PersonId, Role};
use puente_core::policy::Decision;
use puente_core::problem::{self, Problem};

use crate::authority::officers;
use crate::domestic::submit::contents::contents;
use crate::domestic::submit::form::{Submission, Verdict};
use crate::domestic::submit::prepare::Parts;
use crate::duty::waits_for_release;
use crate::node::Node;
use crate::restriction;

/// What authorities have approved of a submission.
///
/// # Errors
/// When its content cannot be serialised.
pub(super) fn approved(
    node: &Node,
    acts: &[ActRow],
    submission: &Submission,
    case: CaseId,
    now_ms: i64,
) -> Result<Approved, Problem> {
    if acts.is_empty() {
        return Ok(Approved::default());
    }
    let step = Step {
        message_type: &submission.message_type,
        case,
        peer: &submission.recipient.country,
        content: contents(submission)?,
    };
    Ok(puente_core::authority::approved(acts, &step, now_ms, &officers(&node.register.get())))
}

impl Parts<'_> {
    /// What a person's own question restricts at home from now on, if it does.
    pub(super) fn restriction(&self, question: MessageId) -> Option<Write> {
        let asks = restriction::restricts(self.submission.message_type.as_str());
        let subject = self.submission.subject_id.as_ref().filter(|_| asks)?;
        let key = restriction::own(&self.node.pairwise(self.node.country(), subject.reveal()));
        Some(Write::Restrict(RestrictionRow { question, key, at_ms: self.now_ms }))
    }

    /// What the release rests on. An act may be taken back at any time, so what rests on one is looked at again before
    /// it leaves.
    pub(super) fn ground(&self, decision: &Decision) -> Ground {
        let lapses = decision.lapses_at.map(Timestamp::as_millisecond);
        let on_acts = !self.approved.acts.is_empty() || !self.determined.is_empty();
        let lapses_ms = if on_acts { Some(self.now_ms) } else { lapses };
        Ground { digest: self.ground, lapses_ms }
    }

    /// Opens the row that waits, for the officers of its agency and for every authority that may end its hold.
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
        let rules: Vec<String> = decision.spoke.iter().map(|rule| rule.as_str().to_owned()).collect();
        let row = ApprovalRow {
            approval,
            agency: self.caller.agency.clone(),
            role: self.role.clone(),
            submitter: None::<PersonId>,
            message_type: self.submission.message_type.clone(),
            peer: self.submission.recipient.country.clone(),
            operation: self.submission.operation,
            row: self.submission.row,
            rules: rules.clone(),
            preview,
            case: Some(self.case),
            subject: Some(self.subject),
            draft,
            opened_ms: self.now_ms,
            lapses_ms: self.now_ms.saturating_add(seconds.saturating_mul(1000)),
            state: ApprovalState::Open,
            closed_ms: None,
            message: None,
        };
        let authorities: BTreeSet<&Role> =
            self.rules.policy.approvers().ending(&rules).flat_map(|(_, approver)| &approver.roles).collect();
        let releasing = authorities.iter().map(|role| (*role).clone()).collect();
        let to = &self.submission.recipient.role;
        writes.extend(waits_for_release(self.rules, &row, self.case, to, releasing));
        writes.push(Write::Approval(row));
        let opened = |agency, role: &Role| {
            Write::Event(Event {
                kind: EventKind::ApprovalOpened,
                agency,
                role: role.clone(),
                message: None,
                approval: Some(approval),
                message_type: Some(self.submission.message_type.clone()),
                state: ApprovalState::Open.as_str().to_owned(),
                at_ms: self.now_ms,
            })
        };
        writes.push(opened(Some(self.caller.agency.clone()), self.role));
        writes
            .extend(authorities.into_iter().filter(|role| *role != self.role).map(|role| opened(None, role)));
        Ok(())
    }
}
