//! Where a transfer stands, and what may follow.
//!
//! Steps are folded in the order of their rank, not of their arrival. Not here: clocks. INVARIANT: equal sets of steps
//! give equal states; where the child is beats what was written about her meanwhile.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::cases::step::{Step, StepKind};
use crate::delivery::Side;
use crate::ids::{CountryCode, MessageId};

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for the receiver's answer.
    Offered,
    /// The receiver takes it; the child is still with the sender.
    Accepted,
    /// The child is on the way.
    EnRoute,
    /// The sender has handed the child over; the receiver has not yet said so.
    HandedOver,
    /// The child is with the receiver.
    Received,
    /// The receiver does not take it.
    Rejected,
    /// The sender has taken it back.
    Revoked,
    /// The case has ended.
    Closed,
}

impl Stage {
    /// The stage as it is shown and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::EnRoute => "en_route",
            Self::HandedOver => "handed_over",
            Self::Received => "received",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
            Self::Closed => "closed",
        }
    }

    /// Whether nobody has to do anything more for the transfer.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Rejected | Self::Revoked | Self::Closed)
    }
}

/// Why a step does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Void {
    /// It was refused at its delivery, expired or was called off.
    NotTaken,
    /// It is not between the two countries of the transfer.
    Stranger,
    /// It is for the other side to take.
    NotItsSide,
    /// The same was said before.
    Repeated,
    /// The same side has said the opposite, and that stands.
    Contradicted,
    /// The child had been handed over.
    AlreadyThere,
    /// The child is on the way: nobody closes a case meanwhile.
    OnTheWay,
    /// The case is the other side's to close.
    NotOwner,
    /// The transfer had ended before.
    Ended,
    /// A follow-up that does not say which it is.
    Unnumbered,
}

/// A step that may not be taken now; `allowed` may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the step is not allowed now")]
pub struct Illegal {
    /// What this side may do next.
    pub allowed: Vec<StepKind>,
}

/// What one step does to a stage.
enum Move {
    To(Stage),
    Early,
    Not(Void),
}

/// What a step by a side does; follow-ups are counted by the caller.
const fn step_on(stage: Stage, side: Side, kind: StepKind) -> Move {
    use Stage::{Accepted, Closed, EnRoute, HandedOver, Offered, Received, Rejected, Revoked};
    match (kind, side) {
        (StepKind::Offer, _) => Move::Not(Void::Repeated),
        (StepKind::Accept | StepKind::Reject | StepKind::Received | StepKind::FollowUp, Side::Sender)
        | (StepKind::Departure | StepKind::HandOver | StepKind::Revoke, Side::Receiver) => {
            Move::Not(Void::NotItsSide)
        }
        (StepKind::Reject, _) => match stage {
            Offered => Move::To(Rejected),
            Rejected => Move::Not(Void::Repeated),
            _ => Move::Not(Void::Contradicted),
        },
        (StepKind::Accept, _) => match stage {
            Offered => Move::To(Accepted),
            Rejected => Move::Not(Void::Contradicted),
            Revoked | Closed => Move::Not(Void::Ended),
            _ => Move::Not(Void::Repeated),
        },
        (StepKind::Departure, _) => match stage {
            Offered => Move::Early,
            Accepted => Move::To(EnRoute),
            EnRoute | HandedOver | Received => Move::Not(Void::Repeated),
            _ => Move::Not(Void::Ended),
        },
        (StepKind::HandOver, _) => match stage {
            Offered => Move::Early,
            Accepted | EnRoute => Move::To(HandedOver),
            HandedOver | Received => Move::Not(Void::Repeated),
            _ => Move::Not(Void::Ended),
        },
        (StepKind::Received, _) => match stage {
            Offered => Move::Early,
            // A child who stands there is recorded, whatever of the way was not.
            Accepted | EnRoute | HandedOver => Move::To(Received),
            Received => Move::Not(Void::Repeated),
            _ => Move::Not(Void::Ended),
        },
        (StepKind::Revoke, _) => match stage {
            Offered | Accepted | EnRoute => Move::To(Revoked),
            HandedOver | Received => Move::Not(Void::AlreadyThere),
            Revoked => Move::Not(Void::Repeated),
            _ => Move::Not(Void::Ended),
        },
        (StepKind::FollowUp, _) => match stage {
            Received => Move::To(Received),
            Offered | Accepted | EnRoute | HandedOver => Move::Early,
            _ => Move::Not(Void::Ended),
        },
        (StepKind::Closure, Side::Sender) => match stage {
            Offered | Accepted | Rejected | Revoked => Move::To(Closed),
            EnRoute => Move::Not(Void::OnTheWay),
            HandedOver | Received => Move::Not(Void::NotOwner),
            Closed => Move::Not(Void::Repeated),
        },
        (StepKind::Closure, Side::Receiver) => match stage {
            Received => Move::To(Closed),
            Offered | Accepted | EnRoute | HandedOver => Move::Early,
            Rejected | Revoked => Move::Not(Void::NotOwner),
            Closed => Move::Not(Void::Repeated),
        },
    }
}

