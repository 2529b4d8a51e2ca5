//! Settling what a peer's receipts say: verified, stored, told to the agency that sent.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use puente_core::delivery::{Direction, Event, EventKind, MessageRow, OutboundState, ReceiptRow, Write};
use puente_core::envelope::{CLOCK_TOLERANCE_S, CryptoFailure, Verify, claimed_key};
use puente_core::evidence::{Receipt, ReceiptEntry, ReceiptState, claimed_time, verify_receipt};
use puente_core::ids::{AgencyId, CountryCode, KeyId, MessageType, Role};
use puente_core::membership::{KeyUse, VerifiedPeer};
use puente_core::problem::{self, Kind, Problem};

use crate::duty::receipted;
use crate::federation::wire::{ReceiptList, ReceiptsTaken};
use crate::node::{Node, store_problem};
use crate::serve::{ProblemReply, json_reply, read_body, read_json};
use crate::telemetry::Face;

/// Most receipts in one request.
const MAX_RECEIPTS: usize = 1_000;

/// A verifier that remembers the last root it verified: a batch has one root and many receipts.
struct Remembering {
    key: Arc<dyn Verify>,
    last: Mutex<Option<(String, Vec<u8>)>>,
}

impl Verify for Remembering {
    fn verify(&self, typ: &str, compact: &str) -> Result<Vec<u8>, CryptoFailure> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, payload)) = last.as_ref().filter(|(known, _)| known == compact) {
            return Ok(payload.clone());
        }
        let payload = self.key.verify(typ, compact)?;
        *last = Some((compact.to_owned(), payload.clone()));
        Ok(payload)
    }
}

/// Verifies receipts of one peer. A receipt is for ever: the key that counts is the one that stood when it was signed.
pub struct Verifier<'a> {
    node: &'a Node,
    peer: &'a CountryCode,
    key: Option<(KeyId, i64, Remembering)>,
}

impl<'a> Verifier<'a> {
    /// Receipts of this peer for this node.
    pub const fn new(node: &'a Node, peer: &'a CountryCode) -> Self {
        Self { node, peer, key: None }
    }

    /// The verified entry of a receipt.
    ///
    /// # Errors
    /// As `verify_receipt`, and `envelope.key` when the key is not the peer's.
    pub fn verify(&mut self, receipt: &Receipt) -> Result<ReceiptEntry, Problem> {
        let malformed = || Problem::new(&problem::ENVELOPE_MALFORMED).at("receipt");
        let kid = claimed_key(&receipt.root).ok_or_else(malformed)?;
        let signed_at = claimed_time(receipt).ok_or_else(malformed)?;
        let now = self.node.clocks.agreed_s(self.node.clock.now_s());
        if signed_at > now.saturating_add(CLOCK_TOLERANCE_S) {
            return Err(Problem::new(&problem::CLOCK_SKEW).at("receipt"));
        }
        if self.key.as_ref().is_none_or(|(known, at, _)| (known, *at) != (&kid, signed_at)) {
            let membership = self.node.membership.get();
            let key = membership
                .verifier(self.peer, KeyUse::Receipt, &kid, signed_at)
                .ok_or_else(|| Problem::new(&problem::ENVELOPE_KEY).at("receipt"))?;
            self.key = Some((kid, signed_at, Remembering { key, last: Mutex::new(None) }));
        }
        let (_, _, key) = self.key.as_ref().ok_or_else(|| Problem::new(&problem::INTERNAL))?;
        verify_receipt(receipt, self.peer, self.node.country(), self.node.realm(), key)
    }
}

/// The outbound message that a receipt is about.
pub struct Sent {
    /// The agency that sent it.
    pub agency: Option<AgencyId>,
    /// Its role.
    pub role: Role,
    /// The message's type.
    pub message_type: MessageType,
    /// Why it was taken out of the queue, when it was.
    pub taken_out: Option<&'static Kind>,
}

