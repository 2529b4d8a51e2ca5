//! One submission through catalogue and policy to the writes that it asks for; nothing is stored here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use puente_core::cases::Mark;
use puente_core::catalogue::Descriptor;
use puente_core::delivery::{
    ApprovalRow, ApprovalState, DecisionRow, Direction, Event, EventKind, LeafRow, MessageRow, OutboundRow,
    OutboundState, SubjectTag, Write,
};
use puente_core::envelope::{
    BasisRef, Disclosure, Draft, Handling, Header, PolicyRef, SenderRef, Statement, release,
};
use puente_core::evidence::LeafRecord;
use puente_core::ids::{ApprovalId, CaseId, Category, DecisionId, Digest, MessageId, PersonId, Role};
use puente_core::policy::{
    Decision, HostFacts, LegalBasis, Outcome as Decided, Party, PeerStatus, Permit, RecordedFacts, RuleId,
    SendFacts,
};
use puente_core::problem::{self, Problem};
use puente_core::statistics::Protected;
use puente_core::suspension::Flow;

use crate::consent::Rests;
use crate::domestic::submit::acting_role;
use crate::domestic::submit::attached::attachments_in;
use crate::domestic::submit::ends::{Stop, told};
use crate::domestic::submit::erasing::erasure_confirmed;
use crate::domestic::submit::form::{Outcome, Removal, Submission, Verdict};
use crate::domestic::submit::protect::{Compared, Ruled, withheld};
use crate::domestic::submit::published;
use crate::domestic::submit::report::reason;
use crate::domestic::submit::rests::rests_on;
use crate::domestic::submit::step::{stated, thread_of};
use crate::domestic::submit::validate::validate;
use crate::node::{Node, Rules};
use crate::register::KnownAgency;
use crate::subjects::{SubjectOf, keeping};

/// Why a submission is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// To be sent.
    Submit,
    /// Only to see what would happen.
    DryRun,
    /// Two officers have released these holds of an approval.
    Released {
        /// The rules whose hold is lifted.
        holds: BTreeSet<RuleId>,
    },
}

/// What is to be written for one submission, and the verdict that may be told once it is.
#[derive(Debug)]
pub struct Prepared {
    /// The verdict.
    pub verdict: Verdict,
    /// Writes; in a dry run only what tells an authority that it was asked.
    pub writes: Vec<Write>,
    /// Digest of what officers see before they release it; `None` when no decision was made.
    pub preview: Option<Digest>,
    /// Whom it says to have erased: that is done before it is committed.
    pub erases: Option<SubjectTag>,
}

/// What one submission is decided and released with.
pub(super) struct Parts<'a> {
    pub(super) node: &'a Node,
    pub(super) rules: &'a Rules,
    pub(super) caller: &'a KnownAgency,
    pub(super) role: &'a Role,
    pub(super) descriptor: &'a Descriptor,
    pub(super) submission: &'a Submission,
    pub(super) rests: Option<&'a Rests>,
    publication: Option<&'a Protected>,
    /// The thread: as submitted, or a new one.
    pub(super) case: CaseId,
    /// Whose key seals what is kept of it.
    pub(super) subject: SubjectTag,
    pub(super) now_ms: i64,
}

/// Takes one submission as far as it goes.
///
/// # Errors
/// Only when something of this node's own failed; then nothing may be written.
pub async fn prepare(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    mode: &Mode,
) -> Result<Prepared, Problem> {
    told(submission, complete(node, caller, submission, mode).await)
}

/// Takes a submission of the node's own as far as it goes, resting on what the caller is about to store.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_resting_on(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    rests: Option<&Rests>,
    mode: &Mode,
) -> Result<Prepared, Problem> {
    told(submission, attempt(node, caller, submission, rests, None, mode))
}

async fn complete(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    mode: &Mode,
) -> Result<Prepared, Stop> {
    let rests = rests_on(node, caller, submission).await?;
    let thread = thread_of(node, caller, submission).await?;
    let erased = erasure_confirmed(node, caller, submission).await?;
    let mut prepared = attempt(node, caller, submission, rests.as_ref(), thread, mode)?;
    prepared.erases = erased.filter(|_| prepared.verdict.message_id.is_some());
    Ok(prepared)
}

