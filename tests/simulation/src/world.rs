//! One schedule: what officers, the network and the machines do, from a seed; then the mending; then what must hold.

use std::fmt;

use puente_core::cases::{CaseState, Plan, Step, StepKind};
use puente_core::delivery::{Direction, EventKind, OutboundState, Side};
use puente_core::duty::{Ladders, Term};
use puente_core::envelope::StepRef;
use puente_core::ids::{CaseId, CountryCode, MessageId};
use uuid::Uuid;

use crate::fault::Fault;
use crate::line::{ALERT, ALERT_ACK, Draft, Line, named};
use crate::monitor::{defect, state_of};
use crate::network::{Network, Packet};
use crate::node::{Node, Then};
use crate::random::Random;

const TERMS: &[u8] = include_bytes!("../../../policies/deadlines.json");
const COUNTRIES: [&str; 4] = ["MX", "GT", "HN", "SV"];
/// Thursday, 26 November 2026, 15:00 UTC.
const START_MS: i64 = 1_795_705_200_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// Rounds after the mending within which everything has to have settled.
const MENDING: usize = 400;

/// The terms that every schedule uses: those of the published policies.
pub struct Setting {
    plan: Plan,
    term: Term,
}

impl Setting {
    /// Reads the published terms.
    ///
    /// # Errors
    /// When they do not load.
    pub fn published() -> Result<Self, String> {
        let files = [("deadlines.json".to_owned(), TERMS.to_vec())];
        let plan = Plan::load(files).map_err(|error| error.to_string())?;
        let ladders = Ladders::load(TERMS).map_err(|error| error.to_string())?;
        let term = ladders.of(&named(ALERT)).cloned().ok_or("alerts have no ladder")?;
        Ok(Self { plan, term })
    }
}

/// What a schedule showed to be wrong; the seed repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The seed of the schedule.
    pub seed: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.what)
    }
}

struct World<'a> {
    setting: &'a Setting,
    seed: u64,
    random: Random,
    now_ms: i64,
    nodes: Vec<Node>,
    network: Network,
    made: u64,
    offers: usize,
    alerts: usize,
    refusals: bool,
    accepted: Vec<(usize, MessageId)>,
}

/// Runs the schedule of a seed, with this bug planted.
///
/// # Errors
/// The first thing that does not hold.
pub fn run(setting: &Setting, seed: u64, fault: Fault) -> Result<(), Finding> {
    let mut world = World::new(setting, seed, fault);
    world.live().and_then(|()| world.mend()).map_err(|what| Finding { seed, what })
}

impl<'a> World<'a> {
    fn new(setting: &'a Setting, seed: u64, fault: Fault) -> Self {
        let mut random = Random::of(seed);
        let count = usize::try_from(2 + random.below(3)).unwrap_or(2);
        // Within the tolerance of two minutes; in one schedule of five, one clock is far out.
        let far = random.happens(200).then(|| random.below(count as u64));
        let nodes = (0..).zip(COUNTRIES).take(count).map(|(at, code)| {
            let most = if far == Some(at) { 40 * MINUTE_MS } else { 55_000 };
            Node::new(named::<CountryCode>(code), random.between(-most, most), fault)
        });
        let nodes = nodes.collect();
        let loss = random.below(400);
        let delay_ms = if random.happens(500) { 30_000 } else { 12 * HOUR_MS };
        Self {
            setting,
            seed,
            network: Network::new(loss, delay_ms),
            refusals: random.happens(300),
            random,
            now_ms: START_MS,
            nodes,
            made: 0,
            offers: 0,
            alerts: 0,
            accepted: Vec::new(),
        }
    }

    fn live(&mut self) -> Result<(), String> {
        for _ in 0..60 + self.random.below(100) {
            self.now_ms += match self.random.below(10) {
                0..=5 => self.random.between(1_000, MINUTE_MS),
                6 | 7 => self.random.between(MINUTE_MS, HOUR_MS),
                8 => self.random.between(HOUR_MS, DAY_MS),
                _ => self.random.between(DAY_MS, 4 * DAY_MS),
            };
            self.disturb();
            self.act()?;
            self.carry();
            for at in 0..self.nodes.len() {
                let thorough = self.random.happens(600);
                self.house(at, thorough)?;
            }
        }
        Ok(())
    }

