//! Who opens what comes in for a role: the node, or an agency with a key of its own, for which the node only carries.

use std::collections::BTreeMap;

use puente_core::ids::Role;

use crate::clock::Clock;
use crate::home::Home;
use crate::register::{AgencyFile, State};
use crate::setup::agency;
use crate::setup::check::trust::days_left;
use crate::setup::check::{CheckFinding, Level};

/// One finding for each agency and role that the node only carries for, with the end of its last key; none when the node
/// opens for all. A register that cannot be read has its own finding.
pub(super) fn carried(home: &Home, clock: &dyn Clock) -> Vec<CheckFinding> {
    let agencies = agency::list(home).unwrap_or_default();
    let active = agencies.iter().filter(|file| file.state == State::Active);
    active.flat_map(|file| of_agency(file, clock)).collect()
}

fn of_agency(file: &AgencyFile, clock: &dyn Clock) -> Vec<CheckFinding> {
    let mut ends: BTreeMap<&Role, i64> = BTreeMap::new();
    for entry in file.seals.iter().filter(|entry| file.roles.contains(&entry.role)) {
        let end = ends.entry(&entry.role).or_insert(entry.key.not_after);
        *end = entry.key.not_after.max(*end);
    }
    let told = |(role, end): (&Role, i64)| {
        let code = format!("seal.{}.{role}", file.agency);
        let left = days_left(code.as_str(), end, clock);
        let es = format!(
            "{} abre con su propia llave lo que es para ella como {role}; el nodo sólo lo lleva.",
            file.agency
        );
        let en = format!(
            "{} opens with a key of its own what is for it as {role}; the node only carries it.",
            file.agency
        );
        match left.level {
            Level::Ok => CheckFinding::ok(code, es, en),
            level => CheckFinding::new(level, code, format!("{es} {}", left.es), format!("{en} {}", left.en)),
        }
    };
    ends.into_iter().map(told).collect()
}
