//! What holds make of the decision on a row.
//!
//! Not here: the rules (`policies`). INVARIANT: with a hold found, nothing leaves that would not have left without it,
//! and toward the feared set nothing leaves at all.

use std::collections::BTreeSet;

use super::index::Found;
use super::likeness::Likeness;
use super::named::Belonging;
use crate::ids::Category;
use crate::policy::{Decision, Outcome, PolicyEngine, RuleId, SendFacts};

/// What becomes of a row.
#[derive(Debug)]
pub enum Ruling {
    /// As policy decided.
    Decided(Box<Judged>),
    /// It does not go: the person is held against this recipient, or the authority's facts refuse it.
    Refused(Found),
    /// An officer of the authority has to say whether it is the person.
    Held(Found),
}

/// What policy decided with the facts of the holds.
#[derive(Debug)]
pub struct Judged {
    /// The facts with what the authorities state; `None` where no hold was found.
    pub facts: Option<SendFacts>,
    /// The decision on them.
    pub decision: Decision,
    /// Removals whose reason is the authority's and not for the submitter.
    pub hidden: BTreeSet<Category>,
    /// The determining rule is the authority's and not for the submitter either.
    pub hides_rule: bool,
}

/// Decides a row about which these holds were found, the earliest placed first.
#[must_use]
pub fn judge(policy: &PolicyEngine, facts: &SendFacts, found: Vec<Found>) -> Ruling {
    let plain = policy.send(facts);
    if found.is_empty() {
        let hidden = BTreeSet::new();
        return Ruling::Decided(Box::new(Judged { facts: None, decision: plain, hidden, hides_rule: false }));
    }
    let (exact, near): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|found| found.likeness == Likeness::Exact);
    let belonging = Belonging::from(&facts.subject);
    let feared = |found: &&Found| found.states.is_feared(&facts.recipient.country, &belonging);
    if let Some(found) = exact.iter().find(feared) {
        return Ruling::Refused(found.clone());
    }
    let stated = with(facts, &exact);
    let decided = policy.send(&stated);
    // Refused or held for a reason that is the authority's: the submitter hears the neutral one.
    if let Some(first) = exact.first()
        && !decided.outcome.is_permitted()
        && !same_to_the_submitter(&plain, &decided)
    {
        return Ruling::Refused(first.clone());
    }
    // What does not leave anyway needs nobody to say whether it is the person.
    if decided.outcome != Outcome::Deny {
        for doubtful in near {
            let would = || policy.send(&with(facts, std::slice::from_ref(&doubtful)));
            if feared(&&doubtful) || !same_delivery(&plain, &would()) {
                return Ruling::Held(doubtful);
            }
        }
    }
    let differs = |(category, rule): &(&Category, &RuleId)| plain.removed.get(category) != Some(rule);
    let hidden = decided.removed.iter().filter(differs).map(|(category, _)| category.clone()).collect();
    let hides_rule = plain.rule != decided.rule;
    Ruling::Decided(Box::new(Judged { facts: Some(stated), decision: decided, hidden, hides_rule }))
}

/// The facts as these holds have them.
fn with(facts: &SendFacts, holds: &[Found]) -> SendFacts {
    let mut facts = facts.clone();
    for held in holds {
        held.states.apply(&mut facts.subject);
    }
    facts
}

/// Whether the submitter is told the same with the authority's facts as without; of a row that waits for officers it is
/// told every rule that spoke.
fn same_to_the_submitter(plain: &Decision, decided: &Decision) -> bool {
    let waits = decided.outcome == Outcome::NeedsApproval;
    plain.outcome == decided.outcome && plain.rule == decided.rule && (!waits || plain.spoke == decided.spoke)
}

fn same_delivery(plain: &Decision, would: &Decision) -> bool {
    plain.outcome == would.outcome && plain.deliver == would.deliver
}
