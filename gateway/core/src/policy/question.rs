//! Facts brought to the normal form that the rules are asked about, and by which decisions are cached.
//!
//! Not here: the rules. Invariant: the rules see nothing but this record, so two messages with equal
//! records have equal decisions; no id and no instant is in it, ages are bands.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::basis::{AgreementClaim, BasisType, Consent, ConsentStatus, GivenBy, Scope, Standing};
use super::facts::{Approval, Known, Party, PeerStatus, ReceiveFacts, SendFacts};
use super::rule::RuleId;
use super::subject::{Flag, Kind, Protection};
use crate::ids::{Category, CountryCode, MessageType, Purpose, Realm};

/// The hours between which a handover is by day; outside them no agreement of hours makes it so.
const DAYLIGHT: std::ops::Range<u8> = 6..20;

/// A party's agreement in normal form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Agreement {
    pub(super) standing: Standing,
    pub(super) biometrics: Option<bool>,
    pub(super) categories: Option<BTreeSet<Category>>,
}

/// A consent in normal form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct ConsentRecord {
    pub(super) status: ConsentStatus,
    pub(super) given_by: GivenBy,
    pub(super) purposes: Option<BTreeSet<Purpose>>,
    pub(super) recipients: Option<BTreeSet<CountryCode>>,
    pub(super) categories: Option<BTreeSet<Category>>,
}

/// What both ends are asked about.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Header {
    pub(super) production: bool,
    pub(super) message: MessageType,
    pub(super) purpose: Purpose,
    pub(super) sender: Party,
    pub(super) recipient: Party,
    pub(super) basis: BasisType,
    pub(super) agreement: Option<Agreement>,
    pub(super) consent: Option<ConsentRecord>,
    pub(super) peer: PeerStatus,
    pub(super) expired: bool,
    pub(super) originator: CountryCode,
    pub(super) yes: BTreeSet<&'static str>,
    pub(super) no: BTreeSet<&'static str>,
    /// Requested categories at the sending end, labels at the receiving end.
    pub(super) categories: BTreeSet<Category>,
}

/// The person in normal form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Person {
    pub(super) kind: Kind,
    pub(super) age: &'static str,
    pub(super) nationalities: BTreeSet<CountryCode>,
    pub(super) residence: Option<CountryCode>,
    pub(super) risk: Option<BTreeSet<CountryCode>>,
    pub(super) protection: Protection,
}

/// What the sending end is asked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Sending {
    pub(super) header: Header,
    pub(super) person: Person,
    pub(super) approvals: BTreeSet<Approval>,
    pub(super) record_level: bool,
    pub(super) min_cell: Option<u32>,
    pub(super) published: bool,
    pub(super) released: BTreeSet<RuleId>,
}

/// What the receiving end is asked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Receiving {
    pub(super) header: Header,
    pub(super) consent_withdrawn: bool,
    pub(super) retention_days: u32,
}

#[derive(Default)]
struct Stated {
    yes: BTreeSet<&'static str>,
    no: BTreeSet<&'static str>,
}

impl Stated {
    fn note(&mut self, code: &'static str, known: Known) {
        match known {
            Known::Yes => self.yes.insert(code),
            Known::No => self.no.insert(code),
            Known::Unknown => false,
        };
    }
}

/// The age band the rules may speak of (DOMAIN.md 4.2, and over-60s of the 2006 memorandum).
const fn age_band(age: Option<u8>) -> &'static str {
    match age {
        None => "unknown",
        Some(0..=5) => "0-5",
        Some(6..=11) => "6-11",
        Some(12..=14) => "12-14",
        Some(15..=17) => "15-17",
        Some(18..=59) => "18-59",
        Some(60..) => "60+",
    }
}

fn current(until: Option<Timestamp>, now: Timestamp) -> Known {
    until.map(|until| now < until).into()
}

fn normal_agreement(claim: &AgreementClaim, now: Timestamp) -> Agreement {
    let standing =
        if claim.lapses_at.is_some_and(|lapse| lapse <= now) { Standing::Lapsed } else { claim.standing };
    Agreement { standing, biometrics: claim.covers_biometrics, categories: claim.categories.clone() }
}

impl Scope<Purpose> {
    fn purposes(&self, own: &Purpose) -> Option<BTreeSet<Purpose>> {
        match self {
            Self::Unstated => None,
            Self::OfThisMessage => Some(BTreeSet::from([own.clone()])),
            Self::Only(purposes) => Some(purposes.clone()),
        }
    }
}

impl Scope<CountryCode> {
    fn countries(&self, own: &CountryCode) -> Option<BTreeSet<CountryCode>> {
        match self {
            Self::Unstated => None,
            Self::OfThisMessage => Some(BTreeSet::from([own.clone()])),
            Self::Only(countries) => Some(countries.clone()),
        }
    }
}

impl Scope<Category> {
    // "All in the message profile" does not narrow: the profile itself bounds what goes.
    fn categories(&self, requested: &BTreeSet<Category>) -> Option<BTreeSet<Category>> {
        match self {
            Self::Unstated => None,
            Self::OfThisMessage => Some(requested.clone()),
            Self::Only(categories) => Some(categories.clone()),
        }
    }
}

