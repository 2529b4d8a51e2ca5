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
use puente_core::delivery::{ApprovalRow, ApprovalState, Event, EventKind, StatementRow, Write};
use puente_core::ids::ApprovalId;
use puente_core::policy::RuleId;
use puente_core::problem::{self, Problem};

use crate::domestic::acts::statement_in;
use crate::domestic::submit::{self, Mode, Outcome, Prepared, Submission, prepare};
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
    #[serde(default)]
    after: Option<ApprovalId>,
}

fn summary(row: &ApprovalRow) -> Value {
    json!({
        "approval_id": row.approval, "state": row.state, "type": row.message_type, "to": row.peer,
        "operation": row.operation, "row": row.row, "rules": row.rules, "preview": row.preview,
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
    let filter = ApprovalFilter { state: ask.state, agency: Some(caller.agency.clone()), after: ask.after };
    let rows = node.store.approvals(filter, 200).await.map_err(|error| store_problem(&error))?;
    let next = rows.last().map(|row| row.approval);
    Ok(json_reply(
        StatusCode::OK,
        &json!({"approvals": rows.iter().map(summary).collect::<Vec<_>>(), "next": next}),
    ))
}

async fn load(
    node: &Node,
    caller: &KnownAgency,
    id: &str,
) -> Result<(ApprovalRow, Vec<StatementRow>), Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: ApprovalId = id.parse().map_err(|_| not_found())?;
    let found = node.store.approval(id).await.map_err(|error| store_problem(&error))?;
    found.filter(|(row, _)| row.agency == caller.agency).ok_or_else(not_found)
}

fn draft_of(row: &ApprovalRow) -> Result<Submission, Problem> {
    if row.draft.is_empty() {
        return Err(Problem::new(&problem::ERASED));
    }
    serde_json::from_slice(&row.draft).map_err(|_| Problem::new(&problem::INTERNAL))
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
        "stale": preview != Some(row.preview),
    });
    Ok(json_reply(StatusCode::OK, &body))
}

/// The agency as it was when it submitted: its id and the one role it acted in.
fn owner(row: &ApprovalRow) -> KnownAgency {
    KnownAgency { agency: row.agency.clone(), roles: vec![row.role.clone()] }
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
            let verdict = release(&node, &row, writes, now_ms).await?;
            set(&mut body, "state", json!("granted"));
            set(&mut body, "verdict", json!(verdict));
        }
    }
    Ok(json_reply(StatusCode::OK, &body))
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// Decides again with the holds lifted: what leaves is what both officers saw, or nothing. Where the rules refuse by
/// now, or a hold placed meanwhile stops the row, both statements and the refusal are recorded.
async fn release(
    node: &Node,
    row: &ApprovalRow,
    mut writes: Vec<Write>,
    now_ms: i64,
) -> Result<submit::Verdict, Problem> {
    let holds: BTreeSet<RuleId> = row.rules.iter().filter_map(|rule| rule.parse().ok()).collect();
    let mut prepared = prepare(node, &owner(row), &draft_of(row)?, &Mode::Released { holds }).await?;
    if !matches!(prepared.verdict.verdict, Outcome::Accepted | Outcome::Redacted) {
        let rule = prepared.verdict.rule.map(|rule| rule.id).unwrap_or_default();
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
    verdicts.and_then(|verdicts| verdicts.into_iter().next()).ok_or_else(|| Problem::new(&problem::INTERNAL))
}

fn close(row: &ApprovalRow, state: ApprovalState, at_ms: i64) -> [Write; 2] {
    [
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