/// What a verified receipt writes: the receipt, the outbox state when it is the first, and the word to the agency.
///
/// # Errors
/// When the receipt cannot be serialised.
pub fn settle(
    peer: &CountryCode,
    receipt: &Receipt,
    entry: &ReceiptEntry,
    sent: &Sent,
    now_ms: i64,
) -> Result<Vec<Write>, Problem> {
    let bytes = serde_json::to_vec(receipt).map_err(|_| Problem::new(&problem::INTERNAL))?;
    let mut writes = vec![Write::Receipt(ReceiptRow {
        direction: Direction::Out,
        peer: peer.clone(),
        message: entry.message_id,
        release: entry.release_id,
        state: entry.state.as_str().to_owned(),
        code: entry.code.clone(),
        at_ms: entry.at_ms,
        receipt: bytes,
        to_send: false,
    })];
    let final_state = match entry.state {
        ReceiptState::Accepted => Some(OutboundState::Accepted),
        ReceiptState::Refused => Some(OutboundState::Refused),
        ReceiptState::NeverAccepted if sent.taken_out.is_some() => Some(OutboundState::Cancelled),
        ReceiptState::NeverAccepted => Some(OutboundState::Expired),
        _ => None,
    };
    let reason = sent.taken_out.filter(|_| final_state == Some(OutboundState::Cancelled));
    if let Some(state) = final_state {
        writes.push(Write::OutboundState {
            message: entry.message_id,
            release: entry.release_id,
            state,
            code: reason.map_or_else(|| entry.code.clone(), |reason| Some(reason.code.to_owned())),
            due_ms: now_ms,
            attempts: 0,
        });
    }
    writes.push(Write::Event(Event {
        kind: EventKind::MessageState,
        agency: sent.agency.clone(),
        role: sent.role.clone(),
        message: Some(entry.message_id),
        approval: None,
        message_type: Some(sent.message_type.clone()),
        state: entry.state.as_str().to_owned(),
        at_ms: now_ms,
    }));
    Ok(writes)
}

/// `POST /federation/v1/receipts`: later states of messages that we sent. One that does not verify now is named, so
/// that it comes again and the others need not.
pub async fn take_receipts(
    State(node): State<Arc<Node>>,
    Extension(peer): Extension<Arc<VerifiedPeer>>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let bytes =
        read_body(body, node.config.limits.federation_body_bytes, node.config.times.body_seconds).await?;
    let list: ReceiptList = read_json(&bytes)?;
    if list.receipts.len() > MAX_RECEIPTS {
        return Err(Problem::new(&problem::BODY_TOO_LARGE).because("receipts").into());
    }
    let mut verifier = Verifier::new(&node, peer.country());
    let mut writes = Vec::new();
    let mut taken = ReceiptsTaken::default();
    for (index, receipt) in list.receipts.iter().enumerate() {
        match verifier.verify(receipt) {
            Ok(entry) => writes.extend(later_state(&node, &peer, receipt, &entry).await?),
            Err(problem) => {
                node.metrics.rejected(Face::Federation, problem.kind.code);
                taken.unverified.push(index);
            }
        }
    }
    if !writes.is_empty() {
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
    }
    Ok(json_reply(StatusCode::OK, &taken))
}

/// What a verified receipt of a later state writes; nothing when it is known, or about what this peer was never sent.
async fn later_state(
    node: &Node,
    peer: &VerifiedPeer,
    receipt: &Receipt,
    entry: &ReceiptEntry,
) -> Result<Vec<Write>, Problem> {
    let first =
        matches!(entry.state, ReceiptState::Accepted | ReceiptState::Refused | ReceiptState::NeverAccepted);
    if first {
        return Ok(Vec::new());
    }
    let row = node.store.message(entry.message_id).await.map_err(|error| store_problem(&error))?;
    let ours = |row: &MessageRow| row.direction == Direction::Out && row.peer == *peer.country();
    let Some(row) = row.filter(|row| ours(row) && row.release == entry.release_id) else {
        return Ok(Vec::new());
    };
    let stored = node.store.receipts(entry.message_id).await.map_err(|error| store_problem(&error))?;
    if stored.iter().any(|known| known.release == entry.release_id && known.state == entry.state.as_str()) {
        return Ok(Vec::new());
    }
    let about = row.message_type.clone();
    let sent = Sent { agency: row.agency, role: row.role, message_type: row.message_type, taken_out: None };
    let mut writes = settle(peer.country(), receipt, entry, &sent, node.clock.now_ms())?;
    writes.extend(receipted(node, &about, entry).await?);
    Ok(writes)
}
