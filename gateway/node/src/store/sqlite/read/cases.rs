//! The steps of children's cases, and what their sides were told.

use puente_core::cases::{Told, TransferRow};
use puente_core::delivery::MessageRow;
use puente_core::ids::{CaseId, MessageId};
use rusqlite::params;

use super::message::{metadata, select};
use crate::store::query::{MAX_PAGE, TransferFilter};
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::ledger::{Failure, Ledger, page};
use crate::store::sqlite::seal::Place;

macro_rules! transfers {
    ($which:literal) => {
        concat!("SELECT transfer, case_id, revision, clock_ms, sealed FROM transfer ", $which, " LIMIT ?3")
    };
}

/// The steps of a transfer, metadata only, in the order in which they came.
pub(in crate::store::sqlite) fn steps(
    ledger: Ledger<'_>,
    transfer: MessageId,
) -> Result<Vec<MessageRow>, Failure> {
    ledger.all(
        select!("NULL", "WHERE m.transfer = ?1 ORDER BY m.seq LIMIT ?2"),
        params![transfer.0.as_bytes(), MAX_PAGE],
        |found| metadata(ledger, found),
    )
}

/// Transfers by thread or by clock.
pub(in crate::store::sqlite) fn transfers(
    ledger: Ledger<'_>,
    filter: &TransferFilter,
    limit: u32,
) -> Result<Vec<TransferRow>, Failure> {
    let limit = page(limit);
    let read = |row: &rusqlite::Row<'_>| transfer_row(ledger, row);
    match filter {
        TransferFilter::InCase(case) => ledger.all(
            transfers!("WHERE case_id = ?1 AND ?2 IS NULL ORDER BY seq"),
            params![case.0.as_bytes(), None::<i64>, limit],
            read,
        ),
        TransferFilter::ToLookAt { now_ms } => ledger.all(
            transfers!("WHERE look_ms IS NOT NULL AND look_ms <= ?1 AND ?2 IS NULL ORDER BY look_ms"),
            params![now_ms, None::<i64>, limit],
            read,
        ),
        TransferFilter::RunningOut { by_ms, after } => ledger.all(
            transfers!(
                "WHERE clock_ms IS NOT NULL AND clock_ms <= ?1 AND (?2 IS NULL OR (clock_ms, seq) >
                     (SELECT clock_ms, seq FROM transfer WHERE transfer = ?2)) ORDER BY clock_ms, seq"
            ),
            params![by_ms, after.as_ref().map(|transfer| transfer.0.as_bytes()), limit],
            read,
        ),
    }
}

fn transfer_row(ledger: Ledger<'_>, row: &rusqlite::Row<'_>) -> Result<TransferRow, Failure> {
    let mut columns = Columns::of(row, "transfer");
    let transfer = columns.id(MessageId)?;
    let (case, revision, clock_ms) = (columns.id(CaseId)?, columns.plain()?, columns.plain()?);
    let told = columns.sealed(ledger.sealer, Place { table: "transfer", key: transfer.0.as_bytes() })?;
    let told = match told.as_slice() {
        [] => Told::default(),
        bytes => serde_json::from_slice(bytes).map_err(|_| Failure::Damaged("transfer"))?,
    };
    Ok(TransferRow { transfer, case, revision, clock_ms, told })
}
