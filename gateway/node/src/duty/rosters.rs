//! The duty rosters of the country's agencies: one JSON file each in the node's home.
//!
//! INVARIANT: a roster that does not read takes nobody with it but its own agency, and is named to the operator.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use puente_core::duty::Roster;
use puente_core::ids::{AgencyId, Role};

use crate::node::{Node, Rules};

/// Days ahead in which every hour has to have an officer.
const DAYS_AHEAD: i32 = 7;

/// Why the rosters cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("folder of rosters cannot be read")]
pub struct RostersError(#[from] std::io::Error);

/// The roles that have to answer alerts, by the rules in force.
#[must_use]
pub fn answering_roles(rules: &Rules) -> BTreeSet<Role> {
    let types = rules.ladders.iter().filter_map(|(name, _)| rules.catalogue.descriptor(name, None));
    types.flat_map(|descriptor| descriptor.recipients.iter().cloned()).collect()
}

/// Minutes of the next seven days in which an agency that answers alerts has nobody on duty, all agencies together.
#[must_use]
pub fn gap_minutes(node: &Node) -> i64 {
    let answering = answering_roles(&node.rules.get());
    let (rosters, register) = (node.rosters.get(), node.register.get());
    let now = Timestamp::from_millisecond(node.clock.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    register
        .agencies()
        .map(|file| &file.agency)
        .filter(|agency| register.roles(agency).iter().any(|role| answering.contains(role)))
        .map(|agency| rosters.unstaffed_minutes(agency, now))
        .sum()
}

/// All rosters.
#[derive(Debug, Default)]
pub struct Rosters {
    by_agency: BTreeMap<AgencyId, Roster>,
    unreadable: Vec<(String, String)>,
}

impl Rosters {
    /// Reads every file of the folder; no folder is no roster.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read(folder: &Path) -> Result<Self, RostersError> {
        let mut rosters = Self::default();
        if !folder.exists() {
            return Ok(rosters);
        }
        for (name, bytes) in crate::home::read_tree(folder)? {
            match Roster::parse(&bytes) {
                Ok(roster) => {
                    rosters.by_agency.insert(roster.agency().clone(), roster);
                }
                Err(error) => rosters.unreadable.push((name, error.to_string())),
            }
        }
        Ok(rosters)
    }

    /// The roster of an agency.
    #[must_use]
    pub fn of(&self, agency: &AgencyId) -> Option<&Roster> {
        self.by_agency.get(agency)
    }

    /// Files that were not taken, and why.
    #[must_use]
    pub fn unreadable(&self) -> &[(String, String)] {
        &self.unreadable
    }

    /// Minutes of the next seven days in which nobody of this agency is on duty; all of them when it has no roster.
    #[must_use]
    pub fn unstaffed_minutes(&self, agency: &AgencyId, now: Timestamp) -> i64 {
        let Some(roster) = self.of(agency) else { return i64::from(DAYS_AHEAD) * 24 * 60 };
        let seconds = |gap: &puente_core::duty::Gap| gap.to.as_second().saturating_sub(gap.from.as_second());
        roster.gaps(now, DAYS_AHEAD).iter().map(seconds).sum::<i64>().div_euclid(60)
    }
}
