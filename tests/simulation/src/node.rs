//! One node: what its two faces and its housekeeping do with the core, on a disk that may end at any moment.
//!
//! INVARIANT: nothing of a commit leaves before the commit is durable, save where a planted fault says so.

use std::collections::BTreeMap;

use puente_core::cases::{CaseState, Look, News, Plan, Step, StepKind, ToldRow, clocks, look};
use puente_core::delivery::{
    Commit, CommitId, Direction, Event, EventKind, Ground, InboundRow, Keeping, MessageRow, OutboundRow,
    OutboundState, Pending, ReceiptRow, RetrySchedule, Side, SubjectTag, Write, next_attempt,
};
use puente_core::duty::{Answered, Awaits, Term, Watch, WatchRow};
use puente_core::envelope::CLOCK_TOLERANCE_S;
use puente_core::ids::{CountryCode, Digest, MessageId};

use crate::disk::{Disk, Put};
use crate::fault::Fault;
use crate::line::{ALERT, ALERT_ACK, Line, agency, role};
use crate::network::Packet;
use crate::random::Random;

/// What leaves once a commit is durable.
#[derive(Debug)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// A packet to another node.
    Send(usize, Packet),
    /// The officer is told that the message was taken.
    Accepted(MessageId),
}

/// A commit that is not durable yet.
struct Group {
    id: CommitId,
    puts: Vec<Put>,
    pending: Pending<Then>,
}

/// One country's node.
pub struct Node {
    pub country: CountryCode,
    pub disk: Disk,
    pub up: bool,
    /// How far its clock is from the true one, milliseconds.
    pub skew_ms: i64,
    fault: Fault,
    log: Vec<Group>,
    commits: u64,
    /// When each waiting message is tried again: not durable, for a restart tries all at once.
    tries: BTreeMap<MessageId, (u32, i64)>,
}

impl Node {
    pub fn new(country: CountryCode, skew_ms: i64, fault: Fault) -> Self {
        Self {
            country,
            disk: Disk::default(),
            up: true,
            skew_ms,
            fault,
            log: Vec::new(),
            commits: 0,
            tries: BTreeMap::new(),
        }
    }

    fn commit(&mut self, puts: Vec<Put>, then: Then) {
        self.commits += 1;
        let (id, _, pending) = Commit::new(CommitId(self.commits), Vec::new(), then).into_parts();
        self.log.push(Group { id, puts, pending });
    }

    /// Makes what waits durable; answers what may leave now.
    pub fn flush(&mut self) -> Vec<Then> {
        let mut released = Vec::new();
        for Group { id, puts, pending } in std::mem::take(&mut self.log) {
            if let Some(token) = self.disk.commit(id, puts) {
                released.extend(pending.release(&token));
            }
        }
        released
    }

    /// The process ends: what was not durable is gone.
    pub fn crash(&mut self) {
        self.up = false;
        self.log.clear();
        self.tries.clear();
    }

    /// The process starts again.
    pub fn restart(&mut self) {
        self.up = true;
        if self.fault == Fault::ForgottenClock {
            for known in self.disk.transfers.values_mut() {
                known.look_ms = None;
            }
        }
    }

    /// The state of a transfer, as this node reads it.
    pub fn state(&self, transfer: MessageId) -> CaseState {
        let steps = self.disk.steps(transfer).filter_map(|row| Step::of(row, &self.country));
        if self.fault != Fault::ArrivalOrder {
            return CaseState::fold(steps);
        }
        let mut taken: Vec<Step> = Vec::new();
        for step in steps {
            let state = CaseState::fold(taken.iter().cloned());
            let allowed = match state.side(&step.author) {
                Some(side) => state.may(side, step.kind, step.mark.day).is_ok(),
                None => step.kind == StepKind::Offer,
            };
            if allowed {
                taken.push(step);
            }
        }
        CaseState::fold(taken)
    }

