//! The Cedar rules, read strictly: one policy set per action, each clause with its rule and place.
//!
//! Not here: asking them (`engine`). Invariant: every clause names its rule, stage, rank and ends as
//! `rules.json` and its action have them, and a clause of `national/` only forbids.

use std::collections::{BTreeMap, HashMap};

use cedar_policy::{
    ActionConstraint, Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator,
};

use super::rule::{RuleId, Rules, Stage};

/// More policies than this in one set would make a decision slow and a review impossible.
const MAX_POLICIES: usize = 1000;
/// Every action a policy may speak to.
const ACTIONS: [&str; 6] = ["Pass", "Disclose", "PassUnattended", "PassWhole", "Oblige", "Accept"];

/// A policy's place in the order, and what it obliges to.
#[derive(Debug, Clone)]
pub(super) struct Clause {
    pub(super) rule: RuleId,
    pub(super) order: (Stage, u32),
    pub(super) obligation: Option<String>,
}

/// The policies of one action: all of them, and the permits alone.
#[derive(Default)]
pub(super) struct Chapter {
    pub(super) all: PolicySet,
    pub(super) permits: PolicySet,
}

/// The policies by action, and every policy's clause.
#[derive(Default)]
pub(super) struct Rulebook {
    chapters: HashMap<&'static str, Chapter>,
    clauses: HashMap<PolicyId, Clause>,
}

/// Why a rule file was refused: the line its policy opens at, and what is wrong.
pub(super) struct Rejected {
    pub(super) line: usize,
    pub(super) why: String,
}

/// A file's policies: each opens with a line that starts with `@id(`.
fn policies(text: &str) -> Result<Vec<(usize, String)>, Rejected> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("@id(") {
            found.push((index + 1, String::new()));
        }
        match found.last_mut() {
            Some((_, policy)) => {
                policy.push_str(line);
                policy.push('\n');
            }
            None if line.trim().is_empty() || line.starts_with("//") => {}
            None => return Err(Rejected { line: index + 1, why: "a policy opens with `@id(`".into() }),
        }
    }
    Ok(found)
}

impl Rulebook {
    /// Adds one file's policies; `national` files may only forbid. Answers those it did not add.
    pub(super) fn read(
        &mut self,
        text: &str,
        national: bool,
        rules: &Rules,
        known_obligation: impl Fn(&str) -> bool,
        schema: &Schema,
    ) -> Vec<Rejected> {
        let validator = Validator::new(schema.clone());
        let found = match policies(text) {
            Ok(found) => found,
            Err(rejected) => return vec![rejected],
        };
        let added = found.into_iter().map(|(line, source)| {
            self.add(&source, national, rules, &known_obligation, &validator)
                .map_err(|why| Rejected { line, why })
        });
        added.filter_map(Result::err).collect()
    }

