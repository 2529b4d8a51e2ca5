//! Why a decision came out as it did: every question, and every rule that spoke to it.
//!
//! Not here: another way to decide; the engine decides and this listens. INVARIANT: an explanation holds
//! rules and categories, never a fact of a person.

use std::collections::BTreeMap;

use cedar_policy::{Decision as Allowed, EntityUid, Response};
use serde::Serialize;

use super::decision::Decision;
use super::engine::PolicyEngine;
use super::facts::{ReceiveFacts, SendFacts};
use super::recorded::RecordedFacts;
use super::rule::{Rule, RuleId, Stage};
use crate::ids::Category;

/// What a policy did to the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It permitted; nothing forbade.
    Permitted,
    /// It forbade: denied, stripped, redacted or held, by the question.
    Forbade,
    /// It added an obligation.
    Obliged(String),
}

/// One policy that determined the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Voice {
    /// The policy's `@id`.
    pub policy: String,
    /// Its rule.
    pub rule: RuleId,
    /// When the rule decides.
    pub stage: Stage,
    /// Its place within the stage.
    pub rank: u32,
    /// What it did.
    pub effect: Effect,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// `Pass`, `Disclose`, `PassWhole`, `PassUnattended`, `Oblige` or `Accept`.
    pub question: &'static str,
    /// The category, of `Disclose`.
    pub category: Option<Category>,
    /// Whether the answer was yes.
    pub allowed: bool,
    /// The policies that determined it, by (stage, rank); none where no permit held.
    pub voices: Vec<Voice>,
}

/// A decision with the questions that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What was decided.
    pub decision: Decision,
    /// The questions in the order they were asked.
    pub questions: Vec<Asked>,
    /// Every rule named above, with its reasons and grounding.
    pub rules: BTreeMap<RuleId, Rule>,
}

impl PolicyEngine {
    /// Decides at the sending end and says why.
    #[must_use]
    pub fn explain_send(&self, facts: &SendFacts) -> Explanation {
        self.explain(|engine, hear| engine.send_heard(facts, hear))
    }

    /// Decides at the receiving end and says why.
    #[must_use]
    pub fn explain_receive(&self, facts: &ReceiveFacts) -> Explanation {
        self.explain(|engine, hear| engine.receive_heard(facts, hear))
    }

    /// Decides on recorded facts and says why.
    #[must_use]
    pub fn explain_recorded(&self, facts: &RecordedFacts<'_>) -> Explanation {
        match facts {
            RecordedFacts::Send(facts) => self.explain_send(facts),
            RecordedFacts::Receive(facts) => self.explain_receive(facts),
        }
    }

    fn explain(
        &self,
        decide: impl FnOnce(&Self, &mut super::engine::Hearing<'_>) -> Decision,
    ) -> Explanation {
        let mut questions = Vec::new();
        let decision = decide(self, &mut |question, resource, response| {
            questions.push(self.asked(question, resource, response));
        });
        let named = questions.iter().flat_map(|asked: &Asked| asked.voices.iter().map(|voice| &voice.rule));
        let named = named.chain(&decision.spoke).chain(decision.removed.values()).chain([&decision.rule]);
        let rules = named.filter_map(|id| Some((id.clone(), self.rule(id.as_str())?.clone()))).collect();
        Explanation { decision, questions, rules }
    }

    fn asked(&self, question: &'static str, resource: &EntityUid, response: &Response) -> Asked {
        let allowed = response.decision() == Allowed::Allow;
        let (_, _, book) = self.parts();
        let voice = |policy: &cedar_policy::PolicyId| {
            let clause = book.clause(policy)?;
            let (stage, rank) = clause.order;
            let effect = match (&clause.obligation, allowed) {
                (Some(code), _) => Effect::Obliged(code.clone()),
                (None, true) => Effect::Permitted,
                (None, false) => Effect::Forbade,
            };
            Some(Voice { policy: policy.to_string(), rule: clause.rule.clone(), stage, rank, effect })
        };
        let mut voices: Vec<_> = response.diagnostics().reason().filter_map(voice).collect();
        voices.sort_by(|a, b| (a.stage, a.rank, &a.policy).cmp(&(b.stage, b.rank, &b.policy)));
        let category = (question == "Disclose").then(|| resource.id().unescaped().parse().ok()).flatten();
        Asked { question, category, allowed, voices }
    }
}
