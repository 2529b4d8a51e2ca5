//! What officers are asked: spoken on once by each person, closed once; held rows and proposed policies alike.
//!
//! Not here: what opens one (`approval`, `operation`) and what the statements come to (core). INVARIANT: once closed, a
//! question takes no statement and does not change.

use puente_core::delivery::{ApprovalState, StatementRow};
use puente_core::ids::ApprovalId;
use rusqlite::params;

use crate::store::error::Guard;
use crate::store::sqlite::ledger::{Failure, Ledger};

/// Where one kind of question is kept: its statements, each with the question's id first.
pub(super) struct Question {
    state: &'static str,
    speak: &'static str,
    close: &'static str,
}

/// A row that waits for officers.
pub(super) const HELD_ROW: Question = Question {
    state: "SELECT state FROM approval WHERE approval = ?1",
    speak: "INSERT INTO statement (approval, officer, agency, person, verdict, statement, at_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    close: "UPDATE approval SET state = ?2, closed_ms = ?3 WHERE approval = ?1",
};

/// A set of policies that is proposed.
pub(super) const POLICY_CHANGE: Question = Question {
    state: "SELECT state FROM policy_change WHERE change = ?1",
    speak: "INSERT INTO policy_statement (change, officer, agency, person, verdict, statement, at_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    close: "UPDATE policy_change SET state = ?2, closed_ms = ?3 WHERE change = ?1",
};

impl Question {
    /// A person speaks, once, while it is open.
    pub(super) fn speak(&self, ledger: Ledger<'_>, row: &StatementRow) -> Result<(), Failure> {
        self.require_open(ledger, row.approval)?;
        let added = ledger.run(
            self.speak,
            params![
                row.approval.0.as_bytes(),
                row.officer.as_str(),
                row.agency.as_str(),
                row.person.as_str(),
                row.verdict,
                row.statement,
                row.at_ms,
            ],
        )?;
        if added == 1 { Ok(()) } else { Err(Guard::Spoken.into()) }
    }

    /// The waiting ends.
    pub(super) fn close(
        &self,
        ledger: Ledger<'_>,
        id: ApprovalId,
        state: ApprovalState,
        at_ms: i64,
    ) -> Result<(), Failure> {
        self.require_open(ledger, id)?;
        ledger.run(self.close, params![id.0.as_bytes(), state.as_str(), at_ms])?;
        Ok(())
    }

    fn require_open(&self, ledger: Ledger<'_>, id: ApprovalId) -> Result<(), Failure> {
        let state = ledger.one(self.state, params![id.0.as_bytes()], |row| Ok(row.get::<_, String>(0)?))?;
        match state {
            None => Err(Guard::Absent.into()),
            Some(state) if state == ApprovalState::Open.as_str() => Ok(()),
            Some(_) => Err(Guard::NotOpen.into()),
        }
    }
}
