//! Opening a stopped row: what is written, and who is told.
//!
//! Not here: deciding that it stops. INVARIANT: the event to the authority is in the same commit as the stop.

use std::collections::BTreeSet;

use puente_core::delivery::{Event, EventKind, SubjectTag, Write};
use puente_core::ids::{AgencyId, CountryCode, MessageId, MessageType, OperationId, Role, StopId};
use puente_core::problem::{self, Problem};
use puente_core::protection::{
    Authority, Found, Marks, Reviewed, SenderSide, Stop, StopDraft, StopKind, StopRow, StopSchedule,
};

use crate::node::Node;
use crate::protection::record::StopRecord;

/// Ids remembered at most; beyond it every waiting message counts as tried.
const MAX_TRIED: usize = 100_000;

/// Messages of which bytes may be with the peer though no receipt came.
#[derive(Default)]
pub(super) struct Tried {
    messages: BTreeSet<MessageId>,
    all: bool,
}

impl Tried {
    pub(super) fn note(&mut self, messages: impl Iterator<Item = MessageId>) {
        self.messages.extend(messages);
        if self.messages.len() > MAX_TRIED {
            self.messages.clear();
            self.all = true;
        }
    }

    pub(super) fn has(&self, message: MessageId) -> bool {
        self.all || self.messages.contains(&message)
    }
}

/// The row that stops, as its sender's side knows it.
pub struct Stopped<'a> {
    /// How.
    pub kind: StopKind,
    /// The hold it met.
    pub found: &'a Found,
    /// The sending agency.
    pub agency: &'a AgencyId,
    /// Its role.
    pub role: &'a Role,
    /// Message type.
    pub message_type: &'a MessageType,
    /// Destination.
    pub peer: &'a CountryCode,
    /// The operation, when it belongs to one.
    pub operation: Option<OperationId>,
    /// The row of the sender's list.
    pub row: Option<u32>,
    /// The queued message, when it was queued.
    pub message: Option<MessageId>,
    /// When the transport leaves or arrives.
    pub departs_ms: Option<i64>,
    /// The people it names.
    pub people: &'a [Marks],
    /// The submission, JSON, with the subject whose key seals it, when it is at hand.
    pub draft: Option<(SubjectTag, Vec<u8>)>,
}

/// The writes of a stop: the row with both clocks, and the event to its authority.
///
/// # Errors
/// `node.internal` when the record cannot be written down.
pub fn open_stop(node: &Node, stopped: Stopped<'_>) -> Result<(Stop, Vec<Write>), Problem> {
    let now_ms = node.clock.now_ms();
    let asked = stopped.kind != StopKind::Probed;
    let stop = Stop {
        stop: StopId(node.fresh_id()),
        kind: stopped.kind,
        agency: stopped.agency.clone(),
        role: stopped.role.clone(),
        authority: stopped.found.authority.clone(),
        message_type: stopped.message_type.clone(),
        peer: stopped.peer.clone(),
        operation: stopped.operation,
        row: stopped.row,
        message: stopped.message,
        opened_ms: now_ms,
        departs_ms: stopped.departs_ms,
        answer_by_ms: now_ms,
        review_by_ms: now_ms,
        sender: if asked { SenderSide::Silent } else { SenderSide::NotAsked },
        reviewed: Reviewed::Silent,
        sender_alarmed: false,
        authority_alarmed: false,
    }
    .scheduled(schedule(node));
    let record =
        StopRecord { hold: stopped.found.hold, people: stopped.people.to_vec(), statements: Vec::new() };
    let draft = stopped.draft.map(|(subject, bytes)| StopDraft { subject: Some(subject), bytes });
    let row = StopRow { stop: stop.clone(), revision: 1, record: seal_record(&record)?, draft };
    let state = if asked { "opened" } else { "asked" };
    let told = event(EventKind::ReferralOpened, &stop.authority, &stop, state, now_ms);
    Ok((stop, vec![Write::Stop(row), Write::Event(told)]))
}

/// The record as bytes for the store, which encrypts them.
///
/// # Errors
/// `node.internal` when it cannot be written down.
pub fn seal_record<T: serde::Serialize>(record: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(record).map_err(|_| Problem::new(&problem::INTERNAL))
}

fn schedule(node: &Node) -> StopSchedule {
    let ms = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
    let times = &node.config.times;
    StopSchedule {
        review_ms: ms(times.referral_seconds),
        before_departure_ms: ms(times.refusal_before_departure_seconds),
        without_departure_ms: ms(times.refusal_seconds),
    }
}

/// A thin event about a stop: it names no row, for an inbox is read by more people than may know which.
#[must_use]
pub fn event(kind: EventKind, to: &Authority, stop: &Stop, state: &str, at_ms: i64) -> Event {
    Event {
        kind,
        agency: Some(to.agency.clone()),
        role: to.role.clone(),
        message: None,
        approval: None,
        message_type: Some(stop.message_type.clone()),
        state: state.to_owned(),
        at_ms,
    }
}
