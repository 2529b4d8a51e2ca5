//! Taking a batch in: outer verification, the receiver's own decision, one commit, signed receipts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use puente_core::cases::Mark;
use puente_core::delivery::{
    DecisionRow, Direction, Event, EventKind, InboundRow, MessageRow, SubjectTag, Write,
};
use puente_core::envelope::{Header, Receiving, VerifiedOuter, verify_outer};
use puente_core::evidence::{Receipt, ReceiptState};
use puente_core::ids::{DecisionId, MessageId};
use puente_core::membership::{SendersOf, VerifiedPeer};
use puente_core::policy::{ConsentExtract, Known, Party, PeerStatus, ReceiveFacts, RecordedFacts};
use puente_core::problem::{self, Problem};
use puente_core::suspension::Flow;

use crate::chunks::{self, Standing};
use crate::consent::is_withdrawn;
use crate::duty::{answer_came, begins};
use crate::federation::notices::{consequences, withdraws_nothing};
use crate::federation::replaced::replaced;
use crate::federation::wire::{Delivered, LineCode, LineReceipt};
use crate::node::{Node, store_problem};
use crate::receipts::{self, Travel};
use crate::serve::{ProblemReply, json_reply, read_body};
use crate::store::{ChunkOwner, Guard, KnownInbound, StoreError};
use crate::subjects::{SubjectOf, keeping};

use crate::telemetry::Face;

/// Ids are kept this long after a message's expiry (PROTOCOL.md section 1).
pub(super) const KEEP_AFTER_EXPIRY_MS: i64 = 30 * 86_400_000;

/// A message whose predecessor has not come waits this long at its sender, then is applied.
const PARK_S: i64 = 30;

/// Longest pseudonym of a person that is kept for finding; ours has 22 characters.
const MAX_SUBJECT_REF: usize = 86;

/// Messages verified before others get the worker: some 2 ms, so that no alert waits behind a whole list.
const AT_A_STRETCH: usize = 16;

/// `POST /federation/v1/messages`.
pub async fn deliver(
    State(node): State<Arc<Node>>,
    Extension(peer): Extension<Arc<VerifiedPeer>>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let bytes =
        read_body(body, node.config.limits.federation_body_bytes, node.config.times.body_seconds).await?;
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    if lines.len() > node.config.limits.delivery_messages {
        return Err(Problem::new(&problem::BODY_TOO_LARGE).because("messages in one delivery").into());
    }
    // A concurrent delivery of the same id, or another hand on the same clock, makes the first commit fail; the second
    // look finds it stored.
    for _ in 0..3 {
        match take(&node, &peer, &lines).await? {
            Some(delivered) => return Ok(json_reply(StatusCode::OK, &delivered)),
            None => continue,
        }
    }
    Err(Problem::new(&problem::OVERLOADED).into())
}

struct Line {
    number: usize,
    outer: VerifiedOuter,
}