    /// An officer submits a message: refused when the case does not allow the step.
    pub fn submit(&mut self, line: &Line, now_ms: i64) -> bool {
        let kind = StepKind::of(&line.header.message_type);
        if let (Some(kind), Some(transfer)) =
            (kind.filter(|kind| *kind != StepKind::Offer), line.header.in_reply_to)
        {
            let state = self.state(transfer);
            let day = line.header.step.and_then(|step| step.day);
            let may = state.side(&self.country).is_some_and(|side| state.may(side, kind, day).is_ok());
            if !may && self.fault != Fault::UncheckedStep {
                return false;
            }
        }
        self.commit(vec![queued(line, now_ms)], Then::Accepted(line.message));
        true
    }

    /// As `submit`, with a watch over the alert in the same commit.
    pub fn alert(&mut self, line: &Line, term: &Term, now_ms: i64) {
        let watch = watch_over(&line.row(Direction::Out, now_ms, Line::QUEUED), Side::Sender, term);
        self.commit(
            vec![queued(line, now_ms), Put::Core(Write::Watch(WatchRow::opened(watch)))],
            Then::Accepted(line.message),
        );
    }

    /// An officer takes an alert; the answer goes out in the same commit.
    pub fn take_alert(&mut self, alert: MessageId, ack: &Line, now_ms: i64) {
        let Some(mut row) = self.disk.watches.get(&alert).cloned() else { return };
        if row.watch.handle_answer(now_ms, Answered::Signed).is_err() {
            return;
        }
        self.commit(
            vec![Put::Core(Write::WatchChanged(row.moved(None))), queued(ack, now_ms)],
            Then::Accepted(ack.message),
        );
    }

    /// The first action for the child.
    pub fn act_on(&mut self, alert: MessageId, now_ms: i64) {
        let Some(mut row) = self.disk.watches.get(&alert).cloned() else { return };
        if row.watch.handle_action(now_ms).is_ok() {
            self.commit(vec![Put::Core(Write::WatchChanged(row.moved(None)))], Then::Nothing);
        }
    }

    /// A message comes in from node `from`. `refuses` is this node's policy.
    pub fn receive(
        &mut self,
        from: usize,
        wire: &[u8],
        term: &Term,
        refuses: impl Fn(MessageId) -> bool,
        now_ms: i64,
    ) -> Option<Then> {
        let line: Line = serde_json::from_slice(wire).ok()?;
        if line.issued_s > now_ms.div_euclid(1000).saturating_add(CLOCK_TOLERANCE_S) {
            // Not receipted: it comes again.
            return None;
        }
        let known = self.disk.messages.get(&line.message).map(|row| row.state.clone());
        if let Some(state) = known {
            if self.fault == Fault::SecondEffect {
                let row = line.row(Direction::In, now_ms, &state);
                self.commit(vec![Put::Core(Write::Event(received(&row, now_ms)))], Then::Nothing);
            }
            let silent = self.fault == Fault::SilentTwin;
            return (!silent).then(|| Then::Send(from, Packet::Receipt(line.message, receipted(&state))));
        }
        let refused = refuses(line.message);
        let state = if refused { OutboundState::Refused } else { OutboundState::Accepted };
        let row = line.row(Direction::In, now_ms, state.as_str());
        let answer = Then::Send(from, Packet::Receipt(line.message, state));
        if self.fault == Fault::LostVoid && self.would_be_void(&row) {
            return Some(answer);
        }
        let mut puts = Vec::new();
        let mut late = None;
        if !refused {
            puts.push(Put::Core(Write::Event(received(&row, now_ms))));
            match row.message_type.as_str() {
                ALERT => {
                    let opened =
                        Put::Core(Write::Watch(WatchRow::opened(watch_over(&row, Side::Receiver, term))));
                    if self.fault == Fault::LateWatch { late = Some(opened) } else { puts.push(opened) }
                }
                ALERT_ACK => puts.extend(self.answered(&row, now_ms)),
                _ => {}
            }
        }
        let inbound = InboundRow {
            message: row,
            keeping: None,
            issuer_digest: Digest::of(wire),
            keep_until_ms: i64::MAX,
        };
        puts.push(Put::Core(Write::Inbound(inbound)));
        let early =
            (self.fault == Fault::EarlyAck).then_some(Then::Send(from, Packet::Receipt(line.message, state)));
        self.commit(puts, if early.is_some() { Then::Nothing } else { answer });
        if let Some(late) = late {
            self.commit(vec![late], Then::Nothing);
        }
        early
    }

