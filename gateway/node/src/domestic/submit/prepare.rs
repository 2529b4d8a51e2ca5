//! One submission through catalogue and policy to the writes that it asks for; nothing is stored here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use puente_core::authority::{ActRow, Approved, DeterminationRow, determine};
use puente_core::cases::Mark;
use puente_core::catalogue::{Descriptor, Lane};
use puente_core::delivery::{
    DecisionRow, Direction, LeafRow, MessageRow, OutboundRow, OutboundState, SubjectTag, Write,
};
use puente_core::envelope::{Disclosure, Draft, Issued, PolicyRef, Seal, release, release_issued};
use puente_core::evidence::LeafRecord;
use puente_core::ids::{ActId, CaseId, Category, DecisionId, Digest, MessageId, Role};
use puente_core::personal::Personal;
use puente_core::policy::{
    Decision, HostFacts, LegalBasis, Outcome as Decided, Party, PeerStatus, Permit, RecordedFacts, RuleId,
    SendFacts, Subject,
};
use puente_core::problem::{self, Problem};
use puente_core::statistics::Protected;
use puente_core::suspension::{Flow, is_never_stopped};

use crate::authority::{acts_in, determined_about, officers};
use crate::consent::Rests;
use crate::domestic::submit::acting_role;
use crate::domestic::submit::answering::clock_stopped;
use crate::domestic::submit::attached::expect_whole;
use crate::domestic::submit::broadcast::about_a_broadcast;
use crate::domestic::submit::ends::{Stop, told};
use crate::domestic::submit::erasing::erasure_confirmed;
use crate::domestic::submit::form::{Outcome, Removal, Submission, Verdict};
use crate::domestic::submit::preview::preview_digest;
use crate::domestic::submit::protect::{Compared, Ruled, withheld};
use crate::domestic::submit::published;
use crate::domestic::submit::recipient::recipient_key;
use crate::domestic::submit::replacing::expect_lost;
use crate::domestic::submit::report::reason;
use crate::domestic::submit::rests::rests_on;
use crate::domestic::submit::signed::{issued, signs_itself};
use crate::domestic::submit::step::thread_of;
use crate::domestic::submit::validate::validate;
use crate::domestic::submit::waiting::approved;
use crate::duty::begins;
use crate::node::{Node, Rules, store_problem};
use crate::register::KnownAgency;
use crate::restriction;
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
    /// What its agency signed, when it signs by itself.
    issued: Option<&'a Issued>,
    /// Seals what leaves, for whom it is for.
    sealer: Arc<dyn Seal>,
    /// The key of the person whom the message that is answered is about.
    about: Option<&'a String>,
    /// What authorities have approved of it.
    pub(super) approved: Approved,
    /// The determinations that were needed for it.
    pub(super) determined: Vec<ActId>,
    /// Digest of what is in force while it is decided.
    pub(super) ground: Digest,
    /// The thread: as submitted, or a new one.
    pub(super) case: CaseId,
    /// Whose key seals what is kept of it.
    pub(super) subject: SubjectTag,
    pub(super) now_ms: i64,
}

/// What was looked up for a submission before it is decided.
#[derive(Default)]
struct Rested<'a> {
    rests: Option<&'a Rests>,
    acts: &'a [ActRow],
    made: &'a [DeterminationRow],
    about: Option<&'a String>,
    /// The thread of the child's case that it is a step of.
    thread: Option<CaseId>,
}

