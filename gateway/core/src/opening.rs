//! What becomes of a message when it is opened, wherever that is: the states that its sender is told, and the word of an
//! officer whose authority alone can open it.
//!
//! Not here: opening itself (`envelope::verify_inner`) and the receipts. INVARIANT: a word names its message and release,
//! and says of the content only what its gateway keeps account of by itself: how a question of its own was answered.

use serde::{Deserialize, Serialize};

use crate::envelope::{VerifiedInner, VerifiedOuter};
use crate::evidence::ReceiptState;
use crate::ids::{MessageId, ReleaseId};
use crate::problem::{self, Kind, Problem};

/// `typ` of the statement on a message that an authority opened itself, or could not.
pub const TYP_OPENING: &str = "puente-opening+jwt";

/// Faults of the message itself, which whoever opens it finds.
const OF_THE_MESSAGE: [&Kind; 3] =
    [&problem::SEAL_UNOPENABLE, &problem::DISCLOSURE_INVALID, &problem::SCHEMA_INVALID];

/// The basis of what gateways keep account of: withdrawals, corrections, erasures, questions, and the answers to them.
const CONTROL: &str = "control";

/// A reason is a code, not a text.
const MAX_REASON: usize = 64;

/// What the sender is told of an opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The states that it came to, in their order.
    pub states: &'static [ReceiptState],
    /// Why, for a refusal and a lost key.
    pub code: Option<&'static str>,
}

impl Told {
    /// It opened and was handed to its agency.
    pub const OPENED: Self =
        Self { states: &[ReceiptState::Opened, ReceiptState::HandedToAgency], code: None };
    /// It was handed to its agency as it came, sealed.
    pub const HANDED: Self = Self { states: &[ReceiptState::HandedToAgency], code: None };
    const KEY_LOST: Self = Self { states: &[ReceiptState::KeyLost], code: Some(problem::SEAL_KEY_LOST.code) };

    /// It was refused when it was opened; `None` for a fault that is not its sender's.
    #[must_use]
    pub fn refused(problem: &Problem) -> Option<Self> {
        let mut of_the_sender = OF_THE_MESSAGE.into_iter().chain([&problem::CONSENT_LAPSED]);
        let kind = of_the_sender.find(|kind| kind.code == problem.kind.code)?;
        Some(Self::refused_for(kind))
    }

    const fn refused_for(kind: &Kind) -> Self {
        Self { states: &[ReceiptState::RefusedAtOpening], code: Some(kind.code) }
    }
}

/// What a message answered to a question of its recipient's gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The status word.
    pub status: String,
    /// The ground, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Reply {
    /// What the content says; `None` when it has no status.
    #[must_use]
    pub fn of(inner: &VerifiedInner) -> Option<Self> {
        let metadata = inner.section("ops.metadata")?;
        let text = |name: &str| metadata.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        Some(Self { status: text("status")?, code: text("code") })
    }
}

/// What it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It opened.
    Opened,
    /// It is not what was signed, or not of its form.
    Refused,
    /// The key that it was sealed to is lost.
    KeyLost,
}

/// What an officer says of a message that their authority alone can open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Which message.
    pub message: MessageId,
    /// Which release of it.
    pub release: ReleaseId,
    /// What it came to.
    pub outcome: Outcome,
    /// Why: a problem's code for a refusal, a code of the deployment for a lost key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it answers, of an answer that rests on `control`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
}

impl Opening {
    /// The word on an opening; `None` when it failed through no fault of the message, which then waits to be opened.
    #[must_use]
    pub fn of(outer: &VerifiedOuter, opened: &Result<VerifiedInner, Problem>) -> Option<Self> {
        let said = |outcome, reason, reply| Self {
            message: outer.claims().jti,
            release: outer.release(),
            outcome,
            reason,
            reply,
        };
        match opened {
            Ok(inner) => {
                let reply = is_answer(outer).then(|| Reply::of(inner)).flatten();
                Some(said(Outcome::Opened, None, reply))
            }
            Err(problem) => {
                Told::refused(problem)?;
                Some(said(Outcome::Refused, Some(problem.kind.code.to_owned()), None))
            }
        }
    }

    /// What the sender is told by this word on that release.
    ///
    /// # Errors
    /// `field.invalid` when it is about another message or release, when a refusal names no fault of a message, a lost key no
    /// reason, or a reply is to nothing.
    pub fn told(&self, outer: &VerifiedOuter) -> Result<Told, Problem> {
        let claims = outer.claims();
        let invalid = |field: &str| Problem::new(&problem::FIELD_INVALID).at(field);
        if self.message != claims.jti {
            return Err(invalid("message"));
        }
        if self.release != outer.release() {
            return Err(invalid("release"));
        }
        if self.reply.is_some() && !(is_answer(outer) && self.outcome == Outcome::Opened) {
            return Err(invalid("reply"));
        }
        match (self.outcome, self.reason.as_deref()) {
            (Outcome::Opened, None) => Ok(Told::OPENED),
            (Outcome::Refused, Some(code)) => {
                let kind = OF_THE_MESSAGE.into_iter().find(|kind| kind.code == code);
                kind.map(Told::refused_for).ok_or_else(|| invalid("reason"))
            }
            (Outcome::KeyLost, Some(reason)) if is_code(reason) => Ok(Told::KEY_LOST),
            _ => Err(invalid("reason")),
        }
    }
}

/// Whether it answers what gateways keep account of.
fn is_answer(outer: &VerifiedOuter) -> bool {
    let header = &outer.claims().puente;
    header.legal_basis.kind == CONTROL && header.in_reply_to.is_some()
}

fn is_code(reason: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=MAX_REASON).contains(&reason.len()) && reason.bytes().all(allowed)
}