async fn take(node: &Node, peer: &VerifiedPeer, lines: &[&[u8]]) -> Result<Option<Delivered>, Problem> {
    let mut delivered = Delivered::default();
    let mut fresh_lines = Vec::with_capacity(lines.len());
    for (stretch, some) in lines.chunks(AT_A_STRETCH).enumerate() {
        authenticate(node, peer, stretch * AT_A_STRETCH, some, &mut fresh_lines, &mut delivered);
        tokio::task::yield_now().await;
    }
    let known = known(node, &fresh_lines).await?;
    let mut seen = BTreeSet::new();
    let mut outcomes = Vec::new();
    let mut numbers = Vec::new();
    let mut writes = Vec::new();
    let mut answered = BTreeSet::new();
    let mut stopped = BTreeSet::new();
    for Line { number, outer } in &fresh_lines {
        let id = outer.claims().jti;
        if let Some(stored) = known.get(&id) {
            repeat(*number, peer, outer, stored, &mut delivered);
            continue;
        }
        if !seen.insert(id) {
            delivered
                .unreceipted
                .push(LineCode { line: *number, code: problem::MESSAGE_CONFLICT.code.to_owned() });
            continue;
        }
        let sender = ChunkOwner::Peer(peer.country().clone());
        let attached = chunks::standing(node, &sender, &outer.claims().puente.attachments).await?;
        if let Some(code) = waits(node, outer, &known, &seen, attached) {
            seen.remove(&id);
            delivered.unreceipted.push(LineCode { line: *number, code: code.to_owned() });
            continue;
        }
        let withdrawn = is_withdrawn(node, outer).await?;
        let code = match attached {
            Standing::Mismatch => Some(problem::ATTACHMENT_MISMATCH.code),
            Standing::Whole | Standing::Incomplete => judge(node, peer, outer, withdrawn, &mut writes),
        };
        if code.is_none() {
            writes.extend(consequences(node, outer, &mut answered).await?);
            writes.extend(replaced(node, outer).await?);
            writes.extend(answer_came(node, outer, &mut stopped).await?);
        }
        writes.extend(inbound(node, peer, outer, code, lines.get(*number).copied().unwrap_or_default()));
        let state = if code.is_none() { ReceiptState::Accepted } else { ReceiptState::Refused };
        let verdict = if code.is_none() { "accepted" } else { "refused" };
        // A type that this catalogue does not have would be a label of the peer's choosing.
        let message_type = &outer.claims().puente.message_type;
        if node.rules.get().catalogue.versions(message_type).next().is_some() {
            node.metrics.message(message_type, "in", verdict);
        } else {
            node.metrics.rejected(Face::Federation, problem::TYPE_UNKNOWN.code);
        }
        outcomes.push(receipts::Outcome {
            message: id,
            release: outer.release(),
            state,
            code: code.map(str::to_owned),
        });
        numbers.push(*number);
    }
    if outcomes.is_empty() {
        return Ok(Some(delivered));
    }
    let (made, receipt_writes) = receipts::make(node, peer.country(), &outcomes, Travel::Now)?;
    writes.extend(receipt_writes);
    match node.commit(writes).await {
        Ok(_durable) => {
            let receipts = numbers.into_iter().zip(made);
            delivered.receipts.extend(receipts.map(|(line, receipt)| LineReceipt {
                line,
                code: None,
                receipt,
            }));
            Ok(Some(delivered))
        }
        Err(StoreError::Conflict { what: Guard::Taken | Guard::Changed, .. }) => Ok(None),
        Err(error) => Err(store_problem(&error)),
    }
}

/// Verifies lines that begin with this number.
fn authenticate(
    node: &Node,
    peer: &VerifiedPeer,
    first: usize,
    lines: &[&[u8]],
    verified: &mut Vec<Line>,
    delivered: &mut Delivered,
) {
    let membership = node.membership.get();
    let now = node.clocks.agreed_s(node.clock.now_s());
    let receiving = Receiving {
        us: node.country(),
        realm: node.realm(),
        now,
        peer: peer.country(),
        keys: &SendersOf { membership: &membership, country: peer.country(), at: now },
    };
    for (number, line) in (first..).zip(lines) {
        match verify_outer(line, &receiving) {
            Ok(outer) => verified.push(Line { number, outer }),
            Err(problem) => {
                node.metrics.rejected(Face::Federation, problem.kind.code);
                delivered.unreceipted.push(LineCode { line: number, code: problem.kind.code.to_owned() });
            }
        }
    }
}

async fn known(node: &Node, lines: &[Line]) -> Result<BTreeMap<MessageId, KnownInbound>, Problem> {
    let ids = lines
        .iter()
        .flat_map(|line| [Some(line.outer.claims().jti), line.outer.claims().puente.after])
        .flatten()
        .collect();
    let known = node.store.known_inbound(ids).await.map_err(|error| store_problem(&error))?;
    Ok(known.into_iter().map(|known| (known.message, known)).collect())
}

