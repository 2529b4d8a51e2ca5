//! A held row on its way out: decided again once officers or an authority have spoken, released, refused, or still waiting.
//!
//! Not here: what was said, and by whom. INVARIANT: what leaves is what was previewed, or nothing; a row that still waits for
//! somebody stays open.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use puente_core::approval::Verdict as Said;
use puente_core::delivery::{ApprovalRow, ApprovalState, Event, EventKind, StatementRow, Write};
use puente_core::ids::MessageId;
use puente_core::policy::RuleId;
use puente_core::problem::{self, Problem};

use crate::domestic::submit::{self, Mode, Outcome, Submission, Verdict, prepare};
use crate::duty::look_again;
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::store::{ActFilter, ApprovalFilter};

/// Acts of peers looked at in one round, and rows of one thread.
const AT_ONCE: u32 = 50;

/// What became of a row.
pub(super) enum Released {
    /// It goes.
    Goes(Box<Verdict>),
    /// It waits for somebody else: the rule that holds it.
    Waits(Option<String>),
}

impl Released {
    /// Says it in an answer.
    pub(super) fn told(self, body: &mut Value) {
        match self {
            Self::Goes(verdict) => {
                set(body, "state", json!("granted"));
                set(body, "verdict", json!(verdict));
            }
            Self::Waits(rule) => {
                set(body, "state", json!("open"));
                set(body, "waits_for", json!(rule));
            }
        }
    }
}

/// Adds a member to an answer.
pub(super) fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// The submission that waits.
///
/// # Errors
/// `message.erased` once it is no longer kept.
pub(super) fn draft_of(row: &ApprovalRow) -> Result<Submission, Problem> {
    if row.draft.is_empty() {
        return Err(Problem::new(&problem::ERASED));
    }
    serde_json::from_slice(&row.draft).map_err(|_| Problem::new(&problem::INTERNAL))
}

/// The agency as it was when it submitted: its id and the one role it acted in.
pub(super) fn owner(row: &ApprovalRow) -> KnownAgency {
    KnownAgency { agency: row.agency.clone(), roles: vec![row.role.clone()] }
}

/// The holds that two officers have lifted by what is recorded: none unless two who stand have granted.
pub(super) fn lifted(node: &Node, row: &ApprovalRow, recorded: &[StatementRow]) -> BTreeSet<RuleId> {
    let register = node.register.get();
    let granted = recorded.iter().filter(|said| {
        said.verdict == Said::Grant.as_str() && register.officer_stands(&said.agency, &said.officer)
    });
    let people: BTreeSet<_> = granted.map(|said| &said.person).collect();
    if people.len() < 2 {
        return BTreeSet::new();
    }
    row.rules.iter().filter_map(|rule| rule.parse().ok()).collect()
}

/// Decides again with these holds lifted and what authorities have approved: what leaves is what was previewed, or nothing.
/// Where the rules refuse by now, or a protection hold placed meanwhile stops the row, what was said and the refusal are
/// recorded; where a rule still holds it, what was said is.
///
/// # Errors
/// `policy.refused`, `approval.preview_stale`, `approval.closed`, and this node's own.
pub(super) async fn release(
    node: &Node,
    row: &ApprovalRow,
    holds: BTreeSet<RuleId>,
    mut writes: Vec<Write>,
) -> Result<Released, Problem> {
    let now_ms = node.clock.now_ms();
    let mut prepared = prepare(node, &owner(row), &draft_of(row)?, &Mode::Released { holds }).await?;
    let rule = || prepared.verdict.rule.as_ref().map(|rule| rule.id.clone());
    if prepared.verdict.approval_id.is_some() {
        let waits = Released::Waits(rule());
        if !writes.is_empty() {
            node.commit(writes).await.map_err(|error| store_problem(&error))?;
        }
        return Ok(waits);
    }
    if !matches!(prepared.verdict.verdict, Outcome::Accepted | Outcome::Redacted) {
        let rule = rule().unwrap_or_default();
        writes.append(&mut prepared.writes);
        writes.extend(close(row, ApprovalState::Refused, now_ms));
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
        return Err(Problem::new(&problem::POLICY_REFUSED).by_rule(rule));
    }
    if prepared.preview != Some(row.preview) {
        return Err(Problem::new(&problem::PREVIEW_STALE).at("preview"));
    }
    writes.append(&mut prepared.writes);
    writes.extend(close(row, ApprovalState::Granted, now_ms));
    prepared.writes = writes;
    let verdicts = submit::commit(node, vec![prepared], |_| None).await?;
    let verdict = verdicts.and_then(|verdicts| verdicts.into_iter().next());
    verdict.map(|verdict| Released::Goes(Box::new(verdict))).ok_or_else(|| Problem::new(&problem::INTERNAL))
}

/// What ends a row's waiting, and the word to its agency.
pub(super) fn close(row: &ApprovalRow, state: ApprovalState, at_ms: i64) -> [Write; 4] {
    [
        look_again(row.approval, at_ms),
        // Her question restricted under the row's name; released, it does under its own.
        Write::Unrestrict { question: MessageId(row.approval.0), at_ms },
        Write::ApprovalState { approval: row.approval, state, at_ms },
        Write::Event(Event {
            kind: EventKind::ApprovalClosed,
            agency: Some(row.agency.clone()),
            role: row.role.clone(),
            message: None,
            approval: Some(row.approval),
            message_type: Some(row.message_type.clone()),
            state: state.as_str().to_owned(),
            at_ms,
        }),
    ]
}

/// Tries the rows again that waited for what a peer has approved; answers how many approvals came.
///
/// # Errors
/// When the store fails; the next round does what this one did not.
pub async fn release_approved(node: &Node) -> Result<usize, Problem> {
    let came = node.store.acts(ActFilter::Untried, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    for act in &came {
        let waiting = ApprovalFilter {
            state: Some(ApprovalState::Open),
            case: Some(act.case),
            ..ApprovalFilter::default()
        };
        let waiting = node.store.approvals(waiting, AT_ONCE).await.map_err(|error| store_problem(&error))?;
        for row in waiting.iter().filter(|row| row.closed_ms.is_none() && node.clock.now_ms() < row.lapses_ms)
        {
            let found = node.store.approval(row.approval).await.map_err(|error| store_problem(&error))?;
            let Some((row, recorded)) = found else { continue };
            let holds = lifted(node, &row, &recorded);
            if let Err(problem) = release(node, &row, holds, Vec::new()).await {
                if problem.kind.code == problem::STORE_UNAVAILABLE.code {
                    return Err(problem);
                }
                tracing::info!(approval = %row.approval, code = problem.kind.code, "an approved row was not released");
            }
        }
        let tried = vec![Write::ActTried { act: act.act }];
        node.commit(tried).await.map_err(|error| store_problem(&error))?;
    }
    Ok(came.len())
}
