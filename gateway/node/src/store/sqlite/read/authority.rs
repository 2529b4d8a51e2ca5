//! Authorities' acts, by thread, message, authority or id.
//!
//! Not here: which of them stand (core). Invariant: every read walks an index and is bounded.

use puente_core::authority::{ActRow, Given};
use puente_core::ids::{ActId, ApprovalId, CaseId, MessageId};
use puente_core::policy::Approval;
use rusqlite::{Row, params};

use crate::store::query::ActFilter;
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};

macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT act, approval, message_type, case_id, peer, role, held_row, agency, officer, person, statement, ",
            "message, content, until_ms, at_ms, ended_ms FROM authority_act ",
            $where
        )
    };
}

/// Acts in the order they came.
pub(in crate::store::sqlite) fn acts(
    ledger: Ledger<'_>,
    filter: &ActFilter,
    limit: u32,
) -> Result<Vec<ActRow>, Failure> {
    match filter {
        ActFilter::InCase(case) => ledger.all(
            select!("WHERE case_id = ?1 ORDER BY seq LIMIT ?2"),
            params![case.0.as_bytes(), page(limit)],
            act,
        ),
        ActFilter::Under(message) => ledger.all(
            select!("WHERE act IN (SELECT act FROM rests_on WHERE message = ?1) ORDER BY seq LIMIT ?2"),
            params![message.0.as_bytes(), page(limit)],
            act,
        ),
        ActFilter::Of { agency, after } => ledger.all(
            select!(
                "WHERE agency = ?1 AND seq > COALESCE((SELECT seq FROM authority_act WHERE act = ?2), 0)
                 ORDER BY seq LIMIT ?3"
            ),
            params![agency.as_str(), after.as_ref().map(|act| act.0.as_bytes()), page(limit)],
            act,
        ),
        ActFilter::One(id) => {
            ledger.all(select!("WHERE act = ?1 LIMIT ?2"), params![id.0.as_bytes(), page(limit)], act)
        }
        ActFilter::Untried => {
            ledger.all(select!("WHERE tried = 0 ORDER BY seq LIMIT ?1"), params![page(limit)], act)
        }
    }
}

fn act(row: &Row<'_>) -> Result<ActRow, Failure> {
    let damaged = || Failure::Damaged("authority_act");
    let mut columns = Columns::of(row, "authority_act");
    let id = columns.id(ActId)?;
    let code: String = columns.plain()?;
    let approval = Approval::ALL.into_iter().find(|approval| approval.code() == code).ok_or_else(damaged)?;
    let (message_type, case) = (columns.name()?, columns.id(CaseId)?);
    let (peer, role) = (columns.maybe_name()?, columns.name()?);
    let held_row = columns.maybe_id(ApprovalId)?;
    let (agency, officer, person) = (columns.maybe_name()?, columns.maybe_name()?, columns.maybe_name()?);
    let statement: Option<String> = columns.plain()?;
    let message = columns.maybe_id(MessageId)?;
    let given = match (held_row, agency, officer, person, statement, message) {
        (Some(row), Some(agency), Some(officer), Some(person), Some(statement), None) => {
            Given::Officer { row, agency, officer, person, statement }
        }
        (None, None, None, None, None, Some(message)) => Given::Message(message),
        _ => return Err(damaged()),
    };
    Ok(ActRow {
        act: id,
        approval,
        message_type,
        case,
        peer,
        role,
        given,
        content: columns.maybe_digest()?,
        until_ms: columns.plain()?,
        at_ms: columns.plain()?,
        ended_ms: columns.plain()?,
    })
}
