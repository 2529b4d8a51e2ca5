//! Registering, showing, pausing, resuming and removing webhooks, for the agency and for the operator alike.
//!
//! Not here: who asks (the faces). INVARIANT: an agency has a bounded number, each with an address that may be called as far
//! as can be told without calling it, and with somebody who vouches for its receiver.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::delivery::{
    DeadLetterRow, EventKind, MAX_WEBHOOKS, WebhookProgress, WebhookRow, WebhookTarget, Write,
};
use puente_core::ids::{AgencyId, Digest, MessageType, WebhookId};
use puente_core::problem::{self, Problem};

use crate::config::may_call;
use crate::keys::tls::Receiver;
use crate::node::{Node, store_problem};
use crate::store::{DeadLetterFilter, MAX_PAGE, StoreError};
use crate::webhook::Endpoint;

/// Longest list of authorities.
const MAX_AUTHORITY: usize = 32 * 1024;

/// How often a change is tried against a call that stores its outcome.
const ATTEMPTS: usize = 5;

/// Most kinds or types in a filter.
const MAX_FILTER: usize = 64;

/// A request to be told of events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookForm {
    url: String,
    #[serde(default)]
    authority: Option<String>,
    #[serde(default)]
    pin: Option<Digest>,
    #[serde(default = "yes")]
    present_certificate: bool,
    #[serde(default)]
    kinds: Vec<EventKind>,
    #[serde(default)]
    message_types: Vec<MessageType>,
    #[serde(default)]
    after: Option<i64>,
}

const fn yes() -> bool {
    true
}

/// What is done to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// No calls until it is resumed.
    Pause,
    /// Calls go on from where they stopped.
    Resume,
    /// It goes, with its dead letters.
    Remove,
}

impl WebhookForm {
    /// What it asks for, in the form in which it is kept.
    fn target(self, node: &Node) -> Result<WebhookTarget, Problem> {
        let invalid = |field: &str| Problem::new(&problem::FIELD_INVALID).at(field);
        let endpoint = Endpoint::parse(&self.url).ok_or_else(|| invalid("url"))?;
        let networks = &node.config.webhooks.networks;
        let literal = endpoint.host().parse::<IpAddr>().ok();
        if networks.is_empty() || literal.is_some_and(|address| !may_call(networks, address)) {
            return Err(Problem::new(&problem::WEBHOOK_ADDRESS).at("url"));
        }
        if self.authority.as_ref().is_some_and(|pem| pem.len() > MAX_AUTHORITY) {
            return Err(invalid("authority"));
        }
        Receiver::new(self.authority.as_deref(), self.pin).map_err(|_| invalid("authority"))?;
        for (field, count) in [("kinds", self.kinds.len()), ("message_types", self.message_types.len())] {
            if count > MAX_FILTER {
                return Err(invalid(field));
            }
        }
        Ok(WebhookTarget {
            url: endpoint.uri().to_string(),
            authority: self.authority,
            pin: self.pin,
            present_certificate: self.present_certificate,
            kinds: self.kinds,
            message_types: self.message_types,
        })
    }
}

async fn of(node: &Node, agency: Option<&AgencyId>) -> Result<Vec<WebhookRow>, Problem> {
    let rows = node.store.webhooks(MAX_PAGE).await.map_err(|error| store_problem(&error))?;
    Ok(rows.into_iter().filter(|row| agency.is_none_or(|agency| row.agency == *agency)).collect())
}

/// Registers a webhook of an agency; one that is there already with the same target is given back.
///
/// # Errors
/// `field.invalid`, `webhook.address`, `webhook.limit`, or what the store says.
pub async fn register(node: &Node, agency: &AgencyId, form: WebhookForm) -> Result<Value, Problem> {
    let after = form.after;
    let target = form.target(node)?;
    let _alone = node.operating.lock().await;
    let all = of(node, None).await?;
    let own = || all.iter().filter(|row| row.agency == *agency);
    if let Some(known) = own().find(|row| row.target == target) {
        return Ok(shown(known));
    }
    // The node looks at one page of webhooks: one beyond it would never be called.
    if own().count() >= MAX_WEBHOOKS || all.len() >= MAX_PAGE as usize {
        return Err(Problem::new(&problem::WEBHOOK_LIMIT));
    }
    let cursor = match after {
        Some(after) => after.max(0),
        None => node.store.last_event().await.map_err(|error| store_problem(&error))?,
    };
    let now_ms = node.clock.now_ms();
    let row = WebhookRow {
        webhook: WebhookId(node.fresh_id()),
        revision: 0,
        agency: agency.clone(),
        target,
        progress: WebhookProgress { cursor, due_ms: now_ms, ..WebhookProgress::default() },
        created_ms: now_ms,
    };
    let answer = shown(&row);
    node.commit(vec![Write::Webhook(row)]).await.map_err(|error| store_problem(&error))?;
    Ok(answer)
}

