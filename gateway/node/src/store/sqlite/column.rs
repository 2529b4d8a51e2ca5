//! Values as columns and back: ids as raw bytes, names as text parsed again, lists as JSON.
//!
//! Not here: SQL. Invariant: what reads back is as valid as what was stored; anything else is damage.

use std::str::FromStr;

use puente_core::catalogue::Lane;
use puente_core::delivery::{ApprovalState, Direction, EventKind, NoticeKind, NoticeState};
use puente_core::ids::Digest;
use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};
use uuid::Uuid;

use super::ledger::Failure;
use super::seal::{Place, Sealer};

/// Reads the columns of one row from left to right.
pub(super) struct Columns<'row, 'statement> {
    row: &'row Row<'statement>,
    table: &'static str,
    next: usize,
}

impl<'row, 'statement> Columns<'row, 'statement> {
    /// From the first column; `table` names the damage.
    pub(super) fn of(row: &'row Row<'statement>, table: &'static str) -> Self {
        Self { row, table, next: 0 }
    }

    /// The next column as it is.
    pub(super) fn plain<T: FromSql>(&mut self) -> Result<T, Failure> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    fn damaged(&self) -> Failure {
        Failure::Damaged(self.table)
    }

    /// A name, parsed as when it came in.
    pub(super) fn name<T: FromStr>(&mut self) -> Result<T, Failure> {
        let text: String = self.plain()?;
        text.parse().map_err(|_| self.damaged())
    }

    /// A name that may be absent.
    pub(super) fn maybe_name<T: FromStr>(&mut self) -> Result<Option<T>, Failure> {
        let text: Option<String> = self.plain()?;
        text.map(|text| text.parse().map_err(|_| self.damaged())).transpose()
    }

    /// A UUID, wrapped by `id`.
    pub(super) fn id<T>(&mut self, id: fn(Uuid) -> T) -> Result<T, Failure> {
        Ok(id(Uuid::from_bytes(self.plain()?)))
    }

    /// A UUID that may be absent.
    pub(super) fn maybe_id<T>(&mut self, id: fn(Uuid) -> T) -> Result<Option<T>, Failure> {
        let bytes: Option<[u8; 16]> = self.plain()?;
        Ok(bytes.map(|bytes| id(Uuid::from_bytes(bytes))))
    }

    pub(super) fn digest(&mut self) -> Result<Digest, Failure> {
        Ok(Digest(self.plain()?))
    }

    /// A digest that may be absent.
    pub(super) fn maybe_digest(&mut self) -> Result<Option<Digest>, Failure> {
        Ok(self.plain::<Option<[u8; 32]>>()?.map(Digest))
    }

    pub(super) fn list(&mut self) -> Result<Vec<String>, Failure> {
        let text: String = self.plain()?;
        serde_json::from_str(&text).map_err(|_| self.damaged())
    }

    /// A list of names, each parsed as when it came in.
    pub(super) fn names<T: FromStr>(&mut self) -> Result<Vec<T>, Failure> {
        self.list()?.iter().map(|text| text.parse().map_err(|_| self.damaged())).collect()
    }

    pub(super) fn notice_kind(&mut self) -> Result<NoticeKind, Failure> {
        let text: String = self.plain()?;
        NoticeKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| self.damaged())
    }

    pub(super) fn notice_state(&mut self) -> Result<NoticeState, Failure> {
        let text: String = self.plain()?;
        NoticeState::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| self.damaged())
    }

    pub(super) fn direction(&mut self) -> Result<Direction, Failure> {
        match self.plain()? {
            0_i64 => Ok(Direction::Out),
            1 => Ok(Direction::In),
            _ => Err(self.damaged()),
        }
    }

    pub(super) fn lane(&mut self) -> Result<Lane, Failure> {
        match self.plain()? {
            0_i64 => Ok(Lane::Alert),
            1 => Ok(Lane::Control),
            2 => Ok(Lane::Bulk),
            _ => Err(self.damaged()),
        }
    }

    pub(super) fn approval_state(&mut self) -> Result<ApprovalState, Failure> {
        let text: String = self.plain()?;
        [ApprovalState::Open, ApprovalState::Granted, ApprovalState::Refused, ApprovalState::Lapsed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| self.damaged())
    }

    pub(super) fn event_kind(&mut self) -> Result<EventKind, Failure> {
        let text: String = self.plain()?;
        EventKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| self.damaged())
    }

    /// A sealed column, opened in its place; an absent one is empty.
    pub(super) fn sealed(&mut self, sealer: &Sealer, place: Place<'_>) -> Result<Vec<u8>, Failure> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        match value {
            ValueRef::Null => Ok(Vec::new()),
            ValueRef::Blob(sealed) => sealer.open(place, sealed),
            _ => Err(self.damaged()),
        }
    }
}

/// A direction as it is stored.
pub(super) const fn direction(direction: Direction) -> i64 {
    match direction {
        Direction::Out => 0,
        Direction::In => 1,
    }
}

/// A lane as it is stored: the order of urgency.
pub(super) const fn lane(lane: Lane) -> i64 {
    match lane {
        Lane::Alert => 0,
        Lane::Control => 1,
        Lane::Bulk => 2,
    }
}

/// A list of names as it is stored.
pub(super) fn list(names: &[String]) -> Result<String, Failure> {
    serde_json::to_string(names).map_err(|_| Failure::Damaged("a list of names"))
}

/// A list of parsed names as it is stored.
pub(super) fn names<T: ToString>(names: &[T]) -> Result<String, Failure> {
    list(&names.iter().map(ToString::to_string).collect::<Vec<_>>())
}
