//! The operator's questions about policies: why a recorded decision came out, what another set would change.
//!
//! Not here: deciding. INVARIANT: answers hold ids, outcomes, rules and categories, never a recorded fact.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path as Segment, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use puente_core::ids::MessageId;
use puente_core::policy::{PolicyError, RecordedFacts};
use puente_core::problem::{self, Problem};

use super::socket::{Admin, Reply};
use crate::node::store_problem;
use crate::policy::{PolicySet, binding, propose, show, simulate};
use crate::serve::{json_reply, read_body, read_json};

/// A whole set as JSON: sixteen times the published one.
const MAX_SET_BYTES: usize = 20 * 1024 * 1024;

/// Changes listed: a set a week for a year.
const LISTED: u32 = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SimulateForm {
    files: BTreeMap<String, String>,
    since_ms: i64,
    before: Option<i64>,
}

fn invalid(why: &dyn std::fmt::Display) -> Problem {
    Problem::new(&problem::POLICY_INVALID).because(why.to_string())
}

/// `POST /v1/policy/simulate`: one page of recorded decisions under another set.
pub(super) async fn simulate_page(State(admin): State<Arc<Admin>>, body: Body) -> Reply {
    let node = &admin.node;
    let bytes = read_body(body, MAX_SET_BYTES, node.config.times.body_seconds).await?;
    let form: SimulateForm = read_json(&bytes)?;
    let set = PolicySet::of(form.files).map_err(|error| invalid(&error))?;
    let adopted = crate::setup::load::adopted(&set, &node.membership.get(), node.clock.as_ref());
    // Strict validation takes some 50 ms.
    let loaded = tokio::task::spawn_blocking(move || set.load(&adopted)).await;
    let loaded = loaded.map_err(|_| Problem::new(&problem::INTERNAL))?;
    let (engine, stated) = loaded.map_err(|error: PolicyError| invalid(&error))?;
    let candidate = (engine, binding(node, &stated));
    let page = simulate(node, Arc::new(candidate), form.since_ms, form.before).await?;
    Ok(json_reply(StatusCode::OK, &page))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposeForm {
    files: BTreeMap<String, String>,
    proposal: String,
}

/// `POST /v1/policy/changes`: a set that an officer proposes; two others put it in force.
pub(super) async fn propose_set(State(admin): State<Arc<Admin>>, body: Body) -> Reply {
    let node = &admin.node;
    let bytes = read_body(body, MAX_SET_BYTES, node.config.times.body_seconds).await?;
    let form: ProposeForm = read_json(&bytes)?;
    let set = PolicySet::of(form.files).map_err(|error| invalid(&error))?;
    let shown = propose(node, set, &form.proposal).await?;
    Ok(json_reply(StatusCode::OK, &shown))
}

/// `GET /v1/policy/changes`: the history of the policies in force, latest first, each with who stated.
pub(super) async fn history(State(admin): State<Arc<Admin>>) -> Reply {
    let (store, now_ms) = (&admin.node.store, admin.node.clock.now_ms());
    let rows = store.policy_changes(LISTED).await.map_err(|error| store_problem(&error))?;
    let mut changes = Vec::with_capacity(rows.len());
    for row in rows {
        let found = store.policy_change(row.change).await.map_err(|error| store_problem(&error))?;
        changes.extend(found.map(|(row, statements)| show(&row, &statements, now_ms)));
    }
    let body = json!({"in_force": admin.node.policies.in_force(), "changes": changes});
    Ok(json_reply(StatusCode::OK, &body))
}

/// `GET /v1/policy/explain/{message}`: the latest decision on a message, decided again and explained.
pub(super) async fn explain(State(admin): State<Arc<Admin>>, Segment(id): Segment<String>) -> Reply {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: MessageId = id.parse().map_err(|_| not_found())?;
    let found = admin.node.store.decision(id).await.map_err(|error| store_problem(&error))?;
    let row = found.ok_or_else(not_found)?;
    let facts = RecordedFacts::from_bytes(&row.facts).ok_or_else(|| Problem::new(&problem::FACTS_GONE))?;
    let rules = admin.node.rules.get();
    let explanation = rules.policy.explain_recorded(&facts);
    let body = json!({
        "recorded": {"decision": row.decision, "outcome": row.outcome, "rule": row.rule, "spoke": row.spoke,
                     "policy": row.policy, "at_ms": row.at_ms},
        "same_policies": row.policy == rules.policy.digest(),
        "explanation": explanation,
    });
    Ok(json_reply(StatusCode::OK, &body))
}
