//! Recorded decisions decided again by other policies: how many would come out otherwise, and which.
//!
//! Not here: how the facts are kept. INVARIANT: bounded per call, whoever wants more asks for the next page;
//! what is answered is ids, outcomes and rules; a decision that its own policies do not repeat is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use puente_core::delivery::DecisionRow;
use puente_core::ids::{DecisionId, MessageId};
use puente_core::policy::{Agreements, PolicyEngine, RecordedFacts, Shift, shift};
use puente_core::problem::{self, Problem};
use serde::{Deserialize, Serialize};

use crate::node::{Node, store_problem};

/// Decisions in one page: some 0.5 s of deciding twice.
const PAGE: u32 = 500;
/// Messages named for one move, and decisions named as not repeated; the counts say how many there are.
pub const MAX_NAMED: usize = 20;

/// Decisions that moved alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The outcome that was recorded.
    pub old: String,
    /// The outcome under the other policies.
    pub new: String,
    /// The rule that would decide.
    pub rule: String,
    /// `releases_more`, `releases_less`, `otherwise`, against the policies in force; `None` where nothing moves.
    pub shift: Option<String>,
    /// How many.
    pub count: u64,
    /// The first of them, where a message came of the decision.
    pub messages: Vec<MessageId>,
}

/// One page of a simulation, newest decisions first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulated {
    /// Decisions that were decided again.
    pub replayed: u64,
    /// Decisions whose facts are erased or of an older form.
    pub unreadable: u64,
    /// Decisions by the policies in force that those policies do not repeat: a defect of the record.
    pub unrepeated: u64,
    /// The first of them.
    pub unrepeated_decisions: Vec<DecisionId>,
    /// What moved how, by (old, new, rule, shift).
    pub moves: Vec<Move>,
    /// Where the next page begins; `None` when the window is at its end.
    pub next: Option<i64>,
}

/// Decides a page of recorded decisions again: those since an instant, from before a place on.
///
/// # Errors
/// When the store does not answer.
pub async fn simulate(
    node: &Node,
    candidate: Arc<(PolicyEngine, Agreements)>,
    since_ms: i64,
    before: Option<i64>,
) -> Result<Simulated, Problem> {
    let rows = node.store.decisions(before, PAGE).await.map_err(|error| store_problem(&error))?;
    let inside: Vec<_> = rows.iter().take_while(|(_, row)| row.at_ms >= since_ms).collect();
    let next = (inside.len() == rows.len()).then(|| rows.last().map(|(place, _)| *place)).flatten();
    let rows: Vec<DecisionRow> = inside.into_iter().map(|(_, row)| row.clone()).collect();
    let in_force = node.rules.get();
    // Deciding a page takes longer than a worker of the listeners may be kept.
    let page = tokio::task::spawn_blocking(move || {
        let mut page = Tally::default();
        rows.iter().for_each(|row| page.replay(row, &in_force.policy, &candidate));
        page.finish(next)
    });
    page.await.map_err(|_| Problem::new(&problem::INTERNAL))
}

type Key = (String, String, String, Option<&'static str>);

#[derive(Default)]
struct Tally {
    page: Simulated,
    moves: BTreeMap<Key, (u64, Vec<MessageId>)>,
}

impl Tally {
    fn replay(&mut self, row: &DecisionRow, in_force: &PolicyEngine, candidate: &(PolicyEngine, Agreements)) {
        let Some(facts) = RecordedFacts::from_bytes(&row.facts) else {
            self.page.unreadable += 1;
            return;
        };
        self.page.replayed += 1;
        let base = facts.decide(in_force);
        let spoke = base.spoke.iter().map(|rule| rule.as_str());
        let repeats = base.outcome.as_str() == row.outcome
            && base.rule.as_str() == row.rule
            && spoke.eq(row.spoke.iter().map(String::as_str));
        if row.policy == in_force.digest() && !repeats {
            self.page.unrepeated += 1;
            if self.page.unrepeated_decisions.len() < MAX_NAMED {
                self.page.unrepeated_decisions.push(row.decision);
            }
        }
        let (engine, agreements) = candidate;
        let new = facts.under(agreements).decide(engine);
        let moved = shift(&base, &new).map(Shift::as_str);
        let key = (row.outcome.clone(), new.outcome.as_str().to_owned(), new.rule.to_string(), moved);
        let (count, messages) = self.moves.entry(key).or_default();
        *count += 1;
        if messages.len() < MAX_NAMED {
            messages.extend(row.message);
        }
    }

    fn finish(self, next: Option<i64>) -> Simulated {
        let moves = self.moves.into_iter().map(|((old, new, rule, shift), (count, messages))| Move {
            old,
            new,
            rule,
            shift: shift.map(str::to_owned),
            count,
            messages,
        });
        Simulated { moves: moves.collect(), next, ..self.page }
    }
}

impl Simulated {
    /// Adds a further page to this one.
    pub fn extend(&mut self, page: Self) {
        self.replayed += page.replayed;
        self.unreadable += page.unreadable;
        self.unrepeated += page.unrepeated;
        self.unrepeated_decisions.extend(page.unrepeated_decisions);
        self.unrepeated_decisions.truncate(MAX_NAMED);
        for further in page.moves {
            let alike = |known: &&mut Move| {
                (&known.old, &known.new, &known.rule, &known.shift)
                    == (&further.old, &further.new, &further.rule, &further.shift)
            };
            match self.moves.iter_mut().find(alike) {
                Some(known) => {
                    known.count += further.count;
                    known.messages.extend(further.messages);
                    known.messages.truncate(MAX_NAMED);
                }
                None => self.moves.push(further),
            }
        }
        self.next = page.next;
    }

    /// How many decisions would release more, against the policies in force.
    #[must_use]
    pub fn releases_more(&self) -> u64 {
        let more = |moved: &&Move| moved.shift.as_deref() == Some(Shift::ReleasesMore.as_str());
        self.moves.iter().filter(more).map(|moved| moved.count).sum()
    }
}