/// The key of the person whom the message that is answered is about; looked up only while anybody is restricted.
async fn about(node: &Node, submission: &Submission) -> Result<Option<String>, Problem> {
    let Some(question) = submission.in_reply_to.filter(|_| !node.restrictions.is_empty()) else {
        return Ok(None);
    };
    let subject = node.store.received_about(question).await.map_err(|error| store_problem(&error))?;
    Ok(subject.map(|subject| restriction::of_peer(&submission.recipient.country, &subject)))
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
    told(submission, attempt(node, caller, submission, &Rested { rests, ..Rested::default() }, mode))
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
    let mut stopped = clock_stopped(node, caller, submission).await?;
    stopped.extend(about_a_broadcast(node, caller, submission).await?);
    expect_whole(node, caller, submission).await?;
    expect_lost(node, caller, submission).await?;
    let acts = acts_in(node, submission.case.or(thread)).await?;
    let about = about(node, submission).await?;
    let made = determined_about(node, submission.subject_id.as_ref(), &submission.subject).await?;
    let rested = Rested { rests: rests.as_ref(), acts: &acts, made: &made, about: about.as_ref(), thread };
    let mut prepared = attempt(node, caller, submission, &rested, mode)?;
    if prepared.verdict.message_id.is_some() {
        prepared.writes.extend(stopped);
    }
    if let (Some(_), Some(named)) = (&submission.signed, prepared.verdict.message_id) {
        // The agency named it: the same signature again is no second message.
        let known = node.store.message(named).await.map_err(|error| store_problem(&error))?;
        if known.is_some() {
            return Err(Problem::new(&problem::MESSAGE_CONFLICT).at("/signed/jti").into());
        }
    }
    prepared.erases = erased.filter(|_| prepared.verdict.message_id.is_some());
    Ok(prepared)
}

fn attempt(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    rested: &Rested<'_>,
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
    if *mode != Mode::DryRun && descriptor.lane == Lane::Bulk && node.clocks.is_alone() {
        // What it would date now is refused or lapses elsewhere; an alert or a withdrawal is tried all the same.
        return Err(Problem::new(&problem::CLOCK_ALONE).into());
    }
    let now_ms = node.clock.now_ms();
    let membership = node.membership.get();
    let sealer = recipient_key(&membership, node.country(), submission, now_ms.div_euclid(1000))?;
    let issued = issued(node, caller, submission, mode)?;
    let signed_case = issued.as_ref().map(|issued| issued.claims().puente.case);
    let known = submission.case.or(rested.thread).or(signed_case);
    let case = known.unwrap_or_else(|| CaseId(node.fresh_id()));
    // A withdrawal or an order to erase has to arrive, also once she is erased here: it lies under its thread's key.
    let named = submission.subject_id.as_ref().filter(|_| !is_never_stopped(&submission.message_type));
    let of = named.map_or(SubjectOf::Case(case), |id| SubjectOf::Own(id.reveal()));
    let subject = of.tag(&node.keys.subjects);
    let warnings = validate(&rules.catalogue, descriptor, submission)?;
    let publication = published::protected(submission)?;
    let publication = publication.as_ref();
    let mut stated = submission.subject.clone();
    let register = node.register.get();
    let officers = officers(&register);
    let determined = determine(&mut stated, role, rules.policy.determiners(), rested.made, now_ms, &officers);
    let parts = Parts {
        node,
        rules: &rules,
        caller,
        role,
        descriptor,
        submission,
        rests: rested.rests,
        publication,
        issued: issued.as_ref(),
        sealer,
        about: rested.about,
        approved: approved(node, rested.acts, submission, case, now_ms)?,
        determined,
        ground: rules.ground(&membership, &node.restrictions),
        case,
        subject,
        now_ms,
    };
    let facts = parts.facts(stated, mode);
    let mut prepared = match parts.compare(facts, mode)? {
        Compared::Decided(ruled) => parts.follow(&ruled, mode)?,
        Compared::Stopped(prepared) => *prepared,
    };
    prepared.verdict.warnings = warnings;
    Ok(prepared)
}