    /// Everything is up and connected; nobody does anything more.
    fn mend(&mut self) -> Result<(), String> {
        self.network.heal();
        for node in self.nodes.iter_mut().filter(|node| !node.up) {
            node.restart();
        }
        for _ in 0..MENDING {
            self.now_ms += 30 * MINUTE_MS;
            self.carry();
            for at in 0..self.nodes.len() {
                self.house(at, true)?;
            }
            if !self.nodes.iter().any(Node::waits) {
                break;
            }
        }
        // Long enough that every term of a case and of an alert has run out.
        for _ in 0..3 {
            self.now_ms += 200 * DAY_MS;
            self.carry();
            for at in 0..self.nodes.len() {
                self.house(at, true)?;
            }
        }
        self.judge()
    }

    fn local_ms(&self, at: usize) -> i64 {
        self.now_ms + self.nodes.get(at).map_or(0, |node| node.skew_ms)
    }

    fn id(&mut self) -> Uuid {
        self.made += 1;
        Uuid::from_u128((u128::from(self.seed) << 64) | u128::from(self.made))
    }

    fn disturb(&mut self) {
        let count = self.nodes.len() as u64;
        let at = usize::try_from(self.random.below(count)).unwrap_or(0);
        match self.random.below(20) {
            0 | 1 => {
                let partly = self.random.happens(500);
                let Some(node) = self.nodes.get_mut(at) else { return };
                if node.up {
                    let released = if partly { node.flush_first() } else { Vec::new() };
                    node.crash();
                    self.release(at, released);
                } else {
                    node.restart();
                }
            }
            2 => {
                let other = usize::try_from(self.random.below(count)).unwrap_or(0);
                self.network.toggle(at, other);
            }
            3..=6 => {
                if let Some(node) = self.nodes.get_mut(at).filter(|node| !node.up) {
                    node.restart();
                }
            }
            _ => {}
        }
    }

    fn release(&mut self, at: usize, released: Vec<Then>) {
        for then in released {
            match then {
                Then::Nothing => {}
                Then::Send(to, packet) => self.network.send(at, to, &packet, self.now_ms, &mut self.random),
                Then::Accepted(message) => self.accepted.push((at, message)),
            }
        }
    }

    fn carry(&mut self) {
        let refusals = self.refusals;
        let refuses = |message: MessageId| refusals && message.0.as_u128() % 23 == 7;
        while let Some((from, to, packet)) = self.network.arrived(self.now_ms) {
            let now_ms = self.local_ms(to);
            let Some(node) = self.nodes.get_mut(to).filter(|node| node.up) else { continue };
            let answer = match packet {
                Packet::Message(wire) => node.receive(from, &wire, &self.setting.term, refuses, now_ms),
                Packet::Receipt(message, state) => {
                    node.settle(message, state, now_ms);
                    None
                }
            };
            self.release(to, answer.into_iter().collect());
            if self.random.happens(300) {
                self.flush(to);
            }
        }
    }

    fn flush(&mut self, at: usize) {
        let released = self.nodes.get_mut(at).map(Node::flush).unwrap_or_default();
        self.release(at, released);
    }

    /// What a node does by itself; when thorough, all of it is durable at the end and what is due was looked at.
    fn house(&mut self, at: usize, thorough: bool) -> Result<(), String> {
        let now_ms = self.local_ms(at);
        if self.nodes.get(at).is_none_or(|node| !node.up) {
            return Ok(());
        }
        if thorough {
            self.flush(at);
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.watch(&self.setting.plan, now_ms);
        }
        if thorough {
            self.flush(at);
            if let Some(node) = self.nodes.get(at)
                && let Some(wrong) = defect(&node.disk, &node.country, &self.setting.plan, now_ms)
            {
                return Err(wrong);
            }
        }
        let due = self.nodes.get_mut(at).map(|node| node.due(now_ms, &mut self.random)).unwrap_or_default();
        for (country, wire) in due {
            if let Some(to) = self.nodes.iter().position(|node| node.country == country) {
                self.network.send(at, to, &Packet::Message(wire), self.now_ms, &mut self.random);
            }
        }
        Ok(())
    }

