//! Messages going in and moving on.
//!
//! Not here: how they are read. INVARIANT: a row stands in `outbox` exactly while its message's state
//! is `queued`.

use std::sync::Arc;

use puente_core::cases::Mark;
use puente_core::delivery::{
    Direction, Ground, InboundRow, Keeping, MessageRow, NeverRow, OutboundRow, OutboundState,
};
use puente_core::ids::{CountryCode, Digest, MessageId, ReleaseId};
use puente_core::problem::EXCHANGE_SUSPENDED;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::query::ChunkOwner;
use crate::store::sqlite::column;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::read;
use crate::store::sqlite::seal::Place;
use crate::store::sqlite::subjects::SubjectKey;

/// What an outbox row becomes.
pub(super) struct Step<'a> {
    pub(super) state: OutboundState,
    pub(super) code: Option<&'a str>,
    pub(super) due_ms: i64,
    pub(super) attempts: u32,
}

/// A released message enters the outbox.
pub(super) fn outbound(ledger: Ledger<'_>, row: &OutboundRow) -> Result<(), Failure> {
    let (seq, key) =
        insert(ledger, Direction::Out, &row.message, OutboundState::Queued.as_str(), Some(&row.keeping))?;
    if let Some(key) = key {
        let id = row.message.message.0.as_bytes();
        if !row.withheld.is_empty() {
            let sealed = key.seal(Place { table: "withheld", key: id }, &row.withheld)?;
            ledger.run("INSERT INTO withheld (seq, sealed) VALUES (?1, ?2)", params![seq, sealed])?;
        }
        if !row.named.is_empty() {
            let sealed = key.seal(Place { table: "named", key: id }, &row.named)?;
            ledger.run("INSERT INTO named (seq, sealed) VALUES (?1, ?2)", params![seq, sealed])?;
        }
    }
    enqueue(ledger, seq, (row.due_ms, 0), Some(&row.ground))
}

/// An accepted or refused message from a peer.
pub(super) fn inbound(ledger: Ledger<'_>, row: &InboundRow) -> Result<(), Failure> {
    let message = &row.message;
    insert(ledger, Direction::In, message, &message.state, row.keeping.as_ref())?;
    keep_id(
        ledger,
        message.message,
        &message.peer,
        message.release,
        Some(row.issuer_digest),
        row.keep_until_ms,
    )
}

/// An id that was never accepted and never will be.
pub(super) fn never(ledger: Ledger<'_>, row: &NeverRow) -> Result<(), Failure> {
    keep_id(ledger, row.message, &row.peer, row.release, None, row.keep_until_ms)
}

fn keep_id(
    ledger: Ledger<'_>,
    message: MessageId,
    peer: &CountryCode,
    release: ReleaseId,
    issuer: Option<Digest>,
    keep_until_ms: i64,
) -> Result<(), Failure> {
    let added = ledger.run(
        "INSERT INTO inbound_id (message, peer, release, issuer_digest, keep_until_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
        params![message.0.as_bytes(), peer.as_str(), release.0, issuer.map(|digest| digest.0), keep_until_ms],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// The outbox row moves on; one that waits no longer leaves the outbox.
pub(super) fn advance(
    ledger: Ledger<'_>,
    message: MessageId,
    release: ReleaseId,
    step: &Step<'_>,
) -> Result<(), Failure> {
    let stored = ledger.one(
        "SELECT seq, release, state FROM message WHERE message = ?1 AND direction = 0",
        params![message.0.as_bytes()],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, String>(2)?)),
    )?;
    let (seq, stored_release, state) = stored.ok_or(Guard::Absent)?;
    if stored_release != release.0 {
        return Err(Guard::OtherRelease.into());
    }
    let waits = state == OutboundState::Queued.as_str();
    if !waits && state != OutboundState::Unconfirmed.as_str() {
        return Err(Guard::Final.into());
    }
    ledger.run(
        "UPDATE message SET state = ?2, code = ?3 WHERE seq = ?1",
        params![seq, step.state.as_str(), step.code],
    )?;
    if step.state.is_final() {
        ledger.run("DELETE FROM named WHERE seq = ?1", params![seq])?;
    }
    match (waits, step.state) {
        (true, OutboundState::Queued) => postpone(ledger, seq, step),
        // What it was decided on is not known here: it is decided again before it leaves.
        (false, OutboundState::Queued) => enqueue(ledger, seq, (step.due_ms, step.attempts), None),
        (true, _) => dequeue(ledger, seq),
        (false, _) => Ok(()),
    }
}

