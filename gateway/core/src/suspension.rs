//! The kill switch: what this node has stopped exchanging, and what flows all the same.
//!
//! Not here: who throws it and how it is kept. INVARIANT: withdrawals and erasures are never stopped; a
//! message that any suspension meets is held whole, not stripped.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{Category, CountryCode, InvalidId, MessageType, Purpose};
use crate::policy::PeerStatus;

/// Types, with all that begin with them and a dot, that flow under every suspension (PROTOCOL.md section 4).
const NEVER_STOPPED: [&str; 4] = ["consent.withdraw", "consent.status", "data.erasure", crate::duty::CANCEL];

/// What is suspended; in text `peer:GT`, `purpose:return_reception`, `category:bio.template`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// All exchange with a member.
    Peer(CountryCode),
    /// All messages for a purpose.
    Purpose(Purpose),
    /// All messages that carry a category.
    Category(Category),
}

impl Target {
    /// `peer`, `purpose` or `category`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Peer(_) => "peer",
            Self::Purpose(_) => "purpose",
            Self::Category(_) => "category",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value: &dyn fmt::Display = match self {
            Self::Peer(country) => country,
            Self::Purpose(purpose) => purpose,
            Self::Category(category) => category,
        };
        write!(f, "{}:{value}", self.kind())
    }
}

impl FromStr for Target {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once(':') {
            Some(("peer", value)) => value.parse().map(Self::Peer),
            Some(("purpose", value)) => value.parse().map(Self::Purpose),
            Some(("category", value)) => value.parse().map(Self::Category),
            _ => Err(InvalidId { what: "suspension", expected: "peer:, purpose: or category: and its code" }),
        }
    }
}

impl TryFrom<String> for Target {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

/// What of a message a suspension can meet.
#[derive(Debug, Clone, Copy)]
pub struct Flow<'a, C> {
    /// The other country.
    pub peer: &'a CountryCode,
    /// The message type.
    pub message: &'a MessageType,
    /// Its purpose.
    pub purpose: &'a Purpose,
    /// What it carries.
    pub categories: C,
}

/// Every suspension in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suspensions(BTreeSet<Target>);

impl FromIterator<Target> for Suspensions {
    fn from_iter<I: IntoIterator<Item = Target>>(targets: I) -> Self {
        Self(targets.into_iter().collect())
    }
}

impl Suspensions {
    /// Whether nothing is suspended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every target.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.0.iter()
    }

    /// Whether a message is to be held.
    pub fn stop<'c>(&self, flow: Flow<'_, impl IntoIterator<Item = &'c Category>>) -> bool {
        if self.0.is_empty() || is_never_stopped(flow.message) {
            return false;
        }
        self.0.contains(&Target::Peer(flow.peer.clone()))
            || self.0.contains(&Target::Purpose(flow.purpose.clone()))
            || flow.categories.into_iter().any(|one| self.0.contains(&Target::Category(one.clone())))
    }

    /// The peer's standing for one message, as the rules ask it (R-PEER-01).
    pub fn standing<'c>(&self, flow: Flow<'_, impl IntoIterator<Item = &'c Category>>) -> PeerStatus {
        if self.stop(flow) { PeerStatus::Suspended } else { PeerStatus::Active }
    }
}

/// Whether a type flows under every suspension, and once released under every change of the rules.
#[must_use]
pub fn is_never_stopped(message: &MessageType) -> bool {
    NEVER_STOPPED.iter().any(|free| {
        message.as_str().strip_prefix(free).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn stopped(by: &str, message: &str) -> bool {
        let suspensions: Suspensions = [by.parse::<Target>().unwrap()].into_iter().collect();
        let categories: Vec<Category> = vec!["id.core".parse().unwrap(), "bio.template".parse().unwrap()];
        suspensions.stop(Flow {
            peer: &"GT".parse().unwrap(),
            message: &message.parse().unwrap(),
            purpose: &"return_reception".parse().unwrap(),
            categories: &categories,
        })
    }

    #[test]
    fn each_kind_stops_what_it_names_and_nothing_else() {
        for (hits, misses) in [
            ("peer:GT", "peer:HN"),
            ("purpose:return_reception", "purpose:tracing"),
            ("category:bio.template", "category:doc.civil"),
        ] {
            assert!(stopped(hits, "return.manifest"), "{hits}");
            assert!(!stopped(misses, "return.manifest"), "{misses}");
        }
    }

    #[test]
    fn withdrawals_and_erasures_are_never_stopped_and_no_other_name_passes_for_one() {
        for free in ["consent.withdraw", "consent.withdraw.ack", "consent.status", "data.erasure.order"] {
            assert!(!stopped("peer:GT", free), "{free}");
        }
        for held in ["consent.withdrawn", "data.erasures", "data.correction.notice"] {
            assert!(stopped("peer:GT", held), "{held}");
        }
    }

    #[test]
    fn a_target_has_one_text() {
        for text in ["peer:GT", "purpose:return_reception", "category:bio.template"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for text in ["GT", "peer:gt", "peer:", "agency:INM", ""] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