    /// Makes only the first commit durable: the process is about to end.
    pub fn flush_first(&mut self) -> Vec<Then> {
        if self.log.is_empty() {
            return Vec::new();
        }
        let rest = self.log.split_off(1);
        let released = self.flush();
        self.log = rest;
        released
    }

    fn would_be_void(&self, row: &MessageRow) -> bool {
        let Some(step) = Step::of(row, &self.country) else { return false };
        let state = self.state(step.mark.transfer);
        let after = CaseState::fold(
            self.disk
                .steps(step.mark.transfer)
                .filter_map(|known| Step::of(known, &self.country))
                .chain([step.clone()]),
        );
        state.stage().is_some() && after.void().iter().any(|(known, _)| known.message == step.message)
    }

    /// The officer's answer to an alert of ours has come.
    fn answered(&self, row: &MessageRow, now_ms: i64) -> Option<Put> {
        let mut known = row.in_reply_to.and_then(|alert| self.disk.watches.get(&alert))?.clone();
        known.watch.handle_answer(now_ms, Answered::Signed).ok()?;
        Some(Put::Core(Write::WatchChanged(known.moved(None))))
    }

    /// A receipt for a message of ours.
    pub fn settle(&mut self, message: MessageId, state: OutboundState, now_ms: i64) {
        let Some(row) = self.disk.messages.get(&message).filter(|row| row.state == Line::QUEUED) else {
            return;
        };
        let (release, peer) = (row.release, row.peer.clone());
        let mut puts = vec![
            Put::Core(Write::OutboundState {
                message,
                release,
                state,
                code: None,
                due_ms: now_ms,
                attempts: 0,
            }),
            Put::Core(Write::Receipt(ReceiptRow {
                direction: Direction::Out,
                peer,
                message,
                release,
                state: state.as_str().to_owned(),
                code: None,
                at_ms: now_ms,
                receipt: Vec::new(),
                to_send: false,
            })),
        ];
        if state == OutboundState::Refused
            && let Some(known) = self.disk.watches.get(&message)
        {
            let mut known = known.clone();
            let told = known.watch.handle_not_taken();
            puts.extend(told.map(|due| Put::Told(message, due)));
            puts.push(Put::Core(Write::WatchChanged(known.moved(None))));
        }
        self.commit(puts, Then::Nothing);
    }

    /// What is due to be sent, each with the node it goes to by its country.
    pub fn due(&mut self, now_ms: i64, random: &mut Random) -> Vec<(CountryCode, Vec<u8>)> {
        let mut due = Vec::new();
        for row in self.disk.messages.values().filter(|row| row.state == Line::QUEUED) {
            let (attempts, at_ms) = self.tries.get(&row.message).copied().unwrap_or((0, 0));
            if at_ms <= now_ms {
                let next = next_attempt(RetrySchedule::MESSAGE, now_ms, attempts, random.number());
                self.tries.insert(row.message, (attempts.saturating_add(1), next));
                due.push((row.peer.clone(), row.wire.clone()));
            }
        }
        due
    }

    /// Whether anything of ours still waits for a receipt.
    pub fn waits(&self) -> bool {
        !self.log.is_empty() || self.disk.messages.values().any(|row| row.state == Line::QUEUED)
    }