fn attempt(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    rests: Option<&Rests>,
    thread: Option<CaseId>,
    mode: &Mode,
) -> Result<Prepared, Stop> {
    let rules = node.rules.get();
    let role = acting_role(caller, submission.role.as_ref())
        .ok_or_else(|| Problem::new(&problem::CLIENT_NOT_ENTITLED).at("/role"))?;
    if rules.catalogue.descriptor(&submission.message_type, None).is_none() {
        return Err(Problem::new(&problem::TYPE_UNKNOWN).at("/type").into());
    }
    let descriptor = rules
        .catalogue
        .descriptor(&submission.message_type, submission.version)
        .ok_or_else(|| Problem::new(&problem::TYPE_VERSION).at("/version"))?;
    let now_ms = node.clock.now_ms();
    let to = &submission.recipient;
    if !node.membership.get().answers(&to.country, &to.role, to.agency.as_ref())
        || to.country == *node.country()
    {
        return Err(Problem::new(&problem::RECIPIENT_UNKNOWN).at("/recipient").into());
    }
    let case = submission.case.or(thread).unwrap_or_else(|| CaseId(node.fresh_id()));
    let of = submission.subject_id.as_ref().map_or(SubjectOf::Case(case), |id| SubjectOf::Own(id.reveal()));
    let subject = of.tag(&node.keys.subjects);
    let warnings = validate(&rules.catalogue, descriptor, submission)?;
    let publication = published::protected(submission)?;
    let publication = publication.as_ref();
    let parts = Parts {
        node,
        rules: &rules,
        caller,
        role,
        descriptor,
        submission,
        rests,
        publication,
        case,
        subject,
        now_ms,
    };
    let facts = parts.facts(mode);
    let mut prepared = match parts.compare(facts, mode)? {
        Compared::Decided(ruled) => parts.follow(&ruled, mode)?,
        Compared::Stopped(prepared) => *prepared,
    };
    prepared.verdict.warnings = warnings;
    Ok(prepared)
}

