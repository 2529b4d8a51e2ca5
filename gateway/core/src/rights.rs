//! The word of an officer that answers a person: what was done about her question, on the ledger that was shown.
//!
//! Not here: the ledger, and the message that carries the answer. INVARIANT: an answer names its question and the digest of
//! the account that its officer saw, so that neither can be exchanged.

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, MessageId};
use crate::problem::{self, Problem};

/// `typ` of the statement that answers a person's question.
pub const TYP_ANSWERS: &str = "puente-rights-answer+jwt";

/// What was done about a question (DOMAIN.md 3.3 G).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// She was told.
    Answered,
    /// It was done.
    Done,
    /// It was done in part.
    Partly,
    /// It was not done.
    Refused,
    /// The data is kept, on a ground.
    Kept,
}

impl Outcome {
    /// The word as `rights.response` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Done => "done",
            Self::Partly => "partly",
            Self::Refused => "refused",
            Self::Kept => "kept",
        }
    }
}

/// What an officer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The question.
    pub question: MessageId,
    /// Digest of the account that was shown.
    pub account: Digest,
    /// What was done.
    pub outcome: Outcome,
    /// The ground, where something was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
}

impl Answers {
    /// Whether this answers that question, on that account.
    ///
    /// # Errors
    /// `field.invalid` for another question, an outcome that this type of question cannot have, or a refusal without its
    /// ground; `approval.preview_stale` when the ledger has changed since it was shown.
    pub fn check(&self, question: MessageId, asked: &str, account: Digest) -> Result<(), Problem> {
        let invalid = |field| Err(Problem::new(&problem::FIELD_INVALID).at(field));
        if self.question != question {
            return invalid("question");
        }
        if (self.outcome == Outcome::Answered) != matches!(asked, "rights.access" | "rights.portability") {
            return invalid("outcome");
        }
        let stays = matches!(self.outcome, Outcome::Partly | Outcome::Refused | Outcome::Kept);
        if stays != self.ground.is_some() {
            return invalid("ground");
        }
        if self.account != account {
            return Err(Problem::new(&problem::PREVIEW_STALE).at("account"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use uuid::Uuid;

    use super::*;

    fn judged(outcome: Outcome, ground: Option<&str>, asked: &str) -> Option<&'static str> {
        let question = MessageId(Uuid::from_u128(1));
        let account = Digest::of(b"account");
        let said = Answers { question, account, outcome, ground: ground.map(str::to_owned) };
        said.check(question, asked, account).err().map(|problem| problem.kind.code)
    }

    #[test]
    fn what_was_asked_decides_what_can_be_answered_and_a_refusal_says_why() {
        assert_eq!(judged(Outcome::Answered, None, "rights.access"), None);
        assert_eq!(judged(Outcome::Done, None, "rights.erase"), None);
        assert_eq!(judged(Outcome::Kept, Some("legal_hold"), "rights.erase"), None);
        assert_eq!(judged(Outcome::Refused, None, "rights.rectify"), Some("field.invalid"));
        assert_eq!(judged(Outcome::Done, Some("other"), "rights.rectify"), Some("field.invalid"));
        assert_eq!(judged(Outcome::Done, None, "rights.access"), Some("field.invalid"));
        assert_eq!(judged(Outcome::Answered, None, "rights.object"), Some("field.invalid"));
    }

    #[test]
    fn another_question_or_a_ledger_that_moved_on_is_not_answered() {
        let (one, two) = (MessageId(Uuid::from_u128(1)), MessageId(Uuid::from_u128(2)));
        let account = Digest::of(b"account");
        let said = Answers { question: one, account, outcome: Outcome::Answered, ground: None };
        assert_eq!(said.check(two, "rights.access", account).unwrap_err().kind.code, "field.invalid");
        let moved = said.check(one, "rights.access", Digest::of(b"one more line"));
        assert_eq!(moved.unwrap_err().kind.code, "approval.preview_stale");
    }
}
