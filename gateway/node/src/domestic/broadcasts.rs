//! Missing-child broadcasts: one submission to every member, one end to everybody who got it.
//!
//! Not here: who authorises it; policy holds each message until the named authority's act, and one act covers all of them.
//! INVARIANT: what one member's message meets never stops another's; an end goes to every member whose broadcast is not known
//! to have gone nowhere, and is proven by a receipt of each.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use jiff::{Timestamp, Zoned};
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::delivery::Side;
use puente_core::duty::{BROADCAST, CANCEL, Reach, Watch, recipients};
use puente_core::ids::{CaseId, CountryCode, Role};
use puente_core::policy::{Kind, RecordedFacts, Subject};
use puente_core::problem::{self, Problem};

use crate::domestic::idempotency::{self, Asked};
use crate::domestic::messages::finish;
use crate::domestic::submit::{self, Mode, Outcome, Prepared, Submission, Verdict, prepare, problem_finding};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, read_body, read_json, read_value};
use crate::store::WatchFilter;

type Reply = Result<Response, ProblemReply>;

/// Most broadcasts of one agency looked at for an end: far more than eleven countries with their posts.
const MAX_SHOWN: u32 = 500;

/// One recipient of one broadcast.
type To = (CountryCode, Role);

/// `POST /v1/broadcasts`: a message without a recipient, to every member's authority; a verdict each.
pub async fn send(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let limits = &node.config.limits;
    let bytes = read_body(body, limits.domestic_body_bytes, node.config.times.body_seconds).await?;
    let claim = match idempotency::ask(&node, &headers, &caller.agency, "POST /v1/broadcasts", &bytes).await?
    {
        Asked::Answered(response) => return Ok(response),
        Asked::First(claim) => Some(claim),
        Asked::Unkeyed => None,
    };
    let (reach, mut message) = read(read_value(&bytes)?)?;
    let case = CaseId(node.fresh_id());
    if let Some(members) = message.as_object_mut() {
        members.entry("case").or_insert(json!(case));
    }
    let case = message.get("case").cloned();
    let to = all(&node, reach);
    let mut prepared = Vec::with_capacity(to.len());
    for (country, role) in &to {
        prepared.push(one(&node, &caller, &message, country, role).await?);
    }
    let answer = |verdicts: &[Verdict]| {
        let members: Vec<Value> = to
            .iter()
            .zip(verdicts)
            .map(|((country, role), verdict)| json!({"country": country, "role": role, "verdict": verdict}))
            .collect();
        let body = json!({"case": case, "members": members});
        (200, serde_json::to_vec(&body).unwrap_or_default())
    };
    finish(&node, prepared, claim.as_ref(), answer).await
}

/// The message as it is written for all, and how far it goes.
fn read(mut message: Value) -> Result<(Reach, Value), Problem> {
    let malformed = || Problem::new(&problem::BODY_MALFORMED);
    let members = message.as_object_mut().ok_or_else(malformed)?;
    let reach = match members.remove("border_posts") {
        None | Some(Value::Bool(false)) => Reach::Authorities,
        Some(Value::Bool(true)) => Reach::AndPosts,
        Some(_) => return Err(Problem::new(&problem::FIELD_INVALID).at("/border_posts")),
    };
    if members.contains_key("recipient") {
        return Err(Problem::new(&problem::FIELD_INVALID).at("/recipient"));
    }
    if members.get("type").and_then(Value::as_str) != Some(BROADCAST) {
        return Err(Problem::new(&problem::FIELD_INVALID).at("/type"));
    }
    Ok((reach, message))
}

/// Everybody who gets it: of each other member the authority, and its posts where they are asked for.
fn all(node: &Node, reach: Reach) -> Vec<To> {
    let membership = node.membership.get();
    let others = membership.countries().filter(|country| *country != node.country());
    others
        .flat_map(|country| {
            let has = |role: &Role| membership.answers(country, role, None);
            recipients(reach, &has).into_iter().map(|role| (country.clone(), role)).collect::<Vec<_>>()
        })
        .collect()
}

/// One member's message as far as it goes; what fails for it alone is its verdict.
async fn one(
    node: &Node,
    caller: &KnownAgency,
    message: &Value,
    country: &CountryCode,
    role: &Role,
) -> Result<Prepared, Problem> {
    let mut message = message.clone();
    if let Some(members) = message.as_object_mut() {
        members.insert("recipient".to_owned(), json!({"country": country, "role": role}));
    }
    let submission = Submission::from_json(message).map_err(|_| Problem::new(&problem::BODY_MALFORMED))?;
    match prepare(node, caller, &submission, &Mode::Submit).await {
        Err(problem) if problem.kind.code == problem::STORE_UNAVAILABLE.code => Err(problem),
        Err(problem) => {
            tracing::error!(%country, code = problem.kind.code, "a broadcast to one member could not be prepared");
            let mut verdict = Verdict::new(None, Outcome::Malformed);
            verdict.problems.push(problem_finding(&problem));
            Ok(Prepared { verdict, writes: Vec::new(), preview: None, erases: None })
        }
        prepared => prepared,
    }
}

