//! The engine: policies loaded once, asked in order, every doubt a refusal.
//!
//! Not here: what the rules say (`policies/rules`). Invariant: nothing is permitted unless every question
//! of the order was answered without error; a forbid is never skipped because it erred.

mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cedar_policy::{Authorizer, Context, Decision as Allowed, Entities, EntityUid, Request, Response};

use super::approver::Approvers;
use super::cache::{CacheCounts, DecisionCache};
use super::context;
use super::decision::{Decision, Outcome};
use super::determiner::Determiners;
use super::facts::{ReceiveFacts, SendFacts};
use super::profile::{Profile, Profiles};
use super::question::{Header, Receiving, Sending, lapse};
use super::rule::{Release, Rule, RuleId, Rules, Stage};
use super::rulebook::Rulebook;
use super::vocabulary::{Vocabulary, uid};
use crate::ids::{Category, Digest, MessageType};

/// The rule of an engine that failed.
const FAILED: &str = "R-ERR";
/// The rule of a message of which nothing is left.
const NOTHING_LEFT: &str = "R-MIN-01";
/// The rule where no permit holds and no forbid spoke.
const NOT_ENTITLED: &str = "R-ROL-01";

/// What is remembered of a decision: all but the instants.
struct Verdict {
    outcome: Outcome,
    rule: RuleId,
    spoke: Vec<RuleId>,
    removed: BTreeMap<Category, RuleId>,
    deliver: BTreeSet<Category>,
    obligations: Vec<String>,
}

/// A place in the order together with the rule that stands there.
type Placed = ((Stage, u32), RuleId);

/// What one question was answered.
struct Answer {
    allowed: bool,
    rules: Vec<Placed>,
    obligations: Vec<String>,
}

/// The engine failed; the decision is a refusal.
struct Failure;

/// Is told of every question and of what Cedar answered.
pub(super) type Hearing<'a> = dyn FnMut(&'static str, &EntityUid, &Response) + 'a;

/// Who only wants the decision hears nothing.
fn unheard() -> impl FnMut(&'static str, &EntityUid, &Response) {
    |_, _, _| {}
}

/// The rules in force; loaded once, immutable, shared by threads.
pub struct PolicyEngine {
    rules: Rules,
    profiles: Profiles,
    approvers: Approvers,
    determiners: Determiners,
    book: Rulebook,
    words: Vocabulary,
    entities: Entities,
    authorizer: Authorizer,
    failed: RuleId,
    nothing_left: RuleId,
    not_entitled: RuleId,
    digest: Digest,
    sent: DecisionCache<Sending, Verdict>,
    received: DecisionCache<Receiving, Verdict>,
}

impl std::fmt::Debug for PolicyEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicyEngine").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// The rules that the engine itself reports; no policy need name them.
pub(super) const OF_THE_ENGINE: [&str; 3] = [FAILED, NOTHING_LEFT, NOT_ENTITLED];

impl PolicyEngine {
    /// SHA-256 over the sorted files that decide.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What the files say, for those who compare or explain.
    pub(super) const fn parts(&self) -> (&Rules, &Profiles, &Rulebook) {
        (&self.rules, &self.profiles, &self.book)
    }

