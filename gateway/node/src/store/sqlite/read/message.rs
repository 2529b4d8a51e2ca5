//! Messages, their answers and their history.
//!
//! Not here: what waits to be sent (`outbox`). Invariant: wire bytes are decrypted only where they are
//! asked for.

use puente_core::delivery::{Direction, HistoryEntry, MessageRow};
use puente_core::ids::{CaseId, MessageId, OperationId};
use rusqlite::params;

use super::record::receipts;
use crate::store::query::{ERASED, KnownInbound, MAX_PAGE, MessageFilter, Position, Wire};
use crate::store::sqlite::column::{self, Columns};
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

macro_rules! select {
    ($wire:literal, $from:literal) => {
        concat!(
            "SELECT m.message, m.direction, m.release, m.peer, m.lane, m.message_type, m.version, m.agency, ",
            "m.role, m.case_id, m.operation, m.list_row, m.in_reply_to, m.created_ms, m.expires_ms, m.state, ",
            "m.code, m.categories, m.step, ",
            $wire,
            " FROM message m ",
            $from
        )
    };
}

pub(super) use select;

macro_rules! listing {
    ($state:literal) => {
        concat!(
            select!("NULL", "WHERE (?1 IS NULL OR m.direction = ?1) AND (?2 IS NULL OR m.peer = ?2) "),
            "AND (?3 IS NULL OR m.seq < (SELECT seq FROM message WHERE message = ?3)) ",
            $state,
            " ORDER BY m.seq DESC LIMIT ?4"
        )
    };
}

