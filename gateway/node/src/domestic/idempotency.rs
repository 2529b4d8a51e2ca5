//! `Idempotency-Key`: the stored answer for the same request, a refusal for another under the same key.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};

use puente_core::delivery::IdempotentAnswer;
use puente_core::ids::{AgencyId, Digest};
use puente_core::problem::{self, Problem};

use crate::node::{Node, store_problem};

/// Longest key.
const MAX_KEY: usize = 128;

static RUNNING: Mutex<BTreeSet<(AgencyId, String)>> = Mutex::new(BTreeSet::new());

/// A key in use by one request; let go when dropped.
#[derive(Debug)]
pub struct Claim {
    agency: AgencyId,
    key: String,
    request: Digest,
    scope: String,
}

/// What a key says about a request.
#[derive(Debug)]
pub enum Asked {
    /// No key was sent.
    Unkeyed,
    /// First time: go on, and store the answer.
    First(Claim),
    /// Answered before.
    Answered(Response),
}

/// Looks the key up.
///
/// # Errors
/// `idempotency.mismatch`, `idempotency.running`, `field.invalid`, or the store's problem.
pub async fn ask(
    node: &Node,
    headers: &HeaderMap,
    agency: &AgencyId,
    path: &str,
    body: &[u8],
) -> Result<Asked, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(Asked::Unkeyed) };
    let key = value
        .to_str()
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= MAX_KEY && key.bytes().all(|b| b.is_ascii_graphic()))
        .ok_or_else(|| Problem::new(&problem::FIELD_INVALID).at("Idempotency-Key"))?
        .to_owned();
    let request = Digest::of(&[path.as_bytes(), b"\n", body].concat());
    if let Some(response) = stored(node, agency, &key, request).await? {
        return Ok(Asked::Answered(response));
    }
    let scope = format!("{}/{}", node.realm(), node.country());
    let running = (agency.clone(), format!("{scope}/{key}"));
    if !RUNNING.lock().unwrap_or_else(PoisonError::into_inner).insert(running) {
        return Err(Problem::new(&problem::IDEMPOTENCY_RUNNING));
    }
    let claim = Claim { agency: agency.clone(), key, request, scope };
    // The first request may have ended between the two looks.
    match stored(node, agency, &claim.key, request).await? {
        Some(response) => Ok(Asked::Answered(response)),
        None => Ok(Asked::First(claim)),
    }
}

async fn stored(
    node: &Node,
    agency: &AgencyId,
    key: &str,
    request: Digest,
) -> Result<Option<Response>, Problem> {
    let found =
        node.store.idempotent(agency.clone(), key.to_owned()).await.map_err(|error| store_problem(&error))?;
    match found {
        None => Ok(None),
        Some(answer) if answer.request != request => Err(Problem::new(&problem::IDEMPOTENCY_MISMATCH)),
        Some(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            Ok(Some((status, headers, answer.body).into_response()))
        }
    }
}

impl Claim {
    /// The answer as it is stored beside what it answers.
    #[must_use]
    pub fn answer(&self, node: &Node, status: u16, body: Vec<u8>) -> IdempotentAnswer {
        let hours = i64::try_from(node.config.times.idempotency_hours).unwrap_or(i64::MAX);
        IdempotentAnswer {
            agency: self.agency.clone(),
            key: self.key.clone(),
            request: self.request,
            status,
            body,
            keep_until_ms: node.clock.now_ms().saturating_add(hours.saturating_mul(3_600_000)),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let running = (self.agency.clone(), format!("{}/{}", self.scope, self.key));
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&running);
    }
}