fn insert(
    ledger: Ledger<'_>,
    direction: Direction,
    message: &MessageRow,
    state: &str,
    keeping: Option<&Keeping>,
) -> Result<(i64, Option<Arc<SubjectKey>>), Failure> {
    let key = keeping.map(|keeping| ledger.subject_key(keeping.subject)).transpose()?;
    let added = ledger.run(
        "INSERT INTO message (message, direction, release, peer, lane, message_type, version, agency, role,
             case_id, operation, list_row, in_reply_to, created_ms, expires_ms, state, code, categories,
             subject_key, transfer, step, keep_until_ms, act_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
             ?22, CASE WHEN EXISTS (SELECT 1 FROM legal_hold WHERE key = ?19) THEN NULL ELSE ?23 END)
         ON CONFLICT (message) DO NOTHING",
        params![
            message.message.0.as_bytes(),
            column::direction(direction),
            message.release.0,
            message.peer.as_str(),
            column::lane(message.lane),
            message.message_type.as_str(),
            message.version,
            message.agency.as_ref().map(|agency| agency.as_str()),
            message.role.as_str(),
            message.case.0.as_bytes(),
            message.operation.as_ref().map(|operation| operation.0.as_bytes()),
            message.row,
            message.in_reply_to.as_ref().map(|question| question.0.as_bytes()),
            message.created_ms,
            message.expires_ms,
            state,
            message.code,
            column::list(&message.categories)?,
            key.as_ref().map(|key| key.id().0),
            message.step.as_ref().map(|step| step.transfer.0.as_bytes()),
            message.step.as_ref().map(|step| sealed_step(ledger, message.message, step)).transpose()?,
            keeping.map(|keeping| keeping.until_ms),
            keeping.map(|keeping| keeping.notice_ms),
        ],
    )?;
    if added == 0 {
        return Err(Guard::Taken.into());
    }
    let seq = ledger.connection.last_insert_rowid();
    if let (Some(key), Some(keeping)) = (&key, keeping) {
        let sealed = key.seal(Place { table: "wire", key: message.message.0.as_bytes() }, &message.wire)?;
        ledger.run("INSERT INTO wire (seq, sealed) VALUES (?1, ?2)", params![seq, sealed])?;
        let owner = match direction {
            Direction::Out => message.agency.clone().map(ChunkOwner::Agency),
            Direction::In => Some(ChunkOwner::Peer(message.peer.clone())),
        };
        let owner = owner.map(|owner| read::owner_text(&owner)).unwrap_or_default();
        for root in &keeping.attachments {
            ledger.run(
                "INSERT INTO attachment (root, seq, owner) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![root.0, seq, owner],
            )?;
            ledger.run(
                "UPDATE chunk SET unnamed_ms = NULL WHERE root = ?1 AND owner = ?2",
                params![root.0, owner],
            )?;
        }
    }
    Ok((seq, key))
}

/// The hours of a step outlive the content: they lie under the store's key.
fn sealed_step(ledger: Ledger<'_>, message: MessageId, step: &Mark) -> Result<Vec<u8>, Failure> {
    let bytes = serde_json::to_vec(step).map_err(|_| Failure::Damaged("message"))?;
    ledger.seal(None, Place { table: "message.step", key: message.0.as_bytes() }, &bytes)
}

fn enqueue(
    ledger: Ledger<'_>,
    seq: i64,
    (due_ms, attempts): (i64, u32),
    ground: Option<&Ground>,
) -> Result<(), Failure> {
    ledger.run(
        "INSERT INTO outbox (peer, lane, created_ms, seq, case_id, due_ms, expires_ms, attempts, ground, lapses_ms)
         SELECT peer, lane, created_ms, seq, case_id, ?2, expires_ms, ?3, ?4, ?5 FROM message WHERE seq = ?1",
        params![
            seq,
            due_ms,
            attempts,
            ground.map(|ground| ground.digest.0),
            ground.and_then(|ground| ground.lapses_ms),
        ],
    )?;
    Ok(())
}

fn postpone(ledger: Ledger<'_>, seq: i64, step: &Step<'_>) -> Result<(), Failure> {
    ledger.run(
        "UPDATE outbox SET due_ms = ?2, attempts = ?3
         WHERE (peer, lane, created_ms, seq) = (SELECT peer, lane, created_ms, seq FROM message WHERE seq = ?1)",
        params![seq, step.due_ms, step.attempts],
    )?;
    Ok(())
}

/// Makes every row that a suspension holds due; its place in the order is its release's, so that stays.
pub(super) fn wake_held(ledger: Ledger<'_>, at_ms: i64) -> Result<(), Failure> {
    ledger.run(
        "UPDATE outbox SET due_ms = MIN(due_ms, ?1)
         WHERE seq IN (SELECT seq FROM message WHERE state = 'queued' AND code = ?2)",
        params![at_ms, EXCHANGE_SUSPENDED.code],
    )?;
    Ok(())
}

pub(super) fn dequeue(ledger: Ledger<'_>, seq: i64) -> Result<(), Failure> {
    ledger.run(
        "DELETE FROM outbox
         WHERE (peer, lane, created_ms, seq) = (SELECT peer, lane, created_ms, seq FROM message WHERE seq = ?1)",
        params![seq],
    )?;
    Ok(())
}
