//! The receiving end of the floor: from wire forms to stored rows and signed receipts.

use std::collections::BTreeSet;

use anyhow::Context as _;
use jiff::Timestamp;
use uuid::Uuid;

use puente_core::delivery::{
    CommitId, DecisionRow, Direction, Event, EventKind, InboundRow, LeafRow, MessageRow, ReceiptRow, Write,
};
use puente_core::envelope::{Receiving, VerifiedOuter, verify_outer};
use puente_core::evidence::{LeafRecord, Receipt, ReceiptEntry, ReceiptState, issue_batch};
use puente_core::ids::{CountryCode, DecisionId, Realm};
use puente_core::membership::SendersOf;
use puente_core::policy::{BasisType, Known, Party, PeerStatus, ReceiveFacts};
use puente_node::keys::SystemRandom;
use puente_node::store::Store as _;
use puente_node::subjects::{SubjectOf, keeping};

use super::{End, NOTICE_DAYS};

/// The end that receives.
pub struct Receiver {
    end: End,
    peer: CountryCode,
}

impl Receiver {
    pub fn new(end: End, peer: CountryCode) -> anyhow::Result<Self> {
        Ok(Self { end, peer })
    }

    pub async fn commit(&self, id: CommitId, writes: Vec<Write>) -> anyhow::Result<()> {
        self.end.store.commit(id, writes).await?;
        Ok(())
    }

    /// Verifies, decides and receipts a batch; answers the receipts and the rows.
    pub fn accept(&self, wires: &[Vec<u8>]) -> anyhow::Result<(Vec<Receipt>, Vec<Write>)> {
        let now = self.end.now();
        let membership = &self.end.membership;
        let receiving = Receiving {
            us: &self.end.country,
            realm: Realm::Training,
            now: now.as_second(),
            peer: &self.peer,
            keys: &SendersOf { membership, country: &self.peer, at: now.as_second() },
        };
        let (mut writes, mut entries) = (Vec::with_capacity(wires.len() * 5), Vec::new());
        for wire in wires {
            let outer = verify_outer(wire, &receiving)
                .map_err(|problem| anyhow::anyhow!("message: {}", problem.kind.code))?;
            self.keep(wire, &outer, now, &mut writes)?;
            entries.push(self.entry(&outer, now, &mut writes)?);
        }
        let signer = self.end.keys.receipt.as_ref();
        let (us, to) = (&self.end.country, &self.peer);
        let batch = issue_batch(&entries, us, to, Realm::Training, now.as_second(), signer)?;
        for (entry, receipt) in entries.iter().zip(&batch.receipts) {
            writes.push(Write::Receipt(ReceiptRow {
                direction: Direction::In,
                peer: self.peer.clone(),
                message: entry.message_id,
                release: entry.release_id,
                state: entry.state.as_str().to_owned(),
                code: None,
                at_ms: entry.at_ms,
                receipt: serde_json::to_vec(receipt)?,
                to_send: false,
            }));
        }
        Ok((batch.receipts, writes))
    }

    /// The receiver's decision, the message's row and the word to the agency.
    fn keep(
        &self,
        wire: &[u8],
        outer: &VerifiedOuter,
        now: Timestamp,
        writes: &mut Vec<Write>,
    ) -> anyhow::Result<()> {
        let rules = &self.end.rules;
        let (claims, header) = (outer.claims(), &outer.claims().puente);
        let decision = rules.policy.receive(&self.facts(outer, now)?);
        decision.permit().with_context(|| format!("a message was stopped by {:?}", decision.rule))?;
        let descriptor = rules.catalogue.descriptor(&header.message_type, Some(header.version));
        let now_ms = now.as_millisecond();
        let subject = SubjectOf::named_by(&self.peer, header).tag(&self.end.keys.subjects);
        writes.push(Write::Decision(DecisionRow {
            decision: DecisionId(Uuid::now_v7()),
            message: Some(claims.jti),
            outcome: decision.outcome.as_str().to_owned(),
            rule: decision.rule.as_str().to_owned(),
            spoke: decision.spoke.iter().map(|rule| rule.as_str().to_owned()).collect(),
            policy: decision.digest,
            subject: Some(subject),
            facts: serde_json::to_vec(header)?,
            at_ms: now_ms,
        }));
        writes.push(Write::Inbound(InboundRow {
            keeping: Some(keeping(&rules.policy, header, subject, now_ms, NOTICE_DAYS)),
            issuer_digest: outer.issuer_digest(),
            keep_until_ms: claims.exp * 1000 + 30 * 86_400_000,
            message: MessageRow {
                direction: Direction::In,
                message: claims.jti,
                release: outer.release(),
                peer: self.peer.clone(),
                lane: descriptor.context("unknown type")?.lane,
                message_type: header.message_type.clone(),
                version: header.version,
                agency: None,
                role: header.recipient.role.clone(),
                case: header.case,
                operation: header.operation,
                row: None,
                in_reply_to: None,
                step: None,
                created_ms: now_ms,
                expires_ms: claims.exp * 1000,
                state: "accepted".to_owned(),
                code: None,
                categories: outer.labels().iter().map(ToString::to_string).collect(),
                wire: wire.to_vec(),
            },
        }));
        writes.push(Write::Event(Event {
            kind: EventKind::MessageReceived,
            agency: None,
            role: header.recipient.role.clone(),
            message: Some(claims.jti),
            approval: None,
            message_type: Some(header.message_type.clone()),
            state: "accepted".to_owned(),
            at_ms: now_ms,
        }));
        Ok(())
    }

    /// The receipt's entry and its leaf.
    fn entry(
        &self,
        outer: &VerifiedOuter,
        now: Timestamp,
        writes: &mut Vec<Write>,
    ) -> anyhow::Result<ReceiptEntry> {
        let (id, at_ms) = (outer.claims().jti, now.as_millisecond());
        let record =
            LeafRecord { kind: "receipt", id: format!("{id}:accepted"), digest: outer.release(), at_ms };
        let leaf = LeafRow::of(&record, None, &SystemRandom)?;
        let leaf_hash = leaf.leaf;
        writes.push(Write::Leaf(leaf));
        Ok(ReceiptEntry {
            message_id: id,
            release_id: outer.release(),
            state: ReceiptState::Accepted,
            code: None,
            at_ms,
            log_origin: format!("puente/training/{}", self.end.country.lower()),
            leaf_hash,
            salt: puente_core::envelope::base64url(Uuid::new_v4().as_bytes()),
        })
    }

    fn facts(&self, outer: &VerifiedOuter, now: Timestamp) -> anyhow::Result<ReceiveFacts> {
        let header = &outer.claims().puente;
        let (from, here) = (&self.peer, &self.end.country);
        let claim = |id| self.end.rules.agreements.claim(id, from, here, &header.message_type, now);
        let basis: BasisType = serde_json::from_value(header.legal_basis.kind.clone().into())?;
        Ok(ReceiveFacts {
            realm: Realm::Training,
            message: header.message_type.clone(),
            purpose: header.purpose.clone(),
            sender: Party { country: from.clone(), role: header.sender.role.clone() },
            recipient: Party { country: here.clone(), role: header.recipient.role.clone() },
            labels: outer.labels().iter().cloned().collect::<BTreeSet<_>>(),
            basis,
            agreement: header.legal_basis.agreement.as_ref().map(claim),
            consent: None,
            consent_withdrawn: false,
            peer_status: PeerStatus::Active,
            message_expired: false,
            originator: None,
            originator_authorises: Known::Unknown,
            retention_days: header.handling.retention_days,
            now,
        })
    }
}
