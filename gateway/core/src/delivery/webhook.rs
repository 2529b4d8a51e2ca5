//! A webhook: where an agency has its events sent, how far it is, and what a call's outcome makes of it.
//!
//! What it is owed is a query, the events after its cursor; only what it did not take has a row of its own, a dead letter.
//! Not here: the call itself. INVARIANT: the cursor passes an event only when the receiver took it, when it became a dead
//! letter, or when the webhook is not about it; so whatever fails, nothing is lost and nothing is out of order.

use serde::{Deserialize, Serialize};

use crate::delivery::record::{Event, EventKind};
use crate::delivery::retry::{RetrySchedule, next_attempt};
use crate::ids::{AgencyId, Digest, MessageType, WebhookId};
use crate::problem::{self, Kind};

/// Webhooks of one agency at most; each has one call in progress at most.
pub const MAX_WEBHOOKS: usize = 8;

/// Dead letters of one webhook at most: the one after these pauses it instead.
pub const MAX_DEAD_LETTERS: u32 = 1_000;

/// Where the events go and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookTarget {
    /// An `https` address, in the one form in which it is signed.
    pub url: String,
    /// Certificates of the authorities that vouch for the receiver, PEM.
    pub authority: Option<String>,
    /// SHA-256 of the SubjectPublicKeyInfo of the receiver's certificate.
    pub pin: Option<Digest>,
    /// Whether the node shows the certificate of its domestic face.
    pub present_certificate: bool,
    /// Kinds of events; none is every kind.
    pub kinds: Vec<EventKind>,
    /// Types of messages that the events speak of; none is every type.
    pub message_types: Vec<MessageType>,
}

impl WebhookTarget {
    /// Whether the webhook is about this event. That a webhook was paused is never told by one: it would feed itself.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.contains(&event.kind);
        let about = event.message_type.as_ref();
        let message_type =
            self.message_types.is_empty() || about.is_some_and(|about| self.message_types.contains(about));
        event.kind != EventKind::WebhookState && kind && message_type
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    /// Names it.
    pub webhook: WebhookId,
    /// Counts its changes: a change on another state of it is refused.
    pub revision: u32,
    /// Whose it is.
    pub agency: AgencyId,
    /// Where to and what (*at rest*).
    pub target: WebhookTarget,
    /// How far it is.
    pub progress: WebhookProgress,
    /// When it was registered (milliseconds since the epoch).
    pub created_ms: i64,
}

/// How far a webhook is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookProgress {
    /// The last event that is settled.
    pub cursor: i64,
    /// Calls for the event after it that somebody answered, and not with 2xx.
    pub attempts: u32,
    /// Since when.
    pub refused_since_ms: Option<i64>,
    /// Calls in a row that failed, for whatever reason: how long to wait follows from it.
    pub failures: u32,
    /// Since when nobody has answered at all.
    pub silent_since_ms: Option<i64>,
    /// The next call is not before this instant (milliseconds since the epoch).
    pub due_ms: i64,
    /// Dead letters that wait for the operator.
    pub dead_letters: u32,
    /// Why it is paused: a problem code, or `asked`.
    pub paused: Option<String>,
}

/// An event that a webhook did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterRow {
    /// Which webhook.
    pub webhook: WebhookId,
    /// The event's cursor.
    pub event: i64,
    /// The code of the last failure.
    pub code: String,
    /// When that was (milliseconds since the epoch).
    pub at_ms: i64,
    /// Whether it is to be sent once more.
    pub resend: bool,
}

/// What came of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// 2xx: the receiver has it.
    Taken,
    /// Somebody answered that this event is not wanted: the event may be to blame.
    Refused(&'static Kind),
    /// Somebody is there and in trouble, by an answer or by none in time: the event may still be to blame.
    Failed(&'static Kind),
    /// 410: the receiver wants no more.
    Gone,
    /// Nobody was reached: the event is not to blame.
    Unreached(&'static Kind),
}

impl CallOutcome {
    /// The outcome as a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused(kind) | Self::Failed(kind) | Self::Unreached(kind) => kind.code,
            Self::Gone => problem::WEBHOOK_GONE.code,
        }
    }
}

/// When a webhook gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Calls that were answered, and not with 2xx, after which an event becomes a dead letter.
    pub attempts: u32,
    /// Milliseconds for which, moreover, a receiver in trouble has to have been so.
    pub failing_ms: i64,
    /// Milliseconds without any answer after which the webhook is paused.
    pub silence_ms: i64,
}