/// A transfer as the steps that a node holds make it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseState {
    stage: Option<Stage>,
    parties: Option<(CountryCode, CountryCode)>,
    stood: Vec<Step>,
    waiting: Vec<Step>,
    void: Vec<(Step, Void)>,
    contradicted_s: Option<i64>,
}

impl CaseState {
    /// Folds the steps of one transfer; a step given twice counts once.
    #[must_use]
    pub fn fold(steps: impl IntoIterator<Item = Step>) -> Self {
        let mut steps: Vec<Step> = steps.into_iter().collect();
        steps.sort_by_key(Step::rank);
        steps.dedup_by_key(|step| step.message);
        let mut state = Self::default();
        let is_offer = |step: &Step| step.kind == StepKind::Offer && step.message == step.mark.transfer;
        let offered =
            steps.iter().find(|step| is_offer(step)).map(|step| (step.author.clone(), step.to.clone()));
        state.parties = offered;
        let stubborn = state.contradicts_itself(&steps);
        let mut early = Vec::new();
        for step in steps {
            if !step.taken {
                state.void.push((step, Void::NotTaken));
            } else if state.parties.is_none() {
                early.push(step);
            } else if is_offer(&step) {
                state.stage = Some(Stage::Offered);
                state.stood.push(step);
            } else {
                state.take(step, stubborn, &mut early);
            }
        }
        // What came too early waits, unless nothing can come any more that it could follow.
        let ended = state.parties.is_some() && state.stage.is_none_or(Stage::is_ended);
        for step in early {
            if ended { state.void.push((step, Void::Ended)) } else { state.waiting.push(step) }
        }
        state
    }

    /// Notes an acceptance beside a rejection; answers whether the child stands there nevertheless, so that the
    /// rejection is what does not count.
    fn contradicts_itself(&mut self, steps: &[Step]) -> bool {
        let said = |kind| {
            let mut those = steps.iter().filter(move |step| step.kind == kind && step.taken);
            those.find(|step| self.side_of(step) == Some(Side::Receiver))
        };
        let (accept, reject) = (said(StepKind::Accept), said(StepKind::Reject));
        let there = said(StepKind::Received).is_some();
        let both = accept.zip(reject);
        let contradicted_s = both.map(|(yes, no)| yes.mark.issued_s.max(no.mark.issued_s));
        self.contradicted_s = contradicted_s;
        contradicted_s.is_some() && there
    }

    fn take(&mut self, step: Step, stubborn: bool, early: &mut Vec<Step>) {
        let Some(side) = self.side_of(&step) else {
            self.void.push((step, Void::Stranger));
            return;
        };
        let Some(stage) = self.stage else {
            // The offer itself was not taken.
            self.void.push((step, Void::Ended));
            return;
        };
        let moved = match step_on(stage, side, step.kind) {
            Move::To(_) if step.kind == StepKind::Reject && stubborn => Move::Not(Void::Contradicted),
            Move::To(_) | Move::Early if step.kind == StepKind::FollowUp && step.mark.day.is_none() => {
                Move::Not(Void::Unnumbered)
            }
            Move::To(_) if step.kind == StepKind::FollowUp && self.reported(step.mark.day) => {
                Move::Not(Void::Repeated)
            }
            other => other,
        };
        match moved {
            Move::To(next) => {
                self.stage = Some(next);
                self.stood.push(step);
            }
            Move::Early => early.push(step),
            Move::Not(reason) => self.void.push((step, reason)),
        }
    }