    /// One officer does something, or two do at once.
    fn act(&mut self) -> Result<(), String> {
        let at = usize::try_from(self.random.below(self.nodes.len() as u64)).unwrap_or(0);
        if self.nodes.get(at).is_none_or(|node| !node.up) {
            return Ok(());
        }
        match self.random.below(12) {
            0 | 1 if self.offers < 3 => {
                self.offers += 1;
                self.offer(at);
                Ok(())
            }
            2 if self.alerts < 3 => {
                self.alerts += 1;
                self.alert(at);
                Ok(())
            }
            3 => {
                self.answer(at);
                Ok(())
            }
            4 => self.step(at).and_then(|()| self.step(at)),
            5..=9 => self.step(at),
            _ => Ok(()),
        }
    }

    fn country(&self, at: usize) -> CountryCode {
        self.nodes.get(at).map_or_else(|| named("XX"), |node| node.country.clone())
    }

    fn other(&mut self, at: usize) -> CountryCode {
        let count = self.nodes.len();
        let step = 1 + usize::try_from(self.random.below(count as u64 - 1)).unwrap_or(0);
        self.country((at + step) % count)
    }

    fn draft(&mut self, at: usize, to: CountryCode, message_type: &'static str) -> Draft {
        let (message, case) = (MessageId(self.id()), CaseId(self.id()));
        let issued_s = self.local_ms(at).div_euclid(1000);
        let from = self.country(at);
        Draft { message, from, to, message_type, case, in_reply_to: None, step: None, issued_s }
    }

    fn offer(&mut self, at: usize) {
        let to = self.other(at);
        let mut draft = self.draft(at, to, StepKind::Offer.type_name());
        let by = draft.issued_s + self.random.between(3_600, 20 * 86_400);
        draft.step = self.random.happens(500).then_some(StepRef { at: None, by: Some(by), day: None });
        let (line, now_ms) = (Line::of(draft), self.local_ms(at));
        if let Some(node) = self.nodes.get_mut(at) {
            node.submit(&line, now_ms);
        }
    }

    fn alert(&mut self, at: usize) {
        let to = self.other(at);
        let line = Line::of(self.draft(at, to, ALERT));
        let now_ms = self.local_ms(at);
        if let Some(node) = self.nodes.get_mut(at) {
            node.alert(&line, &self.setting.term, now_ms);
        }
    }

    /// Somebody takes an alert, or acts on one.
    fn answer(&mut self, at: usize) {
        let now_ms = self.local_ms(at);
        let Some(node) = self.nodes.get(at) else { return };
        let mine = node.disk.watches.values().filter(|row| row.watch.side == Side::Receiver);
        let mine: Vec<_> = mine.map(|row| row.watch.clone()).collect();
        let Some(watch) = self.random.one_of(&mine).cloned() else { return };
        if watch.is_unanswered() {
            let mut draft = self.draft(at, watch.peer.clone(), ALERT_ACK);
            draft.in_reply_to = Some(watch.message);
            let line = Line::of(draft);
            if let Some(node) = self.nodes.get_mut(at) {
                node.take_alert(watch.message, &line, now_ms);
            }
        } else if let Some(node) = self.nodes.get_mut(at) {
            node.act_on(watch.message, now_ms);
        }
    }

