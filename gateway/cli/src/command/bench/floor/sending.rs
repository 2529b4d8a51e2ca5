//! The sending end of the floor: from a request body to rows in the outbox, and from receipts to settled rows.

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use puente_core::delivery::{
    CommitId, DecisionRow, Direction, Event, EventKind, Ground, Keeping, LeafRow, MessageRow, OutboundRow,
    OutboundState, ReceiptRow, Write,
};
use puente_core::envelope::{
    BasisRef, CryptoFailure, Draft, Handling, Header, PolicyRef, SenderRef, Statement, TYP_DIRECT, Verify,
    release,
};
use puente_core::evidence::{LeafRecord, Receipt, TYP_RECEIPT, verify_receipt};
use puente_core::ids::{CaseId, CountryCode, DecisionId, KeyId, MessageId, Realm, Role};
use puente_core::json;
use puente_core::membership::KeyUse;
use puente_core::policy::{HostFacts, LegalBasis, Party, PolicyEngine, SendFacts};
use puente_node::domestic::submit::Submission;
use puente_node::keys::SystemRandom;
use puente_node::store::Store as _;
use puente_node::subjects::SubjectOf;

use super::{End, NOTICE_DAYS};
use crate::command::bench::stage::{RECEIVER, SENDER};

/// The end that submits.
pub struct Sender {
    end: End,
    role: Role,
}

/// A root that was verified already: one signature for all receipts of a batch.
struct VerifiedRoot(Vec<u8>);

impl Verify for VerifiedRoot {
    fn verify(&self, _typ: &str, _compact: &str) -> Result<Vec<u8>, CryptoFailure> {
        Ok(self.0.clone())
    }
}

impl Sender {
    pub fn new(end: End) -> anyhow::Result<Self> {
        Ok(Self { end, role: SENDER.2.parse()? })
    }

    pub const fn country(&self) -> &CountryCode {
        &self.end.country
    }

    pub const fn policy(&self) -> &PolicyEngine {
        &self.end.rules.policy
    }

    /// Signs as the issuer does.
    pub fn sign(&self, claims: &[u8]) -> anyhow::Result<String> {
        Ok(self.end.keys.message.sign(TYP_DIRECT, claims)?)
    }

    pub async fn commit(&self, id: CommitId, writes: Vec<Write>) -> anyhow::Result<()> {
        self.end.store.commit(id, writes).await?;
        Ok(())
    }

    /// What policy is asked about each row of a body.
    pub fn questions(&self, body: &[u8]) -> anyhow::Result<Vec<SendFacts>> {
        Ok(parse(body)?.iter().map(|row| self.facts(row, self.end.now())).collect())
    }

    /// Parses, validates, decides, seals and signs; answers the wire forms and the rows.
    pub fn release(&self, bodies: &[Vec<u8>]) -> anyhow::Result<(Vec<Vec<u8>>, Vec<Write>)> {
        let (mut wires, mut writes) = (Vec::new(), Vec::new());
        for body in bodies {
            for row in parse(body)? {
                self.release_one(&row, &mut wires, &mut writes)?;
            }
        }
        Ok((wires, writes))
    }

    fn release_one(
        &self,
        row: &Submission,
        wires: &mut Vec<Vec<u8>>,
        writes: &mut Vec<Write>,
    ) -> anyhow::Result<()> {
        let rules = &self.end.rules;
        let descriptor = rules.catalogue.descriptor(&row.message_type, None).context("unknown type")?;
        for (category, section) in &row.sections {
            if !rules.catalogue.validate(descriptor, category, section.reveal()).is_empty() {
                bail!("a row of the workload is not of its schema");
            }
        }
        let now = self.end.now();
        let (now_ms, now_s) = (now.as_millisecond(), now.as_second());
        let facts = self.facts(row, now);
        let decision = rules.policy.send(&facts);
        let permit =
            decision.permit().with_context(|| format!("a row was stopped by {:?}", decision.rule))?;
        let to = &row.recipient;
        let sealer = self.end.membership.sealer(&to.country, &to.role, to.agency.as_ref(), now_s)?;
        let (message, case) = (MessageId(Uuid::now_v7()), CaseId(Uuid::now_v7()));
        let decision_id = DecisionId(Uuid::now_v7());
        let expires_at = now_s + i64::from(descriptor.expires_hours) * 3600;
        let draft = Draft {
            statement: Statement {
                message,
                realm: Realm::Training,
                from: self.end.country.clone(),
                header: self.header(row, descriptor.version, case, descriptor.retention_days),
                consent: None,
                issued_at: now_s,
                expires_at,
            },
            policy: PolicyRef { digest: decision.digest, decision: decision_id },
            sections: &row.sections,
        };
        let made = release(draft, &permit, self.end.keys.message.as_ref(), sealer.as_ref(), &SystemRandom)?;
        let own = row.subject_id.as_ref().context("a row names no subject")?;
        let subject = SubjectOf::Own(own.reveal()).tag(&self.end.keys.subjects);
        let record = LeafRecord { kind: "message", id: message.to_string(), digest: made.id, at_ms: now_ms };
        wires.push(made.wire.clone());
        writes.push(Write::Leaf(LeafRow::of(&record, Some(subject), &SystemRandom)?));
        writes.push(Write::Outbound(OutboundRow {
            keeping: Keeping::for_days(subject, now_ms, descriptor.retention_days, NOTICE_DAYS),
            message: MessageRow {
                direction: Direction::Out,
                message,
                release: made.id,
                peer: to.country.clone(),
                lane: descriptor.lane,
                message_type: row.message_type.clone(),
                version: descriptor.version,
                agency: Some(self.end.agency.clone()),
                role: self.role.clone(),
                case,
                operation: row.operation,
                row: row.row,
                in_reply_to: None,
                step: None,
                created_ms: now_ms,
                expires_ms: expires_at * 1000,
                state: OutboundState::Queued.as_str().to_owned(),
                code: None,
                categories: made.labels.iter().map(ToString::to_string).collect(),
                wire: made.wire,
            },
            due_ms: now_ms,
            withheld: Vec::new(),
            named: Vec::new(),
            ground: Ground { digest: decision.digest, lapses_ms: None },
        }));
        writes.push(Write::Decision(DecisionRow {
            decision: decision_id,
            message: Some(message),
            outcome: decision.outcome.as_str().to_owned(),
            rule: decision.rule.as_str().to_owned(),
            spoke: decision.spoke.iter().map(|rule| rule.as_str().to_owned()).collect(),
            policy: decision.digest,
            subject: Some(subject),
            facts: serde_json::to_vec(&(&row.subject, &row.facts, &row.legal_basis))?,
            at_ms: now_ms,
        }));
        Ok(())
    }

