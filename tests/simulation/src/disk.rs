//! What of a node survives: rows that were committed, each commit whole or not at all.
//!
//! The guards and the two triggers are those that the store keeps. INVARIANT: only here a `Committed` token is made.

use std::collections::BTreeMap;

use puente_core::cases::{Told, TransferRow};
use puente_core::delivery::{CommitId, Committed, Event, MessageRow, ReceiptRow, Write};
use puente_core::duty::{Due, WatchRow};
use puente_core::ids::MessageId;

/// One row-level change of a commit.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a few of them live for one tick")]
pub enum Put {
    /// A write of core.
    Core(Write),
    /// Somebody was woken up or told.
    Told(MessageId, Due),
}

/// A transfer with when to look at it.
#[derive(Debug, Clone)]
pub struct Looked {
    pub row: TransferRow,
    pub look_ms: Option<i64>,
}

/// One node's disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    pub messages: BTreeMap<MessageId, MessageRow>,
    /// In the order in which they came; the id alone.
    pub arrived: Vec<MessageId>,
    pub receipts: Vec<ReceiptRow>,
    pub events: Vec<Event>,
    pub transfers: BTreeMap<MessageId, Looked>,
    pub watches: BTreeMap<MessageId, WatchRow>,
    pub told: Vec<(MessageId, Due)>,
}

impl Disk {
    /// Makes a commit durable; `None` when a guard did not hold, and then nothing of it is written.
    pub fn commit(&mut self, id: CommitId, puts: Vec<Put>) -> Option<Committed> {
        if !puts.iter().all(|put| self.admits(put)) {
            return None;
        }
        for put in puts {
            self.apply(put);
        }
        Some(Committed::durable(id))
    }

    fn admits(&self, put: &Put) -> bool {
        match put {
            Put::Core(Write::Outbound(row)) => !self.messages.contains_key(&row.message.message),
            Put::Core(Write::Inbound(row)) => !self.messages.contains_key(&row.message.message),
            Put::Core(Write::OutboundState { message, .. }) => {
                self.messages.get(message).is_some_and(|row| row.state == crate::line::Line::QUEUED)
            }
            Put::Core(Write::CaseTold(row)) => {
                self.transfers.get(&row.transfer).is_some_and(|known| known.row.revision == row.revision)
            }
            Put::Core(Write::Watch(row)) => !self.watches.contains_key(&row.watch.message),
            Put::Core(Write::WatchChanged(row)) => {
                self.watches.get(&row.watch.message).is_some_and(|known| known.revision + 1 == row.revision)
            }
            Put::Core(_) | Put::Told(..) => true,
        }
    }

    fn apply(&mut self, put: Put) {
        match put {
            Put::Core(Write::Outbound(row)) => self.insert(row.message),
            Put::Core(Write::Inbound(row)) => self.insert(row.message),
            Put::Core(Write::OutboundState { message, state, .. }) => {
                if let Some(row) = self.messages.get_mut(&message) {
                    state.as_str().clone_into(&mut row.state);
                    if let Some(step) = row.step.clone() {
                        self.touch(step.transfer, 0);
                    }
                }
            }
            Put::Core(Write::Receipt(row)) => self.receipts.push(row),
            Put::Core(Write::Event(event)) => self.events.push(event),
            Put::Core(Write::CaseTold(row)) => {
                if let Some(known) = self.transfers.get_mut(&row.transfer) {
                    known.row.revision += 1;
                    known.row.told = row.told;
                    known.row.clock_ms = row.clock_ms;
                    known.look_ms = row.look_ms;
                }
            }
            Put::Core(Write::Watch(row) | Write::WatchChanged(row)) => {
                self.watches.insert(row.watch.message, row);
            }
            Put::Core(_) => {}
            Put::Told(alert, due) => self.told.push((alert, due)),
        }
    }

    fn insert(&mut self, row: MessageRow) {
        let (message, step, case, created_ms) = (row.message, row.step.clone(), row.case, row.created_ms);
        self.arrived.push(message);
        self.messages.insert(message, row);
        if let Some(step) = step {
            let revision = -1;
            let new = TransferRow {
                transfer: step.transfer,
                case,
                revision,
                clock_ms: None,
                told: Told::default(),
            };
            self.transfers.entry(step.transfer).or_insert(Looked { row: new, look_ms: None });
            self.touch(step.transfer, created_ms);
        }
    }

    fn touch(&mut self, transfer: MessageId, look_ms: i64) {
        if let Some(known) = self.transfers.get_mut(&transfer) {
            known.row.revision += 1;
            known.look_ms = Some(look_ms);
        }
    }

    /// The steps of a transfer in the order in which they came.
    pub fn steps(&self, transfer: MessageId) -> impl Iterator<Item = &MessageRow> {
        let rows = self.arrived.iter().filter_map(|message| self.messages.get(message));
        rows.filter(move |row| row.step.as_ref().is_some_and(|step| step.transfer == transfer))
    }
}