    /// An officer submits a step of some case: most often one that is allowed.
    fn step(&mut self, at: usize) -> Result<(), String> {
        let Some(node) = self.nodes.get(at) else { return Ok(()) };
        let parties = node.parties();
        let Some((transfer, side, state)) = self.random.one_of(&parties).cloned() else { return Ok(()) };
        let any = self.random.happens(120);
        let kinds = if any { StepKind::ALL.to_vec() } else { state.allowed(side) };
        let Some(kind) = self.random.one_of(&kinds).copied().filter(|kind| *kind != StepKind::Offer) else {
            return Ok(());
        };
        // A case ends early only now and then, or none would reach its end.
        if matches!(kind, StepKind::Reject | StepKind::Revoke | StepKind::Closure) && self.random.happens(500)
        {
            return Ok(());
        }
        let to = state.stood(StepKind::Offer).map(|offer| match side {
            Side::Sender => offer.to.clone(),
            Side::Receiver => offer.author.clone(),
        });
        let mut draft = self.draft(at, to.unwrap_or_else(|| named("XX")), kind.type_name());
        draft.in_reply_to = Some(transfer);
        let day = self.random.one_of(&self.setting.plan.follow_up_days).copied();
        draft.step = Some(StepRef {
            at: Some(draft.issued_s - self.random.between(0, 7_200)),
            by: (kind == StepKind::Departure).then(|| draft.issued_s + self.random.between(600, 10 * 86_400)),
            day: day.filter(|_| kind == StepKind::FollowUp),
        });
        let day = draft.step.and_then(|step| step.day);
        let (line, now_ms) = (Line::of(draft), self.local_ms(at));
        let Some(node) = self.nodes.get_mut(at) else { return Ok(()) };
        let allowed = state_of(&node.disk, &node.country, transfer).may(side, kind, day).is_ok();
        if node.submit(&line, now_ms) && !allowed {
            return Err(format!(
                "{} sent `{}` though {transfer} does not allow it",
                node.country,
                kind.type_name()
            ));
        }
        Ok(())
    }

    /// What must hold at the end.
    fn judge(&self) -> Result<(), String> {
        if let Some(node) = self.nodes.iter().find(|node| node.waits()) {
            return Err(format!("{} still waits for a receipt", node.country));
        }
        for (at, message) in &self.accepted {
            self.delivered(*at, *message)?;
        }
        for node in &self.nodes {
            for (transfer, _, state) in node.parties() {
                self.agreed(node, transfer, &state)?;
            }
        }
        Ok(())
    }

    /// An accepted message is on both disks in one state, and had one effect.
    fn delivered(&self, at: usize, message: MessageId) -> Result<(), String> {
        let sender = self.nodes.get(at).ok_or("no such node")?;
        let row = sender.disk.messages.get(&message).ok_or(format!("{} lost {message}", sender.country))?;
        let receiver = self.nodes.iter().find(|node| node.country == row.peer).ok_or("no such node")?;
        let there = receiver.disk.messages.get(&message);
        let there = there.ok_or(format!("{} never took {message}, and has a receipt", receiver.country))?;
        if there.state != row.state {
            return Err(format!("{message} is `{}` there and `{}` here", there.state, row.state));
        }
        let told = |event: &&puente_core::delivery::Event| {
            event.kind == EventKind::MessageReceived && event.message == Some(message)
        };
        let effects = receiver.disk.events.iter().filter(told).count();
        let expected = usize::from(there.state == OutboundState::Accepted.as_str());
        if effects == expected {
            Ok(())
        } else {
            Err(format!("{message} had {effects} effects and not {expected}"))
        }
    }

    /// Both parties read one state, which is that of all steps there are, and were told of its stage.
    fn agreed(&self, node: &Node, transfer: MessageId, state: &CaseState) -> Result<(), String> {
        let stage = state.stage();
        for other in self.nodes.iter().filter(|other| state.side(&other.country).is_some()) {
            let theirs = other.state(transfer);
            if theirs != *state {
                let (us, them) = (&node.country, &other.country);
                return Err(format!("{us} has {transfer} at {stage:?} and {them} at {:?}", theirs.stage()));
            }
        }
        let all = self.nodes.iter().flat_map(|party| {
            let sent = |row: &&puente_core::delivery::MessageRow| row.direction == Direction::Out;
            let rows = party.disk.steps(transfer).filter(sent);
            rows.filter_map(|row| Step::of(row, &party.country)).collect::<Vec<_>>()
        });
        if CaseState::fold(all) != *state {
            return Err(format!("{} has {transfer} at {stage:?}, which its steps do not make", node.country));
        }
        let told = node
            .disk
            .events
            .iter()
            .rev()
            .find(|event| event.kind == EventKind::CaseState && event.message == Some(transfer));
        let told = told.map(|event| event.state.as_str());
        if told == stage.map(|stage| stage.as_str()) || stage.is_none() {
            Ok(())
        } else {
            Err(format!("{} was last told {told:?} of {transfer}, which is at {stage:?}", node.country))
        }
    }
}