impl Parts<'_> {
    fn facts(&self, mode: &Mode) -> SendFacts {
        let submission = self.submission;
        let now = Timestamp::from_millisecond(self.now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut subject = submission.subject.clone();
        let consent = self.judged_consent(&mut subject);
        let agreement = submission.legal_basis.agreement.as_ref().map(|id| {
            self.rules.agreements.claim(
                id,
                self.node.country(),
                &submission.recipient.country,
                &submission.message_type,
                now,
            )
        });
        let released_holds = match mode {
            Mode::Released { holds, .. } => holds.clone(),
            Mode::Submit | Mode::DryRun => BTreeSet::new(),
        };
        SendFacts {
            realm: self.node.realm(),
            message: submission.message_type.clone(),
            purpose: submission.purpose.clone(),
            sender: Party { country: self.node.country().clone(), role: self.role.clone() },
            recipient: Party {
                country: submission.recipient.country.clone(),
                role: submission.recipient.role.clone(),
            },
            subject,
            basis: LegalBasis { basis: submission.legal_basis.basis, agreement, consent },
            // An authority approves by its officers' signed statements, never by a name in a submission.
            approvals: BTreeSet::new(),
            host: HostFacts { peer_status: self.peer_status(), ..published::host_facts(self.publication) },
            stated: submission.facts.clone(),
            requested: submission.sections.keys().cloned().collect(),
            released_holds,
            now,
        }
    }

    /// How the peer stands for this message, by what this node has suspended now.
    fn peer_status(&self) -> PeerStatus {
        let submission = self.submission;
        self.node.suspensions.get().standing(Flow {
            peer: &submission.recipient.country,
            message: &submission.message_type,
            purpose: &submission.purpose,
            categories: submission.sections.keys(),
        })
    }

    fn follow(&self, ruled: &Ruled, mode: &Mode) -> Result<Prepared, Problem> {
        let decision = &ruled.decision;
        let id = DecisionId(self.node.fresh_id());
        let outcome = match decision.outcome {
            Decided::Permit => Outcome::Accepted,
            Decided::PermitRedacted => Outcome::Redacted,
            Decided::NeedsApproval => Outcome::Held,
            Decided::Deny => Outcome::Refused,
        };
        let mut verdict = Verdict::new(self.submission.row, outcome);
        verdict.rule =
            Some(if ruled.hides_rule { withheld() } else { reason(&self.rules.policy, &decision.rule) });
        verdict.obligations.clone_from(&decision.obligations);
        verdict.removed = decision
            .removed
            .iter()
            .map(|(category, rule)| Removal {
                category: category.clone(),
                rule: if ruled.hidden.contains(category) {
                    withheld()
                } else {
                    reason(&self.rules.policy, rule)
                },
            })
            .collect();
        let mut writes = Vec::new();
        let held = decision.outcome == Decided::NeedsApproval;
        // Only officers ask for it: what leaves at once is spared the digest.
        let preview = if held || *mode != Mode::Submit {
            Some(preview_digest(self.submission, &decision.deliver, &verdict.removed)?)
        } else {
            None
        };
        if *mode != Mode::DryRun {
            let message = match (decision.permit(), preview) {
                (Some(permit), _) => Some(self.release(&permit, ruled, id, &mut verdict, &mut writes)?),
                (None, Some(preview)) if held => {
                    self.hold(decision, preview, &mut verdict, &mut writes)?;
                    None
                }
                (None, _) => None,
            };
            writes.push(Write::Decision(self.decision_row(&ruled.facts, decision, id, message)?));
        }
        Ok(Prepared { verdict, writes, preview, erases: None })
    }

    fn release(
        &self,
        permit: &Permit,
        Ruled { decision, named, .. }: &Ruled,
        decision_id: DecisionId,
        verdict: &mut Verdict,
        writes: &mut Vec<Write>,
    ) -> Result<MessageId, Problem> {
        let (node, submission) = (self.node, self.submission);
        let message = MessageId(node.fresh_id());
        let case = self.case;
        let issued_at = self.now_ms.div_euclid(1000);
        let expires_at = issued_at.saturating_add(i64::from(self.descriptor.expires_hours) * 3600);
        let to = &submission.recipient;
        let sealer = node
            .membership
            .get()
            .sealer(&to.country, &to.role, issued_at)
            .ok_or_else(|| Problem::new(&problem::RECIPIENT_UNKNOWN).at("/recipient"))?;
        let consent = self.consent_extract();
        let header = Header {
            message_type: submission.message_type.clone(),
            version: self.descriptor.version,
            sender: SenderRef {
                country: node.country().clone(),
                agency: self.caller.agency.clone(),
                role: self.role.clone(),
            },
            recipient: to.clone(),
            case,
            operation: submission.operation,
            after: submission.after,
            in_reply_to: submission.in_reply_to,
            step: stated(submission, &decision.deliver)?,
            subject_ref: submission.subject_id.as_ref().map(|id| node.pairwise(&to.country, id.reveal())),
            purpose: submission.purpose.clone(),
            legal_basis: BasisRef {
                kind: submission.legal_basis.basis.code().to_owned(),
                agreement: submission.legal_basis.agreement.clone(),
            },
            handling: Handling {
                onward: "domestic_same_purpose".to_owned(),
                retention_days: self.descriptor.retention_days,
            },
            attachments: attachments_in(submission, permit),
        };
        // This side's own copy goes when the receiver's does.
        let step = Mark::of(&header, message, issued_at);
        let notice_days = node.config.retention.notice_days;
        let keeping = keeping(&self.rules.policy, &header, self.subject, self.now_ms, notice_days);
        let draft = Draft {
            statement: Statement {
                message,
                realm: node.realm(),
                from: node.country().clone(),
                header,
                consent: consent.clone(),
                issued_at,
                expires_at,
            },
            policy: PolicyRef { digest: decision.digest, decision: decision_id },
            sections: &published::sections(submission, self.publication),
        };
        let made = release(draft, permit, node.keys.message.as_ref(), sealer.as_ref(), node.random.as_ref())
            .map_err(|error| Problem::new(&problem::INTERNAL).because(error.to_string()))?;
        let withheld = made.withheld.iter().map(Disclosure::text).collect::<Vec<_>>().join("\n").into_bytes();
        verdict.message_id = Some(message);
        verdict.case = Some(case);
        writes.push(self.leaf("message", message.to_string(), made.id)?);
        writes.extend(self.disclosure(message, &made.labels, consent.as_ref()).map(Write::Disclosure));
        writes.push(Write::Outbound(OutboundRow {
            keeping,
            message: MessageRow {
                direction: Direction::Out,
                message,
                release: made.id,
                peer: to.country.clone(),
                lane: self.descriptor.lane,
                message_type: submission.message_type.clone(),
                version: self.descriptor.version,
                agency: Some(self.caller.agency.clone()),
                role: self.role.clone(),
                case,
                operation: submission.operation,
                row: submission.row,
                in_reply_to: submission.in_reply_to,
                step,
                created_ms: self.now_ms,
                expires_ms: expires_at.saturating_mul(1000),
                state: OutboundState::Queued.as_str().to_owned(),
                code: None,
                categories: made.labels.iter().map(ToString::to_string).collect(),
                wire: made.wire,
            },
            due_ms: self.now_ms,
            withheld,
            named: serde_json::to_vec(named).map_err(|_| Problem::new(&problem::INTERNAL))?,
        }));
        Ok(message)
    }

    fn hold(
        &self,
        decision: &Decision,
        preview: Digest,
        verdict: &mut Verdict,
        writes: &mut Vec<Write>,
    ) -> Result<(), Problem> {
        let node = self.node;
        let approval = ApprovalId(node.fresh_id());
        verdict.approval_id = Some(approval);
        // The thread is fixed now, so that what is released later lies under the same key as the draft.
        let draft = Submission { case: Some(self.case), ..self.submission.clone() };
        let draft = serde_json::to_vec(&draft).map_err(|_| Problem::new(&problem::INTERNAL))?;
        let seconds = i64::try_from(node.config.times.approval_seconds).unwrap_or(i64::MAX);
        writes.push(Write::Approval(ApprovalRow {
            approval,
            agency: self.caller.agency.clone(),
            role: self.role.clone(),
            submitter: None::<PersonId>,
            message_type: self.submission.message_type.clone(),
            peer: self.submission.recipient.country.clone(),
            operation: self.submission.operation,
            row: self.submission.row,
            rules: decision.spoke.iter().map(|rule| rule.as_str().to_owned()).collect(),
            preview,
            subject: Some(self.subject),
            draft,
            opened_ms: self.now_ms,
            lapses_ms: self.now_ms.saturating_add(seconds.saturating_mul(1000)),
            state: ApprovalState::Open,
            closed_ms: None,
            message: None,
        }));
        writes.push(Write::Event(Event {
            kind: EventKind::ApprovalOpened,
            agency: Some(self.caller.agency.clone()),
            role: self.role.clone(),
            message: None,
            approval: Some(approval),
            message_type: Some(self.submission.message_type.clone()),
            state: ApprovalState::Open.as_str().to_owned(),
            at_ms: self.now_ms,
        }));
        Ok(())
    }

    pub(super) fn decision_row(
        &self,
        facts: &SendFacts,
        decision: &Decision,
        id: DecisionId,
        message: Option<MessageId>,
    ) -> Result<DecisionRow, Problem> {
        let facts = RecordedFacts::from(facts).to_bytes().map_err(|_| Problem::new(&problem::INTERNAL))?;
        Ok(DecisionRow {
            decision: id,
            message,
            outcome: decision.outcome.as_str().to_owned(),
            rule: decision.rule.as_str().to_owned(),
            spoke: decision.spoke.iter().map(|rule| rule.as_str().to_owned()).collect(),
            policy: decision.digest,
            subject: Some(self.subject),
            facts,
            at_ms: self.now_ms,
        })
    }

    fn leaf(&self, kind: &str, id: String, digest: Digest) -> Result<Write, Problem> {
        let record = LeafRecord { kind, id, digest, at_ms: self.now_ms };
        let leaf = LeafRow::of(&record, Some(self.subject), self.node.random.as_ref());
        leaf.map(Write::Leaf).map_err(|_| Problem::new(&problem::INTERNAL))
    }
}

/// Digest of what officers see before they release it: the submission, what would be delivered of it, and why not the
/// rest. Of what a protection hold removes it knows the neutral reason alone, or it could be tried out. The thread is not
/// part of it: a new one is only given once the row is held.
///
/// # Errors
/// When the submission cannot be serialised.
fn preview_digest(
    submission: &Submission,
    deliver: &BTreeSet<Category>,
    removed: &[Removal],
) -> Result<Digest, Problem> {
    let seen = Submission { case: None, ..submission.clone() };
    let removed: BTreeMap<_, _> =
        removed.iter().map(|removal| (&removal.category, &removal.rule.id)).collect();
    let bytes =
        serde_json::to_vec(&(seen, deliver, removed)).map_err(|_| Problem::new(&problem::INTERNAL))?;
    Ok(Digest::of(&bytes))
}
