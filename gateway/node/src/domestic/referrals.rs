//! A stopped row as the protection authority sees it: who it may be, by when to look, and what the sender has said.
//!
//! Not here: the sender's view (`refusals`). INVARIANT: only the authority that placed the hold reads a referral, and of the
//! row only what tells who it is and how it travels.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use puente_core::delivery::{Event, EventKind, OutboundState, Write};
use puente_core::ids::Digest;
use puente_core::problem::{self, Problem};
use puente_core::protection::{Authority, HoldRow, Review, Reviewed, Stop, StopDraft, StopRow, TYP_REVIEW};

use crate::domestic::acts::act_of;
use crate::domestic::refusals::load;
use crate::domestic::submit::{self, Mode, Prepared, Submission, prepare};
use crate::node::{Node, store_problem};
use crate::protection::{HoldRecord, StopRecord, clearance, event, seal_record};
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply, json_reply};
use crate::store::StopFilter;
use crate::subjects::erase_subject;

type Reply = Result<Response, ProblemReply>;

/// What of a row says who it is and how it travels.
const SHOWN: [&str; 4] = ["id.core", "id.numbers", "doc.travel", "return.logistics"];

/// Query of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    after: Option<puente_core::ids::StopId>,
    /// Also what was reviewed, and what was only asked about.
    #[serde(default)]
    all: bool,
}

fn summary(stop: &Stop) -> Value {
    json!({
        "referral_id": stop.stop, "kind": stop.kind, "from": stop.agency, "type": stop.message_type, "to": stop.peer,
        "operation": stop.operation, "row": stop.row, "message_id": stop.message, "opened_ms": stop.opened_ms,
        "departs_ms": stop.departs_ms, "review_by_ms": stop.review_by_ms, "review": stop.reviewed,
        "answer": stop.sender,
    })
}

/// `GET /v1/referrals`: what was referred to the caller and waits for its review, or all of it.
pub async fn list(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    ask: serve::Ask<Ask>,
) -> Reply {
    let ask = serve::asked(ask)?;
    let (authority, after) = (caller.agency.clone(), ask.after);
    let filter = if ask.all {
        StopFilter::Referred { authority, after }
    } else {
        StopFilter::Unreviewed { authority, after }
    };
    let rows = node.store.stops(filter, 200).await.map_err(|error| store_problem(&error))?;
    let next = rows.last().map(|row| row.stop.stop);
    let referrals: Vec<Value> = rows.iter().map(|row| summary(&row.stop)).collect();
    Ok(json_reply(StatusCode::OK, &json!({"referrals": referrals, "next": next})))
}

