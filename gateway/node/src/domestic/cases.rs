//! Children's cases, for the agencies that are party to them: where each transfer stands, what runs out, what may follow.
//!
//! Ids, stages and instants; nothing of the child. INVARIANT: a case of others answers as one that does not exist.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::cases::{Step, TransferRow, clocks};
use puente_core::delivery::Side;
use puente_core::ids::{CaseId, MessageId};
use puente_core::problem::{self, Problem};

use crate::cases::Held;
use crate::domestic::messages::visible;
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply, json_reply};
use crate::store::TransferFilter;

type Reply = Result<Response, ProblemReply>;

/// Transfers read at once; a case is rarely offered twice.
const PAGE: u32 = 100;

/// Pages read at most for one answer: others' transfers are passed over.
const PAGES: usize = 50;

/// Transfers after which an answer is given.
const AT_LEAST: usize = 100;

/// Query of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// What runs out by this instant, milliseconds; any clock when absent.
    #[serde(default)]
    due: Option<i64>,
    /// Transfers after this one.
    #[serde(default)]
    after: Option<MessageId>,
}

/// `GET /v1/cases`: transfers of the caller of which something is owed, what runs out first before the others.
pub async fn list(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    ask: serve::Ask<Ask>,
) -> Reply {
    let ask = serve::asked(ask)?;
    let (by_ms, mut after) = (ask.due.unwrap_or(i64::MAX), ask.after);
    let (mut transfers, mut next) = (Vec::new(), None);
    for _ in 0..PAGES {
        let filter = TransferFilter::RunningOut { by_ms, after };
        let rows = node.store.transfers(filter, PAGE).await.map_err(|error| store_problem(&error))?;
        let Some(last) = rows.last() else { break };
        after = Some(last.transfer);
        for row in &rows {
            if let Some(shown) = view(&node, &caller, row).await? {
                transfers.push(shown);
                // Of the caller's own: the id of another's transfer is not told.
                next = Some(row.transfer);
            }
        }
        if transfers.len() >= AT_LEAST {
            break;
        }
    }
    Ok(json_reply(StatusCode::OK, &json!({"transfers": transfers, "next": next})))
}

/// `GET /v1/cases/{case}`: every transfer of the case that the caller is party to.
pub async fn show(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(case): Path<String>,
) -> Reply {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let case: CaseId = case.parse().map_err(|_| not_found())?;
    let rows = node.store.transfers(TransferFilter::InCase(case), PAGE).await;
    let rows = rows.map_err(|error| store_problem(&error))?;
    let mut transfers = Vec::new();
    for row in &rows {
        transfers.extend(view(&node, &caller, row).await?);
    }
    if transfers.is_empty() {
        return Err(not_found().into());
    }
    Ok(json_reply(StatusCode::OK, &json!({"case": case, "transfers": transfers})))
}

/// One transfer as a party sees it; `None` for everybody else, and while the offer is not here.
async fn view(node: &Node, caller: &KnownAgency, row: &TransferRow) -> Result<Option<Value>, Problem> {
    let held = Held::read(node, row.transfer).await?;
    let (Some(offer), Some(side)) = (held.offer(), held.state.side(node.country())) else { return Ok(None) };
    if !visible(caller, offer) {
        return Ok(None);
    }
    let state = &held.state;
    let side_of = |step: &Step| state.side(&step.author).unwrap_or(Side::Sender);
    let told = |step: &Step| {
        json!({
            "message_id": step.message, "type": step.kind.type_name(), "by": side_of(step),
            "signed_ms": step.mark.issued_s.saturating_mul(1000), "happened_ms": step.happened_s().saturating_mul(1000),
            "day": step.mark.day,
        })
    };
    let steps: Vec<Value> = state.steps().iter().map(told).collect();
    let waiting: Vec<Value> = state.waiting().iter().map(told).collect();
    let void: Vec<Value> =
        state.void().iter().map(|(step, reason)| json!({"step": told(step), "reason": reason})).collect();
    let running: Vec<Value> = clocks(state, &node.rules.get().plan)
        .iter()
        .map(|clock| {
            json!({
                "what": clock.what, "due_ms": clock.due_s.saturating_mul(1000), "owed_by": clock.owed_by,
                "alarms": clock.alarms, "alarmed": row.told.alarmed.contains(&clock.what),
            })
        })
        .collect();
    let allowed: Vec<&str> = state.allowed(side).iter().map(|kind| kind.type_name()).collect();
    Ok(Some(json!({
        "case": row.case, "transfer": row.transfer, "with": offer.peer, "we_are": side, "stage": state.stage(),
        "owner": state.owner(), "steps": steps, "waiting": waiting, "void": void, "clocks": running,
        "allowed": allowed,
    })))
}
