//! Return operations: upload a list, reconcile it. Not here: what is printed or taken home of it (`paper`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use jiff::Zoned;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::delivery::{Direction, MessageRow};
use puente_core::envelope::VerifiedInner;
use puente_core::ids::{AgreementId, CountryCode, MessageId, MessageType, OperationId, Purpose};
use puente_core::matching;
use puente_core::problem::{self, Problem};

use crate::domestic::corrections::{AMENDMENT, Change, ROW, Standing, fold};
use crate::domestic::handing::hand_over_all;
use crate::domestic::idempotency::{self, Asked};
use crate::domestic::messages::{AT_A_STRETCH, finish, verdicts_body, visible};
use crate::domestic::submit::{Finding, Mode, Outcome, Prepared, Submission, Verdict, prepare};
use crate::lists::candidate::candidate;
use crate::lists::{CellProblem, Imported, ImportedRow, OperationDefaults, Sheet, import};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply, json_reply, read_body};
use crate::store::{MAX_PAGE, Position, Wire};

type Reply = Result<Response, ProblemReply>;

/// Query of an upload: what all rows have in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    destination: CountryCode,
    agreement: AgreementId,
    mode: String,
    origin: String,
    port_of_entry: String,
    eta: Zoned,
    #[serde(default)]
    vehicle: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

fn sheet_of(headers: &HeaderMap) -> Result<Sheet, Problem> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Sheet::of(media)
        .ok_or_else(|| Problem::new(&problem::BODY_MEDIA_TYPE).because("text/csv, XLSX or application/json"))
}

pub(super) fn operation_id(text: &str) -> Result<OperationId, Problem> {
    text.parse().map_err(|_| Problem::new(&problem::NOT_FOUND))
}

/// `POST /v1/operations/{id}/manifest`: a spreadsheet in, a verdict per row out.
pub async fn upload(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    ask: serve::Ask<Upload>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let operation = operation_id(&id)?;
    let ask = serve::asked(ask)?;
    let sheet = sheet_of(&headers)?;
    let bytes =
        read_body(body, node.config.limits.domestic_body_bytes, node.config.times.body_seconds).await?;
    // The rows depend on what the query says of all of them, so it is part of what the key stands for.
    let path = format!("POST /v1/operations/{operation}/manifest {ask:?}");
    let claim = match idempotency::ask(&node, &headers, &caller.agency, &path, &bytes).await? {
        Asked::Answered(response) => return Ok(response),
        Asked::First(claim) => Some(claim),
        Asked::Unkeyed => None,
    };
    let mode = if ask.dry_run { Mode::DryRun } else { Mode::Submit };
    let defaults = defaults(&node, operation, ask)?;
    let imported = import::read(&bytes, sheet, &defaults)?;
    if imported.rows.len() > node.config.limits.list_rows {
        return Err(Problem::new(&problem::BODY_TOO_LARGE).because("rows").into());
    }
    if mode == Mode::DryRun {
        let most = node.config.limits.questions_per_hour;
        node.holds.ask(&caller.agency, imported.rows.len(), most, node.clock.now_ms())?;
    }
    let prepared = rows(&node, &caller, operation, &imported, &mode).await?;
    let warnings = serde_json::to_value(&imported.warnings).unwrap_or_default();
    finish(&node, prepared, claim.as_ref(), |verdicts| {
        let mut body: Value = serde_json::from_slice(&verdicts_body(verdicts)).unwrap_or_default();
        if let Some(object) = body.as_object_mut() {
            object.insert("operation".to_owned(), json!(operation));
            object.insert("warnings".to_owned(), warnings.clone());
        }
        (200, serde_json::to_vec(&body).unwrap_or_default())
    })
    .await
}

fn defaults(node: &Node, operation: OperationId, ask: Upload) -> Result<OperationDefaults, Problem> {
    let internal = |_| Problem::new(&problem::INTERNAL);
    Ok(OperationDefaults {
        operation,
        sender: node.country().clone(),
        destination: ask.destination,
        message_type: "return.manifest".parse::<MessageType>().map_err(internal)?,
        purpose: "return_reception".parse::<Purpose>().map_err(internal)?,
        agreement: ask.agreement,
        mode: ask.mode,
        origin: ask.origin,
        port_of_entry: ask.port_of_entry,
        eta: ask.eta,
        vehicle: ask.vehicle,
        codes: Arc::clone(&node.rules.get().codes),
    })
}

