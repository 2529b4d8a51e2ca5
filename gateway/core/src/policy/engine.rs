//! The engine: policies loaded once, asked in order, every doubt a refusal.
//!
//! Not here: what the rules say (`policies/rules`). Invariant: nothing is permitted unless every question
//! of the order was answered without error; a forbid is never skipped because it erred.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision as Allowed, Entities, EntityUid, Request, Response, Schema,
};

use super::approver::Approvers;
use super::cache::{CacheCounts, DecisionCache};
use super::context;
use super::decision::{Decision, Outcome};
use super::facts::{ReceiveFacts, SendFacts};
use super::profile::{Profile, Profiles};
use super::question::{Header, Receiving, Sending, lapse};
use super::rule::{Release, Rule, RuleId, Rules, Stage};
use super::rulebook::{Obligations, Rulebook};
use super::vocabulary::{Vocabulary, uid};
use crate::ids::{Category, Digest, MessageType};
use crate::membership::Adopted;

/// One file of policies may not be larger than this; the whole matrix is a tenth of it.
const MAX_FILE: usize = 512 * 1024;
/// The rule of an engine that failed.
const FAILED: &str = "R-ERR";
/// The rule of a message of which nothing is left.
const NOTHING_LEFT: &str = "R-MIN-01";
/// The rule where no permit holds and no forbid spoke.
const NOT_ENTITLED: &str = "R-ROL-01";

/// Why policies were refused; the node keeps those it had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A file that must be there is not.
    #[error("policies lack `{0}`")]
    Missing(&'static str),
    /// A file cannot be used.
    #[error("policies file `{file}` line {line}: {why}")]
    File {
        /// Path under `policies/`.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The files disagree with one another.
    #[error("policies disagree: {0}")]
    Disagree(String),
}

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

/// Whether a file holds Cedar policies that decide.
pub(super) fn is_rule_file(path: &str) -> bool {
    let cedar = std::path::Path::new(path).extension().is_some_and(|end| end == "cedar");
    cedar && (path.starts_with("rules/") || path.starts_with("national/"))
}

/// The files that decide; examples, cases and prose beside them do not.
fn decides(path: &str) -> bool {
    is_rule_file(path)
        || matches!(
            path,
            "schema.cedarschema"
                | "rules.json"
                | "profiles.json"
                | "obligations.json"
                | "categories.json"
                | "approvals.json"
                | "national/rules.json"
        )
}

/// A file's text, within bounds; `None` when it is not there.
pub(super) fn text<'a>(
    files: &'a BTreeMap<String, Vec<u8>>,
    path: &str,
) -> Result<Option<&'a str>, PolicyError> {
    let Some(bytes) = files.get(path) else { return Ok(None) };
    let refused = |why: &str| PolicyError::File { file: path.to_owned(), line: 1, why: why.to_owned() };
    if bytes.len() > MAX_FILE {
        return Err(refused("file is too large"));
    }
    std::str::from_utf8(bytes).map(Some).map_err(|_| refused("not UTF-8"))
}

/// A file that must be there, read as JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    path: &'static str,
) -> Result<T, PolicyError> {
    let source = text(files, path)?.ok_or(PolicyError::Missing(path))?;
    serde_json::from_str(source).map_err(|error| PolicyError::File {
        file: path.to_owned(),
        line: error.line(),
        why: error.to_string(),
    })
}

impl PolicyEngine {
    /// Reads policies from (path under `policies/`, bytes); `national/` overlays may only forbid.
    ///
    /// # Errors
    /// When a file is missing, malformed, fails strict validation, or disagrees with another.
    pub fn load(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, PolicyError> {
        Self::load_adopted(files, &[])
    }

    /// Reads policies as [`Self::load`] does, with what the members adopted of the proposed profiles.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_adopted(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
        adopted: &[Adopted],
    ) -> Result<Self, PolicyError> {
        let files: BTreeMap<_, _> = files.into_iter().filter(|(path, _)| decides(path)).collect();
        let source = text(&files, "schema.cedarschema")?.ok_or(PolicyError::Missing("schema.cedarschema"))?;
        let schema = Schema::from_cedarschema_str(source)
            .map_err(|error| PolicyError::File {
                file: "schema.cedarschema".into(),
                line: 1,
                why: error.to_string(),
            })?
            .0;
        let mut rules: Rules = json(&files, "rules.json")?;
        if files.contains_key("national/rules.json") {
            let national: Rules = json(&files, "national/rules.json")?;
            for (id, rule) in national {
                if rules.contains_key(&id) {
                    return Err(PolicyError::Disagree(format!("national rule `{id}` is a rule of all")));
                }
                rules.insert(id, rule);
            }
        }
        let mut profiles: Profiles = json(&files, "profiles.json")?;
        profiles.iter_mut().for_each(|(message, profile)| profile.adopt(message, adopted));
        let obligations: Obligations = json(&files, "obligations.json")?;
        let has_approvers = files.contains_key("approvals.json");
        let approvers = if has_approvers { json(&files, "approvals.json")? } else { Approvers::default() };
        let mut book = Rulebook::default();
        for path in files.keys().filter(|path| is_rule_file(path)) {
            let source = text(&files, path)?.unwrap_or_default();
            let known = |code: &str| obligations.contains_key(code);
            let rejected = book.read(source, path.starts_with("national/"), &rules, known, &schema);
            if let Some(rejected) = rejected.into_iter().next() {
                return Err(PolicyError::File { file: path.clone(), line: rejected.line, why: rejected.why });
            }
        }
        if let Some(action) = book.silent_actions().first() {
            return Err(PolicyError::Disagree(format!("no policy permits `{action}`")));
        }
        let (words, entities) = Vocabulary::build(&profiles, &schema)
            .map_err(|why| PolicyError::Disagree(format!("profiles and schema: {why}")))?;
        let named = |id: &str| {
            let id: RuleId = id.parse().map_err(|_| PolicyError::Missing("a rule of the engine"))?;
            if rules.contains_key(&id) { Ok(id) } else { Err(PolicyError::Missing("a rule of the engine")) }
        };
        Ok(Self {
            failed: named(FAILED)?,
            nothing_left: named(NOTHING_LEFT)?,
            not_entitled: named(NOT_ENTITLED)?,
            digest: digest(&files, &profiles)?,
            rules,
            profiles,
            approvers,
            book,
            words,
            entities,
            authorizer: Authorizer::new(),
            sent: DecisionCache::new(),
            received: DecisionCache::new(),
        })
    }

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

/// Over the files, and over the profiles as they stand: two nodes that count other adoptions decide otherwise.
fn digest(files: &BTreeMap<String, Vec<u8>>, profiles: &Profiles) -> Result<Digest, PolicyError> {
    let standing =
        serde_json::to_vec(profiles).map_err(|error| PolicyError::Disagree(format!("profiles: {error}")))?;
    let files = files.iter().map(|(path, content)| (path.as_str(), content.as_slice()));
    let mut bytes = Vec::new();
    for (path, content) in files.chain([("profiles", standing.as_slice())]) {
        for part in [path.as_bytes(), content] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
    }
    Ok(Digest::of(&bytes))
}
