//! What is recorded beside a message: receipts, decisions, events and idempotent answers.
//!
//! Not here: messages and approvals. Invariant: an event comes out only for a role that was asked for.

use puente_core::delivery::{DecisionRow, Event, IdempotentAnswer, ReceiptRow};
use puente_core::ids::{AgencyId, ApprovalId, CountryCode, DecisionId, Digest, MessageId, Role};
use rusqlite::params;

use crate::store::query::MAX_PAGE;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

/// Events after a cursor that concern an agency with these roles.
pub(in crate::store::sqlite) fn events(
    ledger: Ledger<'_>,
    agency: &AgencyId,
    roles: &[Role],
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, Event)>, Failure> {
    let mut found = Vec::new();
    // One short index walk per role, for those that name the agency ('' is every agency) and those that do not.
    for role in roles {
        for addressee in [agency.as_str(), ""] {
            found.extend(ledger.all(
                "SELECT seq, kind, agency, role, message, approval, message_type, state, at_ms FROM event
                 WHERE role = ?1 AND agency = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4",
                params![role.as_str(), addressee, after, page(limit)],
                event,
            )?);
        }
    }
    found.sort_by_key(|(seq, _)| *seq);
    found.dedup_by_key(|(seq, _)| *seq);
    found.truncate(page(limit) as usize);
    Ok(found)
}

fn event(row: &rusqlite::Row<'_>) -> Result<(i64, Event), Failure> {
    let mut columns = Columns::of(row, "event");
    let seq = columns.plain()?;
    let kind = columns.event_kind()?;
    let agency = match columns.plain::<String>()? {
        every if every.is_empty() => None,
        named => Some(named.parse().map_err(|_| Failure::Damaged("event"))?),
    };
    let event = Event {
        kind,
        agency,
        role: columns.name()?,
        message: columns.maybe_id(MessageId)?,
        approval: columns.maybe_id(ApprovalId)?,
        message_type: columns.maybe_name()?,
        state: columns.plain()?,
        at_ms: columns.plain()?,
    };
    Ok((seq, event))
}

/// Where a stored answer stands.
pub(in crate::store::sqlite) fn answer_place(request: &Digest) -> Place<'_> {
    Place { table: "idempotent", key: &request.0 }
}

/// The stored answer to an idempotency key.
pub(in crate::store::sqlite) fn idempotent(
    ledger: Ledger<'_>,
    agency: &AgencyId,
    key: &str,
) -> Result<Option<IdempotentAnswer>, Failure> {
    ledger.one(
        "SELECT agency, key, request, status, body, keep_until_ms, sealed FROM idempotent
         WHERE agency = ?1 AND key = ?2",
        params![agency.as_str(), key],
        |row| {
            let mut columns = Columns::of(row, "idempotent");
            let mut answer = IdempotentAnswer {
                agency: columns.name()?,
                key: columns.plain()?,
                request: columns.digest()?,
                status: columns.plain()?,
                body: columns.plain()?,
                keep_until_ms: columns.plain()?,
            };
            // What was stored by an earlier program is not sealed; it is forgotten within days.
            if columns.plain::<bool>()? {
                answer.body = ledger.sealer.open(answer_place(&answer.request), &answer.body)?;
            }
            Ok(answer)
        },
    )
}

/// Every receipt for a message, in the order they were stored.
pub(in crate::store::sqlite) fn receipts(
    ledger: Ledger<'_>,
    message: MessageId,
) -> Result<Vec<ReceiptRow>, Failure> {
    ledger.all(
        "SELECT key, direction, peer, message, release, state, code, at_ms, receipt, to_send FROM receipt
         WHERE message = ?1 ORDER BY key LIMIT ?2",
        params![message.0.as_bytes(), MAX_PAGE],
        |row| Ok(receipt(row)?.1),
    )
}

/// Receipts of ours still to be sent to a peer, oldest first, after a key.
pub(in crate::store::sqlite) fn receipts_due(
    ledger: Ledger<'_>,
    peer: &CountryCode,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, ReceiptRow)>, Failure> {
    ledger.all(
        "SELECT key, direction, peer, message, release, state, code, at_ms, receipt, to_send FROM receipt
         WHERE to_send = 1 AND peer = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
        params![peer.as_str(), after, page(limit)],
        receipt,
    )
}

fn receipt(row: &rusqlite::Row<'_>) -> Result<(i64, ReceiptRow), Failure> {
    let mut columns = Columns::of(row, "receipt");
    let key = columns.plain()?;
    let receipt = ReceiptRow {
        direction: columns.direction()?,
        peer: columns.name()?,
        message: columns.id(MessageId)?,
        release: columns.digest()?,
        state: columns.plain()?,
        code: columns.plain()?,
        at_ms: columns.plain()?,
        receipt: columns.plain()?,
        to_send: columns.plain()?,
    };
    Ok((key, receipt))
}

/// The latest decision recorded for a message.
pub(in crate::store::sqlite) fn decision(
    ledger: Ledger<'_>,
    message: MessageId,
) -> Result<Option<DecisionRow>, Failure> {
    ledger.one(
        "SELECT seq, decision, message, outcome, rule, spoke, policy, sealed, at_ms FROM decision
         WHERE message = ?1 ORDER BY seq DESC LIMIT 1",
        params![message.0.as_bytes()],
        |row| Ok(decided(ledger, row)?.1),
    )
}

/// Decisions before a place, newest first.
pub(in crate::store::sqlite) fn decisions(
    ledger: Ledger<'_>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, DecisionRow)>, Failure> {
    ledger.all(
        "SELECT seq, decision, message, outcome, rule, spoke, policy, sealed, at_ms FROM decision
         WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
        params![before.unwrap_or(i64::MAX), page(limit)],
        |row| decided(ledger, row),
    )
}

fn decided(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<(i64, DecisionRow), Failure> {
    let mut columns = Columns::of(row, "decision");
    let seq = columns.plain()?;
    let decision = columns.id(DecisionId)?;
    let row = DecisionRow {
        decision,
        message: columns.maybe_id(MessageId)?,
        outcome: columns.plain()?,
        rule: columns.plain()?,
        spoke: columns.list()?,
        policy: columns.digest()?,
        subject: None,
        facts: match columns.sealed(ledger.sealer, Place { table: "decision", key: decision.0.as_bytes() }) {
            Err(Failure::Erased) => Vec::new(),
            facts => facts?,
        },
        at_ms: columns.plain()?,
    };
    Ok((seq, row))
}