    fn add(
        &mut self,
        source: &str,
        national: bool,
        rules: &Rules,
        known_obligation: &impl Fn(&str) -> bool,
        validator: &Validator,
    ) -> Result<(), String> {
        let policy = Policy::parse(None, source).map_err(|error| error.to_string())?;
        let (policy, clause) = place(policy, national, rules, known_obligation)?;
        let actions = named_actions(&policy)?;
        check_ends(&policy, &actions)?;
        let mut alone = PolicySet::new();
        alone.add(policy.clone()).map_err(|error| error.to_string())?;
        let verdict = validator.validate(&alone, ValidationMode::Strict);
        if let Some(error) = verdict.validation_errors().next() {
            return Err(error.to_string());
        }
        if self.clauses.len() >= MAX_POLICIES {
            return Err("too many policies".into());
        }
        if self.clauses.insert(policy.id().clone(), clause).is_some() {
            return Err("another policy has this `@id`".into());
        }
        for action in actions {
            let chapter = self.chapters.entry(action).or_default();
            chapter.all.add(policy.clone()).map_err(|error| error.to_string())?;
            if policy.effect() == Effect::Permit {
                chapter.permits.add(policy.clone()).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// The policies of an action, if there are any.
    pub(super) fn chapter(&self, action: &str) -> Option<&Chapter> {
        self.chapters.get(action)
    }

    /// The clause of a policy.
    pub(super) fn clause(&self, policy: &PolicyId) -> Option<&Clause> {
        self.clauses.get(policy)
    }

    /// Whether a policy of this rule holds messages for people.
    pub(super) fn holds(&self, rule: &RuleId) -> bool {
        let attended = self.chapter("PassUnattended").into_iter().flat_map(|chapter| chapter.all.policies());
        let of_rule = |policy: &Policy| self.clause(policy.id()).is_some_and(|clause| clause.rule == *rule);
        attended.filter(|policy| policy.effect() == Effect::Forbid).any(of_rule)
    }

    /// Every policy by `@id`, with its rule and its text.
    pub(super) fn texts(&self) -> BTreeMap<String, (RuleId, String)> {
        let policies = self.chapters.values().flat_map(|chapter| chapter.all.policies());
        let named = policies.filter_map(|policy| {
            let rule = self.clause(policy.id())?.rule.clone();
            Some((policy.id().to_string(), (rule, policy.to_string())))
        });
        named.collect()
    }

    /// The actions that no policy permits: a set that can never say yes is a mistake.
    pub(super) fn silent_actions(&self) -> Vec<&'static str> {
        let silent = |action: &&str| self.chapter(action).is_none_or(|chapter| chapter.permits.is_empty());
        ACTIONS.iter().copied().filter(silent).collect()
    }
}

fn place(
    policy: Policy,
    national: bool,
    rules: &Rules,
    known_obligation: &impl Fn(&str) -> bool,
) -> Result<(Policy, Clause), String> {
    let annotated = |key: &str| policy.annotation(key).ok_or_else(|| format!("`@{key}` is missing"));
    let id = annotated("id")?;
    let name: RuleId = annotated("rule")?.parse().map_err(|_| "`@rule` is not a rule id".to_owned())?;
    let rule = rules.get(&name).ok_or_else(|| format!("rule `{name}` is not in rules.json"))?;
    if annotated("stage")? != rule.stage.as_str() || annotated("rank")? != rule.rank.to_string() {
        return Err(format!("`@stage` or `@rank` is not that of rule `{name}`"));
    }
    if national && policy.effect() == Effect::Permit {
        return Err("a national policy may only forbid".into());
    }
    let obligation = policy.annotation("obligation").map(str::to_owned);
    if let Some(code) = obligation.as_deref().filter(|code| !known_obligation(code)) {
        return Err(format!("obligation `{code}` is unknown"));
    }
    let id = if national { format!("national/{id}") } else { id.to_owned() };
    let clause = Clause { rule: name, order: rule.order(), obligation };
    Ok((policy.new_id(PolicyId::new(id)), clause))
}

fn named_actions(policy: &Policy) -> Result<Vec<&'static str>, String> {
    let uids = match policy.action_constraint() {
        ActionConstraint::Any => return Err("a policy names its actions".into()),
        ActionConstraint::Eq(uid) => vec![uid],
        ActionConstraint::In(uids) => uids,
    };
    let name = |uid: &cedar_policy::EntityUid| {
        ACTIONS.iter().copied().find(|&action| action == uid.id().unescaped()).ok_or("unknown action")
    };
    Ok(uids.iter().map(name).collect::<Result<Vec<_>, _>>()?)
}

fn check_ends(policy: &Policy, actions: &[&str]) -> Result<(), String> {
    let receives = actions.contains(&"Accept");
    let sends = actions.iter().any(|&action| action != "Accept");
    let ends = match (sends, receives) {
        (true, true) => "both",
        (false, true) => "receive",
        _ => "send",
    };
    if policy.annotation("ends") == Some(ends) { Ok(()) } else { Err(format!("`@ends` must be `{ends}`")) }
}

/// The known obligations: code to its texts (`obligations.json`).
pub(super) type Obligations = BTreeMap<String, BTreeMap<String, String>>;
