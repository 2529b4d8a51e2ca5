//! The facts of a decision as they are kept beside it, so that it can be decided again.
//!
//! Not here: where they are kept (sealed, in the node's store). INVARIANT: everything that the decision
//! rested on is in them, the standing of the agreement and the instant too; nothing is looked up again.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::agreement::Agreements;
use super::basis::AgreementClaim;
use super::decision::Decision;
use super::engine::PolicyEngine;
use super::facts::{ReceiveFacts, SendFacts};
use crate::ids::{CountryCode, MessageType};

/// The facts of one end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", content = "facts", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives at a time, and where decisions are made it only borrows"
)]
pub enum RecordedFacts<'a> {
    /// At the sending end.
    Send(Cow<'a, SendFacts>),
    /// At the receiving end.
    Receive(Cow<'a, ReceiveFacts>),
}

impl<'a> From<&'a SendFacts> for RecordedFacts<'a> {
    fn from(facts: &'a SendFacts) -> Self {
        Self::Send(Cow::Borrowed(facts))
    }
}

impl<'a> From<&'a ReceiveFacts> for RecordedFacts<'a> {
    fn from(facts: &'a ReceiveFacts) -> Self {
        Self::Receive(Cow::Borrowed(facts))
    }
}

impl RecordedFacts<'_> {
    /// As they are sealed: JSON.
    ///
    /// # Errors
    /// When they cannot be serialised.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads what `to_bytes` wrote; `None` for what is of no such form, such as erased facts.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<RecordedFacts<'static>> {
        serde_json::from_slice(bytes).ok()
    }

    /// Decides again, by these policies, at the instant recorded; leaves no trace in the engine's cache.
    #[must_use]
    pub fn decide(&self, engine: &PolicyEngine) -> Decision {
        match self {
            Self::Send(facts) => engine.send_afresh(facts),
            Self::Receive(facts) => engine.receive_afresh(facts),
        }
    }

    /// The same facts where these agreements had been in force.
    #[must_use]
    pub fn under(&self, agreements: &Agreements) -> RecordedFacts<'static> {
        match self {
            Self::Send(facts) => {
                let mut facts = facts.clone().into_owned();
                let ends = (&facts.sender.country, &facts.recipient.country);
                let claim = facts.basis.agreement.as_ref();
                facts.basis.agreement =
                    claim.map(|claim| again(agreements, claim, ends, &facts.message, facts.now));
                RecordedFacts::Send(Cow::Owned(facts))
            }
            Self::Receive(facts) => {
                let mut facts = facts.clone().into_owned();
                let ends = (&facts.sender.country, &facts.recipient.country);
                let claim = facts.agreement.as_ref();
                facts.agreement =
                    claim.map(|claim| again(agreements, claim, ends, &facts.message, facts.now));
                RecordedFacts::Receive(Cow::Owned(facts))
            }
        }
    }
}

fn again(
    agreements: &Agreements,
    claim: &AgreementClaim,
    (sender, recipient): (&CountryCode, &CountryCode),
    message: &MessageType,
    now: jiff::Timestamp,
) -> AgreementClaim {
    agreements.claim(&claim.id, sender, recipient, message, now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::policy::cases;

    const MATRIX: &[u8] = include_bytes!("../../../../policies/cases/matrix.json");

    #[test]
    fn facts_read_back_as_they_were_recorded() {
        for (id, facts) in cases::facts(MATRIX).unwrap() {
            let bytes = RecordedFacts::from(&facts).to_bytes().unwrap();
            assert_eq!(RecordedFacts::from_bytes(&bytes), Some(RecordedFacts::from(&facts)), "{id}");
        }
    }

    #[test]
    fn what_lacks_a_fact_or_has_one_too_many_is_no_record() {
        let facts = cases::facts(MATRIX).unwrap().remove("PM-001").unwrap();
        let whole: serde_json::Value =
            serde_json::from_slice(&RecordedFacts::from(&facts).to_bytes().unwrap()).unwrap();
        for at in ["/facts/host", "/facts/subject", "/facts/now"] {
            let mut part = whole.clone();
            let name = at.rsplit('/').next().unwrap();
            part.pointer_mut("/facts").unwrap().as_object_mut().unwrap().remove(name);
            assert_eq!(RecordedFacts::from_bytes(part.to_string().as_bytes()), None, "{at}");
        }
        let mut more = whole;
        more.pointer_mut("/facts").unwrap()["extra"] = serde_json::json!(1);
        assert_eq!(RecordedFacts::from_bytes(more.to_string().as_bytes()), None);
        assert_eq!(RecordedFacts::from_bytes(b""), None);
    }
}