/// The same id again: the first receipt, whatever is asked now; another issuer JWT is a conflict, and so is an id of
/// another member. What we signed that we would never accept gets that word again.
fn repeat(
    number: usize,
    peer: &VerifiedPeer,
    outer: &VerifiedOuter,
    stored: &KnownInbound,
    delivered: &mut Delivered,
) {
    let receipt: Option<Receipt> = serde_json::from_slice(&stored.receipt).ok();
    let same = stored.peer == *peer.country()
        && stored.issuer_digest.is_none_or(|issuer| issuer == outer.issuer_digest());
    match receipt {
        Some(receipt) if same => {
            let other_release = stored.release != outer.release();
            let code = other_release.then(|| problem::ALREADY_EFFECTIVE.code.to_owned());
            delivered.receipts.push(LineReceipt { line: number, code, receipt });
        }
        _ => delivered
            .unreceipted
            .push(LineCode { line: number, code: problem::MESSAGE_CONFLICT.code.to_owned() }),
    }
}

/// Whether the message has to come again later: a suspension, or its predecessor or a chunk is not here yet.
fn waits(
    node: &Node,
    outer: &VerifiedOuter,
    known: &BTreeMap<MessageId, KnownInbound>,
    in_batch: &BTreeSet<MessageId>,
    attached: Standing,
) -> Option<&'static str> {
    let claims = outer.claims();
    // Not refused: the sender keeps it, and it is taken once the suspension is lifted.
    if peer_status(node, outer) != PeerStatus::Active {
        return Some(problem::EXCHANGE_SUSPENDED.code);
    }
    if attached == Standing::Incomplete {
        return Some(problem::ATTACHMENT_INCOMPLETE.code);
    }
    let after = claims.puente.after?;
    let applied = known.contains_key(&after) || in_batch.contains(&after);
    let parked = node.clock.now_s().saturating_sub(claims.iat) <= PARK_S;
    if !applied && !parked {
        tracing::warn!(message = %claims.jti, "applied without its predecessor");
    }
    (!applied && parked).then_some(problem::MESSAGE_PARKED.code)
}

/// How the sender stands for this message, by what this node has suspended now.
fn peer_status(node: &Node, outer: &VerifiedOuter) -> PeerStatus {
    let header = &outer.claims().puente;
    node.suspensions.get().standing(Flow {
        peer: &header.sender.country,
        message: &header.message_type,
        purpose: &header.purpose,
        categories: outer.labels(),
    })
}

/// The receiver's decision; `Some` is the code that the other side may read.
fn judge(
    node: &Node,
    peer: &VerifiedPeer,
    outer: &VerifiedOuter,
    withdrawn: bool,
    writes: &mut Vec<Write>,
) -> Option<&'static str> {
    let rules = node.rules.get();
    let claims = outer.claims();
    let header = &claims.puente;
    if rules.catalogue.versions(&header.message_type).next().is_none() {
        return Some(problem::TYPE_UNKNOWN.code);
    }
    if rules.catalogue.descriptor(&header.message_type, Some(header.version)).is_none() {
        return Some(problem::TYPE_VERSION.code);
    }
    let to = &header.recipient;
    let (membership, from) = (node.membership.get(), &header.sender);
    if withdraws_nothing(outer)
        || !membership.answers(node.country(), &to.role, to.agency.as_ref())
        || !membership.answers(peer.country(), &from.role, Some(&from.agency))
    {
        return Some(problem::REFUSED.code);
    }
    let Ok(basis) = serde_json::from_value(serde_json::Value::String(header.legal_basis.kind.clone())) else {
        return Some(problem::REFUSED.code);
    };
    let at_ms = node.clock.now_ms();
    let now = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let agreement = header.legal_basis.agreement.as_ref();
    let facts = ReceiveFacts {
        realm: node.realm(),
        message: header.message_type.clone(),
        purpose: header.purpose.clone(),
        sender: Party { country: peer.country().clone(), role: header.sender.role.clone() },
        recipient: Party { country: node.country().clone(), role: to.role.clone() },
        labels: outer.labels().iter().cloned().collect(),
        basis,
        agreement: agreement
            .map(|id| rules.agreements.claim(id, peer.country(), node.country(), &header.message_type, now)),
        consent: claims.consent.as_ref().map(extract),
        consent_withdrawn: withdrawn,
        peer_status: peer_status(node, outer),
        message_expired: false,
        originator: None,
        originator_authorises: Known::Unknown,
        retention_days: header.handling.retention_days,
        now,
    };
    let decision = rules.policy.receive(&facts);
    node.metrics.verdict(decision.outcome.as_str(), Some(decision.rule.as_str()));
    writes.push(Write::Decision(DecisionRow {
        decision: DecisionId(node.fresh_id()),
        message: Some(claims.jti),
        outcome: decision.outcome.as_str().to_owned(),
        rule: decision.rule.as_str().to_owned(),
        spoke: decision.spoke.iter().map(|rule| rule.as_str().to_owned()).collect(),
        policy: decision.digest,
        subject: Some(subject(node, peer, header)),
        facts: RecordedFacts::from(&facts).to_bytes().unwrap_or_default(),
        at_ms,
    }));
    (!decision.outcome.is_permitted()).then_some(problem::REFUSED.code)
}

