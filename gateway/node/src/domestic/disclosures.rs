//! The ledger of disclosures, asked about one person: who was told what, when, on which basis.
//!
//! A question and not a path, because a reference for a person has no place in a URL. Not here: what other countries
//! tell of it. INVARIANT: an agency sees what it disclosed itself; only one that acts for the person sees it all.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::delivery::DisclosureRow;
use puente_core::personal::Personal;
use puente_core::problem::Problem;

use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply, read_body, read_json};
use crate::store::{Disclosed, MAX_PAGE};

/// The role of the office through which people ask about themselves.
pub(super) const FOR_THE_PERSON: &str = "data_subject";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    subject_id: Personal<String>,
    #[serde(default)]
    after: i64,
    #[serde(default = "most")]
    limit: u32,
}

const fn most() -> u32 {
    100
}

/// `POST /v1/disclosures`: lines of the ledger about one person, oldest first; `next` is the cursor to ask with again.
pub async fn of_person(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let bytes =
        read_body(body, node.config.limits.domestic_body_bytes, node.config.times.body_seconds).await?;
    let question: Question = read_json(&bytes)?;
    let about = Disclosed::About(node.pairwise(node.country(), question.subject_id.reveal()));
    let found = node.store.disclosures(about, question.after, question.limit.clamp(1, 500)).await;
    let found = found.map_err(|error| store_problem(&error))?;
    let next = found.last().map_or(question.after, |(cursor, ..)| *cursor);
    let sees_all = caller.roles.iter().any(|role| role.as_str() == FOR_THE_PERSON);
    let lines: Vec<Value> = found
        .iter()
        .filter(|(_, line, _)| sees_all || line.agency == caller.agency)
        .map(|(_, line, state)| told(line, state))
        .collect();
    Ok(json_reply(StatusCode::OK, &json!({"disclosures": lines, "next": next})))
}

/// Every such line, oldest first, each with its message's state.
///
/// # Errors
/// The store's problem.
pub(super) async fn every_line(node: &Node, of: Disclosed) -> Result<Vec<(DisclosureRow, String)>, Problem> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = node.store.disclosures(of.clone(), after, MAX_PAGE).await;
        let page = page.map_err(|error| store_problem(&error))?;
        let Some((last, ..)) = page.last() else { return Ok(all) };
        after = *last;
        all.extend(page.into_iter().map(|(_, line, state)| (line, state)));
    }
}

/// A line of the ledger as it is told at home.
pub(super) fn told(line: &DisclosureRow, state: &str) -> Value {
    json!({
        "message_id": line.message,
        "by": {"agency": line.agency, "role": line.role},
        "to": {"country": line.country, "role": line.to_role, "agency": line.to_agency},
        "type": line.message_type,
        "purpose": line.purpose,
        "basis": line.basis,
        "consent_id": line.consent,
        "categories": line.categories,
        "at_ms": line.at_ms,
        "state": state,
    })
}
