//! Authorities' acts going in and ending.
//!
//! Not here: who may give them. Invariant: one person gives one act on a held row, and an act ends once.

use puente_core::authority::{ActRow, Given};
use puente_core::ids::{ActId, CaseId, CountryCode, MessageId};
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};

/// An act enters.
pub(super) fn act(ledger: Ledger<'_>, row: &ActRow) -> Result<(), Failure> {
    let (officer, message) = match &row.given {
        Given::Officer { row, agency, officer, person, statement } => {
            (Some((row, agency, officer, person, statement)), None)
        }
        Given::Message(message) => (None, Some(message)),
    };
    let spoken = officer.map(|(row, _, _, person, _)| {
        ledger.one(
            "SELECT 1 FROM authority_act WHERE held_row = ?1 AND person = ?2",
            params![row.0.as_bytes(), person.as_str()],
            |found| Ok(found.get::<_, i64>(0)?),
        )
    });
    if spoken.transpose()?.flatten().is_some() {
        return Err(Guard::Spoken.into());
    }
    let added = ledger.run(
        "INSERT INTO authority_act (act, approval, message_type, case_id, peer, role, held_row, agency, officer, person,
             statement, message, content, until_ms, at_ms, ended_ms, tried)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT DO NOTHING",
        params![
            row.act.0.as_bytes(),
            row.approval.code(),
            row.message_type.as_str(),
            row.case.0.as_bytes(),
            row.peer.as_ref().map(|peer| peer.as_str()),
            row.role.as_str(),
            officer.map(|(row, ..)| row.0.as_bytes()),
            officer.map(|(_, agency, ..)| agency.as_str()),
            officer.map(|(_, _, officer, ..)| officer.as_str()),
            officer.map(|(_, _, _, person, _)| person.as_str()),
            officer.map(|(.., statement)| statement),
            message.map(|message| message.0.as_bytes()),
            row.content.map(|content| content.0),
            row.until_ms,
            row.at_ms,
            row.ended_ms,
            // An officer's act for one recipient is tried by the one who records it; one for all has other rows to try.
            officer.is_some() && (row.peer.is_some() || row.ended_ms.is_some()),
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// An act is taken back.
pub(super) fn end(ledger: Ledger<'_>, act: ActId, statement: &str, at_ms: i64) -> Result<(), Failure> {
    let ended = ledger.run(
        "UPDATE authority_act SET ended_ms = ?2, ending = ?3 WHERE act = ?1 AND ended_ms IS NULL",
        params![act.0.as_bytes(), at_ms, statement],
    )?;
    if ended == 1 { Ok(()) } else { Err(Guard::Final.into()) }
}

/// A country takes back what it approved in a thread.
pub(super) fn end_of_peer(
    ledger: Ledger<'_>,
    peer: &CountryCode,
    case: CaseId,
    at_ms: i64,
) -> Result<(), Failure> {
    ledger.run(
        "UPDATE authority_act SET ended_ms = ?3
         WHERE case_id = ?1 AND peer = ?2 AND message IS NOT NULL AND ended_ms IS NULL",
        params![case.0.as_bytes(), peer.as_str(), at_ms],
    )?;
    Ok(())
}

/// What waited for an act was tried again.
pub(super) fn tried(ledger: Ledger<'_>, act: ActId) -> Result<(), Failure> {
    ledger.run("UPDATE authority_act SET tried = 1 WHERE act = ?1", params![act.0.as_bytes()])?;
    Ok(())
}

/// A message rests on these acts.
pub(super) fn rests_on(ledger: Ledger<'_>, message: MessageId, acts: &[ActId]) -> Result<(), Failure> {
    for act in acts {
        ledger.run(
            "INSERT INTO rests_on (message, act) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![message.0.as_bytes(), act.0.as_bytes()],
        )?;
    }
    Ok(())
}