/// A row of `select!`; wire bytes whose key was destroyed are gone, and the message is called erased.
pub(super) fn metadata(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<MessageRow, Failure> {
    let mut columns = Columns::of(row, "message");
    let message = columns.id(MessageId)?;
    let mut read = MessageRow {
        message,
        direction: columns.direction()?,
        release: columns.digest()?,
        peer: columns.name()?,
        lane: columns.lane()?,
        message_type: columns.name()?,
        version: columns.plain()?,
        agency: columns.maybe_name()?,
        role: columns.name()?,
        case: columns.id(CaseId)?,
        operation: columns.maybe_id(OperationId)?,
        row: columns.plain()?,
        in_reply_to: columns.maybe_id(MessageId)?,
        step: None,
        created_ms: columns.plain()?,
        expires_ms: columns.plain()?,
        state: columns.plain()?,
        code: columns.plain()?,
        categories: columns.list()?,
        wire: Vec::new(),
    };
    let step = columns.sealed(ledger.sealer, Place { table: "message.step", key: message.0.as_bytes() })?;
    if !step.is_empty() {
        read.step = Some(serde_json::from_slice(&step).map_err(|_| Failure::Damaged("message"))?);
    }
    match columns.sealed(ledger.sealer, Place { table: "wire", key: message.0.as_bytes() }) {
        Ok(wire) => read.wire = wire,
        Err(Failure::Erased) => ERASED.clone_into(&mut read.state),
        Err(failure) => return Err(failure),
    }
    Ok(read)
}

/// One message with its wire bytes.
pub(in crate::store::sqlite) fn message(
    ledger: Ledger<'_>,
    message: MessageId,
) -> Result<Option<MessageRow>, Failure> {
    ledger.one(
        select!("w.sealed", "LEFT JOIN wire w ON w.seq = m.seq WHERE m.message = ?1"),
        params![message.0.as_bytes()],
        |found| metadata(ledger, found),
    )
}

/// What was withheld from a message.
pub(in crate::store::sqlite) fn withheld(
    ledger: Ledger<'_>,
    message: MessageId,
) -> Result<Option<Vec<u8>>, Failure> {
    ledger.one(
        "SELECT h.sealed FROM message m JOIN withheld h ON h.seq = m.seq WHERE m.message = ?1",
        params![message.0.as_bytes()],
        |found| {
            let place = Place { table: "withheld", key: message.0.as_bytes() };
            Columns::of(found, "withheld").sealed(ledger.sealer, place)
        },
    )
}

/// Those of the ids that came in before.
pub(in crate::store::sqlite) fn known_inbound(
    ledger: Ledger<'_>,
    messages: &[MessageId],
) -> Result<Vec<KnownInbound>, Failure> {
    let mut known = Vec::new();
    for message in messages {
        known.extend(ledger.one(
            "SELECT i.message, i.peer, i.release, i.issuer_digest,
                    (SELECT r.receipt FROM receipt r
                     WHERE r.message = i.message AND r.release = i.release ORDER BY r.key LIMIT 1)
             FROM inbound_id i WHERE i.message = ?1",
            params![message.0.as_bytes()],
            |found| {
                let mut columns = Columns::of(found, "inbound_id");
                Ok(KnownInbound {
                    message: columns.id(MessageId)?,
                    peer: columns.name()?,
                    release: columns.digest()?,
                    issuer_digest: columns.maybe_digest()?,
                    receipt: columns.plain::<Option<Vec<u8>>>()?.unwrap_or_default(),
                })
            },
        )?);
    }
    Ok(known)
}

/// Messages of an operation after a position.
pub(in crate::store::sqlite) fn operation(
    ledger: Ledger<'_>,
    operation: OperationId,
    after: Option<Position>,
    limit: u32,
    wire: Wire,
) -> Result<Vec<MessageRow>, Failure> {
    let (created_ms, message) =
        after.map_or((i64::MIN, [0; 16]), |position| (position.created_ms, *position.message.0.as_bytes()));
    let sql = match wire {
        Wire::Read => select!(
            "w.sealed",
            "LEFT JOIN wire w ON w.seq = m.seq
             WHERE m.operation = ?1 AND (m.created_ms, m.message) > (?2, ?3)
             ORDER BY m.created_ms, m.message LIMIT ?4"
        ),
        Wire::Left => select!(
            "NULL",
            "WHERE m.operation = ?1 AND (m.created_ms, m.message) > (?2, ?3)
             ORDER BY m.created_ms, m.message LIMIT ?4"
        ),
    };
    let values = params![operation.0.as_bytes(), created_ms, message, page(limit)];
    ledger.all(sql, values, |found| metadata(ledger, found))
}

/// Messages that answer this one.
pub(in crate::store::sqlite) fn replies(
    ledger: Ledger<'_>,
    message: MessageId,
) -> Result<Vec<MessageRow>, Failure> {
    ledger.all(
        select!(
            "w.sealed",
            "LEFT JOIN wire w ON w.seq = m.seq WHERE m.in_reply_to = ?1 ORDER BY m.seq LIMIT ?2"
        ),
        params![message.0.as_bytes(), MAX_PAGE],
        |found| metadata(ledger, found),
    )
}

/// The operator's listing, newest first.
pub(in crate::store::sqlite) fn messages(
    ledger: Ledger<'_>,
    filter: &MessageFilter,
    limit: u32,
) -> Result<Vec<MessageRow>, Failure> {
    // The state stands in the text, from a fixed list, so that the partial index on states applies.
    let sql = match filter.state.as_deref() {
        None => listing!(""),
        Some("queued") => listing!("AND m.state = 'queued'"),
        Some("accepted") => listing!("AND m.state = 'accepted'"),
        Some("refused") => listing!("AND m.state = 'refused'"),
        Some("expired") => listing!("AND m.state = 'expired'"),
        Some("unconfirmed") => listing!("AND m.state = 'unconfirmed'"),
        Some("erased") => listing!("AND m.state = 'erased'"),
        Some("cancelled") => listing!("AND m.state = 'cancelled'"),
        Some(_) => return Ok(Vec::new()),
    };
    let values = params![
        filter.direction.map(column::direction),
        filter.peer.as_ref().map(|peer| peer.as_str()),
        filter.after.as_ref().map(|message| message.0.as_bytes()),
        page(limit),
    ];
    ledger.all(sql, values, |found| metadata(ledger, found))
}

/// What became of a message, in time.
pub(in crate::store::sqlite) fn history(
    ledger: Ledger<'_>,
    id: MessageId,
) -> Result<Vec<HistoryEntry>, Failure> {
    let Some(message) = message(ledger, id)? else { return Ok(Vec::new()) };
    let mut entries: Vec<_> = receipts(ledger, id)?
        .into_iter()
        .map(|receipt| HistoryEntry {
            at_ms: receipt.at_ms,
            state: receipt.state,
            code: receipt.code,
            receipted: receipt.direction == Direction::Out,
        })
        .collect();
    let told = ledger.all(
        "SELECT at_ms, state FROM event
         WHERE kind = 'message_state' AND message IS NOT NULL AND message = ?1 ORDER BY seq LIMIT ?2",
        params![id.0.as_bytes(), MAX_PAGE],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
    )?;
    let code_of = |state: &str| message.code.clone().filter(|_| state == message.state);
    for (at_ms, state) in told {
        if entries.iter().all(|entry| entry.state != state) {
            let code = code_of(&state);
            entries.push(HistoryEntry { at_ms, state, code, receipted: false });
        }
    }
    let first = match message.direction {
        Direction::Out => "queued",
        Direction::In => message.state.as_str(),
    };
    if entries.iter().all(|entry| entry.state != first) {
        let (at_ms, code) = (message.created_ms, code_of(first));
        entries.insert(0, HistoryEntry { at_ms, state: first.to_owned(), code, receipted: false });
    }
    entries.sort_by_key(|entry| entry.at_ms);
    Ok(entries)
}
