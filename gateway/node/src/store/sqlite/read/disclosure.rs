//! The ledger of disclosures, notices to its recipients, and notices of peers.
//!
//! Not here: who may ask. Invariant: every read walks an index and is bounded.

use puente_core::delivery::{DisclosureRow, NoticeRow, RestrictionRow, WithdrawalRow};
use puente_core::ids::{CaseId, ConsentId, CountryCode, MessageId, NoticeId};
use rusqlite::{Row, params};

use crate::store::query::{Disclosed, NoticeFilter};
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};

const DISCLOSURE: &str =
    "SELECT d.message, d.agency, d.role, d.country, d.to_role, d.to_agency, d.message_type,
    d.purpose, d.basis, d.categories, d.consent, d.not_after_ms, d.subject, d.case_id, d.at_ms, m.state
    FROM disclosure d JOIN message m ON m.message = d.message";

const NOTICE: &str = "SELECT seq, notice, kind, consent, message, agency, role, country, to_role, to_agency,
    opened_ms, due_ms, state, code, reply, closed_ms FROM notice";

/// Lines of the ledger after a cursor, oldest first, each with the state of its message.
pub(in crate::store::sqlite) fn disclosures(
    ledger: Ledger<'_>,
    of: &Disclosed,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, DisclosureRow, String)>, Failure> {
    // The cursor comes first, so that one reader serves the three questions.
    let sql = |choice: &str| {
        DISCLOSURE.replacen("SELECT ", "SELECT d.seq, ", 1)
            + &format!(" WHERE {choice} = ?1 AND d.seq > ?2 ORDER BY d.seq LIMIT ?3")
    };
    match of {
        Disclosed::Under(consent) => {
            ledger.all(&sql("d.consent"), params![consent.0.as_bytes(), after, page(limit)], disclosure)
        }
        Disclosed::About(subject) => {
            ledger.all(&sql("d.subject"), params![subject, after, page(limit)], disclosure)
        }
        Disclosed::InCase(case) => {
            ledger.all(&sql("d.case_id"), params![case.0.as_bytes(), after, page(limit)], disclosure)
        }
        Disclosed::In(message) => {
            ledger.all(&sql("d.message"), params![message.0.as_bytes(), after, page(limit)], disclosure)
        }
    }
}

fn disclosure(row: &Row<'_>) -> Result<(i64, DisclosureRow, String), Failure> {
    let mut columns = Columns::of(row, "disclosure");
    let seq = columns.plain()?;
    let line = DisclosureRow {
        message: columns.id(MessageId)?,
        agency: columns.name()?,
        role: columns.name()?,
        country: columns.name()?,
        to_role: columns.name()?,
        to_agency: columns.maybe_name()?,
        message_type: columns.name()?,
        purpose: columns.name()?,
        basis: columns.plain()?,
        categories: columns.names()?,
        consent: columns.maybe_id(ConsentId)?,
        not_after_ms: columns.plain()?,
        subject: columns.plain()?,
        case: columns.id(CaseId)?,
        at_ms: columns.plain()?,
    };
    Ok((seq, line, columns.plain()?))
}

/// Notices after a cursor, oldest first.
pub(in crate::store::sqlite) fn notices(
    ledger: Ledger<'_>,
    filter: &NoticeFilter,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, NoticeRow)>, Failure> {
    let limit = page(limit);
    match filter {
        NoticeFilter::Of(agency) => ledger.all(
            &format!("{NOTICE} WHERE agency = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"),
            params![agency.as_str(), after, limit],
            notice,
        ),
        NoticeFilter::Carried(message) => ledger.all(
            &format!("{NOTICE} WHERE message = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"),
            params![message.0.as_bytes(), after, limit],
            notice,
        ),
        NoticeFilter::Unresolved => ledger.all(
            &format!(
                "{NOTICE} WHERE (state = 'open' OR state = 'overdue') AND seq > ?1 ORDER BY seq LIMIT ?2"
            ),
            params![after, limit],
            notice,
        ),
    }
}

fn notice(row: &Row<'_>) -> Result<(i64, NoticeRow), Failure> {
    let mut columns = Columns::of(row, "notice");
    let seq = columns.plain()?;
    let row = NoticeRow {
        notice: columns.id(NoticeId)?,
        kind: columns.notice_kind()?,
        consent: columns.maybe_id(ConsentId)?,
        message: columns.maybe_id(MessageId)?,
        agency: columns.name()?,
        role: columns.name()?,
        country: columns.name()?,
        to_role: columns.name()?,
        to_agency: columns.maybe_name()?,
        opened_ms: columns.plain()?,
        due_ms: columns.plain()?,
        state: columns.notice_state()?,
        code: columns.plain()?,
        reply: columns.maybe_id(MessageId)?,
        closed_ms: columns.plain()?,
    };
    Ok((seq, row))
}

/// What a peer has said about a consent that it collected, in the order it was said.
pub(in crate::store::sqlite) fn withdrawals(
    ledger: Ledger<'_>,
    peer: &CountryCode,
    consent: ConsentId,
    limit: u32,
) -> Result<Vec<WithdrawalRow>, Failure> {
    ledger.all(
        "SELECT message, purposes, categories, at_ms FROM withdrawal WHERE peer = ?1 AND consent = ?2
         ORDER BY rowid LIMIT ?3",
        params![peer.as_str(), consent.0.as_bytes(), page(limit)],
        |row| {
            let mut columns = Columns::of(row, "withdrawal");
            Ok(WithdrawalRow {
                peer: peer.clone(),
                consent,
                message: columns.id(MessageId)?,
                purposes: columns.names()?,
                categories: columns.names()?,
                at_ms: columns.plain()?,
            })
        },
    )
}

/// Messages that a country sent about a person after a cursor, oldest first.
pub(in crate::store::sqlite) fn received(
    ledger: Ledger<'_>,
    peer: &CountryCode,
    subject_ref: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, MessageId)>, Failure> {
    ledger.all(
        "SELECT seq, message FROM received WHERE peer = ?1 AND subject_ref = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4",
        params![peer.as_str(), subject_ref, after, page(limit)],
        |row| {
            let mut columns = Columns::of(row, "received");
            Ok((columns.plain()?, columns.id(MessageId)?))
        },
    )
}

/// The sender's pseudonym for whom a message that came in is about.
pub(in crate::store::sqlite) fn received_about(
    ledger: Ledger<'_>,
    message: MessageId,
) -> Result<Option<String>, Failure> {
    ledger.one("SELECT subject_ref FROM received WHERE message = ?1", params![message.0.as_bytes()], |row| {
        Ok(row.get(0)?)
    })
}

/// Restrictions that stand, by question after one.
pub(in crate::store::sqlite) fn restrictions(
    ledger: Ledger<'_>,
    after: Option<MessageId>,
    limit: u32,
) -> Result<Vec<RestrictionRow>, Failure> {
    ledger.all(
        "SELECT question, key, placed_ms FROM restriction
         WHERE lifted_ms IS NULL AND question > COALESCE(?1, x'') ORDER BY question LIMIT ?2",
        params![after.as_ref().map(|question| question.0.as_bytes()), page(limit)],
        |row| {
            let mut columns = Columns::of(row, "restriction");
            Ok(RestrictionRow {
                question: columns.id(MessageId)?,
                key: columns.plain()?,
                at_ms: columns.plain()?,
            })
        },
    )
}
