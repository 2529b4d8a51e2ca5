//! Messages: submit one or many, ask what would happen, ask what became of them, read what came in.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use puente_core::delivery::{Direction, MessageRow};
use puente_core::ids::MessageId;
use puente_core::problem::{self, Problem};

use crate::domestic::answers::ANSWERS;
use crate::domestic::handing::hand_over;
use crate::domestic::idempotency::{self, Asked, Claim};
use crate::domestic::submit::{
    self, Mode, Outcome, Prepared, Submission, Verdict, prepare, problem_finding, verdict_status,
};
use crate::node::{Node, store_problem};
use crate::opening::shown;
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply, other_form, read_body, read_value};
use crate::store::ERASED;

type Reply = Result<Response, ProblemReply>;

/// Messages sealed before others get the worker: some 3 ms, so that no alert waits behind a whole list.
pub(super) const AT_A_STRETCH: usize = 16;

/// A change that others' changes overtake is tried so often.
pub(super) const ATTEMPTS: usize = 5;

async fn body_of(node: &Node, body: Body) -> Result<bytes::Bytes, Problem> {
    read_body(body, node.config.limits.domestic_body_bytes, node.config.times.body_seconds).await
}

/// `POST /v1/messages`: one submission, one verdict.
pub async fn submit_one(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let bytes = body_of(&node, body).await?;
    let claim = match idempotency::ask(&node, &headers, &caller.agency, "POST /v1/messages", &bytes).await? {
        Asked::Answered(response) => return Ok(response),
        Asked::First(claim) => Some(claim),
        Asked::Unkeyed => None,
    };
    let submission = Submission::from_json(read_value(&bytes)?).map_err(|error| other_form(&error))?;
    let one = |verdicts: &[Verdict]| {
        let verdict = verdicts.first();
        (verdict.map_or(200, verdict_status), serde_json::to_vec(&verdict).unwrap_or_default())
    };
    take(&node, &caller, &[Item::Read(Box::new(submission))], claim.as_ref(), one).await
}

/// `POST /v1/messages/batch`: an array of submissions, a verdict for each in its place.
pub async fn submit_batch(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let bytes = body_of(&node, body).await?;
    let claim =
        match idempotency::ask(&node, &headers, &caller.agency, "POST /v1/messages/batch", &bytes).await? {
            Asked::Answered(response) => return Ok(response),
            Asked::First(claim) => Some(claim),
            Asked::Unkeyed => None,
        };
    let Value::Array(items) = read_value(&bytes)? else {
        return Err(Problem::new(&problem::BODY_MALFORMED)
            .because("the body is not a list of messages")
            .into());
    };
    let most = node.config.limits.batch_messages;
    if items.len() > most {
        return Err(Problem::new(&problem::BODY_TOO_LARGE).because(format!("limit {most} messages")).into());
    }
    let items: Vec<Item> = items.into_iter().map(Item::read).collect();
    take(&node, &caller, &items, claim.as_ref(), |verdicts| (200, verdicts_body(verdicts))).await
}

/// `POST /v1/messages/dry-run`: what would leave, what would be stripped, and why; nothing is sent.
pub async fn dry_run(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    body: Body,
) -> Reply {
    let bytes = body_of(&node, body).await?;
    node.holds.ask(&caller.agency, 1, node.config.limits.questions_per_hour, node.clock.now_ms())?;
    let item = Item::read(read_value(&bytes)?);
    let Prepared { verdict, writes, .. } = item.prepare(&node, &caller, &Mode::DryRun).await?;
    if !writes.is_empty() {
        // The authority learns that it was asked, before the one who asked is answered.
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
    }
    Ok(json_reply(StatusCode::OK, &verdict))
}

/// One of several submissions: a malformed one costs itself.
enum Item {
    Read(Box<Submission>),
    /// The row that it says it is.
    Malformed(Option<u32>),
}

impl Item {
    fn read(item: Value) -> Self {
        let row = item.get("row").and_then(Value::as_u64).and_then(|row| u32::try_from(row).ok());
        Submission::from_json(item).map_or(Self::Malformed(row), |read| Self::Read(Box::new(read)))
    }

    async fn prepare(&self, node: &Node, caller: &KnownAgency, mode: &Mode) -> Result<Prepared, Problem> {
        match self {
            Self::Read(submission) => prepare_handed_in(node, caller, submission, mode).await,
            Self::Malformed(row) => Ok(malformed(*row, &Problem::new(&problem::BODY_MALFORMED))),
        }
    }
}

/// Everything but the answer to a person, which is made from the ledger on an officer's word:
/// `POST /v1/messages/{id}/response`.
async fn prepare_handed_in(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    mode: &Mode,
) -> Result<Prepared, Problem> {
    if submission.message_type.as_str() == ANSWERS {
        return Ok(malformed(submission.row, &Problem::new(&problem::FIELD_INVALID).at("/type")));
    }
    prepare(node, caller, submission, mode).await
}

