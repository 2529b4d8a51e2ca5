//! Erasing a subject: its key first, then the word of it, in that order and again after a crash.
//!
//! Not here: retention. INVARIANT: once `erase_subject` has answered, no content of the subject can be read from this
//! node's disk or from any copy of its store; only copies of the key store could, for as long as they live.

use std::collections::BTreeMap;

use puente_core::delivery::{Direction, Event, EventKind, HoldChange, MessageRow, SubjectTag, Write};
use puente_core::evidence::ReceiptState;
use puente_core::ids::CountryCode;
use puente_core::problem::{self, Problem};

use crate::node::{Node, store_problem};
use crate::receipts::{self, Travel};
use crate::store::{ERASED, Guard, StoreError};
use crate::telemetry::ErasureCause;

/// Messages marked in one commit: some milliseconds of the writer.
pub(super) const AT_ONCE: u32 = 200;

/// What can be confirmed of an erasure (PROTOCOL.md section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Since when it is unreadable in this node and in every copy of its store, milliseconds since the epoch.
    pub unreadable_ms: i64,
    /// By when no copy of the key store holds the key either.
    pub in_backups_by_ms: i64,
}

/// Erases everything that this node keeps of a subject; idempotent.
///
/// # Errors
/// `erasure.legal_hold` while one stands; the store's problem: then it is to be asked again, and what was begun is
/// ended by the next call of `settle_erasures`.
pub async fn erase_subject(node: &Node, subject: SubjectTag) -> Result<Erasure, Problem> {
    let unreadable_ms = node.clock.now_ms();
    match node.store.erase_subject(subject, unreadable_ms).await {
        Ok(()) => {}
        Err(StoreError::Conflict { what: Guard::LegalHold, .. }) => {
            return Err(Problem::new(&problem::ERASURE_HELD));
        }
        Err(error) => return Err(store_problem(&error)),
    }
    settle_erasures(node).await?;
    Ok(Erasure { unreadable_ms, in_backups_by_ms: in_backups_by(node, unreadable_ms) })
}

/// By when no copy of the key store holds a key that is destroyed at this instant; milliseconds since the epoch.
#[must_use]
pub fn in_backups_by(node: &Node, unreadable_ms: i64) -> i64 {
    const DAY_MS: i64 = 86_400_000;
    let backups = i64::from(node.config.retention.key_backup_days).saturating_mul(DAY_MS);
    unreadable_ms.saturating_add(backups)
}

/// Places or lifts a legal hold: while it stands the subject is not erased and retention passes it over.
///
/// # Errors
/// The store's problem.
pub async fn legal_hold(node: &Node, subject: SubjectTag, change: HoldChange) -> Result<(), Problem> {
    let hold = vec![Write::LegalHold { subject, change }];
    node.commit(hold).await.map(drop).map_err(|error| store_problem(&error))
}

/// Marks the messages of every destroyed key, here or before this store was restored; answers how many.
///
/// # Errors
/// The store's problem; what was not marked is marked by the next call.
pub async fn settle_erasures(node: &Node) -> Result<usize, Problem> {
    let mut marked = 0;
    loop {
        let due = node.store.erasures_due(AT_ONCE).await.map_err(|error| store_problem(&error))?;
        if due.erasures.is_empty() {
            return Ok(marked);
        }
        let mut writes = erased(node, &due.messages)?;
        if due.messages.is_empty() {
            writes.push(Write::ErasuresSettled { erasures: due.erasures });
        }
        match node.commit(writes).await {
            Ok(_durable) => {
                marked += due.messages.len();
                node.metrics.erased(ErasureCause::Subject, due.messages.len());
            }
            // Another turn was faster with one of them, and told of it: what is left is looked for again.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(store_problem(&error)),
        }
    }
}

/// What is written when these messages lose their content: the mark, the word to the agency, and a receipt to the
/// country that a message came from.
pub(super) fn erased(node: &Node, messages: &[MessageRow]) -> Result<Vec<Write>, Problem> {
    let mut writes = Vec::with_capacity(messages.len() * 4);
    let mut receipted: BTreeMap<&CountryCode, Vec<receipts::Outcome>> = BTreeMap::new();
    for row in messages {
        writes.push(Write::Erased { message: row.message });
        writes.push(Write::Event(told(row, ERASED, node.clock.now_ms())));
        if row.direction == Direction::In {
            receipted.entry(&row.peer).or_default().push(receipts::Outcome {
                message: row.message,
                release: row.release,
                state: ReceiptState::Erased,
                code: None,
            });
        }
    }
    for (peer, outcomes) in receipted {
        writes.extend(receipts::make(node, peer, &outcomes, Travel::Later)?.1);
    }
    Ok(writes)
}

/// The word to the agency whose message it is.
pub(super) fn told(row: &MessageRow, state: &str, at_ms: i64) -> Event {
    Event {
        kind: EventKind::MessageState,
        agency: row.agency.clone(),
        role: row.role.clone(),
        message: Some(row.message),
        approval: None,
        message_type: Some(row.message_type.clone()),
        state: state.to_owned(),
        at_ms,
    }
}
