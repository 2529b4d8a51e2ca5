//! Packets between nodes: lost, doubled, delayed past one another, or held up by a cut.

use std::collections::BTreeSet;

use puente_core::delivery::OutboundState;
use puente_core::ids::MessageId;

use crate::random::Random;

/// What is carried.
#[derive(Debug, Clone)]
pub enum Packet {
    /// A message.
    Message(Vec<u8>),
    /// Its receipt.
    Receipt(MessageId, OutboundState),
}

/// The network of one schedule.
#[derive(Debug)]
pub struct Network {
    flying: Vec<(i64, usize, usize, Packet)>,
    cut: BTreeSet<(usize, usize)>,
    /// Loss and doubling, in a thousand.
    pub loss: u64,
    /// Longest delay, milliseconds.
    pub delay_ms: i64,
}

impl Network {
    pub const fn new(loss: u64, delay_ms: i64) -> Self {
        Self { flying: Vec::new(), cut: BTreeSet::new(), loss, delay_ms }
    }

    /// Sends a packet, or loses it.
    pub fn send(&mut self, from: usize, to: usize, packet: &Packet, now_ms: i64, random: &mut Random) {
        if self.cut.contains(&(from.min(to), from.max(to))) || random.happens(self.loss) {
            return;
        }
        let copies = if random.happens(self.loss) { 2 } else { 1 };
        for _ in 0..copies {
            let at_ms = now_ms.saturating_add(random.between(0, self.delay_ms.saturating_add(1)));
            self.flying.push((at_ms, from, to, packet.clone()));
        }
    }

    /// Cuts the link between two nodes, or mends it.
    pub fn toggle(&mut self, one: usize, other: usize) {
        let link = (one.min(other), one.max(other));
        if !self.cut.remove(&link) {
            self.cut.insert(link);
        }
    }

    /// From now on nothing is lost or cut.
    pub fn heal(&mut self) {
        self.cut.clear();
        self.loss = 0;
    }

    /// The next packet that has arrived, by its hour.
    pub fn arrived(&mut self, now_ms: i64) -> Option<(usize, usize, Packet)> {
        let due = self.flying.iter().enumerate().filter(|(_, packet)| packet.0 <= now_ms);
        let at = due.min_by_key(|(_, packet)| packet.0).map(|(at, _)| at)?;
        let (_, from, to, packet) = self.flying.swap_remove(at);
        Some((from, to, packet))
    }
}
