//! What an earlier report lets a reader subtract.
//!
//! Not here: the table by itself (`flow`). INVARIANT: a count whose difference from an earlier one is small is
//! as sensitive as a small count, and what was hidden for the same days stays hidden.

use super::THRESHOLD;
use super::flow::{Flow, Sight};
use super::report::{Report, Span};

impl Flow {
    /// Marks what the earlier report makes sensitive, and the bounds it sets.
    pub(super) fn learn(&mut self, report: &Report, earlier: &Report) {
        let span = report.span(earlier);
        for arc in self.arcs.iter_mut().filter(|arc| arc.sight != Sight::Unstated) {
            match (span, earlier.at(&arc.place)) {
                (Span::Apart, _) | (_, None) => {}
                // The same days once more: two tables that hide different cells would be read together.
                (Span::Same, Some(None)) => arc.sensitive = true,
                (Span::Wider | Span::Narrower, Some(None)) => {}
                (Span::Same, Some(Some(before))) => {
                    let difference = arc.count.abs_diff(before);
                    arc.sensitive |= difference > 0 && difference < THRESHOLD;
                }
                (Span::Wider, Some(Some(before))) => {
                    arc.sensitive |= arc.count.abs_diff(before) < THRESHOLD;
                    arc.floor = arc.floor.max(before);
                }
                (Span::Narrower, Some(Some(before))) => {
                    arc.sensitive |= arc.count.abs_diff(before) < THRESHOLD;
                    arc.ceiling = Some(arc.ceiling.map_or(before, |known| known.min(before)));
                }
            }
        }
    }
}