async fn rows(
    node: &Node,
    caller: &KnownAgency,
    operation: OperationId,
    imported: &Imported,
    mode: &Mode,
) -> Result<Vec<Prepared>, Problem> {
    let candidates: Vec<_> =
        imported.rows.iter().filter_map(|row| row.outcome.as_ref().ok()).filter_map(candidate).collect();
    let mut alike: BTreeMap<u32, Vec<Finding>> = BTreeMap::new();
    for pair in matching::pairs(&candidates) {
        let (first, second) = (pair.a.min(pair.b), pair.a.max(pair.b));
        let joined = |texts: Vec<&str>| texts.join("; ");
        alike.entry(second).or_default().push(Finding {
            code: "row.possible_duplicate".to_owned(),
            field: first.to_string(),
            es: joined(pair.reasons.iter().map(|reason| reason.es()).collect()),
            en: joined(pair.reasons.iter().map(|reason| reason.en()).collect()),
        });
    }
    let mut all = Vec::with_capacity(imported.rows.len());
    for (number, row) in imported.rows.iter().enumerate() {
        if number % AT_A_STRETCH == AT_A_STRETCH - 1 {
            tokio::task::yield_now().await;
        }
        let mut prepared = one(node, caller, operation, row, mode).await?;
        prepared.verdict.warnings.extend(alike.remove(&row.row).unwrap_or_default());
        all.push(prepared);
    }
    Ok(all)
}

async fn one(
    node: &Node,
    caller: &KnownAgency,
    operation: OperationId,
    row: &ImportedRow,
    mode: &Mode,
) -> Result<Prepared, Problem> {
    let submission = match &row.outcome {
        Err(problems) => return Ok(refused_row(row.row, problems)),
        Ok(submitted) => serde_json::to_value(submitted).and_then(serde_json::from_value::<Submission>),
    };
    match submission {
        Ok(mut submission) => {
            submission.operation = Some(operation);
            prepare(node, caller, &submission, mode).await
        }
        Err(error) => {
            tracing::error!(row = row.row, category = ?error.classify(), "imported row is not a submission");
            Err(Problem::new(&problem::INTERNAL))
        }
    }
}

fn refused_row(row: u32, problems: &[CellProblem]) -> Prepared {
    let duplicate = problems.iter().any(|cell| cell.kind.code == problem::ROW_DUPLICATE.code);
    let outcome = if duplicate { Outcome::Duplicate } else { Outcome::Malformed };
    let mut verdict = Verdict::new(Some(row), outcome);
    verdict.problems = problems
        .iter()
        .map(|cell| Finding {
            code: cell.kind.code.to_owned(),
            field: cell.cell.clone(),
            es: cell.es.clone(),
            en: cell.en.clone(),
        })
        .collect();
    Prepared { verdict, writes: Vec::new(), preview: None, erases: None }
}

/// The caller's messages of an operation, without their wire bytes.
pub(super) async fn messages_of(
    node: &Node,
    caller: &KnownAgency,
    operation: OperationId,
) -> Result<Vec<MessageRow>, Problem> {
    let mut all: Vec<MessageRow> = Vec::new();
    let mut after = None;
    loop {
        let page = node
            .store
            .operation(operation, after, MAX_PAGE, Wire::Left)
            .await
            .map_err(|error| store_problem(&error))?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(Position { created_ms: last.created_ms, message: last.message });
        all.extend(page.into_iter().filter(|row| visible(caller, row)));
        if all.len() > node.config.limits.list_rows {
            return Err(Problem::new(&problem::BODY_TOO_LARGE).because("operation"));
        }
    }
}

/// Those of the messages that came in and were accepted, of these types.
pub(super) fn received(messages: Vec<MessageRow>, types: &[&str]) -> Vec<MessageRow> {
    let is_asked = |row: &MessageRow| {
        row.direction == Direction::In
            && row.state == "accepted"
            && types.contains(&row.message_type.as_str())
    };
    messages.into_iter().filter(is_asked).collect()
}

