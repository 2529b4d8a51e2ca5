//! The ledger of disclosures, notices to its recipients, and notices of peers, going in and moving on.
//!
//! Not here: what is to be told to whom. Invariant: a line of the ledger never changes; a notice that was
//! answered does not either.

use puente_core::delivery::{DisclosureRow, NoticeRow, NoticeState, RestrictionRow, WithdrawalRow};
use puente_core::ids::{CountryCode, MessageId, NoticeId};
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::column;
use crate::store::sqlite::ledger::{Failure, Ledger};

/// Somebody was told something.
pub(super) fn disclosure(ledger: Ledger<'_>, row: &DisclosureRow) -> Result<(), Failure> {
    let added = ledger.run(
        "INSERT INTO disclosure (message, agency, role, country, to_role, to_agency, message_type, purpose,
             basis, categories, consent, not_after_ms, subject, case_id, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT DO NOTHING",
        params![
            row.message.0.as_bytes(),
            row.agency.as_str(),
            row.role.as_str(),
            row.country.as_str(),
            row.to_role.as_str(),
            row.to_agency.as_ref().map(|agency| agency.as_str()),
            row.message_type.as_str(),
            row.purpose.as_str(),
            row.basis,
            column::names(&row.categories)?,
            row.consent.as_ref().map(|consent| consent.0.as_bytes()),
            row.not_after_ms,
            row.subject,
            row.case.0.as_bytes(),
            row.at_ms,
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// Somebody has to be told something.
pub(super) fn notice(ledger: Ledger<'_>, row: &NoticeRow) -> Result<(), Failure> {
    let added = ledger.run(
        "INSERT INTO notice (notice, kind, consent, message, agency, role, country, to_role, to_agency,
             opened_ms, due_ms, state, code, reply, closed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT DO NOTHING",
        params![
            row.notice.0.as_bytes(),
            row.kind.as_str(),
            row.consent.as_ref().map(|consent| consent.0.as_bytes()),
            row.message.as_ref().map(|message| message.0.as_bytes()),
            row.agency.as_str(),
            row.role.as_str(),
            row.country.as_str(),
            row.to_role.as_str(),
            row.to_agency.as_ref().map(|agency| agency.as_str()),
            row.opened_ms,
            row.due_ms,
            row.state.as_str(),
            row.code,
            row.reply.as_ref().map(|reply| reply.0.as_bytes()),
            row.closed_ms,
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Guard::Taken.into()) }
}

/// What an unresolved notice becomes.
pub(super) struct Answered<'a> {
    pub(super) state: NoticeState,
    pub(super) code: Option<&'a str>,
    pub(super) reply: Option<MessageId>,
    pub(super) at_ms: i64,
}

/// A notice moves on, while it is unresolved.
pub(super) fn answer(ledger: Ledger<'_>, notice: NoticeId, to: &Answered<'_>) -> Result<(), Failure> {
    require_unresolved(ledger, notice)?;
    ledger.run(
        "UPDATE notice SET state = ?2, code = COALESCE(?3, code), reply = ?4, closed_ms = ?5 WHERE notice = ?1",
        params![
            notice.0.as_bytes(),
            to.state.as_str(),
            to.code,
            to.reply.as_ref().map(|reply| reply.0.as_bytes()),
            (!to.state.is_unresolved()).then_some(to.at_ms),
        ],
    )?;
    Ok(())
}

/// Another message carries an unresolved notice from now on.
pub(super) fn resend(ledger: Ledger<'_>, notice: NoticeId, message: MessageId) -> Result<(), Failure> {
    require_unresolved(ledger, notice)?;
    ledger.run(
        "UPDATE notice SET message = ?2, code = NULL WHERE notice = ?1",
        params![notice.0.as_bytes(), message.0.as_bytes()],
    )?;
    Ok(())
}

fn require_unresolved(ledger: Ledger<'_>, notice: NoticeId) -> Result<(), Failure> {
    let closed = ledger.one(
        "SELECT closed_ms FROM notice WHERE notice = ?1",
        params![notice.0.as_bytes()],
        |row| Ok(row.get::<_, Option<i64>>(0)?),
    )?;
    match closed {
        None => Err(Guard::Absent.into()),
        Some(None) => Ok(()),
        Some(Some(_)) => Err(Guard::Final.into()),
    }
}

/// A person is not to be told of without people; the same question again is no change.
pub(super) fn restrict(ledger: Ledger<'_>, row: &RestrictionRow) -> Result<(), Failure> {
    ledger.run(
        "INSERT INTO restriction (question, key, placed_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![row.question.0.as_bytes(), row.key, row.at_ms],
    )?;
    Ok(())
}

/// A question restricts no more.
pub(super) fn unrestrict(ledger: Ledger<'_>, question: MessageId, at_ms: i64) -> Result<(), Failure> {
    ledger.run(
        "UPDATE restriction SET lifted_ms = ?2 WHERE question = ?1 AND lifted_ms IS NULL",
        params![question.0.as_bytes(), at_ms],
    )?;
    Ok(())
}

/// A peer says that a consent covers less; the same notice again is no change.
pub(super) fn withdrawal(ledger: Ledger<'_>, row: &WithdrawalRow) -> Result<(), Failure> {
    ledger.run(
        "INSERT INTO withdrawal (peer, consent, message, purposes, categories, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            row.peer.as_str(),
            row.consent.0.as_bytes(),
            row.message.0.as_bytes(),
            column::names(&row.purposes)?,
            column::names(&row.categories)?,
            row.at_ms,
        ],
    )?;
    Ok(())
}

/// A message that came in is about this person.
pub(super) fn received(
    ledger: Ledger<'_>,
    message: MessageId,
    peer: &CountryCode,
    subject_ref: &str,
) -> Result<(), Failure> {
    ledger.run(
        "INSERT INTO received (message, peer, subject_ref) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![message.0.as_bytes(), peer.as_str(), subject_ref],
    )?;
    Ok(())
}