    /// Verifies the receipts of a batch; answers the rows that settle it.
    pub fn settle(&self, receipts: &[Receipt]) -> anyhow::Result<Vec<Write>> {
        let first = receipts.first().context("no receipts")?;
        let now = self.end.now();
        let peer: CountryCode = RECEIVER.0.parse()?;
        let kid: KeyId = super::key_id(&first.root)?;
        let key = self.end.membership.verifier(&peer, KeyUse::Receipt, &kid, now.as_second());
        let root = VerifiedRoot(key.context("unknown receipt key")?.verify(TYP_RECEIPT, &first.root)?);
        let mut writes = Vec::with_capacity(receipts.len() * 3);
        for receipt in receipts {
            let entry = verify_receipt(receipt, &peer, &self.end.country, Realm::Training, &root)
                .map_err(|problem| anyhow::anyhow!("receipt: {}", problem.kind.code))?;
            writes.push(Write::Receipt(ReceiptRow {
                direction: Direction::Out,
                peer: peer.clone(),
                message: entry.message_id,
                release: entry.release_id,
                state: entry.state.as_str().to_owned(),
                code: None,
                at_ms: entry.at_ms,
                receipt: serde_json::to_vec(receipt)?,
                to_send: false,
            }));
            writes.push(Write::OutboundState {
                message: entry.message_id,
                release: entry.release_id,
                state: OutboundState::Accepted,
                code: None,
                due_ms: now.as_millisecond(),
                attempts: 0,
            });
            writes.push(Write::Event(Event {
                kind: EventKind::MessageState,
                agency: Some(self.end.agency.clone()),
                role: self.role.clone(),
                message: Some(entry.message_id),
                approval: None,
                message_type: None,
                state: entry.state.as_str().to_owned(),
                at_ms: now.as_millisecond(),
            }));
        }
        Ok(writes)
    }

    fn header(&self, row: &Submission, version: u32, case: CaseId, retention_days: u32) -> Header {
        Header {
            message_type: row.message_type.clone(),
            version,
            sender: SenderRef {
                country: self.end.country.clone(),
                agency: self.end.agency.clone(),
                role: self.role.clone(),
            },
            recipient: row.recipient.clone(),
            case,
            operation: row.operation,
            after: None,
            in_reply_to: None,
            replaces: None,
            step: None,
            // As long as a pairwise pseudonym; making one costs a microsecond.
            subject_ref: Some("0123456789abcdefghijkl".to_owned()),
            purpose: row.purpose.clone(),
            legal_basis: BasisRef {
                kind: row.legal_basis.basis.code().to_owned(),
                agreement: row.legal_basis.agreement.clone(),
            },
            handling: Handling { onward: "domestic_same_purpose".to_owned(), retention_days },
            attachments: Vec::new(),
        }
    }

    fn facts(&self, row: &Submission, now: Timestamp) -> SendFacts {
        let (here, to) = (&self.end.country, &row.recipient);
        let claim = |id| self.end.rules.agreements.claim(id, here, &to.country, &row.message_type, now);
        SendFacts {
            realm: Realm::Training,
            message: row.message_type.clone(),
            purpose: row.purpose.clone(),
            sender: Party { country: here.clone(), role: self.role.clone() },
            recipient: Party { country: to.country.clone(), role: to.role.clone() },
            subject: row.subject.clone(),
            basis: LegalBasis {
                basis: row.legal_basis.basis,
                agreement: row.legal_basis.agreement.as_ref().map(claim),
                consent: None,
            },
            approvals: std::collections::BTreeSet::new(),
            host: HostFacts::default(),
            stated: row.facts.clone(),
            requested: row.sections.keys().cloned().collect(),
            released_holds: std::collections::BTreeSet::new(),
            now,
        }
    }
}

/// As the node reads a batch: strictly, then each row into its form.
fn parse(body: &[u8]) -> anyhow::Result<Vec<Submission>> {
    let Value::Array(rows) = json::parse(body, json::MAX_DEPTH)? else { bail!("the workload is not a list") };
    rows.into_iter().map(|row| Ok(Submission::from_json(row)?)).collect()
}
