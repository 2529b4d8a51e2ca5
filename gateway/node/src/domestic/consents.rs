//! Consents: an agency hands in the record that it signed, and what happens to it afterwards.
//!
//! Not here: what a record must say (`puente_core::consent`). INVARIANT: only the collecting agency adds, with a key
//! that the register lists for it; the same signed bytes again are no second act.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::consent::{VerifiedEvent, VerifiedRecord, evaluate, verify_event, verify_record};
use puente_core::delivery::{ConsentEventRow, ConsentRow, LeafRow, SubjectTag, Write};
use puente_core::envelope::{Verify, claimed_key};
use puente_core::evidence::LeafRecord;
use puente_core::ids::{ConsentId, Digest};
use puente_core::problem::{self, Problem};

use crate::consent::Kept;
use crate::domestic::disclosures::every_line;
use crate::domestic::notices::{tell_the_missed, withdrawal_notices};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply, read_body, read_json};
use crate::store::{Disclosed, Guard, StoreError};
use crate::subjects::SubjectOf;

type Reply = Result<Response, ProblemReply>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordForm {
    record: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventForm {
    event: String,
}

async fn form<T: serde::de::DeserializeOwned>(node: &Node, body: Body) -> Result<T, Problem> {
    let bytes =
        read_body(body, node.config.limits.domestic_body_bytes, node.config.times.body_seconds).await?;
    read_json(&bytes)
}

/// The caller's own key that the signed form claims; of another agency's keys nothing is said.
fn key_of(node: &Node, caller: &KnownAgency, compact: &str) -> Result<Arc<dyn Verify>, Problem> {
    let kid = claimed_key(compact).ok_or_else(|| Problem::new(&problem::CONSENT_INVALID))?;
    let register = node.register.get();
    register
        .signing_key(&caller.agency, &kid, node.clock.now_s())
        .ok_or_else(|| Problem::new(&problem::CONSENT_SIGNATURE))
}

/// `POST /v1/consents`: a signed record; 201, or 200 when this very record is here already.
pub async fn add(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    body: Body,
) -> Reply {
    let RecordForm { record } = form(&node, body).await?;
    let key = key_of(&node, &caller, &record)?;
    let (agency, country) = (&caller.agency, node.country());
    let record = verify_record(&record, key.as_ref(), agency, country, node.realm(), node.clock.now_s())?;
    let id = record.claims().record_id;
    let at_ms = node.clock.now_ms();
    let writes = vec![
        Write::Consent(ConsentRow {
            consent: id,
            agency: agency.clone(),
            digest: record.digest(),
            subject: Some(person(&node, &record)),
            record: record.compact().as_bytes().to_vec(),
            at_ms,
        }),
        leaf(&node, "consent", &record, record.digest())?,
    ];
    match node.commit(writes).await {
        Ok(_durable) => Ok(json_reply(StatusCode::CREATED, &told(&record))),
        Err(StoreError::Conflict { what: Guard::Taken, .. }) => match Kept::find(&node, id).await? {
            Some(kept) if kept.record == record => Ok(json_reply(StatusCode::OK, &told(&record))),
            _ => Err(Problem::new(&problem::CONSENT_CONFLICT).into()),
        },
        Err(error) => Err(store_problem(&error).into()),
    }
}

fn told(record: &VerifiedRecord) -> Value {
    json!({"consent_id": record.claims().record_id, "digest": record.digest()})
}

/// `POST /v1/consents/{id}/events`: a signed event; every recipient that it concerns is told in the same commit.
pub async fn event(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let EventForm { event } = form(&node, body).await?;
    let mut kept =
        kept(&node, &id).await?.filter(|kept| kept.agency == caller.agency).ok_or_else(not_found)?;
    if let Some(number) = kept.events.iter().position(|known| known.compact() == event) {
        return Ok(json_reply(StatusCode::OK, &taken(&kept, number + 1, 0)));
    }
    let key = key_of(&node, &caller, &event)?;
    let event = verify_event(&event, key.as_ref(), &kept.record, &kept.events, node.clock.now_s())?;
    let consent = kept.record.claims().record_id;
    let number =
        u32::try_from(kept.events.len() + 1).map_err(|_| Problem::new(&problem::CONSENT_CONFLICT))?;
    let mut writes = vec![
        Write::ConsentEvent(ConsentEventRow {
            consent,
            number,
            digest: event.digest(),
            subject: Some(person(&node, &kept.record)),
            event: event.compact().as_bytes().to_vec(),
            at_ms: node.clock.now_ms(),
        }),
        leaf(&node, "consent_event", &kept.record, event.digest())?,
    ];
    kept.events.push(event);
    let mut notices = withdrawal_notices(&node, &kept).await?;
    writes.append(&mut notices.writes);
    match node.commit(writes).await {
        Ok(_durable) => {
            tell_the_missed(&node, &kept, &notices).await?;
            Ok(json_reply(StatusCode::CREATED, &taken(&kept, kept.events.len(), notices.count())))
        }
        Err(StoreError::Conflict { what: Guard::Taken, .. }) => {
            Err(Problem::new(&problem::CONSENT_CONFLICT).into())
        }
        Err(error) => Err(store_problem(&error).into()),
    }
}

fn taken(kept: &Kept, number: usize, notices: usize) -> Value {
    json!({
        "consent_id": kept.record.claims().record_id,
        "number": number,
        "digest": kept.events.get(number - 1).map(VerifiedEvent::digest),
        "notices": notices,
    })
}

/// `GET /v1/consents/{id}`: the record and its events, for the agency that collected it and those that relied on it.
pub async fn show(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let kept = kept(&node, &id).await?.ok_or_else(not_found)?;
    if !kept.record.claims().entitles(&caller.agency) && !relied(&node, &caller, &kept).await? {
        return Err(not_found().into());
    }
    let record = kept.record.claims();
    let rules = node.rules.get();
    let now = jiff::Timestamp::from_millisecond(node.clock.now_ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let events = kept.claims_of_events();
    let processes: Vec<Value> = record
        .processes
        .iter()
        .map(|process| {
            let said = evaluate(record, &events, now, &process.purpose, &rules.texts);
            json!({"purpose": process.purpose, "standing": said.standing.as_str(),
                   "categories": said.consent.categories, "recipients": said.consent.recipients})
        })
        .collect();
    let body = json!({
        "consent_id": record.record_id,
        "digest": kept.record.digest(),
        "record": record,
        "signed": kept.record.compact(),
        "events": kept.events.iter().map(|event| json!({
            "event": event.claims(), "digest": event.digest(), "signed": event.compact(),
        })).collect::<Vec<_>>(),
        "processes": processes,
    });
    Ok(json_reply(StatusCode::OK, &body))
}

async fn relied(node: &Node, caller: &KnownAgency, kept: &Kept) -> Result<bool, Problem> {
    let under = Disclosed::Under(kept.record.claims().record_id);
    let lines = every_line(node, under).await?;
    Ok(lines.iter().any(|(line, _)| line.agency == caller.agency))
}

async fn kept(node: &Node, id: &str) -> Result<Option<Kept>, Problem> {
    let Ok(id) = id.parse::<ConsentId>() else { return Ok(None) };
    Kept::find(node, id).await
}

const fn not_found() -> Problem {
    Problem::new(&problem::NOT_FOUND)
}

fn leaf(node: &Node, kind: &str, of: &VerifiedRecord, digest: Digest) -> Result<Write, Problem> {
    let at_ms = node.clock.now_ms();
    let consent = of.claims();
    let record = LeafRecord { kind, id: consent.record_id.to_string(), digest, at_ms };
    let leaf = LeafRow::of(&record, Some(person(node, of)), node.random.as_ref());
    leaf.map(Write::Leaf).map_err(|_| Problem::new(&problem::INTERNAL))
}

/// The person who was asked, by whose key all of it is sealed.
fn person(node: &Node, record: &VerifiedRecord) -> SubjectTag {
    SubjectOf::Own(record.claims().principal.reference.reveal()).tag(&node.keys.subjects)
}