    /// A rule with its reasons.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(&id.parse::<RuleId>().ok()?)
    }

    /// The profile of a message type.
    #[must_use]
    pub fn profile(&self, message: &MessageType) -> Option<&Profile> {
        self.profiles.get(message)
    }

    /// Who alone states which facts about a person.
    #[must_use]
    pub const fn determiners(&self) -> &Determiners {
        &self.determiners
    }

    /// Who gives the approvals that rules ask for by name.
    #[must_use]
    pub const fn approvers(&self) -> &Approvers {
        &self.approvers
    }

    /// Every profile.
    pub fn profiles(&self) -> impl Iterator<Item = (&MessageType, &Profile)> {
        self.profiles.iter()
    }

    /// How often a question had been asked before, over both ends.
    #[must_use]
    pub fn cache_counts(&self) -> CacheCounts {
        let (sent, received) = (self.sent.counts(), self.received.counts());
        CacheCounts { hits: sent.hits + received.hits, misses: sent.misses + received.misses }
    }

    /// Decides at the sending end.
    #[must_use]
    pub fn send(&self, facts: &SendFacts) -> Decision {
        let work_out = |question: &Sending| self.guard(|| self.sending(question, &mut unheard()));
        let verdict = self.sent.answer(Sending::from(facts), work_out);
        self.decision(&verdict, send_lapse(facts))
    }

    /// Decides at the sending end without the cache: the cost of a question never asked before.
    #[must_use]
    pub fn send_afresh(&self, facts: &SendFacts) -> Decision {
        self.send_heard(facts, &mut unheard())
    }

    /// Decides at the sending end afresh, and lets every question be heard.
    pub(super) fn send_heard(&self, facts: &SendFacts, hear: &mut Hearing<'_>) -> Decision {
        let question = Sending::from(facts);
        self.decision(&self.guard(|| self.sending(&question, hear)), send_lapse(facts))
    }

    /// Decides at the receiving end afresh, and lets the question be heard.
    pub(super) fn receive_heard(&self, facts: &ReceiveFacts, hear: &mut Hearing<'_>) -> Decision {
        let question = Receiving::from(facts);
        self.decision(&self.guard(|| self.receiving(&question, hear)), receive_lapse(facts))
    }

    /// Decides at the receiving end without the cache.
    #[must_use]
    pub fn receive_afresh(&self, facts: &ReceiveFacts) -> Decision {
        self.receive_heard(facts, &mut unheard())
    }

    /// Decides at the receiving end.
    #[must_use]
    pub fn receive(&self, facts: &ReceiveFacts) -> Decision {
        let work_out = |question: &Receiving| self.guard(|| self.receiving(question, &mut unheard()));
        let verdict: Arc<Verdict> = self.received.answer(Receiving::from(facts), work_out);
        self.decision(&verdict, receive_lapse(facts))
    }

    fn decision(&self, verdict: &Verdict, lapses_at: Option<jiff::Timestamp>) -> Decision {
        Decision {
            outcome: verdict.outcome,
            rule: verdict.rule.clone(),
            spoke: verdict.spoke.clone(),
            removed: verdict.removed.clone(),
            deliver: verdict.deliver.clone(),
            obligations: verdict.obligations.clone(),
            digest: self.digest,
            lapses_at,
        }
    }

    fn guard(&self, decide: impl FnOnce() -> Result<Verdict, Failure>) -> Verdict {
        match catch_unwind(AssertUnwindSafe(decide)) {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(Failure)) | Err(_) => Verdict::denied(vec![((Stage::Transport, 0), self.failed.clone())]),
        }
    }

    fn ask(
        &self,
        action: &'static str,
        header: &Header,
        resource: EntityUid,
        context: Context,
        hear: &mut Hearing<'_>,
    ) -> Result<Answer, Failure> {
        let chapter = self.book.chapter(action).ok_or(Failure)?;
        let principal = uid(&self.words.country, header.sender.country.as_str());
        let request = Request::new(principal, uid(&self.words.action, action), resource, context, None)
            .map_err(|_| Failure)?;
        let response = self.authorizer.is_authorized(&request, &chapter.all, &self.entities);
        if let Some(resource) = request.resource() {
            hear(action, resource, &response);
        }
        // Cedar skips a policy that errs: were it a forbid, skipping it would permit.
        if response.diagnostics().errors().next().is_some() {
            return Err(Failure);
        }
        let mut answer = Answer {
            allowed: response.decision() == Allowed::Allow,
            rules: Vec::new(),
            obligations: Vec::new(),
        };
        for policy in response.diagnostics().reason() {
            let clause = self.book.clause(policy).ok_or(Failure)?;
            answer.rules.push((clause.order, clause.rule.clone()));
            answer.obligations.extend(clause.obligation.clone());
        }
        answer.rules.sort();
        answer.rules.dedup();
        answer.obligations.sort();
        Ok(answer)
    }

    /// Whether the permits alone would permit, once every hold that spoke was released.
    fn permitted_without_holds(
        &self,
        action: &str,
        header: &Header,
        message: EntityUid,
        context: Context,
    ) -> Result<bool, Failure> {
        let chapter = self.book.chapter(action).ok_or(Failure)?;
        let principal = uid(&self.words.country, header.sender.country.as_str());
        let request = Request::new(principal, uid(&self.words.action, action), message, context, None)
            .map_err(|_| Failure)?;
        let response = self.authorizer.is_authorized(&request, &chapter.permits, &self.entities);
        Ok(response.decision() == Allowed::Allow && response.diagnostics().errors().next().is_none())
    }

    fn sending(&self, question: &Sending, hear: &mut Hearing<'_>) -> Result<Verdict, Failure> {
        let header = &question.header;
        let message = self.words.message_uid(&header.message);
        let context = context::sending(&self.words, question).ok_or(Failure)?;
        let pass = self.ask("Pass", header, message.clone(), context.clone(), hear)?;
        let verdict = if pass.allowed {
            self.disclosing(question, pass.rules, &message, &context, hear)?
        } else {
            Verdict::denied(self.or_not_entitled(pass.rules))
        };
        let refused = verdict.outcome == Outcome::Deny;
        let context = context::leaving(
            &self.words,
            context,
            &header.categories,
            &verdict.deliver,
            verdict.rule.as_str(),
            refused,
        )
        .ok_or(Failure)?;
        let obliged = self.ask("Oblige", header, message, context, hear)?;
        Ok(Verdict { obligations: obliged.obligations, ..verdict })
    }

    fn disclosing(
        &self,
        question: &Sending,
        permits: Vec<Placed>,
        message: &EntityUid,
        context: &Context,
        hear: &mut Hearing<'_>,
    ) -> Result<Verdict, Failure> {
        let header = &question.header;
        let mut removed = BTreeMap::new();
        let mut deliver = BTreeSet::new();
        let mut stripping: Vec<Placed> = Vec::new();
        for category in &header.categories {
            let resource = uid(&self.words.category, category.as_str());
            let answer = self.ask("Disclose", header, resource, context.clone(), hear)?;
            if answer.allowed {
                deliver.insert(category.clone());
            } else {
                let first = answer.rules.first().map_or(&self.nothing_left, |(_, rule)| rule);
                removed.insert(category.clone(), first.clone());
                stripping.extend(answer.rules);
            }
        }
        if deliver.is_empty() {
            let spoke = ordered(stripping).into_iter().map(|(_, rule)| rule);
            let spoke = std::iter::once(self.nothing_left.clone())
                .chain(spoke.filter(|rule| *rule != self.nothing_left))
                .collect();
            return Ok(Verdict { spoke, ..Verdict::denied(vec![self.placed(&self.nothing_left)]) });
        }
        let whole = self.ask("PassWhole", header, message.clone(), context.clone(), hear)?;
        if !whole.allowed {
            stripping.extend(self.or_not_entitled(whole.rules));
        }
        let redacted = !removed.is_empty() || !whole.allowed;
        let left = context::leaving(&self.words, context.clone(), &header.categories, &deliver, "", false)
            .ok_or(Failure)?;
        let attended = self.ask("PassUnattended", header, message.clone(), left.clone(), hear)?;
        let mut holds = if attended.allowed { Vec::new() } else { self.or_not_entitled(attended.rules) };
        holds.retain(|(_, rule)| !self.is_released(rule, &question.released));
        let clear = attended.allowed
            || (holds.is_empty()
                && self.permitted_without_holds("PassUnattended", header, message.clone(), left)?);
        let (outcome, deciding) = match (clear, redacted) {
            (false, _) => (Outcome::NeedsApproval, self.or_not_entitled(holds.clone())),
            (true, true) => (Outcome::PermitRedacted, ordered(stripping.clone())),
            (true, false) => (Outcome::Permit, permits.clone()),
        };
        let rule = deciding.first().map_or_else(|| self.nothing_left.clone(), |(_, rule)| rule.clone());
        let spoke = ordered(permits.into_iter().chain(stripping).chain(holds).collect());
        let spoke = spoke.into_iter().map(|(_, rule)| rule).collect();
        Ok(Verdict { outcome, rule, spoke, removed, deliver, obligations: Vec::new() })
    }

    fn receiving(&self, question: &Receiving, hear: &mut Hearing<'_>) -> Result<Verdict, Failure> {
        let header = &question.header;
        let message = self.words.message_uid(&header.message);
        let context = context::receiving(&self.words, question).ok_or(Failure)?;
        let accept = self.ask("Accept", header, message, context, hear)?;
        if !accept.allowed {
            return Ok(Verdict::denied(self.or_not_entitled(accept.rules)));
        }
        let rule = accept.rules.first().map(|(_, rule)| rule.clone()).ok_or(Failure)?;
        let spoke = accept.rules.into_iter().map(|(_, rule)| rule).collect();
        let deliver = header.categories.clone();
        let removed = BTreeMap::new();
        Ok(Verdict { outcome: Outcome::Permit, rule, spoke, removed, deliver, obligations: Vec::new() })
    }

    fn is_released(&self, rule: &RuleId, released: &BTreeSet<RuleId>) -> bool {
        released.contains(rule) && self.rules.get(rule).is_some_and(|rule| rule.release == Release::Officers)
    }

    fn or_not_entitled(&self, rules: Vec<Placed>) -> Vec<Placed> {
        if rules.is_empty() { vec![self.placed(&self.not_entitled)] } else { rules }
    }

    fn placed(&self, rule: &RuleId) -> Placed {
        (self.rules.get(rule).map_or((Stage::Transport, 0), Rule::order), rule.clone())
    }
}

impl Verdict {
    /// A refusal by these rules, the first of which is reported; there is at least one.
    fn denied(rules: Vec<Placed>) -> Self {
        let rules = ordered(rules);
        let spoke: Vec<RuleId> = rules.into_iter().map(|(_, rule)| rule).collect();
        Self {
            outcome: Outcome::Deny,
            rule: spoke.first().cloned().unwrap_or_else(RuleId::failure),
            spoke,
            removed: BTreeMap::new(),
            deliver: BTreeSet::new(),
            obligations: Vec::new(),
        }
    }
}

fn ordered(mut rules: Vec<Placed>) -> Vec<Placed> {
    rules.sort();
    rules.dedup();
    rules
}

fn receive_lapse(facts: &ReceiveFacts) -> Option<jiff::Timestamp> {
    let consent = facts.consent.as_ref().and_then(|extract| extract.not_after);
    lapse(consent, facts.agreement.as_ref(), facts.now)
}

fn send_lapse(facts: &SendFacts) -> Option<jiff::Timestamp> {
    let consent = facts.basis.consent.as_ref().and_then(|consent| consent.expires_at);
    lapse(consent, facts.basis.agreement.as_ref(), facts.now)
}
