//! The clock of one alert on one side: it runs until a named person stops it, or until it is known that the alert goes
//! nowhere.
//!
//! Not here: who is on duty and how they are reached. INVARIANT: a rung is climbed once and a silence is told once,
//! whatever was down meanwhile; a machine's receipt stops nothing; an alert that policy holds has a clock too.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ladder::{Term, Wake};
use crate::delivery::{ApprovalState, Side};
use crate::ids::{AgencyId, CaseId, CountryCode, MessageId, MessageType, Role};
use crate::problem::{self, Problem};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The sender's node has this long to send the end of a broadcast before people are told that it could not.
const END_GRACE_MS: i64 = 5 * MINUTE_MS;

/// What a clock waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaits {
    /// An officer's answer to an alert that is on its way, or there.
    #[default]
    Answer,
    /// The word of those who may release an alert that policy holds here; it is named by its approval.
    Release,
    /// The peer's receipt for the end of a broadcast: until it comes, nobody knows that it is shown no more.
    Receipt,
}

/// How a clock was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// Signed by an officer of the authority that was asked.
    Signed,
    /// By telephone, entered by an officer of the side that waited; the signature is still to come.
    Telephone,
    /// Held before, and released by those who may: the clock of its answer runs from then on.
    Released,
    /// By the peer's signed receipt.
    Proven,
}

impl Answered {
    /// The way as it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "answered",
            Self::Telephone => "answered_by_telephone",
            Self::Released => "released",
            Self::Proven => "proven",
        }
    }
}

/// A silence, or a refusal, that people have to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// Nobody has answered in time.
    NoAnswer,
    /// Nobody has acted in time.
    NoAction,
    /// An answer by telephone was not signed in time.
    NoSignature,
    /// The other gateway does not take the alert: no answer will come.
    NotTaken,
    /// Nobody has decided in time on an alert that is held.
    Undecided,
    /// A held alert does not go: who may release it has refused.
    NotReleased,
    /// A held alert does not go: nobody released it before its approval lapsed.
    Lapsed,
    /// A broadcast is past its time, and its end could not be sent.
    NotEnded,
    /// A member has not receipted the end of a broadcast in time.
    Unproven,
}

impl Silence {
    /// Who is woken up over it.
    #[must_use]
    pub const fn wakes(self) -> &'static [Wake] {
        match self {
            Self::NoAnswer | Self::NoSignature => &[Wake::Supervisor],
            Self::NoAction | Self::Undecided => &[Wake::Supervisor, Wake::Operator],
            // The officers were heard; their supervisor may see it otherwise.
            Self::NotReleased => &[Wake::Supervisor],
            Self::NotEnded | Self::Unproven => &[Wake::Officer, Wake::Operator],
            Self::NotTaken | Self::Lapsed => &[Wake::Officer, Wake::Supervisor, Wake::Operator],
        }
    }

    /// Whether the alert goes nowhere from then on.
    const fn is_end(self) -> bool {
        matches!(self, Self::NotTaken | Self::NotReleased | Self::Lapsed)
    }

    /// The silence as a metric label and as an event's state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::NoAction => "no_action",
            Self::NoSignature => "no_signature",
            Self::NotTaken => "not_taken",
            Self::Undecided => "undecided",
            Self::NotReleased => "not_released",
            Self::Lapsed => "lapsed",
            Self::NotEnded => "not_ended",
            Self::Unproven => "unproven",
        }
    }
}

/// What is to be done now; each is handed out once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Somebody is woken up.
    Wake(Wake),
    /// Somebody is told of a silence.
    Tell(Silence),
    /// The agency is told that a broadcast is shown no more: its time is over.
    End,
}

/// One alert on one side. Instants are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The alert; the approval's id while it is held.
    pub message: MessageId,
    /// What it waits for.
    #[serde(default)]
    pub awaits: Awaits,
    /// Which end this is.
    pub side: Side,
    /// The other country.
    pub peer: CountryCode,
    /// The alert's type.
    pub message_type: MessageType,
    /// The thread.
    pub case: CaseId,
    /// This side's agency, when one is named: who has to answer, or who waits.
    pub agency: Option<AgencyId>,
    /// This side's role.
    pub role: Role,
    /// The role that has to answer.
    pub answering: Role,
    /// The role that asked; `None` in clocks of before that was kept.
    #[serde(default)]
    pub asking: Option<Role>,
    /// Roles of this country's other authorities that may release it while it is held.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub releasing: BTreeSet<Role>,
    /// The terms that stood when it was opened.
    pub term: Term,
    /// When it was accepted here, or released here.
    pub opened_ms: i64,
    /// Minutes of the last rung climbed on this side.
    pub climbed_minutes: Option<u32>,
    /// When and how it was answered.
    pub answered: Option<(i64, Answered)>,
    /// When somebody first acted.
    pub acted_ms: Option<i64>,
    /// When a broadcast ended: cancelled, or by its time.
    #[serde(default)]
    pub ended_ms: Option<i64>,
    /// What was told.
    pub told: BTreeSet<Silence>,
}

