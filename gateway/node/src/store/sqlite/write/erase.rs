//! Content going out of the store: by erasure of a subject, or because its time is over.
//!
//! Not here: the keys (`subjects`), and whom it is told. INVARIANT: a message whose content went keeps its metadata,
//! its receipts and its decision, waits to be sent no more, and retention has nothing left to do with it.

use puente_core::delivery::{HoldChange, OutboundState, SubjectTag};
use puente_core::ids::MessageId;
use rusqlite::params;

use super::determination;
use super::message::dequeue;
use crate::store::error::Guard;
use crate::store::query::ERASED;
use crate::store::sqlite::ledger::{Failure, Ledger};
use crate::store::sqlite::subjects::SubjectKeyId;

/// Records that a subject's key is to be destroyed; answers which. From here on nothing more is sealed under it.
pub(in crate::store::sqlite) fn condemn(
    ledger: Ledger<'_>,
    subject: SubjectTag,
    at_ms: i64,
) -> Result<Option<SubjectKeyId>, Failure> {
    let Some(key) = ledger.sealer.subjects().of(subject)? else { return Ok(None) };
    let held = ledger.one("SELECT 1 FROM legal_hold WHERE key = ?1", [key.id().0], |_| Ok(()))?;
    if held.is_some() {
        return Err(Guard::LegalHold.into());
    }
    ledger.run(
        "INSERT INTO erasure (key, at_ms, settled) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING",
        params![key.id().0, at_ms],
    )?;
    determination::end_of(ledger, subject, at_ms)?;
    Ok(Some(key.id()))
}

/// No message is left under these keys.
pub(super) fn settled(ledger: Ledger<'_>, erasures: &[i64]) -> Result<(), Failure> {
    let mut settle = ledger.statement("UPDATE erasure SET settled = 1 WHERE seq = ?1")?;
    for seq in erasures {
        settle.execute([seq])?;
    }
    Ok(())
}

/// The content of one message goes.
pub(super) fn erase(ledger: Ledger<'_>, message: MessageId) -> Result<(), Failure> {
    let stored = ledger.one(
        "SELECT seq, state FROM message WHERE message = ?1",
        params![message.0.as_bytes()],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
    )?;
    let (seq, state) = stored.ok_or(Guard::Absent)?;
    if state == ERASED {
        return Err(Guard::Final.into());
    }
    if state == OutboundState::Queued.as_str() {
        dequeue(ledger, seq)?;
    }
    for content in [
        // Its owner's chunks that none of its other messages names may be collected at once.
        "UPDATE chunk SET unnamed_ms = 0
         WHERE (owner, root) IN (SELECT owner, root FROM attachment WHERE seq = ?1)
         AND NOT EXISTS (SELECT 1 FROM attachment a
             WHERE a.root = chunk.root AND a.owner = chunk.owner AND a.seq <> ?1)",
        "DELETE FROM wire WHERE seq = ?1",
        "DELETE FROM withheld WHERE seq = ?1",
        "DELETE FROM named WHERE seq = ?1",
        "DELETE FROM attachment WHERE seq = ?1",
    ] {
        ledger.run(content, [seq])?;
    }
    ledger.run(
        "UPDATE message SET state = ?2, subject_key = NULL, keep_until_ms = NULL, act_ms = NULL WHERE seq = ?1",
        params![seq, ERASED],
    )?;
    Ok(())
}

/// The agency was told; what is left is the end.
pub(super) fn announced(ledger: Ledger<'_>, message: MessageId) -> Result<(), Failure> {
    let moved = ledger.run(
        "UPDATE message SET act_ms = keep_until_ms WHERE message = ?1 AND act_ms IS NOT NULL",
        params![message.0.as_bytes()],
    )?;
    if moved == 1 { Ok(()) } else { Err(Guard::Absent.into()) }
}

/// A legal hold takes a subject's messages out of retention's sight, and gives them back.
pub(super) fn hold(ledger: Ledger<'_>, subject: SubjectTag, change: HoldChange) -> Result<(), Failure> {
    let key = ledger.subject_key(subject)?.id();
    let (hold, messages) = match change {
        HoldChange::Placed => (
            "INSERT INTO legal_hold (key) VALUES (?1) ON CONFLICT DO NOTHING",
            "UPDATE message SET act_ms = NULL WHERE subject_key = ?1",
        ),
        HoldChange::Lifted => (
            "DELETE FROM legal_hold WHERE key = ?1",
            "UPDATE message SET act_ms = keep_until_ms WHERE subject_key = ?1",
        ),
    };
    ledger.run(hold, [key.0])?;
    ledger.run(messages, [key.0])?;
    Ok(())
}
