//! The catalogue as an agency reads it: which types are in force, and what everything is called.
//!
//! Not here: the schemas themselves. INVARIANT: nothing of it is about a person.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::catalogue::{Catalogue, LabelSet};

use crate::node::Node;
use crate::serve::json_reply;

/// `GET /v1/catalogue`: the message types in force.
pub async fn catalogue(State(node): State<Arc<Node>>) -> Response {
    let rules = node.rules.get();
    let types: Vec<Value> = rules
        .catalogue
        .types()
        .map(|message_type| json!({"type": message_type, "versions": rules.catalogue.versions(message_type).collect::<Vec<_>>()}))
        .collect();
    let body = json!({
        "catalogue": rules.catalogue.digest(),
        "policy": rules.policy.digest(),
        "types": types,
    });
    json_reply(StatusCode::OK, &body)
}

/// `GET /v1/catalogue/labels`: what types, categories, fields and codes are called, in Spanish and English.
pub async fn labels(State(node): State<Arc<Node>>) -> Response {
    json_reply(StatusCode::OK, &labels_of(&node.rules.get().catalogue))
}

fn labels_of(catalogue: &Catalogue) -> Value {
    let set = |set| -> BTreeMap<_, _> { catalogue.labels(set).collect() };
    let types: BTreeMap<_, _> = catalogue
        .types()
        .filter_map(|message_type| Some((message_type, &catalogue.descriptor(message_type, None)?.title)))
        .collect();
    let codes: BTreeMap<_, BTreeMap<_, _>> = catalogue
        .code_lists()
        .map(|list| {
            let words = list.iter().map(|code| (code.code.as_str(), json!({"es": code.es, "en": code.en})));
            (list.id(), words.collect())
        })
        .collect();
    let coded: BTreeMap<_, _> = catalogue.coded_fields().collect();
    json!({
        "catalogue": catalogue.digest(), "types": types, "categories": set(LabelSet::Categories),
        "fields": set(LabelSet::Fields), "roles": set(LabelSet::Roles), "purposes": set(LabelSet::Purposes),
        "codes": codes, "coded": coded,
    })
}
