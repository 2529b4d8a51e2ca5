//! A stopped row as its sender sees it: a refusal that somebody has to answer before departure.
//!
//! Not here: why. INVARIANT: the sender sees its own rows, the authority to turn to and its own clock, and nothing that
//! differs with the reason.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::delivery::{EventKind, Write};
use puente_core::ids::StopId;
use puente_core::problem::{self, Problem};
use puente_core::protection::{Answer, Reviewed, Stop, StopKind, StopRow, TYP_ANSWER};

use crate::domestic::acts::act_of;
use crate::node::{Node, store_problem};
use crate::protection::{StopRecord, event, seal_record};
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply, json_reply};
use crate::store::StopFilter;

type Reply = Result<Response, ProblemReply>;

/// Query of a list of stopped rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    pub(super) after: Option<StopId>,
}

fn summary(stop: &Stop) -> Value {
    let waits = stop.kind == StopKind::Held && stop.reviewed == Reviewed::Silent;
    json!({
        "refusal_id": stop.stop, "type": stop.message_type, "to": stop.peer, "operation": stop.operation,
        "row": stop.row, "message_id": stop.message, "refer_to": stop.authority.agency,
        "state": if waits { "held" } else { "refused" }, "opened_ms": stop.opened_ms,
        "answer_by_ms": stop.answer_by_ms, "answer": stop.sender,
    })
}

/// `GET /v1/refusals`: the caller's rows that still want an answer.
pub async fn list(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    ask: serve::Ask<Ask>,
) -> Reply {
    let ask = serve::asked(ask)?;
    let filter = StopFilter::Unanswered { agency: caller.agency.clone(), after: ask.after };
    let rows = node.store.stops(filter, 200).await.map_err(|error| store_problem(&error))?;
    let next = rows.last().map(|row| row.stop.stop);
    let refusals: Vec<Value> = rows.iter().map(|row| summary(&row.stop)).collect();
    Ok(json_reply(StatusCode::OK, &json!({"refusals": refusals, "next": next})))
}

/// One stopped row with its record; nothing for those whom `theirs` does not let see it.
pub(super) async fn load(
    node: &Node,
    id: &str,
    theirs: impl Fn(&Stop) -> bool,
) -> Result<(StopRow, StopRecord), Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: StopId = id.parse().map_err(|_| not_found())?;
    let row = node.store.stop(id).await.map_err(|error| store_problem(&error))?;
    let row = row.filter(|row| theirs(&row.stop)).ok_or_else(not_found)?;
    let record = serde_json::from_slice(&row.record).map_err(|_| Problem::new(&problem::INTERNAL))?;
    Ok((row, record))
}

/// `POST /v1/refusals/{id}/answer`: taken off, or travels nevertheless by the decision of the officer who signs.
pub async fn answer(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    // What was only asked about is no refusal: its id is the authority's.
    let own = |stop: &Stop| stop.agency == caller.agency && stop.kind != StopKind::Probed;
    let (row, mut record) = load(&node, &id, own).await?;
    let said = act_of::<Answer>(&node, &caller, TYP_ANSWER, body).await?;
    let StopRow { mut stop, revision, .. } = row;
    let alarm = stop.handle_answer(&said.act().says)?;
    record.statements.push(said.compact().to_owned());
    let now_ms = node.clock.now_ms();
    let state = if alarm.is_some() { "travels" } else { "taken_off" };
    let mut writes =
        vec![Write::Event(event(EventKind::RefusalClosed, &stop.authority, &stop, state, now_ms))];
    if let Some(alarm) = alarm {
        let told = event(EventKind::ProtectionAlarm, &stop.authority, &stop, alarm.as_str(), now_ms);
        writes.push(Write::Event(told));
    }
    let body = summary(&stop);
    writes.push(Write::StopChanged(StopRow::changed(stop, revision, seal_record(&record)?)));
    node.commit(writes).await.map_err(|error| store_problem(&error))?;
    if let Some(alarm) = alarm {
        node.metrics.protection_alarm(alarm.as_str());
    }
    Ok(json_reply(StatusCode::OK, &body))
}
