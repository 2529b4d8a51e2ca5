//! A two-way table of counts, read from its section: areas by groups, with the totals that were stated.
//!
//! Not here: what may be shown of it. INVARIANT: no two groups of a report share a person, every area states
//! every group, and the totals are the sums.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

/// Cells in one report, as in the section's schema.
const MAX_CELLS: usize = 1024;

/// The area that stands for all areas together.
const EVERYWHERE: &str = "all";

/// Why a section is not a table that can be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatisticsError {
    /// It is not a section of this form.
    #[error("the section is not a report of counts")]
    Form,
    /// It has more cells than a report may have.
    #[error("the report has too many cells")]
    Bounds,
    /// Two cells are about the same people.
    #[error("two cells of the report count the same people")]
    Overlap,
    /// A group is not stated for an area, or a count was left out before it came here.
    #[error("the report is not whole")]
    NotWhole,
    /// A total is not the sum of its cells.
    #[error("a total is not the sum of its cells")]
    Sum,
    /// What an earlier report shows cannot be hidden again.
    #[error("an earlier report gives the difference away")]
    Difference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Sex {
    F,
    M,
    X,
    #[serde(rename = "all")]
    All,
}

/// An age band as first and last year of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Band(u8, u8);

impl TryFrom<String> for Band {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(match text.as_str() {
            "0-5" => Self(0, 5),
            "6-11" => Self(6, 11),
            "12-17" => Self(12, 17),
            "0-17" => Self(0, 17),
            "18-59" => Self(18, 59),
            "18+" => Self(18, u8::MAX),
            "60+" => Self(60, u8::MAX),
            "all" => Self(0, u8::MAX),
            _ => return Err("age band"),
        })
    }
}

/// The people of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group(Sex, Band);

impl Group {
    const EVERYBODY: Self = Self(Sex::All, Band(0, u8::MAX));

    fn meets(self, other: Self) -> bool {
        let sexes = self.0 == other.0 || self.0 == Sex::All || other.0 == Sex::All;
        sexes && self.1.0 <= other.1.1 && other.1.0 <= self.1.1
    }
}

/// Where a count stands; `None` is the total of all areas, or of all groups.
pub(super) type Place = (Option<String>, Option<Group>);

#[derive(Deserialize)]
struct Cell {
    area: String,
    sex: Sex,
    age: Band,
    #[serde(default)]
    count: Option<u64>,
}

#[derive(Deserialize)]
struct Section {
    indicator: String,
    from: Date,
    to: Date,
    cells: Vec<Cell>,
}

/// How the period of one report lies to that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// The same days.
    Same,
    /// The other one's days and more.
    Wider,
    /// Part of the other one's days.
    Narrower,
    /// Neither holds the other: their difference is nobody's count.
    Apart,
}

/// One report.
#[derive(Debug, Clone)]
pub(super) struct Report {
    indicator: String,
    from: Date,
    to: Date,
    /// Counts by place; `None` is a suppressed one.
    cells: BTreeMap<Place, Option<u64>>,
    /// Whether the column of everybody is a total, and not the only column.
    grouped: bool,
    /// Whether the row of everywhere is a total, and not the only row.
    spread: bool,
}

impl Report {
    pub(super) fn read(section: &Value) -> Result<Self, StatisticsError> {
        let section = Section::deserialize(section).map_err(|_| StatisticsError::Form)?;
        if section.cells.len() > MAX_CELLS {
            return Err(StatisticsError::Bounds);
        }
        let groups: BTreeSet<Group> = section.cells.iter().map(|cell| Group(cell.sex, cell.age)).collect();
        let grouped = groups.len() > 1;
        let spread = section.cells.iter().any(|cell| cell.area != EVERYWHERE);
        let leaves: Vec<Group> =
            groups.into_iter().filter(|group| !grouped || *group != Group::EVERYBODY).collect();
        let meet = |(at, group): (usize, &Group)| leaves.iter().skip(at + 1).any(|other| group.meets(*other));
        if leaves.iter().enumerate().any(meet) {
            return Err(StatisticsError::Overlap);
        }
        let mut report = Self {
            indicator: section.indicator,
            from: section.from,
            to: section.to,
            cells: BTreeMap::new(),
            grouped,
            spread,
        };
        for cell in section.cells {
            let place = report.place(&cell);
            if report.cells.insert(place, cell.count).is_some() {
                return Err(StatisticsError::Overlap);
            }
        }
        let areas: BTreeSet<_> = report.areas().collect();
        let stated = report.cells.keys().filter(|(area, group)| area.is_some() && group.is_some()).count();
        if stated == areas.len().saturating_mul(leaves.len()) {
            Ok(report)
        } else {
            Err(StatisticsError::NotWhole)
        }
    }

    fn place(&self, cell: &Cell) -> Place {
        let group = Group(cell.sex, cell.age);
        let area = (!self.spread || cell.area != EVERYWHERE).then(|| cell.area.clone());
        (area, (!self.grouped || group != Group::EVERYBODY).then_some(group))
    }

    /// The areas, without the total, in order.
    pub(super) fn areas(&self) -> impl Iterator<Item = &str> {
        let named: BTreeSet<&str> = self.cells.keys().filter_map(|(area, _)| area.as_deref()).collect();
        named.into_iter()
    }

    /// The groups, without the total, in order.
    pub(super) fn groups(&self) -> impl Iterator<Item = Group> {
        let named: BTreeSet<Group> = self.cells.keys().filter_map(|(_, group)| *group).collect();
        named.into_iter()
    }

    /// What is stated at a place: `None` when nothing is, `Some(None)` when it is suppressed.
    pub(super) fn at(&self, place: &Place) -> Option<Option<u64>> {
        self.cells.get(place).copied()
    }

    /// The smallest count.
    ///
    /// # Errors
    /// When a count was suppressed before: what is hidden cannot be protected.
    pub(super) fn smallest(&self) -> Result<u64, StatisticsError> {
        let counts: Option<Vec<u64>> = self.cells.values().copied().collect();
        counts.and_then(|counts| counts.into_iter().min()).ok_or(StatisticsError::NotWhole)
    }

    /// How this report's period lies to another one's; reports of different indicators are apart.
    pub(super) fn span(&self, other: &Self) -> Span {
        if self.indicator != other.indicator {
            Span::Apart
        } else if self.from == other.from && self.to == other.to {
            Span::Same
        } else if self.from <= other.from && other.to <= self.to {
            Span::Wider
        } else if other.from <= self.from && self.to <= other.to {
            Span::Narrower
        } else {
            Span::Apart
        }
    }

    /// The section with these places suppressed.
    pub(super) fn without(&self, section: &Value, hidden: &BTreeSet<Place>) -> Value {
        let mut section = section.clone();
        let cells = section.get_mut("cells").and_then(Value::as_array_mut);
        for value in cells.into_iter().flatten() {
            let Ok(cell) = Cell::deserialize(&*value) else { continue };
            if let Some(object) = value.as_object_mut().filter(|_| hidden.contains(&self.place(&cell))) {
                object.remove("count");
                object.insert("suppressed".to_owned(), Value::Bool(true));
            }
        }
        section
    }
}
