//! A person asks what is held about her, through the office that acts for her: the question to everyone who was told,
//! and the answer of all with what is missing named.
//!
//! Not here: the answers of other countries, which their nodes make (`answers`). INVARIANT: an answer is
//! called whole only when every recipient that the ledger knows has answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::delivery::{Direction, DisclosureRow, MessageRow};
use puente_core::ids::{AgencyId, CaseId, CountryCode, Digest, MessageId, Role};
use puente_core::personal::Personal;
use puente_core::policy::{StatedFacts, Subject};
use puente_core::problem::{self, Fault, Problem};

use crate::domestic::answers::ANSWERS;
use crate::domestic::disclosures::{FOR_THE_PERSON, every_line, told};
use crate::domestic::handing::hand_over;
use crate::domestic::messages::visible;
use crate::domestic::submit::{Mode, Submission, commit, prepare};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply, read_body, read_json};
use crate::store::{Disclosed, ERASED, MAX_PAGE};

type Reply = Result<Response, ProblemReply>;

/// The type that asks.
const ASKS: &str = "rights.access";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessForm {
    subject_id: Personal<String>,
    subject: Subject,
    #[serde(default)]
    facts: StatedFacts,
    sections: Personal<Value>,
}

/// `POST /v1/accesses`: asks every recipient that the ledger knows; answers the thread, and who could not be asked.
pub async fn ask(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    body: Body,
) -> Reply {
    let office = office(&caller)?;
    let bytes =
        read_body(body, node.config.limits.domestic_body_bytes, node.config.times.body_seconds).await?;
    let form: AccessForm = read_json(&bytes)?;
    let case = CaseId(node.fresh_id());
    let pseudonym = node.pairwise(node.country(), form.subject_id.reveal());
    let known = every_line(&node, Disclosed::About(pseudonym)).await?;
    let (mut prepared, mut asked) = (Vec::new(), Vec::new());
    for to in recipients(&known) {
        let question = json!({
            "type": ASKS, "role": office, "case": case, "purpose": "data_subject_rights",
            "recipient": {"country": to.0, "role": to.1, "agency": to.2}, "legal_basis": {"type": "control"},
            "subject_id": form.subject_id, "subject": form.subject, "facts": form.facts, "sections": form.sections,
        });
        let question = Submission::from_json(question).map_err(|_| Problem::new(&problem::BODY_MALFORMED))?;
        prepared.push(prepare(&node, &caller, &question, &Mode::Submit).await?);
        asked.push(to);
    }
    let verdicts = commit(&node, prepared, |_| None).await?.unwrap_or_default();
    let asked: Vec<Value> = asked
        .iter()
        .zip(&verdicts)
        .map(|((country, role, agency), verdict)| {
            json!({"country": country, "role": role, "agency": agency, "verdict": verdict})
        })
        .collect();
    Ok(json_reply(StatusCode::ACCEPTED, &json!({"case": case, "asked": asked})))
}

fn office(caller: &KnownAgency) -> Result<&Role, Problem> {
    let office = caller.roles.iter().find(|role| role.as_str() == FOR_THE_PERSON);
    office.ok_or_else(|| Problem::new(&problem::CLIENT_NOT_ENTITLED))
}

type Recipient = (CountryCode, Role, Option<AgencyId>);

/// Everyone who was told, once; questions about it are no telling.
fn recipients(known: &[(DisclosureRow, String)]) -> BTreeSet<Recipient> {
    known
        .iter()
        .map(|(line, _)| line)
        .filter(|line| line.message_type.family() != "rights")
        .map(|line| (line.country.clone(), line.to_role.clone(), line.to_agency.clone()))
        .collect()
}

/// `GET /v1/accesses/{id}`: the own ledger, the answers that came, and who is missing.
pub async fn answer(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    office(&caller)?;
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let case: CaseId = id.parse().map_err(|_| not_found())?;
    let mut questions = every_line(&node, Disclosed::InCase(case)).await?;
    questions.retain(|(line, _)| line.message_type.as_str() == ASKS && line.agency == caller.agency);
    let pseudonym = questions.iter().find_map(|(line, _)| line.subject.clone()).ok_or_else(not_found)?;
    let known = every_line(&node, Disclosed::About(pseudonym)).await?;
    let mut silent = recipients(&known);
    let (mut answers, mut sealed) = (Vec::new(), Vec::new());
    for (question, _) in &questions {
        let of = json!({"country": question.country, "role": question.to_role, "agency": question.to_agency});
        match said(&node, &caller, question.message).await? {
            Said::Nothing => continue,
            Said::Answer(answer) => answers.push(joined(of, "answer", answer)),
            Said::Sealed(message) => sealed.push(joined(of, "message_id", json!(message))),
        }
        silent.remove(&(question.country.clone(), question.to_role.clone(), question.to_agency.clone()));
    }
    let own: Vec<Value> = known
        .iter()
        .filter(|(line, _)| line.message_type.family() != "rights")
        .map(|(line, state)| told(line, state))
        .collect();
    let missing: Vec<Value> = silent
        .iter()
        .map(|(country, role, agency)| json!({"country": country, "role": role, "agency": agency}))
        .collect();
    let body = json!({"case": case, "whole": missing.is_empty(), "own": own, "answers": answers, "sealed": sealed,
                      "missing": missing});
    Ok(json_reply(StatusCode::OK, &body))
}

