//! A hold as an officer of a protection authority states it.
//!
//! Not here: matching (`likeness`) and what a match does (`judge`). INVARIANT: `Debug` shows nothing of the
//! person, and what is not stated is never read as a "no".

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::marks::{Blind, Marks};
use super::named::Belonging;
use crate::ids::{AgencyId, CountryCode, HoldId, Role};
use crate::matching::{Candidate, Number};
use crate::personal::Personal;
use crate::policy::{Flag, Known, Protection, Subject};
use crate::problem::{self, Problem};

/// Roles whose officers place and lift holds.
const PROTECTION_ROLES: [&str; 3] = ["asylum", "child_protection", "victim_services"];

/// Names one person may go by in one hold: the registered one and those of earlier papers.
const MAX_NAMES: usize = 5;
/// Longest name, as in `id.core`.
const MAX_NAME_CHARS: usize = 80;
/// Numbers of one person, as many as comparison looks at.
const MAX_NUMBERS: usize = 8;

/// Whether this role places and lifts holds.
#[must_use]
pub fn may_place(role: &Role) -> bool {
    PROTECTION_ROLES.contains(&role.as_str())
}

/// Against which recipients a hold stands; the person's own countries are always among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// Every other country.
    All,
    /// These, beside nationality and habitual residence.
    Countries(BTreeSet<CountryCode>),
}

/// Why, for the record of the authority alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// A claim to protection is open or granted.
    Asylum,
    /// Fear of return was expressed and is not yet heard.
    FearOfReturn,
    /// Victim or presumed victim of trafficking or another crime.
    Victim,
    /// A child whose interests are not yet determined.
    Child,
    /// A court or another authority ordered it.
    Order,
}

/// One name of a person, as papers write it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// Given names.
    pub given_names: Personal<String>,
    /// First surname; may hold both.
    pub first_surname: Personal<String>,
    /// Second surname.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_surname: Option<Personal<String>>,
}

/// What is known of the birth.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Born {
    /// On this day, by papers.
    On(Personal<Date>),
    /// Between these years, both included, by estimate.
    Between(Personal<(i16, i16)>),
    /// Nothing is known.
    Unknown,
}

/// A number that somebody gave the person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldNumber {
    /// The country that issued it.
    pub country: CountryCode,
    /// Its kind, as in `id.numbers`, or `passport`.
    pub kind: String,
    /// The number in any punctuation.
    pub value: Personal<String>,
}

/// Whom a hold is about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Described {
    /// The names the person goes by; the first is the registered one.
    pub names: Vec<Name>,
    /// Birth, exact or estimated.
    pub born: Born,
    /// Sex as a travel document states it: F, M or X. For the officers; a difference excludes nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Personal<String>>,
    /// Nationalities; none stated means that every country may be the person's own.
    #[serde(default)]
    pub nationalities: BTreeSet<CountryCode>,
    /// Habitual residence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<CountryCode>,
    /// Numbers of papers.
    #[serde(default)]
    pub numbers: Vec<HeldNumber>,
}

impl fmt::Debug for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[described]")
    }
}

/// What an officer says when placing a hold.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The role in which the authority acts.
    pub role: Role,
    /// The person.
    pub person: Described,
    /// Against whom.
    pub against: Against,
    /// Why.
    pub reason: HoldReason,
    /// Further facts that the authority states of the person.
    #[serde(default)]
    pub flags: BTreeMap<Flag, Known>,
    /// Until when; without an end until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hold]")
    }
}

/// What an officer says when lifting a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// Which hold.
    pub hold: HoldId,
    /// Why, as a code of the deployment; no personal data.
    pub reason: String,
}

/// Who placed a hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Authority {
    /// The agency.
    pub agency: AgencyId,
    /// The role it acted in.
    pub role: Role,
}