impl Watch {
    fn after(&self, minutes: u32) -> i64 {
        self.opened_ms.saturating_add(i64::from(minutes).saturating_mul(MINUTE_MS))
    }

    /// When an officer has to have answered, or decided.
    #[must_use]
    pub fn answer_by_ms(&self) -> i64 {
        self.after(self.term.answer_minutes)
    }

    /// When somebody has to have acted, where that was promised.
    #[must_use]
    pub fn act_by_ms(&self) -> Option<i64> {
        self.term.act_minutes.map(|minutes| self.after(minutes))
    }

    /// When a broadcast is shown no more, at the latest.
    #[must_use]
    pub fn end_by_ms(&self) -> Option<i64> {
        let hours = self.term.display_hours?;
        Some(self.opened_ms.saturating_add(i64::from(hours).saturating_mul(HOUR_MS)))
    }

    /// Whether it is a broadcast that is still shown, or may be.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.term.display_hours.is_some() && self.ended_ms.is_none() && self.ended().is_none()
    }

    /// Whether nobody has answered.
    #[must_use]
    pub const fn is_unanswered(&self) -> bool {
        self.answered.is_none()
    }

    /// How it ended, when the alert goes nowhere.
    fn ended(&self) -> Option<Silence> {
        self.told.iter().copied().find(|silence| silence.is_end())
    }

    /// Whether nothing more is asked of anybody.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let answered =
            matches!(self.answered, Some((_, Answered::Signed | Answered::Released | Answered::Proven)));
        let acted = self.term.act_minutes.is_none() || self.acted_ms.is_some();
        self.ended().is_some() || self.ended_ms.is_some() || (answered && acted && !self.is_shown())
    }

    /// Where it stands, as it is shown.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match (self.ended(), self.acted_ms, self.answered, self.awaits) {
            (Some(end), ..) => end.as_str(),
            _ if self.ended_ms.is_some() => "ended",
            (None, Some(_), ..) => "acted",
            (None, None, Some((_, how)), _) => how.as_str(),
            (None, None, None, _) if self.told.contains(&self.unmet()) => self.unmet().as_str(),
            (None, None, None, Awaits::Answer | Awaits::Receipt) => "waits",
            (None, None, None, Awaits::Release) => "held",
        }
    }

    /// What is told when the term ends and nobody has spoken.
    const fn unmet(&self) -> Silence {
        match self.awaits {
            Awaits::Answer => Silence::NoAnswer,
            Awaits::Release => Silence::Undecided,
            Awaits::Receipt => Silence::Unproven,
        }
    }

    /// Every silence that may still have to be told, with its hour.
    fn silences(&self) -> impl Iterator<Item = (i64, Silence)> {
        let answer = self.is_unanswered().then(|| (self.answer_by_ms(), self.unmet()));
        let act = self.act_by_ms().filter(|_| self.acted_ms.is_none()).map(|at| (at, Silence::NoAction));
        let countersign = i64::from(self.term.countersign_minutes).saturating_mul(MINUTE_MS);
        let signature = match self.answered {
            Some((at, Answered::Telephone)) => Some((at.saturating_add(countersign), Silence::NoSignature)),
            _ => None,
        };
        let end = self.end_by_ms().filter(|_| self.side == Side::Sender);
        let end = end.map(|at| (at.saturating_add(END_GRACE_MS), Silence::NotEnded));
        [answer, act, signature, end]
            .into_iter()
            .flatten()
            .filter(|(_, silence)| !self.told.contains(silence))
    }

    fn rungs(&self) -> impl Iterator<Item = (u32, Wake)> {
        let climbed = self.climbed_minutes;
        let own = self.term.ladder.iter().filter(|rung| rung.side == self.side);
        own.filter(move |rung| climbed.is_none_or(|minutes| minutes < rung.after_minutes))
            .map(|rung| (rung.after_minutes, rung.wake))
    }

    /// When something is due next; `None` when nothing ever is.
    #[must_use]
    pub fn next_ms(&self) -> Option<i64> {
        if self.is_settled() {
            return None;
        }
        let rung =
            self.rungs().next().filter(|_| self.is_unanswered()).map(|(minutes, _)| self.after(minutes));
        // What could not be ended is no longer tried by the node: people were told.
        let end = self.end_by_ms().filter(|_| !self.told.contains(&Silence::NotEnded));
        self.silences().map(|(at, _)| at).chain(rung).chain(end).min()
    }

    /// Everything that is due by now and was not handed out before.
    pub fn handle_time(&mut self, now_ms: i64) -> Vec<Due> {
        if self.is_settled() {
            return Vec::new();
        }
        if self.side == Side::Receiver && self.end_by_ms().is_some_and(|at| at <= now_ms) {
            self.ended_ms = self.end_by_ms();
            return vec![Due::End];
        }
        let mut due = Vec::new();
        if self.is_unanswered() {
            let climbed: Vec<_> =
                self.rungs().filter(|(minutes, _)| self.after(*minutes) <= now_ms).collect();
            self.climbed_minutes = climbed.iter().map(|(minutes, _)| *minutes).max().or(self.climbed_minutes);
            due.extend(climbed.into_iter().map(|(_, wake)| Due::Wake(wake)));
        }
        let silent: Vec<_> = self.silences().filter(|(at, _)| *at <= now_ms).collect();
        for (_, silence) in silent {
            self.told.insert(silence);
            due.push(Due::Tell(silence));
        }
        due
    }

    /// An officer answers, once; a signature follows an answer by telephone.
    ///
    /// # Errors
    /// `alert.closed` when it was answered in this or a better way or asks for nothing more, `alert.held` before it was
    /// released.
    pub fn handle_answer(&mut self, at_ms: i64, how: Answered) -> Result<(), Problem> {
        match self.awaits {
            Awaits::Release => return Err(Problem::new(&problem::ALERT_HELD)),
            Awaits::Receipt => return Err(Problem::new(&problem::ALERT_CLOSED)),
            Awaits::Answer => {}
        }
        match (self.answered, how) {
            (None, _) => self.answered = Some((at_ms, how)),
            (Some((first, Answered::Telephone)), Answered::Signed) => {
                self.answered = Some((first, Answered::Signed));
            }
            _ => return Err(Problem::new(&problem::ALERT_CLOSED)),
        }
        Ok(())
    }

    /// Somebody acts, once.
    ///
    /// # Errors
    /// `alert.closed` when somebody did before, `alert.unanswered` when nobody of the authority has taken it yet.
    pub fn handle_action(&mut self, at_ms: i64) -> Result<(), Problem> {
        if self.acted_ms.is_some() {
            return Err(Problem::new(&problem::ALERT_CLOSED));
        }
        if self.side == Side::Receiver && self.is_unanswered() {
            return Err(Problem::new(&problem::ALERT_UNANSWERED));
        }
        self.acted_ms = Some(at_ms);
        Ok(())
    }

    /// The other gateway refused the alert, or it expired unaccepted, or it was taken out of the queue: told at once, for
    /// no answer will come.
    pub fn handle_not_taken(&mut self) -> Option<Due> {
        self.handle_end(Silence::NotTaken)
    }

    /// The held alert was decided on, or nobody did in time: a release stops the clock, all else is told at once.
    pub fn handle_decision(&mut self, at_ms: i64, state: ApprovalState) -> Option<Due> {
        match state {
            ApprovalState::Open => None,
            ApprovalState::Granted => {
                self.answered = self.answered.or(Some((at_ms, Answered::Released)));
                None
            }
            ApprovalState::Refused => self.handle_end(Silence::NotReleased),
            ApprovalState::Lapsed => self.handle_end(Silence::Lapsed),
        }
    }

    /// The peer has receipted the end of a broadcast: nothing more is asked. Answers whether that is news.
    pub fn handle_receipt(&mut self, at_ms: i64) -> bool {
        let news = self.awaits == Awaits::Receipt && self.answered.is_none();
        if news {
            self.answered = Some((at_ms, Answered::Proven));
        }
        news
    }

    /// A broadcast ends, by its time or by the word of who sent it. Answers whether it was shown until then.
    pub fn handle_ended(&mut self, at_ms: i64) -> bool {
        let shown = self.is_shown();
        if shown {
            self.ended_ms = Some(at_ms);
        }
        shown
    }

    fn handle_end(&mut self, end: Silence) -> Option<Due> {
        (self.ended().is_none() && self.told.insert(end)).then_some(Due::Tell(end))
    }
}