/// What a recipient answered.
enum Said {
    /// Nothing, or nothing that can be opened.
    Nothing,
    /// This.
    Answer(Value),
    /// In this message, which the office opens on its own machine.
    Sealed(MessageId),
}

fn joined(mut of: Value, name: &str, value: Value) -> Value {
    if let Some(members) = of.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    of
}

async fn said(node: &Node, caller: &KnownAgency, question: MessageId) -> Result<Said, Problem> {
    let replies = node.store.replies(question).await.map_err(|error| store_problem(&error))?;
    let came =
        |row: &&MessageRow| row.direction == Direction::In && row.state == "accepted" && visible(caller, row);
    for row in replies.iter().filter(came) {
        match hand_over(node, row).await {
            Ok((_, inner)) => {
                if let Some(said) = inner.section("ops.metadata") {
                    return Ok(Said::Answer(said.clone()));
                }
            }
            Err(problem) if problem.kind.code == problem::SEAL_HELD_BY_AGENCY.code => {
                return Ok(Said::Sealed(row.message));
            }
            Err(problem) if problem.kind.fault == Fault::Node => return Err(problem),
            Err(_) => {}
        }
    }
    Ok(Said::Nothing)
}

/// `GET /v1/messages/{id}/accounting`: for an agency that was asked, what was received about the person and what was
/// told on in the same threads: what its officer signs off, by its digest.
pub async fn accounting(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
) -> Reply {
    let (row, account) = account_of(&node, &caller, &id).await?;
    let body = json!({"message_id": row.message, "type": row.message_type, "account": account.digest()?,
                      "received": account.received, "disclosures": account.disclosures});
    Ok(json_reply(StatusCode::OK, &body))
}

/// What an agency has to say to a person who asked.
pub(super) struct Account {
    /// The asking country's pseudonym for her.
    pub(super) subject_ref: String,
    /// What came in about her from that country.
    received: Vec<Value>,
    /// What the agency told on in the same threads, in the form of `rights.response`.
    pub(super) disclosures: Vec<Value>,
}

impl Account {
    /// Digest of all of it.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub(super) fn digest(&self) -> Result<Digest, Problem> {
        let bytes = serde_json::to_vec(&(&self.received, &self.disclosures));
        bytes.map(|bytes| Digest::of(&bytes)).map_err(|_| Problem::new(&problem::INTERNAL))
    }
}

/// The question that the caller was asked, and its account.
///
/// # Errors
/// `not_found` when it was not asked this, the store's problem.
pub(super) async fn account_of(
    node: &Node,
    caller: &KnownAgency,
    id: &str,
) -> Result<(MessageRow, Account), Problem> {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: MessageId = id.parse().map_err(|_| not_found())?;
    let row = node.store.message(id).await.map_err(|error| store_problem(&error))?;
    let asked = |row: &MessageRow| {
        row.direction == Direction::In
            && row.message_type.family() == "rights"
            && row.message_type.as_str() != ANSWERS
            && visible(caller, row)
    };
    let row = row.filter(asked).ok_or_else(not_found)?;
    let about = node.store.received_about(row.message).await.map_err(|error| store_problem(&error))?;
    let subject_ref = about.ok_or_else(not_found)?;
    let found = node.store.received(row.peer.clone(), subject_ref.clone(), 0, MAX_PAGE).await;
    let (mut received, mut cases) = (Vec::new(), BTreeSet::new());
    for (_, message) in found.map_err(|error| store_problem(&error))? {
        let came = node.store.message(message).await.map_err(|error| store_problem(&error))?;
        let Some(came) = came.filter(|came| visible(caller, came)) else { continue };
        // A question is no telling, and asking twice is not to change the answer.
        if came.message_type.family() == "rights" {
            continue;
        }
        cases.insert(came.case);
        received
            .push(json!({"message_id": came.message, "type": came.message_type, "at_ms": came.created_ms,
                             "categories": came.categories, "held": came.state != ERASED}));
    }
    let mut disclosures = Vec::new();
    for case in cases {
        let on = every_line(node, Disclosed::InCase(case)).await?;
        disclosures.extend(
            on.iter().map(|(line, _)| line).filter(|line| line.agency == caller.agency).map(as_told_abroad),
        );
    }
    Ok((row, Account { subject_ref, received, disclosures }))
}

/// A line of the ledger in the form of `rights.response`.
fn as_told_abroad(line: &DisclosureRow) -> Value {
    let at = jiff::Timestamp::from_millisecond(line.at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    json!({"country": line.country, "role": line.to_role, "type": line.message_type, "purpose": line.purpose,
           "basis": line.basis, "categories": line.categories, "at": at.to_string()})
}