fn extract(consent: &puente_core::envelope::ConsentExtract) -> ConsentExtract {
    let giver = serde_json::from_value(serde_json::Value::String(consent.given_by.clone()));
    ConsentExtract {
        giver: giver.unwrap_or(puente_core::policy::GivenBy::Unknown),
        purposes: Some(consent.purposes.iter().cloned().collect()),
        recipients: None,
        categories: Some(consent.categories.iter().cloned().collect()),
        not_after: Timestamp::from_second(consent.not_after).ok(),
    }
}

/// Whose key seals what is kept of a message.
fn subject(node: &Node, peer: &VerifiedPeer, header: &Header) -> SubjectTag {
    SubjectOf::named_by(peer.country(), header).tag(&node.keys.subjects)
}

fn inbound(
    node: &Node,
    peer: &VerifiedPeer,
    outer: &VerifiedOuter,
    code: Option<&'static str>,
    wire: &[u8],
) -> Vec<Write> {
    let claims = outer.claims();
    let header = &claims.puente;
    let at_ms = node.clock.now_ms();
    let expires_ms = claims.exp.saturating_mul(1000);
    let state = if code.is_none() { "accepted" } else { "refused" };
    let lane = node
        .rules
        .get()
        .catalogue
        .descriptor(&header.message_type, Some(header.version))
        .map_or(puente_core::catalogue::Lane::Bulk, |descriptor| descriptor.lane);
    let row = MessageRow {
        direction: Direction::In,
        message: claims.jti,
        release: outer.release(),
        peer: peer.country().clone(),
        lane,
        message_type: header.message_type.clone(),
        version: header.version,
        agency: header.recipient.agency.clone(),
        role: header.recipient.role.clone(),
        case: header.case,
        operation: header.operation,
        row: None,
        in_reply_to: header.in_reply_to,
        step: Mark::of(header, claims.jti, claims.iat),
        created_ms: at_ms,
        expires_ms,
        state: state.to_owned(),
        code: code.map(str::to_owned),
        categories: outer.labels().iter().map(ToString::to_string).collect(),
        wire: if code.is_none() { wire.to_vec() } else { Vec::new() },
    };
    let clock = code
        .is_none()
        .then(|| begins(&node.rules.get(), &row, &header.sender.role, &header.recipient.role))
        .flatten();
    let mut writes = vec![Write::Inbound(InboundRow {
        // What was refused is receipted and forgotten: its content is not kept.
        keeping: code.is_none().then(|| {
            let notice_days = node.config.retention.notice_days;
            keeping(&node.rules.get().policy, header, subject(node, peer, header), at_ms, notice_days)
        }),
        issuer_digest: outer.issuer_digest(),
        keep_until_ms: expires_ms.saturating_add(KEEP_AFTER_EXPIRY_MS),
        message: row,
    })];
    writes.extend(clock);
    if code.is_none() {
        let subject_ref =
            header.subject_ref.clone().filter(|subject_ref| subject_ref.len() <= MAX_SUBJECT_REF);
        writes.extend(subject_ref.map(|subject_ref| Write::Received {
            message: claims.jti,
            peer: peer.country().clone(),
            subject_ref,
        }));
        writes.push(Write::Event(Event {
            kind: EventKind::MessageReceived,
            agency: header.recipient.agency.clone(),
            role: header.recipient.role.clone(),
            message: Some(claims.jti),
            approval: None,
            message_type: Some(header.message_type.clone()),
            state: state.to_owned(),
            at_ms,
        }));
    }
    writes
}
