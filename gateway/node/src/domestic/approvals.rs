//! Held rows: list, preview, officers' signed statements, lapse.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::approval::{Question, Standing, peek_statement, standing, verify_statement};
use puente_core::authority::distinct;
use puente_core::delivery::{ApprovalRow, ApprovalState, StatementRow, Write};
use puente_core::ids::ApprovalId;
use puente_core::problem::{self, Problem};

use crate::authority::spoke_on;
use crate::domestic::acts::statement_in;
use crate::domestic::releases::{close, draft_of, owner, release, set};
use crate::domestic::submit::{Mode, Prepared, prepare};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply, json_reply};
use crate::store::ApprovalFilter;

type Reply = Result<Response, ProblemReply>;

/// Query of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    state: Option<ApprovalState>,
    /// Those that wait for the caller's authority, instead of those that it submitted.
    #[serde(default)]
    for_authority: bool,
    #[serde(default)]
    after: Option<ApprovalId>,
}

fn summary(row: &ApprovalRow) -> Value {
    json!({
        "approval_id": row.approval, "state": row.state, "type": row.message_type, "to": row.peer,
        "case": row.case, "operation": row.operation, "row": row.row, "rules": row.rules, "preview": row.preview,
        "opened_ms": row.opened_ms, "lapses_ms": row.lapses_ms, "closed_ms": row.closed_ms,
    })
}

/// `GET /v1/approvals`: the caller's held rows.
pub async fn list(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    ask: serve::Ask<Ask>,
) -> Reply {
    let ask = serve::asked(ask)?;
    let agency = (!ask.for_authority).then(|| caller.agency.clone());
    let filter = ApprovalFilter { state: ask.state, agency, case: None, after: ask.after };
    let mut rows = node.store.approvals(filter, 200).await.map_err(|error| store_problem(&error))?;
    let next = rows.last().map(|row| row.approval);
    if ask.for_authority {
        rows.retain(|row| is_for(&node, row, &caller));
    }
    Ok(json_reply(
        StatusCode::OK,
        &json!({"approvals": rows.iter().map(summary).collect::<Vec<_>>(), "next": next}),
    ))
}

/// Whether a hold of this row is the caller's authority to end.
pub(super) fn is_for(node: &Node, row: &ApprovalRow, caller: &KnownAgency) -> bool {
    let rules = node.rules.get();
    rules
        .policy
        .approvers()
        .ending(&row.rules)
        .any(|(_, approver)| caller.roles.iter().any(|role| approver.roles.contains(role)))
}

/// A row with what was said on it, when this caller may see it.
///
/// # Errors
/// `not_found`, the store's problem.
pub(super) async fn load(
    node: &Node,
    caller: &KnownAgency,
    id: &str,
) -> Result<(ApprovalRow, Vec<StatementRow>), Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: ApprovalId = id.parse().map_err(|_| not_found())?;
    let found = node.store.approval(id).await.map_err(|error| store_problem(&error))?;
    found.filter(|(row, _)| row.agency == caller.agency || is_for(node, row, caller)).ok_or_else(not_found)
}

/// `GET /v1/approvals/{id}`: what was submitted and what the other country would read, side by side.
pub async fn show(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let (row, statements) = load(&node, &caller, &id).await?;
    let draft = draft_of(&row)?;
    // To look is to ask, as a dry run does.
    node.holds.ask(&caller.agency, 1, node.config.limits.questions_per_hour, node.clock.now_ms())?;
    let Prepared { verdict: would, writes, preview, .. } =
        prepare(&node, &owner(&row), &draft, &Mode::DryRun).await?;
    if !writes.is_empty() {
        // An authority learns that it was asked, before the one who asked is answered.
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
    }
    let removed: BTreeSet<_> = would.removed.iter().map(|removal| &removal.category).collect();
    let after: serde_json::Map<String, Value> = draft
        .sections
        .iter()
        .filter(|(category, _)| !removed.contains(category))
        .map(|(category, value)| (category.to_string(), value.reveal().clone()))
        .collect();
    let statements: Vec<Value> = statements
        .iter()
        .map(|said| json!({"officer": said.officer, "agency": said.agency, "verdict": said.verdict, "at_ms": said.at_ms}))
        .collect();
    let body = json!({
        "approval": summary(&row), "verdict": would, "before": draft.sections, "after": after, "statements": statements,
        // The rules have changed since: what is shown is not what the row was held with, and cannot be released.
        "stale": preview != Some(row.preview), "you_may": you_may(&node, &row, &caller),
    });
    Ok(json_reply(StatusCode::OK, &body))
}

