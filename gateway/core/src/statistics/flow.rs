//! The table as a network: what one hidden count may be is how much can flow around it.
//!
//! A two-way table with its totals is a circulation: from every area to every group the count, from the groups
//! through the grand total back to the areas. Whoever reads the published counts knows the flow of the other
//! arcs; a hidden arc may carry more by as much as can return to its start, and less by as much as can go round
//! the other way. Not here: earlier reports (`earlier`). INVARIANT: after [`Flow::hide`] every hidden arc lies
//! on a cycle of hidden arcs around which [`RANGE`] people can be moved.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::report::{Place, Report, StatisticsError};
use super::{RANGE, THRESHOLD};

/// Whether a reader sees the count of an arc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is stated.
    Shown,
    /// It is stated and will be suppressed.
    Hidden,
    /// The report does not state it: free to vary, and nothing to suppress.
    Unstated,
}

/// One count between two nodes, with the bounds that a reader may know for it.
#[derive(Debug, Clone)]
pub(super) struct Arc {
    from: usize,
    to: usize,
    pub(super) place: Place,
    pub(super) count: u64,
    pub(super) floor: u64,
    pub(super) ceiling: Option<u64>,
    pub(super) sight: Sight,
    /// The count is small, or the difference from an earlier report is.
    pub(super) sensitive: bool,
}

/// A direction along an arc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    More,
    Less,
}

/// What it costs to use arcs: how many are newly hidden, then how many people they count.
type Cost = (usize, u64);

/// The nodes that were reached: at what cost, and from which node by which arc.
type Reached = BTreeMap<usize, (Cost, Option<(usize, usize)>)>;

impl Arc {
    /// Whether [`RANGE`] can be moved along it this way.
    fn carries(&self, way: Way) -> bool {
        match way {
            Way::More => self.ceiling.is_none_or(|ceiling| ceiling.saturating_sub(self.count) >= RANGE),
            Way::Less => self.count.saturating_sub(self.floor) >= RANGE,
        }
    }

    const fn ends(&self, way: Way) -> (usize, usize) {
        match way {
            Way::More => (self.from, self.to),
            Way::Less => (self.to, self.from),
        }
    }

    const fn cost(&self) -> Cost {
        match self.sight {
            Sight::Shown => (1, self.count),
            Sight::Hidden | Sight::Unstated => (0, 0),
        }
    }
}

/// The network of one report.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) arcs: Vec<Arc>,
    nodes: usize,
}

impl Flow {
    /// The network of a whole report.
    ///
    /// # Errors
    /// When a count is suppressed or a stated total is not the sum of its cells.
    pub(super) fn of(report: &Report) -> Result<Self, StatisticsError> {
        let areas: Vec<_> = report.areas().map(str::to_owned).collect();
        let groups: Vec<_> = report.groups().collect();
        let (out, back) = (areas.len() + groups.len(), areas.len() + groups.len() + 1);
        let mut flow = Self { arcs: Vec::new(), nodes: back + 1 };
        let mut sums: BTreeMap<Place, (usize, usize, u64)> = BTreeMap::new();
        for (row, area) in areas.iter().enumerate() {
            for (column, group) in groups.iter().enumerate() {
                let place = (Some(area.clone()), Some(*group));
                let count = report.at(&place).flatten().ok_or(StatisticsError::NotWhole)?;
                let node = areas.len() + column;
                for (total, from, to) in [
                    ((Some(area.clone()), None), out, row),
                    ((None, Some(*group)), node, back),
                    ((None, None), back, out),
                ] {
                    let sum = sums.entry(total).or_insert((from, to, 0));
                    sum.2 = sum.2.saturating_add(count);
                }
                flow.push(row, node, place, count, Sight::Shown);
            }
        }
        for (place, (from, to, sum)) in sums {
            let sight = match report.at(&place) {
                None => Sight::Unstated,
                Some(Some(stated)) if stated == sum => Sight::Shown,
                Some(Some(_)) => return Err(StatisticsError::Sum),
                Some(None) => return Err(StatisticsError::NotWhole),
            };
            flow.push(from, to, place, sum, sight);
        }
        Ok(flow)
    }

