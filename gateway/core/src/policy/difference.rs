//! What differs between two sets of policies, and which way a decision moves between them.
//!
//! Not here: which facts they are tried on. INVARIANT: a move that releases anything more, in whatever
//! respect, counts as releasing more, even when it releases less in another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::agreement::Agreements;
use super::decision::{Decision, Outcome};
use super::engine::PolicyEngine;

/// Names added, removed and changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// Only in the new set.
    pub added: Vec<String>,
    /// Only in the old set.
    pub removed: Vec<String>,
    /// In both, not the same.
    pub changed: Vec<String>,
}

/// What differs between two sets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Difference {
    /// Rules: place, reasons, grounding, release.
    pub rules: Changes,
    /// Cedar policies by `@id`.
    pub policies: Changes,
    /// Profiles by message type.
    pub profiles: Changes,
    /// Agreements by id.
    pub agreements: Changes,
}

/// Which way a decision moves from an old set to a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shift {
    /// Something leaves that did not, or leaves with fewer people asked: the red line.
    ReleasesMore,
    /// Something no longer leaves, or more people are asked.
    ReleasesLess,
    /// The same leaves, for another reason or with other obligations.
    Otherwise,
}

impl Shift {
    /// The code, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReleasesMore => "releases_more",
            Self::ReleasesLess => "releases_less",
            Self::Otherwise => "otherwise",
        }
    }
}

impl Changes {
    fn between<K: Ord + ToString, V: PartialEq>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> Self {
        let missing_in = |of: &BTreeMap<K, V>, there: &BTreeMap<K, V>| {
            of.keys().filter(|key| !there.contains_key(key)).map(ToString::to_string).collect()
        };
        let differs = |(key, value): &(&K, &V)| new.get(key).is_some_and(|other| other != *value);
        Self {
            added: missing_in(new, old),
            removed: missing_in(old, new),
            changed: old.iter().filter(differs).map(|(key, _)| key.to_string()).collect(),
        }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// What differs from the old set to the new one.
#[must_use]
pub fn difference(old: (&PolicyEngine, &Agreements), new: (&PolicyEngine, &Agreements)) -> Difference {
    let ((old_rules, old_profiles, old_book), (new_rules, new_profiles, new_book)) =
        (old.0.parts(), new.0.parts());
    Difference {
        rules: Changes::between(old_rules, new_rules),
        policies: Changes::between(&old_book.texts(), &new_book.texts()),
        profiles: Changes::between(old_profiles, new_profiles),
        agreements: Changes::between(old.1.all(), new.1.all()),
    }
}

/// How much a decision lets go without a person: denied, held, redacted, whole.
const fn openness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Deny => 0,
        Outcome::NeedsApproval => 1,
        Outcome::PermitRedacted => 2,
        Outcome::Permit => 3,
    }
}

/// Which way the decision on the same facts moved; `None` when it is the same.
#[must_use]
pub fn shift(old: &Decision, new: &Decision) -> Option<Shift> {
    let leaves = |decision: &Decision| {
        if decision.outcome == Outcome::Deny { BTreeSet::new() } else { decision.deliver.clone() }
    };
    let (before, after) = (leaves(old), leaves(new));
    if openness(new.outcome) > openness(old.outcome) || !after.is_subset(&before) {
        Some(Shift::ReleasesMore)
    } else if openness(new.outcome) < openness(old.outcome) || !before.is_subset(&after) {
        Some(Shift::ReleasesLess)
    } else if (&old.rule, &old.removed, &old.obligations) != (&new.rule, &new.removed, &new.obligations) {
        Some(Shift::Otherwise)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Digest;
    use crate::policy::RuleId;

    fn decision(outcome: Outcome, rule: &str, deliver: &[&str]) -> Option<Decision> {
        Some(Decision {
            outcome,
            rule: rule.parse::<RuleId>().ok()?,
            spoke: Vec::new(),
            removed: BTreeMap::new(),
            deliver: deliver.iter().filter_map(|category| category.parse().ok()).collect(),
            obligations: Vec::new(),
            digest: Digest::of(b""),
            lapses_at: None,
        })
    }

    fn moved(old: Option<Decision>, new: Option<Decision>) -> Option<Shift> {
        shift(&old?, &new?)
    }

    #[test]
    fn any_category_more_is_more_even_beside_one_less() {
        let old = || decision(Outcome::PermitRedacted, "R-MIN-01", &["id.core", "language"]);
        let swapped = decision(Outcome::PermitRedacted, "R-MIN-01", &["id.core", "custody"]);
        assert_eq!(moved(old(), swapped), Some(Shift::ReleasesMore));
        let fewer = decision(Outcome::PermitRedacted, "R-MIN-01", &["id.core"]);
        assert_eq!(moved(old(), fewer), Some(Shift::ReleasesLess));
    }

    #[test]
    fn fewer_people_asked_is_more_and_a_denied_categories_do_not_count() {
        let held = || decision(Outcome::NeedsApproval, "R-BID-02", &["id.core"]);
        assert_eq!(moved(held(), decision(Outcome::Permit, "R-OK", &["id.core"])), Some(Shift::ReleasesMore));
        let denied = decision(Outcome::Deny, "R-FW-01", &["id.core", "custody"]);
        assert_eq!(moved(held(), denied), Some(Shift::ReleasesLess));
    }

    #[test]
    fn another_rule_for_the_same_is_neither() {
        let by = |rule| decision(Outcome::Permit, rule, &["id.core"]);
        assert_eq!(moved(by("R-OK"), by("R-PUB-01")), Some(Shift::Otherwise));
        assert_eq!(moved(by("R-OK"), by("R-OK")), None);
    }
}
