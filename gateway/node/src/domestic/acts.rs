//! Officers' signed acts as they come in: one form, one way to find the officer and verify.
//!
//! Not here: what an act changes. INVARIANT: the officer belongs to the agency whose certificate the connection showed.

use axum::body::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use puente_core::authority::{TYP_TAKES_BACK, TakesBack};
use puente_core::ids::ActId;
use puente_core::problem::{self, Problem};
use puente_core::protection::{VerifiedAct, act_speaker, verify_act};

use crate::node::Node;
use crate::register::KnownAgency;
use crate::serve::{read_body, read_json};

/// A statement with a described person is a few KiB.
pub(super) const MAX_STATEMENT_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementForm {
    statement: String,
}

/// The signed statement that a body carries, unverified.
///
/// # Errors
/// As the body is read, `body.malformed`.
pub(super) async fn statement_in(node: &Node, body: Body) -> Result<String, Problem> {
    let bytes = read_body(body, MAX_STATEMENT_BYTES, node.config.times.body_seconds).await?;
    Ok(read_json::<StatementForm>(&bytes)?.statement)
}

/// Reads and verifies an act of this `typ` by an officer of the caller.
///
/// # Errors
/// As the body is read, `body.malformed`, `officer.not_entitled`, `officer.revoked`, `clock.skew`.
pub(super) async fn act_of<T: DeserializeOwned>(
    node: &Node,
    caller: &KnownAgency,
    typ: &str,
    body: Body,
) -> Result<VerifiedAct<T>, Problem> {
    let statement = statement_in(node, body).await?;
    verified(node, caller, typ, &statement)
}

/// Reads the word by which an officer of the caller takes back this act of theirs; answers the signed statement.
///
/// # Errors
/// As [`act_of`]; `field.invalid` when it names another act, `approval.closed` when this one has ended.
pub(super) async fn taken_back(
    node: &Node,
    caller: &KnownAgency,
    body: Body,
    (act, ended_ms): (ActId, Option<i64>),
) -> Result<String, Problem> {
    let said = act_of::<TakesBack>(node, caller, TYP_TAKES_BACK, body).await?;
    if said.act().says.act != act {
        return Err(Problem::new(&problem::FIELD_INVALID).at("act"));
    }
    if ended_ms.is_some() {
        return Err(Problem::new(&problem::APPROVAL_CLOSED));
    }
    Ok(said.compact().to_owned())
}

/// Verifies an act of this `typ` by an officer of the caller.
///
/// # Errors
/// As [`act_of`], but for the body.
pub(super) fn verified<T: DeserializeOwned>(
    node: &Node,
    caller: &KnownAgency,
    typ: &str,
    statement: &str,
) -> Result<VerifiedAct<T>, Problem> {
    let (agency, officer) =
        act_speaker(statement).ok_or_else(|| Problem::new(&problem::BODY_MALFORMED).at("statement"))?;
    let register = node.register.get();
    let officer =
        register.officer(&agency, &officer).ok_or_else(|| Problem::new(&problem::OFFICER_NOT_ENTITLED))?;
    let at = (node.country(), node.realm(), &caller.agency);
    verify_act(typ, statement, &officer, at, node.clock.now_s())
}