/// A webhook after a call, and the dead letter that it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterCall {
    /// The webhook's next state.
    pub row: WebhookRow,
    /// The event, when it is given up.
    pub dead: Option<DeadLetterRow>,
}

impl WebhookRow {
    /// Whether a call may be made at this instant.
    #[must_use]
    pub const fn is_due(&self, now_ms: i64) -> bool {
        self.progress.paused.is_none() && self.progress.due_ms <= now_ms
    }

    /// The next state, with what `change` does to its progress.
    #[must_use]
    pub fn changed(&self, change: impl FnOnce(&mut WebhookProgress)) -> Self {
        let mut next = Self { revision: self.revision.saturating_add(1), ..self.clone() };
        change(&mut next.progress);
        next
    }

    /// The webhook goes on with what it is owed, from the event at which it stopped.
    #[must_use]
    pub fn resumed(&self, now_ms: i64) -> Self {
        self.changed(|progress| progress.begin_anew(now_ms))
    }

    /// What the call for the event at this cursor makes of the webhook.
    #[must_use]
    pub fn after(
        &self,
        event: i64,
        outcome: CallOutcome,
        now_ms: i64,
        patience: Patience,
        random: u64,
    ) -> AfterCall {
        let mut dead = None;
        let row = self.changed(|progress| match outcome {
            CallOutcome::Taken => {
                progress.cursor = event;
                progress.begin_anew(now_ms);
            }
            CallOutcome::Gone => progress.paused = Some(problem::WEBHOOK_GONE.code.to_owned()),
            CallOutcome::Refused(kind) | CallOutcome::Failed(kind) => {
                progress.silent_since_ms = None;
                let since = *progress.refused_since_ms.get_or_insert(now_ms);
                progress.fail(now_ms, random);
                progress.attempts = progress.attempts.saturating_add(1);
                let troubled = matches!(outcome, CallOutcome::Failed(_));
                let long = now_ms.saturating_sub(since) >= patience.failing_ms;
                if progress.attempts < patience.attempts || (troubled && !long) {
                    return;
                }
                if progress.dead_letters >= MAX_DEAD_LETTERS {
                    progress.paused = Some(kind.code.to_owned());
                    return;
                }
                progress.cursor = event;
                progress.begin_anew(now_ms);
                progress.dead_letters += 1;
                dead = Some(DeadLetterRow {
                    webhook: self.webhook,
                    event,
                    code: kind.code.to_owned(),
                    at_ms: now_ms,
                    resend: false,
                });
            }
            CallOutcome::Unreached(kind) => {
                let since = *progress.silent_since_ms.get_or_insert(now_ms);
                progress.fail(now_ms, random);
                if now_ms.saturating_sub(since) >= patience.silence_ms {
                    progress.paused = Some(kind.code.to_owned());
                }
            }
        });
        AfterCall { row, dead }
    }
}

impl WebhookProgress {
    /// The next event is owed at once, and nothing is held against it.
    fn begin_anew(&mut self, now_ms: i64) {
        *self =
            Self { cursor: self.cursor, dead_letters: self.dead_letters, due_ms: now_ms, ..Self::default() };
    }