fn normal_consent(consent: &Consent, facts: &SendFacts, stated: &mut Stated) -> ConsentRecord {
    stated.note("consent_current", current(consent.expires_at, facts.now));
    stated.note("assent", consent.assent.into());
    stated.note("understood", consent.understood.into());
    stated.note("conditional", consent.conditional.into());
    stated.note("blanket", consent.blanket.into());
    stated.note("evidence", consent.evidence.into());
    ConsentRecord {
        status: consent.status,
        given_by: consent.given_by,
        purposes: consent.purposes.purposes(&facts.purpose),
        recipients: consent.recipients.countries(&facts.recipient.country),
        categories: consent.categories.categories(&facts.requested),
    }
}

impl From<&SendFacts> for Sending {
    fn from(facts: &SendFacts) -> Self {
        let mut stated = Stated::default();
        for flag in Flag::ALL {
            stated.note(flag.code(), facts.subject.flags.get(flag).copied().unwrap_or_default());
        }
        let step = &facts.stated;
        let late = step.notice_hours.zip(step.sla_hours).map(|(notice, promised)| notice < promised);
        stated.note("late", late.into());
        stated.note("night_hour", step.planned_local_hour.map(|hour| !DAYLIGHT.contains(&hour)).into());
        stated.note("mandatory_notification", step.mandatory_notification);
        stated.note("identity_proven", step.identity_proven);
        stated.note("originator_authorises", step.originator_authorises);
        stated.note("court_order", step.court_order);
        stated.note("adequacy_equivalent", step.adequacy_equivalent);
        stated.note("sender_requires_adequacy", step.sender_requires_adequacy);
        stated.note("legal_hold", step.legal_hold);
        stated.note("restricted", Some(facts.host.restricted).into());
        let consent = facts.basis.consent.as_ref().map(|consent| normal_consent(consent, facts, &mut stated));
        let subject = &facts.subject;
        // Without the first the others are no whole list, and a list that is not whole is not stated.
        let of = |first: &CountryCode| subject.other_nationalities.iter().chain([first]).cloned().collect();
        let nationalities = subject.nationality.as_ref().map(of).unwrap_or_default();
        Self {
            header: Header {
                production: facts.realm == Realm::Production,
                message: facts.message.clone(),
                purpose: facts.purpose.clone(),
                sender: facts.sender.clone(),
                recipient: facts.recipient.clone(),
                basis: facts.basis.basis,
                agreement: facts.basis.agreement.as_ref().map(|claim| normal_agreement(claim, facts.now)),
                consent,
                peer: facts.host.peer_status,
                expired: facts.host.message_expired,
                originator: facts.host.originator.clone().unwrap_or_else(|| facts.sender.country.clone()),
                yes: stated.yes,
                no: stated.no,
                categories: facts.requested.clone(),
            },
            person: Person {
                kind: subject.kind,
                age: age_band(subject.age),
                nationalities,
                residence: subject.residence.clone(),
                risk: subject.risk_countries.clone(),
                protection: subject.protection,
            },
            approvals: facts.approvals.clone(),
            record_level: facts.host.record_level,
            min_cell: facts.host.min_cell,
            published: facts.host.published,
            released: facts.released_holds.clone(),
        }
    }
}

impl From<&ReceiveFacts> for Receiving {
    fn from(facts: &ReceiveFacts) -> Self {
        let mut stated = Stated::default();
        stated.note("originator_authorises", facts.originator_authorises);
        let consent = facts.consent.as_ref().map(|extract| {
            stated.note("consent_current", current(extract.not_after, facts.now));
            ConsentRecord {
                status: ConsentStatus::Given,
                given_by: extract.giver,
                purposes: extract.purposes.clone(),
                recipients: extract.recipients.clone(),
                categories: extract.categories.clone(),
            }
        });
        Self {
            header: Header {
                production: facts.realm == Realm::Production,
                message: facts.message.clone(),
                purpose: facts.purpose.clone(),
                sender: facts.sender.clone(),
                recipient: facts.recipient.clone(),
                basis: facts.basis,
                agreement: facts.agreement.as_ref().map(|claim| normal_agreement(claim, facts.now)),
                consent,
                peer: facts.peer_status,
                expired: facts.message_expired,
                originator: facts.originator.clone().unwrap_or_else(|| facts.sender.country.clone()),
                yes: stated.yes,
                no: stated.no,
                categories: facts.labels.clone(),
            },
            consent_withdrawn: facts.consent_withdrawn,
            retention_days: facts.retention_days,
        }
    }
}

/// The earliest instant after `now` at which a consent or agreement ends.
pub(super) fn lapse(
    consent: Option<Timestamp>,
    agreement: Option<&AgreementClaim>,
    now: Timestamp,
) -> Option<Timestamp> {
    [consent, agreement.and_then(|claim| claim.lapses_at)].into_iter().flatten().filter(|at| *at > now).min()
}

/// The kind's code, as in the rules.
pub(super) const fn kind_code(kind: Kind) -> &'static str {
    match kind {
        Kind::Adult => "adult",
        Kind::Child => "child",
        Kind::None => "none",
        Kind::Unknown => "unknown",
    }
}

/// The protection's code, as in the rules.
pub(super) const fn protection_code(protection: Protection) -> &'static str {
    match protection {
        Protection::Sought => "sought",
        Protection::Ended => "ended",
        Protection::NoneExpressed => "none_expressed",
        Protection::Unknown => "unknown",
    }
}
