//! Alerts that wait for somebody: the list by clock, who was called, the telephone, the first thing done.
//!
//! Not here: the answer itself, which is a message (`submit::answering`). INVARIANT: an alert is shown to the agency whose
//! clock it is, without content; whoever was called is shown by the roster's name, never by an address.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::delivery::{Side, Write};
use puente_core::duty::{Acted, Answered, Summons, TYP_ACTED, TYP_TELEPHONE, Telephoned, Watch, WatchRow};
use puente_core::evidence::ReceiptState;
use puente_core::ids::MessageId;
use puente_core::problem::{self, Problem};
use puente_core::protection::VerifiedAct;

use crate::domestic::acts::act_of;
use crate::domestic::messages::ATTEMPTS;
use crate::duty::state_event;
use crate::node::{Node, store_problem};
use crate::receipts::{self, Travel};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply};
use crate::store::{Guard, StoreError, WatchFilter};

type Reply = Result<Response, ProblemReply>;

/// Most alerts in one answer, the most urgent first.
const MAX_ALERTS: u32 = 500;

/// Most calls shown of one alert.
const MAX_CALLS: u32 = 500;

fn summary(watch: &Watch) -> Value {
    json!({
        "alert_id": watch.message, "awaits": watch.awaits, "side": watch.side, "type": watch.message_type, "peer": watch.peer,
        "case": watch.case, "role": watch.role, "state": watch.state(), "opened_ms": watch.opened_ms,
        "answer_by_ms": watch.answer_by_ms(), "act_by_ms": watch.act_by_ms(),
        "answered_ms": watch.answered.map(|(at, _)| at), "acted_ms": watch.acted_ms, "told": watch.told,
    })
}

fn called(summons: &Summons) -> Value {
    json!({
        "as": summons.wake, "contact": summons.contact, "channel": summons.channel, "why": summons.call,
        "made_ms": summons.made_ms, "state": summons.state, "attempts": summons.attempts, "at_ms": summons.at_ms,
    })
}

/// `GET /v1/alerts`: what the caller's roles still have to stop, by clock.
pub async fn list(State(node): State<Arc<Node>>, Extension(caller): Extension<KnownAgency>) -> Reply {
    let filter = WatchFilter { agency: caller.agency.clone(), roles: caller.roles.clone() };
    let rows = node.store.watches(filter, MAX_ALERTS).await.map_err(|error| store_problem(&error))?;
    let alerts: Vec<Value> = rows.iter().map(|row| summary(&row.watch)).collect();
    Ok(json_reply(StatusCode::OK, &json!({"now_ms": node.clock.now_ms(), "alerts": alerts})))
}

async fn load(node: &Node, caller: &KnownAgency, id: &str) -> Result<WatchRow, Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: MessageId = id.parse().map_err(|_| not_found())?;
    let row = node.store.watch(id).await.map_err(|error| store_problem(&error))?;
    let own = |watch: &Watch| {
        let asked = caller.roles.contains(&watch.role)
            && watch.agency.as_ref().is_none_or(|agency| *agency == caller.agency);
        asked || caller.roles.iter().any(|role| watch.releasing.contains(role))
    };
    row.filter(|row| own(&row.watch)).ok_or_else(not_found)
}

/// The caller's own alert on this side; on the other there is nothing to say.
async fn load_on(node: &Node, caller: &KnownAgency, id: &str, side: Side) -> Result<WatchRow, Problem> {
    let row = load(node, caller, id).await?;
    if row.watch.side == side { Ok(row) } else { Err(Problem::new(&problem::NOT_FOUND)) }
}

/// When an act was done: at its own hour, however late it is entered, and never before the alert.
fn done_ms<T>(said: &VerifiedAct<T>, watch: &Watch) -> i64 {
    said.act().occurred_at.timestamp().as_millisecond().max(watch.opened_ms)
}

/// `GET /v1/alerts/{id}`: where it stands, and who was called when.
pub async fn show(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let row = load(&node, &caller, &id).await?;
    let calls =
        node.store.summonses(row.watch.message, MAX_CALLS).await.map_err(|error| store_problem(&error))?;
    let mut body = summary(&row.watch);
    if let Some(body) = body.as_object_mut() {
        body.insert("calls".to_owned(), calls.iter().map(called).collect());
    }
    Ok(json_reply(StatusCode::OK, &body))
}

/// `POST /v1/alerts/{id}/telephone`: an officer of the side that waits was told by telephone who takes the alert.
pub async fn telephone(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let row = load_on(&node, &caller, &id, Side::Sender).await?;
    let said = act_of::<Telephoned>(&node, &caller, TYP_TELEPHONE, body).await?;
    about(&row.watch, said.act().says.alert)?;
    let state = Answered::Telephone;
    let stopped = |watch: &mut Watch| watch.handle_answer(done_ms(&said, watch), state);
    changed(&node, row, stopped, (said.compact(), state.as_str()), &[]).await
}

/// `POST /v1/alerts/{id}/action`: an officer of the authority did the first thing; the sender is told by a receipt.
pub async fn action(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let row = load_on(&node, &caller, &id, Side::Receiver).await?;
    let said = act_of::<Acted>(&node, &caller, TYP_ACTED, body).await?;
    about(&row.watch, said.act().says.alert)?;
    let state = ReceiptState::Acted;
    let message = node.store.message(row.watch.message).await.map_err(|error| store_problem(&error))?;
    let message = message.ok_or_else(|| Problem::new(&problem::INTERNAL))?;
    let outcome = receipts::Outcome { message: message.message, release: message.release, state, code: None };
    let (_, receipt) = receipts::make(&node, &message.peer, &[outcome], Travel::Later)?;
    let stopped = |watch: &mut Watch| watch.handle_action(done_ms(&said, watch));
    changed(&node, row, stopped, (said.compact(), state.as_str()), &receipt).await
}

fn about(watch: &Watch, alert: MessageId) -> Result<(), Problem> {
    if alert == watch.message { Ok(()) } else { Err(Problem::new(&problem::FIELD_INVALID).at("alert")) }
}

/// Stops a clock by what was signed, on the state in which it is found: the ladder may have moved it meanwhile.
async fn changed(
    node: &Node,
    mut row: WatchRow,
    stop: impl Fn(&mut Watch) -> Result<(), Problem>,
    (statement, state): (&str, &str),
    also: &[Write],
) -> Reply {
    for _ in 0..ATTEMPTS {
        let alert = row.watch.message;
        stop(&mut row.watch)?;
        let body = summary(&row.watch);
        let mut writes = also.to_vec();
        writes.push(Write::Event(state_event(&row.watch, state, node.clock.now_ms())));
        writes.push(Write::WatchChanged(row.moved(Some(statement))));
        match node.commit(writes).await {
            Ok(_) => return Ok(json_reply(StatusCode::OK, &body)),
            Err(StoreError::Conflict { what: Guard::Changed, .. }) => {}
            Err(error) => return Err(store_problem(&error).into()),
        }
        let found = node.store.watch(alert).await.map_err(|error| store_problem(&error))?;
        row = found.ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    }
    Err(Problem::new(&problem::APPROVAL_OVERTAKEN).into())
}