/// What the caller's officers may say on the row.
fn you_may(node: &Node, row: &ApprovalRow, caller: &KnownAgency) -> Value {
    let rules = node.rules.get();
    let give: Vec<Value> = rules
        .policy
        .approvers()
        .ending(&row.rules)
        .filter(|(_, approver)| caller.roles.iter().any(|role| approver.roles.contains(role)))
        .map(|(approval, approver)| json!({"approval": approval.code(), "max_hours": approver.max_hours}))
        .collect();
    json!({"state": row.agency == caller.agency, "give": give})
}

/// `POST /v1/approvals/{id}/statements`: an officer's signed word. The second grant releases, one refusal refuses.
pub async fn state(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let statement = statement_in(&node, body).await?;
    let (row, recorded) = load(&node, &caller, &id).await?;
    if row.agency != caller.agency {
        return Err(Problem::new(&problem::OFFICER_NOT_ENTITLED).into());
    }
    let register = node.register.get();
    let now_ms = node.clock.now_ms();
    let claimed =
        peek_statement(&statement).ok_or_else(|| Problem::new(&problem::BODY_MALFORMED).at("statement"))?;
    let officer = register
        .officer(&claimed.agency, &claimed.officer)
        .ok_or_else(|| Problem::new(&problem::OFFICER_NOT_ENTITLED))?;
    let said = verify_statement(
        &statement,
        &officer,
        &caller.agency,
        node.country(),
        node.realm(),
        now_ms.div_euclid(1000),
    )?;
    let stands = |agency: &_, officer: &_| register.officer_stands(agency, officer);
    // Who gave an authority's act on the row is not one of the two as well.
    distinct(said.person(), None, &spoke_on(&node, &row).await?)?;
    let standing = standing(&Question::from(&row), &recorded, &said, now_ms, &stands)?;
    // Two first grants at once: the second commit fails, and its officer is asked to look again.
    let count = u32::try_from(recorded.len()).unwrap_or(u32::MAX);
    let mut writes =
        vec![Write::StatementsSeen { approval: row.approval, count }, Write::Statement(said.row(now_ms))];
    let mut body = json!({"approval_id": row.approval});
    match standing {
        Standing::NeedsAnother => {
            set(&mut body, "state", json!("open"));
            node.commit(writes).await.map_err(|error| store_problem(&error))?;
        }
        Standing::Refused => {
            set(&mut body, "state", json!("refused"));
            writes.extend(close(&row, ApprovalState::Refused, now_ms));
            node.commit(writes).await.map_err(|error| store_problem(&error))?;
        }
        Standing::Granted => {
            let holds = row.rules.iter().filter_map(|rule| rule.parse().ok()).collect();
            release(&node, &row, holds, writes).await?.told(&mut body);
        }
    }
    Ok(json_reply(StatusCode::OK, &body))
}

/// Closes what nobody decided in time; answers how many.
///
/// # Errors
/// When the store fails; what was not closed is closed at the next call.
pub async fn lapse_approvals(node: &Node) -> Result<usize, Problem> {
    let now_ms = node.clock.now_ms();
    let due = node.store.approvals_lapsing(now_ms, 200).await.map_err(|error| store_problem(&error))?;
    for row in &due {
        let writes = close(row, ApprovalState::Lapsed, now_ms).into();
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
    }
    Ok(due.len())
}
