//! The answer to a person who asked: made by the node from its ledger, signed off by an officer of the agency that was asked.
//!
//! Not here: asking (`accesses`). INVARIANT: no `rights.response` leaves but through here, and what it says of disclosures is
//! the ledger's word, not the agency's; "done" to an erasure is said once it is done.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use puente_core::delivery::{LeafRow, MessageRow, Write};
use puente_core::evidence::LeafRecord;
use puente_core::ids::Digest;
use puente_core::policy::Subject;
use puente_core::problem::{self, Problem};
use puente_core::rights::{Answers, Outcome, TYP_ANSWERS};

use crate::domestic::accesses::{Account, account_of};
use crate::domestic::acts::{MAX_STATEMENT_BYTES, verified};
use crate::domestic::disclosures::FOR_THE_PERSON;
use crate::domestic::submit::{Mode, Submission, commit, prepare};
use crate::node::Node;
use crate::opening::outer_of;
use crate::register::KnownAgency;
use crate::serve::{ProblemReply, json_reply, read_body, read_json};
use crate::subjects::SubjectOf;

/// The type that answers; an agency does not submit it.
pub(super) const ANSWERS: &str = "rights.response";

/// Lines of the ledger that one answer holds, as its schema does.
const MAX_LINES: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerForm {
    statement: String,
    subject: Subject,
}

/// `POST /v1/messages/{id}/response`: the officer's signed word, and with it the answer to the country that asked.
pub async fn answer(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let bytes = read_body(body, MAX_STATEMENT_BYTES, node.config.times.body_seconds).await?;
    let AnswerForm { statement, subject } = read_json(&bytes)?;
    let (question, account) = account_of(&node, &caller, &id).await?;
    let said = verified::<Answers>(&node, &caller, TYP_ANSWERS, &statement)?;
    let says = &said.act().says;
    says.check(question.message, question.message_type.as_str(), account.digest()?)?;
    let draft = draft(&question, &account, says, &subject)?;
    let mut prepared = prepare(&node, &caller, &draft, &Mode::Submit).await?;
    if let Some(message) = prepared.verdict.message_id {
        let at_ms = node.clock.now_ms();
        let digest = Digest::of(said.compact().as_bytes());
        let record = LeafRecord { kind: "rights.answer", id: message.to_string(), digest, at_ms };
        let leaf = LeafRow::of(&record, None, node.random.as_ref());
        prepared.writes.push(Write::Leaf(leaf.map_err(|_| Problem::new(&problem::INTERNAL))?));
        if ends_restriction(&question, says.outcome) {
            prepared.writes.push(Write::Unrestrict { question: question.message, at_ms });
        }
        let erases = question.message_type.as_str() == "rights.erase" && says.outcome == Outcome::Done;
        prepared.erases =
            erases.then(|| SubjectOf::Peer(&question.peer, &account.subject_ref).tag(&node.keys.subjects));
    }
    let verdicts = commit(&node, vec![prepared], |_| None).await?;
    let verdict = verdicts.and_then(|verdicts| verdicts.into_iter().next());
    let verdict = verdict.ok_or_else(|| Problem::new(&problem::INTERNAL))?;
    Ok(json_reply(StatusCode::OK, &verdict))
}

/// Whether what she asked restricts no more: it was refused, or what she wanted erased is.
fn ends_restriction(question: &MessageRow, outcome: Outcome) -> bool {
    let erased = question.message_type.as_str() == "rights.erase" && outcome == Outcome::Done;
    erased || outcome == Outcome::Refused
}

fn draft(
    question: &MessageRow,
    account: &Account,
    says: &Answers,
    subject: &Subject,
) -> Result<Submission, Problem> {
    // The office that asked; after an erasure only its role is known.
    let office = outer_of(question).ok().map(|outer| outer.claims().puente.sender.agency.clone());
    let mut told = Map::new();
    told.insert("status".to_owned(), json!(says.outcome.as_str()));
    if let Some(ground) = &says.ground {
        told.insert("code".to_owned(), json!(ground));
    }
    if says.outcome == Outcome::Answered {
        let lines: Vec<&Value> = account.disclosures.iter().take(MAX_LINES).collect();
        told.insert("disclosures".to_owned(), json!(lines));
    }
    Submission::from_json(json!({
        "type": ANSWERS,
        "role": question.role,
        "recipient": {"country": question.peer, "role": FOR_THE_PERSON, "agency": office},
        "case": question.case,
        "in_reply_to": question.message,
        "purpose": "data_subject_rights",
        "legal_basis": {"type": "control"},
        "facts": {"identity_proven": "yes"},
        "subject": subject,
        "sections": {"ops.metadata": told},
    }))
    .map_err(|_| Problem::new(&problem::BODY_MALFORMED))
}
