//! Who of an agency is on duty at an instant: shifts in its own zone, holidays, deputies, supervisors.
//!
//! Not here: how they are reached. INVARIANT: a roster that names nobody, or somebody without a way to be reached,
//! is not taken; an hour without an officer is found before an alert finds it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::ladder::Wake;
use crate::ids::AgencyId;
use crate::personal::Personal;

/// Most people of one roster.
const MAX_CONTACTS: usize = 500;
/// Most entries of the week, and most holidays.
const MAX_ENTRIES: usize = 500;

/// Why a roster is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// It is not JSON of its form.
    #[error("roster is not of its form")]
    Form,
    /// The zone is not one of the IANA database.
    #[error("roster names a zone that the IANA database does not have")]
    Zone,
    /// Somebody is named who has no entry.
    #[error("roster names `{0}`, who is not among its contacts")]
    Unknown(String),
    /// Somebody has neither mail nor hook.
    #[error("contact `{0}` cannot be reached: give it `mail` or `hook`")]
    Unreachable(String),
    /// A list has nobody in it.
    #[error("roster leaves `{0}` empty")]
    Empty(&'static str),
    /// It is larger than is taken.
    #[error("roster is too large")]
    TooLarge,
}

/// How one person is reached. The addresses are the person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Personal<String>>,
    /// Address for the node's HTTP hook: a telephone number, a pager, whatever its gateway knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Personal<String>>,
}

/// The same hours on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weekly {
    /// Days on which they begin.
    days: BTreeSet<Day>,
    /// The hours of such a day.
    hours: Vec<Hours>,
}

/// Who is there from when to when, local time; `to` at or before `from` is on the next day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    from: Time,
    to: Time,
    /// Contacts on duty.
    officers: Vec<String>,
    /// Their deputies.
    #[serde(default)]
    deputies: Vec<String>,
}

/// A day whose hours replace those of its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    date: Date,
    hours: Vec<Hours>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    agency: AgencyId,
    zone: String,
    contacts: BTreeMap<String, Contact>,
    week: Vec<Weekly>,
    #[serde(default)]
    holidays: Vec<Holiday>,
    supervisors: Vec<String>,
}

/// The duty roster of one agency.
#[derive(Debug, Clone)]
pub struct Roster {
    agency: AgencyId,
    zone: TimeZone,
    contacts: BTreeMap<String, Contact>,
    week: Vec<Weekly>,
    holidays: BTreeMap<Date, Vec<Hours>>,
    supervisors: Vec<String>,
}

/// A time without an officer on duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// It begins.
    pub from: Timestamp,
    /// It ends.
    pub to: Timestamp,
}

impl Roster {
    /// Reads a roster, JSON.
    ///
    /// # Errors
    /// When it is not of its form, names somebody unknown or unreachable, or nobody.
    pub fn parse(bytes: &[u8]) -> Result<Self, RosterError> {
        let value = crate::json::parse(bytes, crate::json::MAX_DEPTH).map_err(|_| RosterError::Form)?;
        let form: Form = serde_json::from_value(value).map_err(|_| RosterError::Form)?;
        let zone = TimeZone::get(&form.zone).map_err(|_| RosterError::Zone)?;
        if form.contacts.len() > MAX_CONTACTS
            || form.week.len() > MAX_ENTRIES
            || form.holidays.len() > MAX_ENTRIES
        {
            return Err(RosterError::TooLarge);
        }
        let roster = Self {
            agency: form.agency,
            zone,
            contacts: form.contacts,
            week: form.week,
            holidays: form.holidays.into_iter().map(|holiday| (holiday.date, holiday.hours)).collect(),
            supervisors: form.supervisors,
        };
        roster.check()?;
        Ok(roster)
    }