    fn fail(&mut self, now_ms: i64, random: u64) {
        self.due_ms = next_attempt(RetrySchedule::MESSAGE, now_ms, self.failures, random);
        self.failures = self.failures.saturating_add(1);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const PATIENCE: Patience = Patience { attempts: 3, failing_ms: 500_000, silence_ms: 1_000_000 };
    const REFUSED: CallOutcome = CallOutcome::Refused(&problem::WEBHOOK_REFUSED);
    const UNREACHED: CallOutcome = CallOutcome::Unreached(&problem::WEBHOOK_UNREACHABLE);

    fn webhook() -> WebhookRow {
        WebhookRow {
            webhook: WebhookId(Uuid::from_u128(1)),
            revision: 0,
            agency: "IGM".parse().unwrap(),
            target: WebhookTarget {
                url: "https://igm.example/".to_owned(),
                authority: None,
                pin: Some(Digest::of(b"key")),
                present_certificate: true,
                kinds: Vec::new(),
                message_types: Vec::new(),
            },
            progress: WebhookProgress { cursor: 10, ..WebhookProgress::default() },
            created_ms: 0,
        }
    }

    /// The webhook after these outcomes for the event 11, each at the instant the one before allows.
    fn after(outcomes: &[CallOutcome]) -> AfterCall {
        let mut now_ms = 1_000;
        let mut step = AfterCall { row: webhook(), dead: None };
        for outcome in outcomes {
            step = step.row.after(11, *outcome, now_ms, PATIENCE, u64::MAX);
            now_ms = step.row.progress.due_ms;
        }
        step
    }

    #[test]
    fn a_refusal_is_no_delivery_and_the_same_event_is_owed_again_later() {
        let AfterCall { row, dead } = after(&[REFUSED]);
        assert_eq!((row.progress.cursor, dead), (10, None));
        assert!(!row.is_due(1_000) && row.is_due(row.progress.due_ms));
        let taken = after(&[REFUSED, REFUSED, CallOutcome::Taken]).row;
        assert_eq!((taken.progress.cursor, taken.progress.attempts, taken.progress.failures), (11, 0, 0));
    }

    #[test]
    fn what_is_refused_so_often_is_a_dead_letter_and_the_webhook_goes_on_with_the_next() {
        let AfterCall { row, dead } = after(&[REFUSED, REFUSED, REFUSED]);
        assert_eq!((row.progress.cursor, row.progress.dead_letters, row.progress.paused), (11, 1, None));
        let dead = dead.unwrap();
        assert_eq!((dead.event, dead.code.as_str()), (11, "webhook.refused"));
    }

    #[test]
    fn a_receiver_in_trouble_has_hours_before_an_event_is_given_up() {
        const FAILED: CallOutcome = CallOutcome::Failed(&problem::WEBHOOK_REFUSED);
        let AfterCall { row, dead } = after(&[FAILED; 6]);
        assert_eq!((row.progress.cursor, row.progress.attempts, dead), (10, 6, None));
        let AfterCall { row, dead } = row.after(11, FAILED, 1_000 + PATIENCE.failing_ms, PATIENCE, 0);
        assert_eq!(
            (row.progress.cursor, dead.is_some(), row.is_due(1_000 + PATIENCE.failing_ms)),
            (11, true, true)
        );
    }

    #[test]
    fn nobody_reached_blames_no_event_and_pauses_the_webhook_in_the_end() {
        let AfterCall { row, dead } = after(&[UNREACHED; 5]);
        assert_eq!((row.progress.cursor, row.progress.attempts, dead), (10, 0, None));
        assert_eq!(row.progress.paused, None);
        let late = row.after(11, UNREACHED, 1_000 + PATIENCE.silence_ms, PATIENCE, 0).row;
        assert_eq!(late.progress.paused.as_deref(), Some("webhook.unreachable"));
        assert!(!late.is_due(i64::MAX));
        let resumed = late.resumed(5);
        assert_eq!((resumed.progress.cursor, resumed.progress.failures, resumed.is_due(5)), (10, 0, true));
    }

    #[test]
    fn gone_pauses_at_once_and_the_event_stays_owed() {
        let row = after(&[CallOutcome::Gone]).row;
        assert_eq!((row.progress.cursor, row.progress.paused.as_deref()), (10, Some("webhook.gone")));
    }

    #[test]
    fn with_as_many_dead_letters_as_may_be_it_pauses_and_drops_nothing() {
        let mut full = webhook();
        full.progress.dead_letters = MAX_DEAD_LETTERS;
        full.progress.attempts = PATIENCE.attempts - 1;
        let AfterCall { row, dead } = full.after(11, REFUSED, 1_000, PATIENCE, 0);
        assert_eq!((row.progress.cursor, dead), (10, None));
        assert_eq!(row.progress.paused.as_deref(), Some("webhook.refused"));
    }

    #[test]
    fn a_webhook_is_about_the_kinds_and_types_it_names_and_never_about_webhooks() {
        let event = |kind, message_type: Option<&str>| Event {
            kind,
            agency: None,
            role: "returns_reception".parse().unwrap(),
            message: None,
            approval: None,
            message_type: message_type.map(|named| named.parse().unwrap()),
            state: "accepted".to_owned(),
            at_ms: 0,
        };
        let mut target = webhook().target;
        assert!(target.wants(&event(EventKind::HoldEnded, None)));
        assert!(!target.wants(&event(EventKind::WebhookState, None)));
        target.kinds = vec![EventKind::MessageReceived];
        target.message_types = vec!["child.alert".parse().unwrap()];
        assert!(target.wants(&event(EventKind::MessageReceived, Some("child.alert"))));
        assert!(!target.wants(&event(EventKind::MessageReceived, Some("return.manifest"))));
        assert!(!target.wants(&event(EventKind::MessageState, Some("child.alert"))));
        assert!(!target.wants(&event(EventKind::MessageReceived, None)));
    }
}