    fn reported(&self, day: Option<u16>) -> bool {
        self.stood.iter().any(|step| step.kind == StepKind::FollowUp && step.mark.day == day)
    }

    fn side_of(&self, step: &Step) -> Option<Side> {
        let (sender, receiver) = self.parties.as_ref()?;
        if (&step.author, &step.to) == (sender, receiver) {
            Some(Side::Sender)
        } else if (&step.author, &step.to) == (receiver, sender) {
            Some(Side::Receiver)
        } else {
            None
        }
    }

    /// Where it stands; `None` while the offer has not come, and when the offer was not taken.
    #[must_use]
    pub const fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// The side on which a country stands; `None` when it is not a party, or the offer is not known.
    #[must_use]
    pub fn side(&self, country: &CountryCode) -> Option<Side> {
        let (sender, receiver) = self.parties.as_ref()?;
        if country == sender {
            Some(Side::Sender)
        } else if country == receiver {
            Some(Side::Receiver)
        } else {
            None
        }
    }

    /// The country of the side that receives, once the offer is known.
    #[must_use]
    pub fn receiver(&self) -> Option<&CountryCode> {
        self.parties.as_ref().map(|(_, receiver)| receiver)
    }

    /// Whose case it is: the sender's until the child is received.
    #[must_use]
    pub fn owner(&self) -> Side {
        if self.stood(StepKind::Received).is_some() { Side::Receiver } else { Side::Sender }
    }

    /// The step of this kind that counts.
    #[must_use]
    pub fn stood(&self, kind: StepKind) -> Option<&Step> {
        self.stood.iter().find(|step| step.kind == kind)
    }

    /// The follow-ups that were reported: so many days after the reception.
    #[must_use]
    pub fn follow_ups(&self) -> BTreeSet<u16> {
        let reports = self.stood.iter().filter(|step| step.kind == StepKind::FollowUp);
        reports.filter_map(|step| step.mark.day).collect()
    }

    /// The steps that count, in the order of the life of the case.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.stood
    }

    /// The steps whose predecessor has not come.
    #[must_use]
    pub fn waiting(&self) -> &[Step] {
        &self.waiting
    }

    /// The steps that do not count, with the reason.
    #[must_use]
    pub fn void(&self) -> &[(Step, Void)] {
        &self.void
    }

    /// When the receiver had said both yes and no, seconds.
    #[must_use]
    pub const fn contradicted_s(&self) -> Option<i64> {
        self.contradicted_s
    }

    /// Whether a side may take a step now; `day` says which follow-up.
    ///
    /// # Errors
    /// `Illegal` with what the side may do next.
    pub fn may(&self, side: Side, kind: StepKind, day: Option<u16>) -> Result<(), Illegal> {
        let again = kind == StepKind::FollowUp && self.reported(day);
        if self.opens(side, kind) && !again { Ok(()) } else { Err(Illegal { allowed: self.allowed(side) }) }
    }

    /// What a side may do next.
    #[must_use]
    pub fn allowed(&self, side: Side) -> Vec<StepKind> {
        StepKind::ALL.into_iter().filter(|kind| self.opens(side, *kind)).collect()
    }

    fn opens(&self, side: Side, kind: StepKind) -> bool {
        let Some(stage) = self.stage else { return false };
        matches!(step_on(stage, side, kind), Move::To(_))
            || (kind == StepKind::HandOver && side == Side::Sender && self.lacks_hand_over())
    }

    /// Whether the child was received and the sender has not yet signed that it handed her over.
    #[must_use]
    pub fn lacks_hand_over(&self) -> bool {
        self.stood(StepKind::Received).is_some() && self.stood(StepKind::HandOver).is_none()
    }

    /// Every step it was made of, by message.
    pub fn messages(&self) -> impl Iterator<Item = MessageId> {
        let void = self.void.iter().map(|(step, _)| step);
        self.stood.iter().chain(&self.waiting).chain(void).map(|step| step.message)
    }
}