fn malformed(row: Option<u32>, problem: &Problem) -> Prepared {
    let mut verdict = Verdict::new(row, Outcome::Malformed);
    verdict.problems.push(problem_finding(problem));
    Prepared { verdict, writes: Vec::new(), preview: None, erases: None }
}

/// Takes what was submitted; anew when another hand moved what it rests on meanwhile, as the ladder does an alert's clock.
async fn take(
    node: &Node,
    caller: &KnownAgency,
    items: &[Item],
    claim: Option<&Claim>,
    answer: impl Fn(&[Verdict]) -> (u16, Vec<u8>),
) -> Reply {
    for _ in 1..ATTEMPTS {
        match finish(node, prepare_all(node, caller, items).await?, claim, &answer).await {
            Err(ProblemReply(problem)) if problem.kind.code == problem::APPROVAL_OVERTAKEN.code => {}
            finished => return finished,
        }
    }
    finish(node, prepare_all(node, caller, items).await?, claim, answer).await
}

async fn prepare_all(node: &Node, caller: &KnownAgency, items: &[Item]) -> Result<Vec<Prepared>, Problem> {
    let mut prepared = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        if number % AT_A_STRETCH == AT_A_STRETCH - 1 {
            tokio::task::yield_now().await;
        }
        prepared.push(item.prepare(node, caller, &Mode::Submit).await?);
    }
    Ok(prepared)
}

/// Commits, stores the answer under the key, answers.
pub async fn finish(
    node: &Node,
    prepared: Vec<Prepared>,
    claim: Option<&Claim>,
    answer: impl Fn(&[Verdict]) -> (u16, Vec<u8>),
) -> Reply {
    let keyed = |verdicts: &[Verdict]| {
        let (status, body) = answer(verdicts);
        claim.map(|claim| claim.answer(node, status, body))
    };
    let verdicts = submit::commit(node, prepared, keyed)
        .await?
        .ok_or_else(|| Problem::new(&problem::IDEMPOTENCY_RUNNING))?;
    let (status, body) = answer(&verdicts);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers =
        [(http::header::CONTENT_TYPE, "application/json"), (http::header::CACHE_CONTROL, "no-store")];
    Ok((status, headers, body).into_response())
}

/// The answer to a batch.
pub fn verdicts_body(verdicts: &[Verdict]) -> Vec<u8> {
    serde_json::to_vec(&json!({ "verdicts": verdicts })).unwrap_or_default()
}

/// Whether a message is the caller's to see: it sent it, or it holds the role it is for.
pub fn visible(caller: &KnownAgency, row: &MessageRow) -> bool {
    match row.direction {
        Direction::Out => row.agency.as_ref() == Some(&caller.agency),
        Direction::In => {
            caller.roles.contains(&row.role)
                && row.agency.as_ref().is_none_or(|agency| *agency == caller.agency)
        }
    }
}

async fn visible_row(node: &Node, caller: &KnownAgency, id: &str) -> Result<MessageRow, Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: MessageId = id.parse().map_err(|_| not_found())?;
    let row = node.store.message(id).await.map_err(|error| store_problem(&error))?.ok_or_else(not_found)?;
    if visible(caller, &row) { Ok(row) } else { Err(not_found()) }
}

/// A message that came in for the caller and was accepted.
///
/// # Errors
/// `not_found`, `message.erased`, the store's problem.
pub(super) async fn received_row(node: &Node, caller: &KnownAgency, id: &str) -> Result<MessageRow, Problem> {
    let row = visible_row(node, caller, id).await?;
    match (row.direction, row.state.as_str()) {
        (Direction::In, ERASED) => Err(Problem::new(&problem::ERASED)),
        (Direction::In, "accepted") => Ok(row),
        _ => Err(Problem::new(&problem::NOT_FOUND)),
    }
}

/// `GET /v1/messages/{id}`: state, history and receipts of a message.
pub async fn status(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let row = visible_row(&node, &caller, &id).await?;
    let history = node.store.history(row.message).await.map_err(|error| store_problem(&error))?;
    let receipts = node.store.receipts(row.message).await.map_err(|error| store_problem(&error))?;
    let receipts: Vec<Value> = receipts
        .iter()
        .map(|receipt| {
            json!({"state": receipt.state, "code": receipt.code, "at_ms": receipt.at_ms,
                   "receipt": serde_json::from_slice::<Value>(&receipt.receipt).unwrap_or_default()})
        })
        .collect();
    Ok(json_reply(StatusCode::OK, &json!({"message": row, "history": history, "receipts": receipts})))
}

/// `GET /v1/messages/{id}/content`: opens a message that came in and receipts that it was opened and handed over.
pub async fn content(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let row = received_row(&node, &caller, &id).await?;
    let (outer, inner) = hand_over(&node, &row).await?;
    Ok(json_reply(StatusCode::OK, &shown(&outer, &inner, "node")))
}
