//! Disclosure control: what a published table of counts may show so that no small count can be worked out.
//!
//! Not here: who may publish what (`policy`, R-STA-01 and R-STA-02), nor where earlier reports are kept; the
//! caller brings them. INVARIANT: every suppressed count of a protected table may, for all that the table and
//! each earlier report say, be any of [`RANGE`] + 1 values in a row or more; a table that cannot be brought
//! there is refused. Pure, and bounded by the number of cells.
//!
//! The reader is taken to know that counts below [`THRESHOLD`] are hidden and that rows and columns add up, to
//! solve that system exactly, and to hold one earlier report at a time. Not withstood: three reports combined.

mod earlier;
mod flow;
mod report;

use serde_json::Value;

pub use report::StatisticsError;

use flow::Flow;
use report::Report;

/// Counts below this are not published (SDC threshold rule, R-STA-01).
pub const THRESHOLD: u64 = 5;

/// Width within which no suppressed count can be located: a small one may as well be above the threshold.
pub const RANGE: u64 = 5;

/// A table as it may be published.
#[derive(Debug, Clone, PartialEq)]
pub struct Protected {
    /// The `stats.aggregate` section with its suppressed cells marked and without their counts.
    pub section: Value,
    /// The smallest count the table held before.
    pub smallest: u64,
    /// How many cells were suppressed: small ones, and those from which they could be worked out.
    pub suppressed: usize,
}

/// Protects a table (`stats.aggregate` version 2) against itself and against each earlier report of the same
/// indicator, as published.
///
/// # Errors
/// When the section is not a whole two-way table that adds up, or when an earlier report gives away what no
/// suppression in this one can hide.
pub fn protect(section: &Value, earlier: &[Value]) -> Result<Protected, StatisticsError> {
    let report = Report::read(section)?;
    let smallest = report.smallest()?;
    let mut flow = Flow::of(&report)?;
    for published in earlier {
        flow.learn(&report, &Report::read(published)?);
    }
    flow.hide()?;
    let hidden = flow.hidden();
    let suppressed = hidden.len();
    Ok(Protected { section: report.without(section, &hidden), smallest, suppressed })
}
