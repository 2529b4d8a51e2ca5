//! What a record and its events say at an instant: facts for the rules, never a decision.
//!
//! INVARIANT: what the record leaves open stays unknown, and the rules refuse on unknown. The submitter's own
//! statement about coming of age or an abusing giver can make the answer stricter, never milder.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::event::{EventState, StatusEvent};
use super::record::{AssentAnswer, AssentForm, FirstState, Process, Record};
use super::text::ApprovedTexts;
use crate::ids::{Category, CountryCode, Purpose};
use crate::policy::{Consent, ConsentStatus, Flag, GivenBy, Known, Scope, Subject};

/// Age at which a guardian's word ends and the person's own begins, years.
const OF_AGE: i64 = 18;
/// Age from which a child agrees in writing (DOMAIN.md 4.2), years.
const WRITES: i64 = 12;

/// Where a consent stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Given and not ended.
    Given,
    /// Refused.
    Refused,
    /// Withdrawn.
    Withdrawn,
    /// Past its end, or its giver's word has ended with the person's coming of age.
    Expired,
    /// Not yet given at that instant.
    NotYet,
}

impl Standing {
    /// The standing as it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
        }
    }
}

/// What a consent says about one message at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// For the rules of stage 2.
    pub consent: Consent,
    /// Where it stands.
    pub standing: Standing,
    /// The instant from which it no longer stands, coming of age included: the extract's `not_after`.
    pub not_after: Timestamp,
    /// Computed facts about the person.
    flags: BTreeMap<Flag, Known>,
}

impl Evaluation {
    /// Adds the computed facts to a subject: a computed "yes" stands, and what nobody stated is filled in.
    pub fn inform(&self, subject: &mut Subject) {
        for (flag, computed) in &self.flags {
            let stated = subject.flags.entry(*flag).or_default();
            if *computed == Known::Yes || *stated == Known::Unknown {
                *stated = *computed;
            }
        }
    }
}

/// Sums over processes.
pub(super) struct Coverage {
    pub(super) purposes: BTreeSet<Purpose>,
    pub(super) categories: BTreeSet<Category>,
    pub(super) recipients: BTreeSet<CountryCode>,
}

impl Coverage {
    pub(super) fn over(processes: &[Process]) -> Self {
        Self {
            purposes: processes.iter().map(|process| process.purpose.clone()).collect(),
            categories: processes.iter().flat_map(|process| process.categories.clone()).collect(),
            recipients: processes.iter().flat_map(|process| process.recipients.clone()).collect(),
        }
    }
}

/// The processes still covered at `at` (`None`: after every event); nothing once it was refused or withdrawn.
pub(super) fn covered(
    record: &Record,
    events: &[StatusEvent],
    at: Option<Timestamp>,
) -> Option<Vec<Process>> {
    if record.event.state == FirstState::Refused {
        return None;
    }
    let mut processes = record.processes.clone();
    for event in events.iter().filter(|event| at.is_none_or(|at| event.occurred_at.timestamp() <= at)) {
        if event.state != EventState::Narrowed {
            return None;
        }
        if let Some(purposes) = &event.purposes {
            processes.retain(|process| purposes.contains(&process.purpose));
        }
        for process in &mut processes {
            if let Some(categories) = &event.categories {
                process.categories.retain(|category| categories.contains(category));
            }
            if let Some(recipients) = &event.recipients {
                process.recipients.retain(|country| recipients.contains(country));
            }
        }
    }
    Some(processes)
}

/// What the consent still covers toward one country after every event: purposes and categories; empty when it ended.
#[must_use]
pub fn left(
    record: &Record,
    events: &[StatusEvent],
    toward: &CountryCode,
) -> (BTreeSet<Purpose>, BTreeSet<Category>) {
    let mut processes = covered(record, events, None).unwrap_or_default();
    processes.retain(|process| process.recipients.contains(toward));
    let whole = Coverage::over(&processes);
    (whole.purposes, whole.categories)
}

/// Whether, after these events, one country may still hold these categories for this purpose.
#[must_use]
pub fn leaves(
    record: &Record,
    events: &[StatusEvent],
    toward: &CountryCode,
    purpose: &Purpose,
    categories: &[Category],
) -> bool {
    covered(record, events, None).unwrap_or_default().iter().any(|process| {
        process.purpose == *purpose
            && process.recipients.contains(toward)
            && categories.iter().all(|category| process.categories.contains(category))
    })
}