/// Why a broadcast ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Why {
    /// The child was found.
    Found,
    /// The authority takes it back.
    Withdrawn,
}

/// The end of a broadcast as it is submitted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ending {
    status: Why,
    /// When that was, RFC 9557.
    at: Zoned,
}

/// `POST /v1/broadcasts/{case}/end`: to everybody who got it, or may have; a verdict each.
pub async fn end(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(case): Path<String>,
    body: Body,
) -> Reply {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let case: CaseId = case.parse().map_err(|_| not_found())?;
    let bytes =
        read_body(body, node.config.limits.domestic_body_bytes, node.config.times.body_seconds).await?;
    let ending: Ending = read_json(&bytes)?;
    let status = match ending.status {
        Why::Found => "found",
        Why::Withdrawn => "withdrawn",
    };
    let filter = WatchFilter { agency: caller.agency.clone(), roles: caller.roles.clone() };
    let rows = node.store.watches(filter, MAX_SHOWN).await.map_err(|error| store_problem(&error))?;
    let shown: Vec<&Watch> = rows
        .iter()
        .map(|row| &row.watch)
        .filter(|watch| watch.side == Side::Sender && watch.case == case && watch.is_shown())
        .collect();
    if shown.is_empty() {
        return Err(not_found().into());
    }
    let mut prepared = Vec::with_capacity(shown.len());
    for watch in &shown {
        let submission = ending_of(&node, watch, status, &ending.at).await?;
        prepared.push(prepare(&node, &caller, &submission, &Mode::Submit).await?);
    }
    let answer = |verdicts: &[Verdict]| {
        let members: Vec<Value> = shown
            .iter()
            .zip(verdicts)
            .map(|(watch, verdict)| {
                json!({"country": watch.peer, "role": watch.answering, "verdict": verdict})
            })
            .collect();
        (200, serde_json::to_vec(&json!({"case": case, "members": members})).unwrap_or_default())
    };
    finish(&node, prepared, None, answer).await
}

/// The message that ends one member's broadcast. Policy is told of the child what it was told of her before: who may have been
/// told that she is missing may be told that she is not.
async fn ending_of(node: &Node, watch: &Watch, status: &str, at: &Zoned) -> Result<Submission, Problem> {
    let recorded = node.store.decision(watch.message).await.map_err(|error| store_problem(&error))?;
    let subject = match recorded.and_then(|recorded| RecordedFacts::from_bytes(&recorded.facts)) {
        Some(RecordedFacts::Send(facts)) => facts.into_owned().subject,
        // Erased meanwhile: it is about a child, and people decide on the rest.
        _ => Subject { kind: Kind::Child, ..Subject::default() },
    };
    // A section names a zone as area and place; plain `UTC` is neither.
    let zone = at.time_zone().iana_name().filter(|name| name.contains('/')).unwrap_or("Etc/UTC");
    let message = json!({
        "type": CANCEL,
        "role": watch.role,
        "recipient": {"country": watch.peer, "role": watch.answering},
        "case": watch.case,
        "in_reply_to": watch.message,
        "purpose": "missing_child",
        "legal_basis": {"type": "best_interests"},
        "sections": {"ops.metadata": {
            "status": status, "at": at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(), "zone": zone,
        }},
    });
    let submission = Submission::from_json(message)
        .map_err(|error| Problem::new(&problem::INTERNAL).because(error.to_string()))?;
    Ok(Submission { subject, ..submission })
}

/// Ends the broadcasts whose time is over, in the name of the agency that sent them; answers how many. An agency that signs by
/// itself has to end its own: its clock tells it so.
///
/// # Errors
/// When the store fails; what was not ended is ended at the next call.
pub async fn end_broadcasts(node: &Node) -> Result<usize, Problem> {
    let now_ms = node.clock.now_ms();
    let due = node.store.watches_due(now_ms, MAX_SHOWN).await.map_err(|error| store_problem(&error))?;
    let over = |watch: &Watch| {
        watch.side == Side::Sender && watch.is_shown() && watch.end_by_ms().is_some_and(|at| at <= now_ms)
    };
    let at = Timestamp::from_millisecond(now_ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC);
    let mut ended = 0;
    for row in due.iter().filter(|row| over(&row.watch)) {
        let Some(agency) = row.watch.agency.clone() else { continue };
        let owner = KnownAgency { agency, roles: vec![row.watch.role.clone()] };
        let submission = ending_of(node, &row.watch, "expired", &at).await?;
        let prepared = prepare(node, &owner, &submission, &Mode::Submit).await?;
        if prepared.verdict.message_id.is_none() {
            tracing::error!(message = %row.watch.message, "a broadcast past its time could not be ended");
            continue;
        }
        match submit::commit(node, vec![prepared], |_| None).await {
            Ok(_) => ended += 1,
            Err(problem) if problem.kind.code == problem::APPROVAL_OVERTAKEN.code => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(ended)
}
