//! The operator's hand on webhooks: every agency's, and the events that none of them took.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path as Segment, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use puente_core::ids::{AgencyId, WebhookId};
use puente_core::problem::{self, Problem};

use super::socket::{Admin, Reply};
use crate::serve::{self, json_reply, other_form, read_body, read_json};
use crate::webhook::{self, Act, WebhookForm};

/// An address, a list of authorities and a filter.
const MAX_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterForm {
    agency: AgencyId,
    webhook: Value,
}

/// `GET /v1/webhooks`: every agency's.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Reply {
    Ok(json_reply(StatusCode::OK, &webhook::list(&admin.node, None).await?))
}

/// `POST /v1/webhooks`: registers one for an agency.
pub(super) async fn register(State(admin): State<Arc<Admin>>, body: Body) -> Reply {
    let bytes = read_body(body, MAX_BYTES, admin.node.config.times.body_seconds).await?;
    let form: RegisterForm = read_json(&bytes)?;
    if admin.node.register.get().roles(&form.agency).is_empty() {
        return Err(Problem::new(&problem::FIELD_INVALID).at("agency").into());
    }
    let asked: WebhookForm = serde_json::from_value(form.webhook).map_err(|error| other_form(&error))?;
    Ok(json_reply(StatusCode::OK, &webhook::register(&admin.node, &form.agency, asked).await?))
}

/// `POST /v1/webhooks/{id}/{act}`: pauses, resumes or removes one.
pub(super) async fn act(
    State(admin): State<Arc<Admin>>,
    Segment((id, act)): Segment<(String, String)>,
) -> Reply {
    let act = match act.as_str() {
        "pause" => Act::Pause,
        "resume" => Act::Resume,
        "remove" => Act::Remove,
        _ => return Err(Problem::new(&problem::NOT_FOUND).into()),
    };
    Ok(json_reply(StatusCode::OK, &webhook::act(&admin.node, None, &id, act).await?))
}

/// Query of the listing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LettersAsk {
    #[serde(default)]
    after: i64,
}

/// `GET /v1/dead-letters`: events that a webhook did not take, oldest first.
pub(super) async fn dead_letters(State(admin): State<Arc<Admin>>, ask: serve::Ask<LettersAsk>) -> Reply {
    let asked = serve::asked(ask)?;
    Ok(json_reply(StatusCode::OK, &webhook::dead_letters(&admin.node, asked.after).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendForm {
    webhook: WebhookId,
    #[serde(default)]
    event: Option<i64>,
}

/// `POST /v1/dead-letters/resend`: one of a webhook's, or a page of them, once more.
pub(super) async fn resend(State(admin): State<Arc<Admin>>, body: Body) -> Reply {
    let bytes = read_body(body, MAX_BYTES, admin.node.config.times.body_seconds).await?;
    let form: ResendForm = read_json(&bytes)?;
    Ok(json_reply(StatusCode::OK, &webhook::resend(&admin.node, form.webhook, form.event).await?))
}