impl Hold {
    /// Checks what a signature cannot: sizes, years, an end that is still to come.
    ///
    /// # Errors
    /// `field.invalid` or `field.missing` with the field; never a value.
    pub fn check(&self, now: Timestamp) -> Result<(), Problem> {
        let invalid = |field: &str| Err(Problem::new(&problem::FIELD_INVALID).at(field));
        let person = &self.person;
        if person.names.is_empty() {
            return Err(Problem::new(&problem::FIELD_MISSING).at("person/names"));
        }
        if person.names.len() > MAX_NAMES || !person.names.iter().all(Name::is_sound) {
            return invalid("person/names");
        }
        if person.numbers.len() > MAX_NUMBERS
            || person.numbers.iter().any(|number| number.value.reveal().len() > MAX_NAME_CHARS)
        {
            return invalid("person/numbers");
        }
        if let Born::Between(years) = &person.born
            && !matches!(*years.reveal(), (from, to) if from <= to && (1880..=2200).contains(&from) && to <= 2200)
        {
            return invalid("person/born");
        }
        if matches!(&self.against, Against::Countries(countries) if countries.len() > 250) {
            return invalid("against");
        }
        if self.until.is_some_and(|until| until <= now) {
            return invalid("until");
        }
        Ok(())
    }

    /// Whether the recipient's country is one that must not learn of the person.
    #[must_use]
    pub fn is_feared(&self, recipient: &CountryCode, stated: &Belonging) -> bool {
        let own = &self.person;
        let listed = match &self.against {
            Against::All => true,
            Against::Countries(countries) => countries.contains(recipient),
        };
        // Nobody stated where the person belongs: any country may be the one.
        let nowhere = own.nationalities.is_empty() && !stated.nationality_stated;
        listed
            || nowhere
            || own.nationalities.contains(recipient)
            || own.residence.as_ref() == Some(recipient)
            || stated.countries.contains(recipient)
    }

    /// Puts the authority's facts in the place of the submitter's; what would soften them falls away.
    pub fn apply(&self, subject: &mut Subject) {
        subject.protection = Protection::Sought;
        for softer in [Flag::WrittenWaiver, Flag::AsylumRefusedFinal] {
            subject.flags.remove(&softer);
        }
        subject.flags.extend(self.flags.iter().map(|(flag, known)| (*flag, *known)));
        let risk = subject.risk_countries.get_or_insert_default();
        if let Against::Countries(countries) = &self.against {
            risk.extend(countries.iter().cloned());
        }
        for nationality in &self.person.nationalities {
            match &subject.nationality {
                None => subject.nationality = Some(nationality.clone()),
                Some(first) if first == nationality => {}
                Some(_) => {
                    subject.other_nationalities.insert(nationality.clone());
                }
            }
        }
        if subject.residence.is_none() {
            subject.residence.clone_from(&self.person.residence);
        }
    }
}

impl Name {
    fn is_sound(&self) -> bool {
        let fits = |text: &str| text.chars().count() <= MAX_NAME_CHARS && !text.chars().any(char::is_control);
        let second = self.second_surname.as_ref().map_or("", |name| name.reveal());
        let texts = [self.given_names.reveal().as_str(), self.first_surname.reveal(), second];
        texts.iter().all(|text| fits(text)) && texts.iter().any(|text| !text.trim().is_empty())
    }
}

impl Described {
    /// The marks under which rows are compared with this person: one per name.
    #[must_use]
    pub fn marks(&self, blind: &dyn Blind) -> Vec<Marks> {
        let numbers: Vec<Number> = self
            .numbers
            .iter()
            .map(|number| Number {
                country: number.country.clone(),
                kind: number.kind.clone(),
                value: number.value.clone(),
            })
            .collect();
        let marked = |name: &Name| {
            let person = Candidate {
                row: 0,
                given_names: name.given_names.clone(),
                first_surname: name.first_surname.clone(),
                second_surname: name.second_surname.clone(),
                birth_date: match &self.born {
                    Born::On(date) => Some(date.clone()),
                    Born::Between(_) | Born::Unknown => None,
                },
                age: None,
                age_estimated: false,
                sex: None,
                numbers: numbers.clone(),
            };
            let marks = Marks::of(&person, None, blind);
            match &self.born {
                Born::Between(years) => marks.born_between(*years.reveal()),
                Born::On(_) | Born::Unknown => marks,
            }
        };
        self.names.iter().map(marked).collect()
    }
}