    /// Looks at every case and alert of which there may be something to tell.
    pub fn watch(&mut self, plan: &Plan, now_ms: i64) {
        let due: Vec<MessageId> = self
            .disk
            .transfers
            .iter()
            .filter(|(_, known)| known.look_ms.is_some_and(|at| at <= now_ms))
            .map(|(transfer, _)| *transfer)
            .collect();
        for transfer in due {
            self.look_at(transfer, plan, now_ms);
        }
        let rows: Vec<WatchRow> = self
            .disk
            .watches
            .values()
            .filter(|row| row.watch.next_ms().is_some_and(|at| at <= now_ms))
            .cloned()
            .collect();
        for mut row in rows {
            let alert = row.watch.message;
            let mut puts: Vec<Put> =
                row.watch.handle_time(now_ms).into_iter().map(|due| Put::Told(alert, due)).collect();
            puts.push(Put::Core(Write::WatchChanged(row.moved(None))));
            self.commit(puts, Then::Nothing);
        }
    }

    fn look_at(&mut self, transfer: MessageId, plan: &Plan, now_ms: i64) {
        let Some(known) = self.disk.transfers.get(&transfer).map(|known| known.row.clone()) else { return };
        let state = self.state(transfer);
        let now_s = now_ms.div_euclid(1000);
        let seen = match state.side(&self.country) {
            Some(side) => look(&state, side, &known.told, plan, now_s),
            None => Look { news: Vec::new(), told: known.told.clone(), again_s: None },
        };
        let mut puts: Vec<Put> = seen
            .news
            .iter()
            .map(|news| Put::Core(Write::Event(case_event(transfer, *news, now_ms))))
            .collect();
        let told = if self.fault == Fault::RepeatedAlarm { known.told } else { seen.told };
        puts.push(Put::Core(Write::CaseTold(ToldRow {
            transfer,
            revision: known.revision,
            told,
            look_ms: seen.again_s.map(|at| at.saturating_mul(1000)),
            clock_ms: clocks(&state, plan).first().map(|clock| clock.due_s.saturating_mul(1000)),
        })));
        self.commit(puts, Then::Nothing);
    }

    /// The transfers to which this country is party, with its side.
    pub fn parties(&self) -> Vec<(MessageId, Side, CaseState)> {
        self.disk
            .transfers
            .keys()
            .filter_map(|transfer| {
                let state = self.state(*transfer);
                Some((*transfer, state.side(&self.country)?, state))
            })
            .collect()
    }
}

fn queued(line: &Line, now_ms: i64) -> Put {
    Put::Core(Write::Outbound(OutboundRow {
        message: line.row(Direction::Out, now_ms, Line::QUEUED),
        keeping: Keeping::for_days(SubjectTag([0; 32]), now_ms, 365, 14),
        due_ms: now_ms,
        withheld: Vec::new(),
        named: Vec::new(),
        ground: Ground { digest: Digest([0; 32]), lapses_ms: None },
    }))
}

fn receipted(state: &str) -> OutboundState {
    if state == OutboundState::Refused.as_str() { OutboundState::Refused } else { OutboundState::Accepted }
}

fn watch_over(row: &MessageRow, side: Side, term: &Term) -> Watch {
    Watch {
        message: row.message,
        awaits: Awaits::Answer,
        side,
        peer: row.peer.clone(),
        message_type: row.message_type.clone(),
        case: row.case,
        agency: Some(agency()),
        role: role(),
        term: term.clone(),
        opened_ms: row.created_ms,
        answering: role(),
        releasing: std::collections::BTreeSet::new(),
        asking: None,
        ended_ms: None,
        climbed_minutes: None,
        answered: None,
        acted_ms: None,
        told: std::collections::BTreeSet::new(),
    }
}

fn received(row: &MessageRow, now_ms: i64) -> Event {
    event(EventKind::MessageReceived, row.message, row.state.clone(), now_ms)
}

fn case_event(transfer: MessageId, news: News, now_ms: i64) -> Event {
    match news {
        News::Stage(stage) => event(EventKind::CaseState, transfer, stage.as_str().to_owned(), now_ms),
        News::Alarm(what) => event(EventKind::CaseAlarm, transfer, what.to_string(), now_ms),
    }
}

fn event(kind: EventKind, message: MessageId, state: String, at_ms: i64) -> Event {
    Event {
        kind,
        agency: Some(agency()),
        role: role(),
        message: Some(message),
        approval: None,
        message_type: None,
        state,
        at_ms,
    }
}
