//! Who may give an approval that a rule asks for by name: `approvals.json`.
//!
//! Not here: acts that were given (`crate::authority`). INVARIANT: an approval that the file does not name can be given
//! by nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::facts::Approval;
use super::rule::RuleId;
use crate::ids::{MessageType, Role};

/// The authority that gives one approval, and within which bounds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// Roles whose officers give it.
    pub roles: BTreeSet<Role>,
    /// Rules whose hold it ends.
    pub rules: BTreeSet<RuleId>,
    /// Longest time that one act stands, hours.
    pub max_hours: u32,
    /// Whether one act covers the same content toward every recipient.
    #[serde(default)]
    pub any_recipient: bool,
    /// How it comes from the recipient's country, when it is not given in this one.
    #[serde(default)]
    pub by_message: Option<ByMessage>,
}

/// An approval of the other country, as its messages state it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByMessage {
    /// The type that states it, in the thread of what it approves.
    pub given: MessageType,
    /// The types that take it back.
    pub ended: BTreeSet<MessageType>,
    /// The type that it approves.
    pub approves: MessageType,
}

/// Every approval that can be given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Approvers(BTreeMap<Approval, Approver>);

impl Approvers {
    /// Who gives this approval.
    #[must_use]
    pub fn of(&self, approval: Approval) -> Option<&Approver> {
        self.0.get(&approval)
    }

    /// The approvals given in this country that end a hold of one of these rules.
    pub fn ending<'a>(&'a self, rules: &'a [String]) -> impl Iterator<Item = (Approval, &'a Approver)> {
        let ends = move |approver: &Approver| {
            rules.iter().any(|rule| approver.rules.iter().any(|of| of.as_str() == rule))
        };
        self.0
            .iter()
            .filter(move |(_, approver)| approver.by_message.is_none() && ends(approver))
            .map(|(approval, approver)| (*approval, approver))
    }

    /// The approvals that come by message, with the types that state them.
    pub fn by_message(&self) -> impl Iterator<Item = (Approval, &Approver, &ByMessage)> {
        self.0
            .iter()
            .filter_map(|(approval, approver)| Some((*approval, approver, approver.by_message.as_ref()?)))
    }
}