/// `GET /v1/referrals/{id}`: the row as far as it says who it is, the hold it met, and what was signed.
pub async fn show(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let (row, record) = load(&node, &id, |stop| stop.authority.agency == caller.agency).await?;
    let draft: Option<Value> = row.draft.as_ref().and_then(|draft| serde_json::from_slice(&draft.bytes).ok());
    let sections = draft.as_ref().and_then(|draft| draft.get("sections")).and_then(Value::as_object);
    let shown: Map<String, Value> = sections
        .into_iter()
        .flatten()
        .filter(|(name, _)| SHOWN.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let body = json!({
        "referral": summary(&row.stop), "hold_id": record.hold, "sections": shown, "statements": record.statements,
    });
    Ok(json_reply(StatusCode::OK, &body))
}

/// `POST /v1/referrals/{id}/review`: it is the person (the stop stands), or it is somebody else (the row may go).
pub async fn review(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let (row, mut record) = load(&node, &id, |stop| stop.authority.agency == caller.agency).await?;
    let said = act_of::<Review>(&node, &caller, TYP_REVIEW, body).await?;
    let StopRow { mut stop, revision, draft, .. } = row;
    stop.handle_review(&said.act().says)?;
    record.statements.push(said.compact().to_owned());
    let released = stop.reviewed == Reviewed::Released;
    let cleared = if released { Some(Cleared::take(&node, &stop, &record).await?) } else { None };
    let outcome = conclude(&node, &mut stop, draft.as_ref(), cleared.as_ref()).await;
    let outcome = match outcome {
        Ok(writes) => {
            let changed = StopRow::changed(stop.clone(), revision, seal_record(&record)?);
            commit(&node, writes, changed).await
        }
        Err(problem) => Err(problem),
    };
    if let Err(problem) = outcome {
        if let Some(cleared) = cleared {
            cleared.undo(&node, &record);
        }
        return Err(problem.into());
    }
    Ok(json_reply(StatusCode::OK, &summary(&stop)))
}

async fn commit(node: &Node, mut writes: Vec<Write>, row: StopRow) -> Result<(), Problem> {
    let requeued = writes.iter().any(|write| matches!(write, Write::OutboundState { .. }));
    writes.push(Write::StopChanged(row));
    node.commit(writes).await.map_err(|error| store_problem(&error))?;
    if requeued {
        node.look_at_outbox();
    }
    Ok(())
}

/// What follows from the review, before anything is written.
async fn conclude(
    node: &Node,
    stop: &mut Stop,
    draft: Option<&StopDraft>,
    cleared: Option<&Cleared>,
) -> Result<Vec<Write>, Problem> {
    let mut writes: Vec<Write> =
        cleared.map(|cleared| Write::HoldChanged(cleared.row.clone())).into_iter().collect();
    match (draft, cleared.is_some()) {
        (Some(draft), true) => writes.extend(resume(node, stop, draft).await?),
        (None, released) => writes.extend(requeue(node, stop, released).await?),
        (Some(_), false) => {}
    }
    let state = if cleared.is_some() { "released" } else { "confirmed" };
    let sender = Authority { agency: stop.agency.clone(), role: stop.role.clone() };
    let told = event(EventKind::RefusalClosed, &sender, stop, state, node.clock.now_ms());
    writes.push(Write::Event(Event { message: stop.message, ..told }));
    Ok(writes)
}

/// The row decided again, now that it is somebody else's.
async fn resume(node: &Node, stop: &mut Stop, draft: &StopDraft) -> Result<Vec<Write>, Problem> {
    let internal = |_| Problem::new(&problem::INTERNAL);
    let submission: Submission = serde_json::from_slice(&draft.bytes).map_err(internal)?;
    let owner = KnownAgency { agency: stop.agency.clone(), roles: vec![stop.role.clone()] };
    // Taken when it was submitted: its signature is as old as the review took, and no rule's hold is lifted.
    let taken = Mode::Released { holds: BTreeSet::new() };
    let Prepared { verdict, writes, erases, .. } = prepare(node, &owner, &submission, &taken).await?;
    if let Some(subject) = erases {
        erase_subject(node, subject).await?;
    }
    stop.message = verdict.message_id;
    submit::count(node, &verdict);
    Ok(writes)
}

/// A message that was stopped in the queue: due again, or ended.
async fn requeue(node: &Node, stop: &Stop, released: bool) -> Result<Vec<Write>, Problem> {
    let Some(message) = stop.message else { return Ok(Vec::new()) };
    let row = node.store.message(message).await.map_err(|error| store_problem(&error))?;
    let Some(row) = row.filter(|row| row.state == OutboundState::Queued.as_str()) else {
        return Ok(Vec::new());
    };
    let (state, code) = if released {
        (OutboundState::Queued, None)
    } else {
        (OutboundState::Cancelled, Some(problem::POLICY_REFUSED.code.to_owned()))
    };
    let at_ms = node.clock.now_ms();
    Ok(vec![
        Write::OutboundState { message, release: row.release, state, code, due_ms: at_ms, attempts: 0 },
        Write::WatchLook { message, at_ms },
    ])
}

/// The hold with what it was found not to be about; in force before it is durable, so that the row can be decided again.
struct Cleared {
    row: HoldRow,
    added: Vec<Digest>,
}

impl Cleared {
    async fn take(node: &Node, stop: &Stop, record: &StopRecord) -> Result<Self, Problem> {
        let internal = |_| Problem::new(&problem::INTERNAL);
        let row = node.store.hold(record.hold).await.map_err(|error| store_problem(&error))?;
        let row = row.ok_or_else(|| Problem::new(&problem::INTERNAL))?;
        let mut hold: HoldRecord = serde_json::from_slice(&row.record).map_err(internal)?;
        let added: Vec<Digest> = record.people.iter().map(|person| clearance(person, &stop.peer)).collect();
        hold.cleared.extend(
            added.iter().filter(|digest| !hold.cleared.contains(digest)).copied().collect::<Vec<_>>(),
        );
        let row = HoldRow { revision: row.revision + 1, record: seal_record(&hold)?, ..row };
        for digest in &added {
            node.holds.clear(record.hold, *digest);
        }
        Ok(Self { row, added })
    }

    fn undo(self, node: &Node, record: &StopRecord) {
        for digest in self.added {
            node.holds.unclear(record.hold, digest);
        }
    }
}
