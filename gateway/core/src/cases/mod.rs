//! A child's case between two countries: from the offer to the closing, as both of them see it.
//!
//! Pure: state is a fold over the set of signed steps that a node holds, so two nodes that hold the same steps say the
//! same, in whatever order, how often and how late these came. Not here: storing steps, waking people (`duty`), or
//! whether a step may be sent at all (`policy`). INVARIANT: no step is lost: one that does not count is void, with its
//! reason, and one whose predecessor has not come waits for it.

mod clocks;
mod plan;
mod said;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod watch;

pub use clocks::{Clock, What, clocks};
pub use plan::{Plan, PlanError};
pub use said::{SaidNothing, said};
pub use state::{CaseState, Illegal, Stage, Void};
pub use step::{Mark, Step, StepKind};
pub use watch::{Look, News, Told, ToldRow, TransferRow, look};
