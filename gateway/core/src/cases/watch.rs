//! What a side is told of a transfer, once.
//!
//! Not here: storing what was told, or whom it wakes. INVARIANT: `told` and the news that it notes are written in one
//! commit; so an alarm is told once, and not lost when the node ends before or after.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::cases::clocks::{What, clocks};
use crate::cases::plan::Plan;
use crate::cases::state::{CaseState, Stage};
use crate::delivery::Side;
use crate::ids::{CaseId, MessageId};

/// What this node has told its own side of one transfer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The stage that was told last.
    pub stage: Option<Stage>,
    /// The clocks that have alarmed.
    pub alarmed: BTreeSet<What>,
}

/// A transfer as a node keeps it beside its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRow {
    /// The message id of its offer.
    pub transfer: MessageId,
    /// The thread.
    pub case: CaseId,
    /// Changes with every step that comes, fails or is told of.
    pub revision: i64,
    /// When its earliest clock runs out, milliseconds.
    pub clock_ms: Option<i64>,
    /// What was told.
    pub told: Told,
}

/// That a transfer was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldRow {
    /// Which.
    pub transfer: MessageId,
    /// The revision that was looked at.
    pub revision: i64,
    /// What is told with it.
    pub told: Told,
    /// When to look again if no step comes, milliseconds.
    pub look_ms: Option<i64>,
    /// When its earliest clock runs out, milliseconds.
    pub clock_ms: Option<i64>,
}

/// Something to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The transfer is at this stage.
    Stage(Stage),
    /// This clock has run out.
    Alarm(What),
}

/// The outcome of looking at a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What to tell now, in order.
    pub news: Vec<News>,
    /// What is told once that is written.
    pub told: Told,
    /// When to look again if no step comes, seconds since the epoch; `None` when no clock runs.
    pub again_s: Option<i64>,
}

/// What a side has to be told at this instant, and when to look again.
#[must_use]
pub fn look(state: &CaseState, side: Side, told: &Told, plan: &Plan, now_s: i64) -> Look {
    let mut news = Vec::new();
    let mut next = told.clone();
    if let Some(stage) = state.stage().filter(|stage| told.stage != Some(*stage)) {
        news.push(News::Stage(stage));
        next.stage = Some(stage);
    }
    let mut again_s = None;
    let mine = clocks(state, plan).into_iter().filter(|clock| clock.alarms.contains(&side));
    for clock in mine {
        if next.alarmed.contains(&clock.what) {
            continue;
        }
        if clock.due_s <= now_s {
            news.push(News::Alarm(clock.what));
            next.alarmed.insert(clock.what);
        } else if again_s.is_none_or(|earliest| clock.due_s < earliest) {
            again_s = Some(clock.due_s);
        }
    }
    Look { news, told: next, again_s }
}
