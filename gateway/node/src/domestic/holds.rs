//! Protection holds: placed and lifted by the officers of a protection authority, shown to that authority by id alone.
//!
//! Not a list and not a search: there is no route that answers "who". INVARIANT: a hold of another authority answers as one
//! that does not exist.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use puente_core::delivery::Write;
use puente_core::ids::HoldId;
use puente_core::problem::{self, Problem};
use puente_core::protection::{Authority, Hold, HoldRow, Lift, TYP_HOLD, TYP_LIFT, may_place};

use crate::domestic::acts::act_of;
use crate::node::{Node, store_problem};
use crate::protection::{HoldRecord, seal_record};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply};

type Reply = Result<Response, ProblemReply>;

/// Only authorities that protect come this far.
fn entitled(caller: &KnownAgency) -> Result<(), Problem> {
    if caller.roles.iter().any(may_place) { Ok(()) } else { Err(Problem::new(&problem::CLIENT_NOT_ENTITLED)) }
}

/// `POST /v1/holds`: a hold in force from the moment of the answer.
pub async fn place(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    body: Body,
) -> Reply {
    entitled(&caller)?;
    let said = act_of::<Hold>(&node, &caller, TYP_HOLD, body).await?;
    let states = &said.act().says;
    if !may_place(&states.role) || !caller.roles.contains(&states.role) {
        return Err(Problem::new(&problem::CLIENT_NOT_ENTITLED).at("role").into());
    }
    let now_ms = node.clock.now_ms();
    states.check(Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH))?;
    if node.holds.is_full() {
        return Err(Problem::new(&problem::OVERLOADED).into());
    }
    let hold = HoldId(node.fresh_id());
    let authority = Authority { agency: caller.agency.clone(), role: states.role.clone() };
    let record = HoldRecord {
        authority: authority.clone(),
        placed: said.compact().to_owned(),
        lifted: None,
        cleared: Vec::new(),
    };
    let row = HoldRow { hold, revision: 1, placed_ms: now_ms, ended_ms: None, record: seal_record(&record)? };
    node.commit(vec![Write::Hold(row)]).await.map_err(|error| store_problem(&error))?;
    node.holds.place(hold, authority, states.clone());
    Ok(json_reply(StatusCode::CREATED, &json!({"hold_id": hold, "placed_ms": now_ms, "until": states.until})))
}

/// The caller's own hold; anybody else's is not there.
async fn own(node: &Node, caller: &KnownAgency, id: &str) -> Result<(HoldRow, HoldRecord), Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    entitled(caller)?;
    let id: HoldId = id.parse().map_err(|_| not_found())?;
    let row = node.store.hold(id).await.map_err(|error| store_problem(&error))?.ok_or_else(not_found)?;
    let record: HoldRecord =
        serde_json::from_slice(&row.record).map_err(|_| Problem::new(&problem::INTERNAL))?;
    if record.authority.agency == caller.agency { Ok((row, record)) } else { Err(not_found()) }
}

/// `GET /v1/holds/{id}`: what was stated, and whether it stands.
pub async fn show(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let (row, record) = own(&node, &caller, &id).await?;
    let act = record.states().ok_or_else(|| Problem::new(&problem::INTERNAL))?;
    let body = json!({
        "hold_id": row.hold, "placed_ms": row.placed_ms, "ended_ms": row.ended_ms,
        "officer": act.officer, "occurred_at": act.occurred_at, "states": act.says,
        "statement": record.placed, "lifted": record.lifted,
    });
    Ok(json_reply(StatusCode::OK, &body))
}

/// `POST /v1/holds/{id}/lift`: the hold ends.
pub async fn lift(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let (row, mut record) = own(&node, &caller, &id).await?;
    let said = act_of::<Lift>(&node, &caller, TYP_LIFT, body).await?;
    if said.act().says.hold != row.hold {
        return Err(Problem::new(&problem::FIELD_INVALID).at("hold").into());
    }
    if row.ended_ms.is_some() {
        return Err(Problem::new(&problem::REFUSAL_CLOSED).into());
    }
    let now_ms = node.clock.now_ms();
    record.lifted = Some(said.compact().to_owned());
    let hold = row.hold;
    let ended =
        HoldRow { revision: row.revision + 1, ended_ms: Some(now_ms), record: seal_record(&record)?, ..row };
    node.commit(vec![Write::HoldChanged(ended)]).await.map_err(|error| store_problem(&error))?;
    node.holds.lift(hold);
    Ok(json_reply(StatusCode::OK, &json!({"hold_id": hold, "ended_ms": now_ms})))
}