    fn check(&self) -> Result<(), RosterError> {
        if let Some((name, _)) =
            self.contacts.iter().find(|(_, contact)| contact.mail.is_none() && contact.hook.is_none())
        {
            return Err(RosterError::Unreachable(name.clone()));
        }
        if self.supervisors.is_empty() {
            return Err(RosterError::Empty("supervisors"));
        }
        let weekly = self.week.iter().flat_map(|weekly| &weekly.hours);
        let hours: Vec<&Hours> = weekly.chain(self.holidays.values().flatten()).collect();
        if hours.is_empty() {
            return Err(RosterError::Empty("week"));
        }
        if hours.iter().any(|hours| hours.officers.is_empty()) {
            return Err(RosterError::Empty("officers"));
        }
        let named = hours.iter().flat_map(|hours| hours.officers.iter().chain(&hours.deputies));
        match named.chain(&self.supervisors).find(|name| !self.contacts.contains_key(*name)) {
            Some(name) => Err(RosterError::Unknown(name.clone())),
            None => Ok(()),
        }
    }

    /// Whose roster it is.
    #[must_use]
    pub const fn agency(&self) -> &AgencyId {
        &self.agency
    }

    /// The zone of its hours.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// How somebody is reached.
    #[must_use]
    pub fn contact(&self, name: &str) -> Option<&Contact> {
        self.contacts.get(name)
    }

    /// Whom this wakes at an instant, each once; the operator is in no agency's roster.
    #[must_use]
    pub fn on_duty(&self, wake: Wake, at: Timestamp) -> BTreeSet<&str> {
        let there = || self.hours_at(at);
        match wake {
            Wake::Officer => there().flat_map(|hours| &hours.officers).map(String::as_str).collect(),
            Wake::Deputy => there().flat_map(|hours| &hours.deputies).map(String::as_str).collect(),
            Wake::Supervisor => self.supervisors.iter().map(String::as_str).collect(),
            Wake::Operator => BTreeSet::new(),
        }
    }

    /// The hours that an instant lies in.
    fn hours_at(&self, at: Timestamp) -> impl Iterator<Item = &Hours> {
        let today = at.to_zoned(self.zone.clone()).date();
        let begun = [today.yesterday().ok(), Some(today)].into_iter().flatten();
        let hours = begun.flat_map(|date| self.hours_of(date).map(move |hours| (date, hours)));
        hours
            .filter(move |(date, hours)| {
                self.span(*date, hours).is_some_and(|(from, to)| from <= at && at < to)
            })
            .map(|(_, hours)| hours)
    }

    /// The hours that begin on a local date: those of the holiday, or of its weekday.
    fn hours_of(&self, date: Date) -> impl Iterator<Item = &Hours> {
        let holiday = self.holidays.get(&date);
        let day = Day::from(date.weekday());
        let weekly = self.week.iter().filter(move |weekly| holiday.is_none() && weekly.days.contains(&day));
        weekly.flat_map(|weekly| &weekly.hours).chain(holiday.into_iter().flatten())
    }

    /// From when to when, as instants: a clock change makes a shift longer or shorter, never absent.
    fn span(&self, date: Date, hours: &Hours) -> Option<(Timestamp, Timestamp)> {
        let last = if hours.to <= hours.from { date.tomorrow().ok()? } else { date };
        let instant = |date: Date, time: Time| {
            Some(date.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp())
        };
        Some((instant(date, hours.from)?, instant(last, hours.to)?))
    }

    /// Times without an officer on duty in the days to come.
    #[must_use]
    pub fn gaps(&self, from: Timestamp, days: i32) -> Vec<Gap> {
        let first = from.to_zoned(self.zone.clone()).date();
        let Ok(until) = from.checked_add((i64::from(days) * 24).hours()) else { return Vec::new() };
        let mut spans: Vec<_> = (-1..=days)
            .filter_map(|offset| first.checked_add(offset.days()).ok())
            .flat_map(|date| self.hours_of(date).filter_map(move |hours| self.span(date, hours)))
            .collect();
        spans.sort_unstable();
        let mut gaps = Vec::new();
        let mut covered = from;
        for (begins, ends) in spans {
            if begins >= until {
                break;
            }
            if begins > covered {
                gaps.push(Gap { from: covered, to: begins });
            }
            covered = covered.max(ends);
        }
        if covered < until {
            gaps.push(Gap { from: covered, to: until });
        }
        gaps
    }
}
