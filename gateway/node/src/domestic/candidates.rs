//! Somebody arrived who is on no list: which rows of this one operation could be meant, and why.
//!
//! Not a search: it compares with what the caller's own role received in that operation, never beyond it,
//! answers message ids and reasons, and merges nothing. Nothing of the question is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::ids::{Category, MessageId};
use puente_core::matching::candidates_for;
use puente_core::personal::Personal;
use puente_core::problem::{self, Problem};

use crate::domestic::corrections::{AMENDMENT, ROW, fold};
use crate::domestic::handing::hand_over_all;
use crate::domestic::operations::{messages_of, operation_id, received};
use crate::lists::candidate::from_sections;
use crate::node::Node;
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply, read_body, read_json};

/// A person is a few hundred bytes.
const MAX_QUESTION_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unlisted {
    sections: BTreeMap<Category, Personal<Value>>,
}

/// `POST /v1/operations/{id}/candidates`: rows of this operation that the unlisted person could be, and those that do not
/// open here, of whom the node cannot say.
pub async fn candidates(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let operation = operation_id(&id)?;
    let bytes = read_body(body, MAX_QUESTION_BYTES, node.config.times.body_seconds).await?;
    let asked: Unlisted = read_json(&bytes)?;
    let named = |category: &str| {
        asked.sections.iter().find(|(name, _)| name.as_str() == category).map(|(_, value)| value.reveal())
    };
    let unlisted = from_sections(0, &named)
        .ok_or_else(|| Problem::new(&problem::FIELD_MISSING).at("/sections/id.core"))?;
    let manifest = received(messages_of(&node, &caller, operation).await?, &[ROW, AMENDMENT]);
    let mut listed = Vec::with_capacity(manifest.len());
    let mut ids: BTreeMap<u32, MessageId> = BTreeMap::new();
    let mut uncompared = Vec::new();
    for (number, row) in (1_u32..).zip(fold(hand_over_all(&node, manifest).await?)) {
        // Who was taken off the list may have come all the same.
        let standing = match row {
            Ok(standing) => standing,
            Err(unopened) => {
                uncompared.push(unopened.row.message);
                continue;
            }
        };
        ids.insert(number, standing.row.message);
        listed.extend(from_sections(number, &|category| standing.section(category)));
    }
    let found: Vec<Value> = candidates_for(&unlisted, &listed)
        .into_iter()
        .filter_map(|(number, reasons)| {
            let reasons: Vec<Value> =
                reasons.iter().map(|reason| json!({"es": reason.es(), "en": reason.en()})).collect();
            ids.get(&number).map(|message| json!({"message_id": message, "reasons": reasons}))
        })
        .collect();
    let body = json!({"operation": operation, "candidates": found, "uncompared": uncompared});
    Ok(json_reply(StatusCode::OK, &body))
}