/// The webhooks of one agency, or of all.
///
/// # Errors
/// What the store says.
pub async fn list(node: &Node, agency: Option<&AgencyId>) -> Result<Value, Problem> {
    let rows = of(node, agency).await?;
    Ok(json!({"webhooks": rows.iter().map(shown).collect::<Vec<_>>()}))
}

/// Does this to a webhook; with an agency only to one of its own, and another's is not there.
///
/// # Errors
/// `not_found`, `approval.overtaken` when it is changed too often meanwhile, or what the store says.
pub async fn act(node: &Node, agency: Option<&AgencyId>, id: &str, act: Act) -> Result<Value, Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let webhook: WebhookId = id.parse().map_err(|_| not_found())?;
    let _alone = node.operating.lock().await;
    // A call in progress may store its outcome between the two; then its state is read again.
    for _ in 0..ATTEMPTS {
        let row = node.store.webhook(webhook).await.map_err(|error| store_problem(&error))?;
        let row =
            row.filter(|row| agency.is_none_or(|agency| row.agency == *agency)).ok_or_else(not_found)?;
        let (next, write) = match act {
            Act::Pause => {
                let next = row.changed(|progress| progress.paused = Some("asked".to_owned()));
                (next.clone(), Write::WebhookChanged(next))
            }
            Act::Resume => {
                let next = row.resumed(node.clock.now_ms());
                (next.clone(), Write::WebhookChanged(next))
            }
            Act::Remove => (row, Write::WebhookRemoved { webhook }),
        };
        match node.commit(vec![write]).await {
            Ok(_) => return Ok(shown(&next)),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(store_problem(&error)),
        }
    }
    Err(Problem::new(&problem::APPROVAL_OVERTAKEN))
}

/// Dead letters after a place, oldest first.
///
/// # Errors
/// What the store says.
pub async fn dead_letters(node: &Node, after: i64) -> Result<Value, Problem> {
    let found = node.store.dead_letters(DeadLetterFilter::All, after, MAX_PAGE).await;
    let found = found.map_err(|error| store_problem(&error))?;
    let next = found.last().map_or(after, |(place, _)| *place);
    let letters: Vec<_> = found.into_iter().map(|(_, letter)| letter).collect();
    Ok(json!({"dead_letters": letters, "next": next}))
}

/// Marks dead letters of a webhook to be sent once more: one, or a page of them; answers how many.
///
/// # Errors
/// `not_found` when there is none, or what the store says.
pub async fn resend(node: &Node, webhook: WebhookId, event: Option<i64>) -> Result<Value, Problem> {
    let found = node.store.dead_letters(DeadLetterFilter::Of(webhook), 0, MAX_PAGE).await;
    let found = found.map_err(|error| store_problem(&error))?;
    let wanted = found
        .into_iter()
        .map(|(_, letter)| letter)
        .filter(|letter| event.is_none_or(|one| letter.event == one));
    let writes: Vec<_> =
        wanted.map(|letter| Write::DeadLetter(DeadLetterRow { resend: true, ..letter })).collect();
    let count = writes.len();
    if count == 0 {
        return Err(Problem::new(&problem::NOT_FOUND));
    }
    node.commit(writes).await.map_err(|error| store_problem(&error))?;
    Ok(json!({"resent": count}))
}

/// A webhook as its agency and the operator see it; an authority's certificates are only said to be there.
fn shown(row: &WebhookRow) -> Value {
    let (target, progress) = (&row.target, &row.progress);
    json!({
        "webhook_id": row.webhook,
        "agency": row.agency,
        "url": target.url,
        "authority": target.authority.is_some(),
        "pin": target.pin,
        "present_certificate": target.present_certificate,
        "kinds": target.kinds,
        "message_types": target.message_types,
        "state": if progress.paused.is_some() { "paused" } else { "active" },
        "reason": progress.paused,
        "cursor": progress.cursor,
        "attempts": progress.failures,
        "dead_letters": progress.dead_letters,
        "created_ms": row.created_ms,
    })
}