    fn push(&mut self, from: usize, to: usize, place: Place, count: u64, sight: Sight) {
        let sensitive = count < THRESHOLD && sight == Sight::Shown;
        self.arcs.push(Arc { from, to, place, count, floor: 0, ceiling: None, sight, sensitive });
    }

    /// Hides every sensitive count, and with each of them the cheapest cycle around which it can vary.
    ///
    /// # Errors
    /// When an earlier report bounds a count so closely that it cannot vary by [`RANGE`].
    pub(super) fn hide(&mut self) -> Result<(), StatisticsError> {
        for arc in self.arcs.iter_mut().filter(|arc| arc.sensitive) {
            arc.sight = Sight::Hidden;
        }
        let sensitive: Vec<usize> =
            self.arcs.iter().enumerate().filter(|(_, arc)| arc.sensitive).map(|(at, _)| at).collect();
        for at in sensitive {
            let around = [Way::More, Way::Less].into_iter().filter_map(|way| self.around(at, way)).min();
            let (_, cycle) = around.ok_or(StatisticsError::Difference)?;
            for (at, arc) in self.arcs.iter_mut().enumerate() {
                if arc.sight == Sight::Shown && cycle.contains(&at) {
                    arc.sight = Sight::Hidden;
                }
            }
        }
        Ok(())
    }

    /// The places that are suppressed.
    pub(super) fn hidden(&self) -> BTreeSet<Place> {
        self.arcs.iter().filter(|arc| arc.sight == Sight::Hidden).map(|arc| arc.place.clone()).collect()
    }

    /// The cheapest way back to the start of an arc along which [`RANGE`] can follow it.
    fn around(&self, at: usize, way: Way) -> Option<(Cost, BTreeSet<usize>)> {
        let arc = self.arcs.get(at).filter(|arc| arc.carries(way))?;
        let (start, end) = arc.ends(way);
        self.cheapest(end, start, at)
    }

    /// Dijkstra from one node to another over every arc but one, each only in a way that carries [`RANGE`].
    fn cheapest(&self, from: usize, to: usize, except: usize) -> Option<(Cost, BTreeSet<usize>)> {
        let mut leaving: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.nodes];
        for (at, arc) in self.arcs.iter().enumerate().filter(|(at, _)| *at != except) {
            for way in [Way::More, Way::Less].into_iter().filter(|way| arc.carries(*way)) {
                let (start, end) = arc.ends(way);
                leaving.get_mut(start)?.push((at, end));
            }
        }
        let mut best = Reached::from([(from, ((0, 0), None))]);
        let mut open = BinaryHeap::from([Reverse(((0, 0), from))]);
        while let Some(Reverse((cost, node))) = open.pop() {
            if node == to {
                return Some((cost, trace(&best, to)));
            }
            if best.get(&node).is_some_and(|(known, _)| *known < cost) {
                continue;
            }
            for (at, next) in leaving.get(node).into_iter().flatten() {
                let step = self.arcs.get(*at)?.cost();
                let reached = (cost.0 + step.0, cost.1.saturating_add(step.1));
                if best.get(next).is_none_or(|(known, _)| reached < *known) {
                    best.insert(*next, (reached, Some((node, *at))));
                    open.push(Reverse((reached, *next)));
                }
            }
        }
        None
    }
}

/// The arcs by which a node was reached.
fn trace(best: &Reached, to: usize) -> BTreeSet<usize> {
    let mut arcs = BTreeSet::new();
    let mut node = to;
    while let Some((_, Some((before, at)))) = best.get(&node) {
        arcs.insert(*at);
        node = *before;
    }
    arcs
}