impl Parts<'_> {
    /// What it is decided on; of the person, with the reserved facts as authorities determined them.
    fn facts(&self, mut subject: Subject, mode: &Mode) -> SendFacts {
        let submission = self.submission;
        let now = Timestamp::from_millisecond(self.now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
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
            approvals: self.approved.approvals.clone(),
            host: HostFacts {
                peer_status: self.peer_status(),
                restricted: self.is_restricted(),
                ..published::host_facts(self.publication)
            },
            stated: submission.facts.clone(),
            requested: submission.sections.keys().cloned().collect(),
            released_holds,
            now,
        }
    }

    /// The sections as they leave.
    pub(super) fn sections(&self) -> Cow<'_, BTreeMap<Category, Personal<Value>>> {
        published::sections(self.submission, self.publication)
    }

    /// Whether the person objected, by the agency's own reference or as the one who is answered about.
    fn is_restricted(&self) -> bool {
        let restrictions = &self.node.restrictions;
        if restrictions.is_empty() {
            return false;
        }
        let own = self
            .submission
            .subject_id
            .as_ref()
            .map(|id| restriction::own(&self.node.pairwise(self.node.country(), id.reveal())));
        own.iter().chain(self.about).any(|key| restrictions.holds(key))
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
        if decision.outcome != Decided::Deny {
            if let Some(issued) = self.issued {
                self.expect_agreed(issued, &decision.deliver)?;
            } else if signs_itself(self.node, self.caller, self.submission) {
                verdict.sign = Some(Box::new(self.to_sign(&decision.deliver)?));
            }
        }
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
            // Once she asks, this country's agencies stop too; while her question waits for people, as well.
            let waiting = verdict.approval_id.map(|approval| MessageId(approval.0));
            writes.extend(message.or(waiting).and_then(|question| self.restriction(question)));
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
        let to = &submission.recipient;
        let now_s = self.now_ms.div_euclid(1000);
        let (message, issued_at) = self.issued.map_or_else(
            || (MessageId(node.fresh_id()), now_s),
            |issued| (issued.claims().jti, issued.claims().iat),
        );
        let statement = self.statement(message, issued_at, &decision.deliver)?;
        let step = Mark::of(&statement.header, message, issued_at);
        let (expires_at, consent) = (statement.expires_at, statement.consent.clone());
        // This side's own copy goes when the receiver's does.
        let notice_days = node.config.retention.notice_days;
        let keeping = keeping(&self.rules.policy, &statement.header, self.subject, self.now_ms, notice_days);
        let policy = PolicyRef { digest: decision.digest, decision: decision_id };
        let signer = node.keys.message.as_ref();
        let made = match self.issued {
            Some(issued) => release_issued(issued, policy, now_s, permit, signer, self.sealer.as_ref()),
            None => {
                let draft = Draft { statement, policy, sections: &self.sections() };
                release(draft, permit, signer, self.sealer.as_ref(), node.random.as_ref())
            }
        };
        let made = made.map_err(|error| Problem::new(&problem::INTERNAL).because(error.to_string()))?;
        let withheld = made.withheld.iter().map(Disclosure::text).collect::<Vec<_>>().join("\n").into_bytes();
        verdict.message_id = Some(message);
        verdict.case = Some(self.case);
        writes.push(self.leaf("message", message.to_string(), made.id)?);
        if !self.approved.acts.is_empty() {
            writes.push(Write::RestsOn { message, acts: self.approved.acts.clone() });
        }
        if !self.determined.is_empty() {
            writes.push(Write::RestsOnDetermined { message, acts: self.determined.clone() });
        }
        writes.extend(self.disclosure(message, &made.labels, consent.as_ref()).map(Write::Disclosure));
        let row = MessageRow {
            direction: Direction::Out,
            message,
            release: made.id,
            peer: to.country.clone(),
            lane: self.descriptor.lane,
            message_type: submission.message_type.clone(),
            version: self.descriptor.version,
            agency: Some(self.caller.agency.clone()),
            role: self.role.clone(),
            case: self.case,
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
        };
        writes.extend(begins(self.rules, &row, self.role, &to.role));
        writes.push(Write::Outbound(OutboundRow {
            keeping,
            message: row,
            due_ms: self.now_ms,
            withheld,
            named: serde_json::to_vec(named).map_err(|_| Problem::new(&problem::INTERNAL))?,
            ground: self.ground(decision),
        }));
        Ok(message)
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
