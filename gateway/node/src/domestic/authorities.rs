//! What an authority's officers say on rows that a rule holds for them: approved until a day, refused, taken back.
//!
//! Not here: which acts cover a step (`puente_core::authority`), and rows that two officers of the sender release
//! (`approvals`). INVARIANT: an act is durable before anything leaves on it, and binds the content that its officer was shown.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::approval::Verdict;
use puente_core::authority::{ActRow, Approves, Given, TYP_APPROVES, distinct};
use puente_core::delivery::{ApprovalRow, ApprovalState, Write};
use puente_core::ids::{ActId, AgencyId};
use puente_core::problem::{self, Problem};
use puente_core::protection::VerifiedAct;

use crate::authority::{officers, spoke_on};
use crate::domestic::acts::{act_of, taken_back};
use crate::domestic::approvals::load;
use crate::domestic::releases::{close, draft_of, lifted, release, set};
use crate::domestic::submit::contents;
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply, json_reply};
use crate::store::ActFilter;

type Reply = Result<Response, ProblemReply>;

/// Most acts in one answer.
const PAGE: u32 = 200;

/// `POST /v1/approvals/{id}/authority`: the authority's signed word. What it ends goes at once, when nothing else holds it.
pub async fn speak(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let (row, recorded) = load(&node, &caller, &id).await?;
    let said = act_of::<Approves>(&node, &caller, TYP_APPROVES, body).await?;
    let act = accepted(&node, &caller, &row, &said)?;
    let earlier = spoke_on(&node, &row).await?;
    let spoke = recorded.iter().map(|said| &said.person).chain(&earlier);
    distinct(said.person(), row.submitter.as_ref(), spoke)?;
    let mut body = json!({"approval_id": row.approval, "act_id": act.act});
    let refuses = act.ended_ms.is_some();
    let mut writes = vec![Write::Act(act)];
    if refuses {
        writes.extend(close(&row, ApprovalState::Refused, node.clock.now_ms()));
    }
    node.commit(writes).await.map_err(|error| store_problem(&error))?;
    if refuses {
        set(&mut body, "state", json!("refused"));
    } else {
        release(&node, &row, lifted(&node, &row, &recorded), Vec::new()).await?.told(&mut body);
    }
    Ok(json_reply(StatusCode::OK, &body))
}

/// The act as it is kept, when its officer may give it on this row.
fn accepted(
    node: &Node,
    caller: &KnownAgency,
    row: &ApprovalRow,
    said: &VerifiedAct<Approves>,
) -> Result<ActRow, Problem> {
    let says = &said.act().says;
    let now_ms = node.clock.now_ms();
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let rules = node.rules.get();
    let approvers = rules.policy.approvers();
    let role = says.check(&caller.roles, approvers.of(says.approval), now)?;
    let asked = approvers.ending(&row.rules).find(|(approval, _)| *approval == says.approval);
    let (_, approver) = asked.ok_or_else(|| Problem::new(&problem::FIELD_INVALID).at("approval"))?;
    if says.row != row.approval {
        return Err(Problem::new(&problem::FIELD_INVALID).at("row"));
    }
    if says.preview != row.preview {
        return Err(Problem::new(&problem::PREVIEW_STALE).at("preview"));
    }
    if row.state != ApprovalState::Open || now_ms >= row.lapses_ms {
        return Err(Problem::new(&problem::APPROVAL_CLOSED));
    }
    let case = row.case.ok_or_else(|| Problem::new(&problem::APPROVAL_CLOSED))?;
    let [whole, anywhere] = contents(&draft_of(row)?)?;
    Ok(ActRow {
        act: ActId(node.fresh_id()),
        approval: says.approval,
        message_type: row.message_type.clone(),
        case,
        peer: (!approver.any_recipient).then(|| row.peer.clone()),
        role,
        given: Given::Officer {
            row: row.approval,
            agency: caller.agency.clone(),
            officer: said.act().officer.clone(),
            person: said.person().clone(),
            statement: said.compact().to_owned(),
        },
        content: Some(if approver.any_recipient { anywhere } else { whole }),
        until_ms: says.until.as_millisecond(),
        at_ms: now_ms,
        ended_ms: (says.verdict == Verdict::Refuse).then_some(now_ms),
    })
}

/// Query of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    after: Option<ActId>,
}

/// `GET /v1/acts`: what the caller's officers have approved, and whether it stands.
pub async fn list(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    ask: serve::Ask<Ask>,
) -> Reply {
    let ask = serve::asked(ask)?;
    let filter = ActFilter::Of { agency: caller.agency.clone(), after: ask.after };
    let rows = node.store.acts(filter, PAGE).await.map_err(|error| store_problem(&error))?;
    let next = rows.last().map(|row| row.act);
    let (register, now_ms) = (node.register.get(), node.clock.now_ms());
    let stands = |row: &ActRow| row.stands(now_ms, &officers(&register));
    let acts: Vec<Value> = rows.iter().map(|row| summary(row, stands(row))).collect();
    Ok(json_reply(StatusCode::OK, &json!({"acts": acts, "next": next})))
}

fn summary(row: &ActRow, stands: bool) -> Value {
    let (held, officer) = match &row.given {
        Given::Officer { row, officer, .. } => (Some(row), Some(officer)),
        Given::Message(_) => (None, None),
    };
    json!({
        "act_id": row.act, "approval": row.approval, "type": row.message_type, "case": row.case, "to": row.peer,
        "approval_id": held, "officer": officer, "at_ms": row.at_ms, "until_ms": row.until_ms,
        "ended_ms": row.ended_ms, "stands": stands,
    })
}

/// `POST /v1/acts/{id}/withdraw`: from the answer on nothing leaves on the act; what waits in the queue is decided again.
pub async fn take_back(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let row = own(&node, &caller.agency, &id).await?;
    let statement = taken_back(&node, &caller, body, (row.act, row.ended_ms)).await?;
    let at_ms = node.clock.now_ms();
    let ended = Write::ActEnded { act: row.act, statement, at_ms };
    node.commit(vec![ended]).await.map_err(|error| store_problem(&error))?;
    Ok(json_reply(StatusCode::OK, &json!({"act_id": row.act, "ended_ms": at_ms})))
}

/// The authority's own act; anybody else's is not there.
async fn own(node: &Node, agency: &AgencyId, id: &str) -> Result<ActRow, Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: ActId = id.parse().map_err(|_| not_found())?;
    let found = node.store.acts(ActFilter::One(id), 1).await.map_err(|error| store_problem(&error))?;
    let theirs = |row: &ActRow| matches!(&row.given, Given::Officer { agency: of, .. } if of == agency);
    found.into_iter().find(theirs).ok_or_else(not_found)
}
