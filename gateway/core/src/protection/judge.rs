//! What holds make of the decision on a row.
//!
//! Not here: the rules (`policies`). INVARIANT: with a hold found, nothing leaves that would not have left without it,
//! and toward the feared set nothing leaves at all.

use std::collections::BTreeSet;

use super::index::Found;
use super::likeness::Likeness;
use super::named::Belonging;
use crate::ids::Category;
use crate::policy::{Decision, Outcome, PolicyEngine, SendFacts};

/// What becomes of a row.
#[derive(Debug)]
pub enum Ruling {
    /// As policy decided; the reasons of these removals are the authority's and not for the submitter.
    Decided(Decision, BTreeSet<Category>),
    /// It does not go: the person is held against this recipient, or the authority's facts refuse it.
    Refused(Found),
    /// An officer of the authority has to say whether it is the person.
    Held(Found),
}

/// Decides a row about which these holds were found, the earliest placed first.
#[must_use]
pub fn judge(policy: &PolicyEngine, facts: &SendFacts, found: Vec<Found>) -> Ruling {
    let plain = policy.send(facts);
    if found.is_empty() {
        return Ruling::Decided(plain, BTreeSet::new());
    }
    let (exact, near): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|found| found.likeness == Likeness::Exact);
    let belonging = Belonging::from(&facts.subject);
    let feared = |found: &&Found| found.states.is_feared(&facts.recipient.country, &belonging);
    if let Some(found) = exact.iter().find(feared) {
        return Ruling::Refused(found.clone());
    }
    let decided = decide(policy, facts, &exact);
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
            let would = || decide(policy, facts, std::slice::from_ref(&doubtful));
            if feared(&&doubtful) || !same_delivery(&plain, &would()) {
                return Ruling::Held(doubtful);
            }
        }
    }
    let hidden =
        decided.removed.keys().filter(|category| !plain.removed.contains_key(category)).cloned().collect();
    Ruling::Decided(decided, hidden)
}

fn decide(policy: &PolicyEngine, facts: &SendFacts, holds: &[Found]) -> Decision {
    let mut facts = facts.clone();
    for held in holds {
        held.states.apply(&mut facts.subject);
    }
    policy.send(&facts)
}

/// Whether the submitter is told the same with the authority's facts as without.
fn same_to_the_submitter(plain: &Decision, decided: &Decision) -> bool {
    plain.outcome == decided.outcome && plain.rule == decided.rule
}

fn same_delivery(plain: &Decision, would: &Decision) -> bool {
    plain.outcome == would.outcome && plain.deliver == would.deliver
}