/// What the other side said of a message: type and the status in its metadata.
fn said(row: &MessageRow, inner: &VerifiedInner) -> Option<(MessageId, Value)> {
    let metadata = inner.section("ops.metadata")?;
    let body = json!({
        "type": row.message_type, "message_id": row.message, "status": metadata.get("status"),
        "at": metadata.get("at"), "captured": metadata.get("captured"), "row": metadata.get("row"),
    });
    Some((row.in_reply_to.unwrap_or(row.message), body))
}

/// `GET /v1/operations/{id}`: every message of the operation with what became of it and what was answered.
pub async fn reconcile(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let operation = operation_id(&id)?;
    let all = messages_of(&node, &caller, operation).await?;
    if all.is_empty() {
        return Err(Problem::new(&problem::NOT_FOUND).into());
    }
    let mut answers: BTreeMap<MessageId, Vec<Value>> = BTreeMap::new();
    let (mut unsolicited, mut list, mut sealed) = (Vec::new(), Vec::new(), BTreeSet::new());
    let received = all.iter().filter(|row| row.direction == Direction::In && row.state == "accepted");
    for (row, opened) in hand_over_all(&node, received.cloned().collect()).await? {
        let sealed_here = opened.as_ref().err().map(|why| why.kind.code);
        if sealed_here == Some(problem::SEAL_HELD_BY_AGENCY.code) {
            sealed.insert(row.message);
        }
        let spoken = opened.as_ref().ok().and_then(|(_, inner)| said(&row, inner));
        match (row.in_reply_to, spoken) {
            (Some(_), Some((to, answer))) => answers.entry(to).or_default().push(answer),
            (None, Some((_, answer))) => unsolicited.push(answer),
            (_, None) => {}
        }
        if [ROW, AMENDMENT].contains(&row.message_type.as_str()) {
            list.push((row, opened));
        }
    }
    let standing: BTreeMap<MessageId, Standing> =
        fold(list).into_iter().flatten().map(|standing| (standing.row.message, standing)).collect();
    let messages: Vec<Value> = all
        .iter()
        .map(|row| {
            json!({
                "direction": row.direction, "message_id": row.message, "type": row.message_type, "row": row.row,
                "case": row.case, "in_reply_to": row.in_reply_to, "state": row.state, "code": row.code,
                "categories": row.categories, "sealed": sealed.contains(&row.message),
                "answers": answers.get(&row.message).map(Vec::as_slice).unwrap_or_default(),
                "corrections": corrections(row, &all, &answers, standing.get(&row.message)),
                "corrected": standing.get(&row.message).and_then(corrected),
            })
        })
        .collect();
    Ok(json_reply(
        StatusCode::OK,
        &json!({"operation": operation, "messages": messages, "unsolicited": unsolicited}),
    ))
}

/// What has changed a row: each amendment with its state and who has acknowledged it, and where it can be read here also
/// what it changed.
fn corrections(
    row: &MessageRow,
    all: &[MessageRow],
    answers: &BTreeMap<MessageId, Vec<Value>>,
    standing: Option<&Standing>,
) -> Vec<Value> {
    if row.message_type.as_str() != ROW {
        return Vec::new();
    }
    let of_the_row = |other: &&MessageRow| {
        other.message_type.as_str() == AMENDMENT
            && (other.direction, &other.peer, other.case) == (row.direction, &row.peer, row.case)
    };
    all.iter()
        .filter(of_the_row)
        .map(|amendment| {
            // To the sender the recipient's answer, to the recipient its own.
            let answered = |other: &&MessageRow| {
                other.direction == Direction::Out && other.in_reply_to == Some(amendment.message)
            };
            let own = all
                .iter()
                .filter(answered)
                .map(|own| json!({"type": own.message_type, "message_id": own.message, "status": own.state}));
            let theirs = answers.get(&amendment.message).into_iter().flatten().cloned();
            let change = standing
                .and_then(|row| row.changes.iter().find(|change| change.message == amendment.message));
            json!({
                "message_id": amendment.message, "state": amendment.state, "to": amendment.peer,
                "acknowledged": theirs.chain(own).collect::<Vec<_>>(), "changed": change.map(Change::shown),
            })
        })
        .collect()
}

/// A row as it stands once something has changed it.
fn corrected(standing: &Standing) -> Option<Value> {
    (!standing.changes.is_empty())
        .then(|| json!({"removed": standing.removed, "sections": standing.sections}))
}
