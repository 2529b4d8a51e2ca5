//! What waits to be sent, and how much of it.
//!
//! Not here: messages that wait no longer. Invariant: in the bulk lane a case's rows come out as a
//! prefix of what waits of it, never with a hole.

use puente_core::catalogue::Lane;
use puente_core::delivery::{Ground, QueueDepth, Queued};
use puente_core::ids::{CaseId, ConsentId, CountryCode, MessageId, MessageType, ReleaseId};
use rusqlite::params;

use crate::store::sqlite::column::{self, Columns};
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

/// Oldest release first, in the order of the primary key.
const DUE: &str = "
    SELECT m.message, m.release, m.message_type, m.agency, m.role, m.categories, o.case_id, o.attempts,
        o.created_ms, o.expires_ms, d.consent, o.ground, o.lapses_ms, w.sealed, n.sealed
    FROM outbox o JOIN message m ON m.seq = o.seq LEFT JOIN wire w ON w.seq = o.seq
        LEFT JOIN named n ON n.seq = o.seq
        LEFT JOIN disclosure d ON d.message = m.message
    WHERE o.peer = ?1 AND o.lane = ?2 AND o.due_ms <= ?3 AND o.expires_ms > ?3
    ORDER BY o.created_ms, o.seq LIMIT ?4";

/// The same for the bulk lane, where an earlier row of the case that backs off holds the later ones.
const DUE_IN_ORDER: &str = "
    SELECT m.message, m.release, m.message_type, m.agency, m.role, m.categories, o.case_id, o.attempts,
        o.created_ms, o.expires_ms, d.consent, o.ground, o.lapses_ms, w.sealed, n.sealed
    FROM outbox o JOIN message m ON m.seq = o.seq LEFT JOIN wire w ON w.seq = o.seq
        LEFT JOIN named n ON n.seq = o.seq
        LEFT JOIN disclosure d ON d.message = m.message
    WHERE o.peer = ?1 AND o.lane = 2 AND o.due_ms <= ?2 AND o.expires_ms > ?2
      AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.lane = 2 AND e.case_id = o.case_id AND e.peer = o.peer
                      AND (e.created_ms, e.seq) < (o.created_ms, o.seq) AND e.due_ms > ?2)
    ORDER BY o.created_ms, o.seq LIMIT ?3";

/// Rows that may be sent now.
pub(in crate::store::sqlite) fn outbound_due(
    ledger: Ledger<'_>,
    peer: &CountryCode,
    lane: Lane,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Queued>, Failure> {
    // Spares a walk over a queue that backs off as a whole.
    if next_due(ledger, peer, lane)?.is_none_or(|due_ms| due_ms > now_ms) {
        return Ok(Vec::new());
    }
    let due = match lane {
        Lane::Bulk => ledger.all(DUE_IN_ORDER, params![peer.as_str(), now_ms, page(limit)], |row| {
            queued(ledger, &mut Columns::of(row, "outbox"))
        })?,
        Lane::Alert | Lane::Control => {
            ledger.all(DUE, params![peer.as_str(), column::lane(lane), now_ms, page(limit)], |row| {
                queued(ledger, &mut Columns::of(row, "outbox"))
            })?
        }
    };
    Ok(due.into_iter().flatten().collect())
}

/// A row that may be sent; none whose subject is being erased.
fn queued(ledger: Ledger<'_>, columns: &mut Columns<'_, '_>) -> Result<Option<Queued>, Failure> {
    let message = columns.id(MessageId)?;
    let mut queued = Queued {
        message,
        release: columns.digest()?,
        message_type: columns.name::<MessageType>()?,
        agency: columns.maybe_name()?,
        role: columns.name()?,
        categories: columns.list()?,
        case: columns.id(CaseId)?,
        attempts: columns.plain()?,
        created_ms: columns.plain()?,
        expires_ms: columns.plain()?,
        consent: columns.maybe_id(ConsentId)?,
        ground: ground(columns)?,
        wire: Vec::new(),
        named: Vec::new(),
    };
    let key = message.0.as_bytes();
    for (table, content) in [("wire", &mut queued.wire), ("named", &mut queued.named)] {
        match columns.sealed(ledger.sealer, Place { table, key }) {
            Ok(bytes) => *content = bytes,
            Err(Failure::Erased) => return Ok(None),
            Err(failure) => return Err(failure),
        }
    }
    Ok(Some(queued))
}

fn ground(columns: &mut Columns<'_, '_>) -> Result<Option<Ground>, Failure> {
    let (digest, lapses_ms) = (columns.maybe_digest()?, columns.plain()?);
    Ok(digest.map(|digest| Ground { digest, lapses_ms }))
}

/// The earliest instant at which a row is due.
pub(in crate::store::sqlite) fn next_due(
    ledger: Ledger<'_>,
    peer: &CountryCode,
    lane: Lane,
) -> Result<Option<i64>, Failure> {
    let due = ledger.one(
        "SELECT MIN(due_ms) FROM outbox WHERE peer = ?1 AND lane = ?2",
        params![peer.as_str(), column::lane(lane)],
        |row| Ok(row.get(0)?),
    )?;
    Ok(due.flatten())
}

/// Rows past their expiry, longest first.
pub(in crate::store::sqlite) fn expired_queued(
    ledger: Ledger<'_>,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<(MessageId, ReleaseId, CountryCode)>, Failure> {
    ledger.all(
        "SELECT m.message, m.release, m.peer FROM outbox o JOIN message m ON m.seq = o.seq
         WHERE o.expires_ms <= ?1 ORDER BY o.expires_ms LIMIT ?2",
        params![now_ms, page(limit)],
        |row| {
            let mut columns = Columns::of(row, "outbox");
            Ok((columns.id(MessageId)?, columns.digest()?, columns.name()?))
        },
    )
}

/// Rows that wait, per peer and lane: kept counts, and one seek each for the oldest.
pub(in crate::store::sqlite) fn queue_depth(ledger: Ledger<'_>) -> Result<Vec<QueueDepth>, Failure> {
    ledger.all(
        "SELECT d.peer, d.lane, d.waiting,
                (SELECT MIN(created_ms) FROM outbox o WHERE o.peer = d.peer AND o.lane = d.lane)
         FROM depth d ORDER BY d.peer, d.lane",
        (),
        |row| {
            let mut columns = Columns::of(row, "depth");
            let (peer, lane, waiting) = (columns.name()?, columns.lane()?, columns.plain::<i64>()?);
            let waiting = u64::try_from(waiting).map_err(|_| Failure::Damaged("depth"))?;
            Ok(QueueDepth { peer, lane, waiting, oldest_ms: columns.plain()? })
        },
    )
}