/// Judges the record and its events, each taken in its order, for a message of this purpose at this instant.
///
/// `purpose` chooses the process; categories and recipients of another process are not lent to it.
#[must_use]
pub fn evaluate(
    record: &Record,
    events: &[StatusEvent],
    at: Timestamp,
    purpose: &Purpose,
    texts: &ApprovedTexts,
) -> Evaluation {
    let processes = covered(record, events, Some(at));
    let of_age = comes_of_age(record);
    let for_another = gives_for_a_child(record.giver.kind);
    let not_after = match of_age {
        Some(of_age) if for_another => of_age.min(record.valid_until),
        _ => record.valid_until,
    };
    let standing = standing(record, events, at, not_after);
    let processes = processes.unwrap_or_default();
    let own: Vec<Process> = processes.iter().filter(|process| process.purpose == *purpose).cloned().collect();
    let own = Coverage::over(&own);
    let consent = Consent {
        status: match standing {
            Standing::Given | Standing::Expired => ConsentStatus::Given,
            Standing::Refused => ConsentStatus::Refused,
            Standing::Withdrawn => ConsentStatus::Withdrawn,
            Standing::NotYet => ConsentStatus::Unknown,
        },
        expires_at: Some(record.valid_until),
        purposes: Scope::Only(Coverage::over(&processes).purposes),
        recipients: Scope::Only(own.recipients),
        categories: Scope::Only(own.categories),
        given_by: record.giver.kind,
        assent: assent(record),
        understood: Some(record.understood_check && texts.were_shown(record)),
        // In detention nobody's answer counts as free until somebody else has checked.
        conditional: (!record.in_detention || record.freedom_check.is_some()).then_some(record.conditional),
        blanket: Some(false),
        evidence: Some(!record.evidence.is_empty()),
    };
    let came_of_age = match of_age {
        None => Known::Unknown,
        Some(of_age) if for_another && of_age <= at => Known::Yes,
        Some(_) => Known::No,
    };
    let abuser = if record.withheld_from.contains(&record.giver.party) { Known::Yes } else { Known::Unknown };
    let flags = BTreeMap::from([(Flag::CameOfAge, came_of_age), (Flag::GuardianAllegedAbuser, abuser)]);
    Evaluation { consent, standing, not_after, flags }
}

fn standing(record: &Record, events: &[StatusEvent], at: Timestamp, not_after: Timestamp) -> Standing {
    let said = |state| events.iter().any(|event| event.state == state && event.occurred_at.timestamp() <= at);
    if record.event.state == FirstState::Refused || said(EventState::Refused) {
        Standing::Refused
    } else if said(EventState::Withdrawn) {
        Standing::Withdrawn
    } else if at < record.event.occurred_at.timestamp() {
        Standing::NotYet
    } else if not_after <= at {
        Standing::Expired
    } else {
        Standing::Given
    }
}

const fn gives_for_a_child(giver: GivenBy) -> bool {
    matches!(giver, GivenBy::Parent | GivenBy::Guardian | GivenBy::Authority | GivenBy::TrustedAdult)
}

/// Midnight, where the person's days are counted, at the start of the day of coming of age.
fn comes_of_age(record: &Record) -> Option<Timestamp> {
    let born = record.principal.birth_date.as_ref()?.reveal();
    let day = born.checked_add(OF_AGE.years()).ok()?;
    let zone = TimeZone::get(&record.principal.zone).ok()?;
    Some(day.to_zoned(zone).ok()?.timestamp())
}

/// The child's agreement; one that is not in the form that the age asks for was not asked properly.
fn assent(record: &Record) -> Option<bool> {
    let assent = record.assent.as_ref()?;
    match assent.answer {
        AssentAnswer::No => Some(false),
        AssentAnswer::NotAsked => None,
        AssentAnswer::Yes if assent.how == AssentForm::Written => Some(true),
        AssentAnswer::Yes => {
            let zone = TimeZone::get(&record.principal.zone).ok()?;
            let day = record.event.occurred_at.timestamp().to_zoned(zone).date();
            let born = record.principal.birth_date.as_ref()?.reveal();
            let writes = born.checked_add(WRITES.years()).ok()?;
            (day < writes).then_some(true)
        }
    }
}
