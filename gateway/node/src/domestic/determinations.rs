//! What an authority's officers determine about a person: made until a day, taken back, listed to that authority.
//!
//! Not here: what a determination lets go (`puente_core::authority`), and approvals of held rows (`authorities`). INVARIANT: no
//! route says about whom a determination is; whoever made it has its own record.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::authority::{DeterminationRow, Determines, TYP_DETERMINES};
use puente_core::delivery::Write;
use puente_core::ids::{ActId, AgencyId};
use puente_core::personal::Personal;
use puente_core::problem::{self, Problem};

use crate::authority::officers;
use crate::domestic::acts::{act_of, taken_back};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply, json_reply};
use crate::store::DeterminationFilter;
use crate::subjects::SubjectOf;

type Reply = Result<Response, ProblemReply>;

/// Most determinations in one answer.
const PAGE: u32 = 200;

/// `POST /v1/determinations`: an officer's signed word; it counts from the answer on.
pub async fn make(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    body: Body,
) -> Reply {
    let said = act_of::<Determines>(&node, &caller, TYP_DETERMINES, body).await?;
    let says = &said.act().says;
    let now_ms = node.clock.now_ms();
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let rules = node.rules.get();
    let role = says.check(&caller.roles, rules.policy.determiners().of(says.fact), now)?;
    let row = DeterminationRow {
        act: ActId(node.fresh_id()),
        subject: SubjectOf::Own(says.about.reveal()).tag(&node.keys.subjects),
        fact: says.fact,
        holds: says.holds,
        role,
        agency: caller.agency.clone(),
        officer: said.act().officer.clone(),
        person: said.person().clone(),
        statement: Personal::new(said.compact().to_owned()),
        until_ms: says.until.as_millisecond(),
        at_ms: now_ms,
        ended_ms: None,
    };
    let answer = summary(&row, true);
    node.commit(vec![Write::Determination(row)]).await.map_err(|error| store_problem(&error))?;
    Ok(json_reply(StatusCode::CREATED, &answer))
}

/// Query of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    after: Option<ActId>,
}

/// `GET /v1/determinations`: what the caller's officers have determined, and whether it stands.
pub async fn list(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    ask: serve::Ask<Ask>,
) -> Reply {
    let ask = serve::asked(ask)?;
    let filter = DeterminationFilter::Of { agency: caller.agency.clone(), after: ask.after };
    let rows = node.store.determinations(filter, PAGE).await.map_err(|error| store_problem(&error))?;
    let next = rows.last().map(|row| row.act);
    let (register, now_ms) = (node.register.get(), node.clock.now_ms());
    let officers = officers(&register);
    let made: Vec<Value> = rows.iter().map(|row| summary(row, row.stands(now_ms, &officers))).collect();
    Ok(json_reply(StatusCode::OK, &json!({"determinations": made, "next": next})))
}

fn summary(row: &DeterminationRow, stands: bool) -> Value {
    json!({
        "determination_id": row.act, "fact": row.fact, "holds": row.holds, "officer": row.officer, "at_ms": row.at_ms,
        "until_ms": row.until_ms, "ended_ms": row.ended_ms, "stands": stands,
    })
}

/// `POST /v1/determinations/{id}/withdraw`: from the answer on nothing leaves on it; what waits in the queue is decided again.
pub async fn take_back(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let row = own(&node, &caller.agency, &id).await?;
    let statement = taken_back(&node, &caller, body, (row.act, row.ended_ms)).await?;
    let at_ms = node.clock.now_ms();
    let ended = Write::DeterminationEnded { act: row.act, statement, at_ms };
    node.commit(vec![ended]).await.map_err(|error| store_problem(&error))?;
    let row = DeterminationRow { ended_ms: Some(at_ms), ..row };
    Ok(json_reply(StatusCode::OK, &summary(&row, false)))
}

/// The authority's own determination; anybody else's is not there.
async fn own(node: &Node, agency: &AgencyId, id: &str) -> Result<DeterminationRow, Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: ActId = id.parse().map_err(|_| not_found())?;
    let found = node.store.determinations(DeterminationFilter::One(id), 1).await;
    let found = found.map_err(|error| store_problem(&error))?;
    found.into_iter().find(|row| row.agency == *agency).ok_or_else(not_found)
}
