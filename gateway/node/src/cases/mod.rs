//! Children's cases in a running node: read from the steps that it holds, and what their sides are told.
//!
//! Meets both faces, belongs to neither. Not here: what a step does (`puente_core::cases`). INVARIANT: a state is never
//! stored: it is folded from the steps each time, so nothing can disagree with them.

mod watch;

use puente_core::cases::{CaseState, Step};
use puente_core::delivery::MessageRow;
use puente_core::ids::MessageId;
use puente_core::problem::Problem;

use crate::node::{Node, store_problem};

pub use watch::watch;

/// A transfer as this node holds it.
pub struct Held {
    /// The messages that are its steps, in the order in which they came; metadata only.
    pub rows: Vec<MessageRow>,
    /// What they make of it.
    pub state: CaseState,
}

impl Held {
    /// Reads the steps of a transfer and folds them; without any, a transfer of which nothing is known.
    ///
    /// # Errors
    /// The store's problem.
    pub async fn read(node: &Node, transfer: MessageId) -> Result<Self, Problem> {
        let rows = node.store.case_steps(transfer).await.map_err(|error| store_problem(&error))?;
        let state = CaseState::fold(rows.iter().filter_map(|row| Step::of(row, node.country())));
        Ok(Self { rows, state })
    }

    /// The offer, once it is here.
    #[must_use]
    pub fn offer(&self) -> Option<&MessageRow> {
        self.rows.iter().find(|row| row.step.as_ref().is_some_and(|step| step.transfer == row.message))
    }
}
