//! Catalogue, profiles and published matrix side by side: none grants what another withholds.
//!
//! Not here: what a rule decides (`policy`). The matrix is the members' word, a descriptor what a gateway
//! offers, a profile what policy permits; a proposed profile is ours alone and permits nothing to real people.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use jiff::Timestamp;
use puente_core::catalogue::{Basis, Catalogue, Descriptor, Lane, Status};
use puente_core::duty::Ladders;
use puente_core::ids::{Category, CountryCode, MessageType, Realm, Role};
use puente_core::policy::{
    BasisType, HostFacts, LegalBasis, Outcome, Party, PolicyEngine, SendFacts, StatedFacts, Subject,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use tree::{root, tree};

/// A profile, as far as the published matrix states one.
#[derive(Debug, Clone, Deserialize)]
struct Profile {
    senders: BTreeSet<Role>,
    recipients: BTreeSet<Role>,
    max_categories: BTreeSet<Category>,
    bases: BTreeSet<Basis>,
    personal: bool,
    approval: bool,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    source: Option<String>,
}

type Profiles = BTreeMap<MessageType, Profile>;

/// Where DOMAIN.md 3.3 is stricter than the matrix: listed with its reason in PROPOSED.md.
const STRICTER: [(&str, &str); 3] = [
    ("child.family_assessment.request", "language"),
    ("child.return.plan", "language"),
    ("missing_child.broadcast", "language"),
];

/// Replies that do not go back to every sender, because the firewall stands between: in PROPOSED.md with the rule.
const FIREWALLED: [(&str, &[&str]); 4] = [
    ("child.alert.ack", &["migration_enforcement"]),
    ("family.link.assert.ack", &["migration_enforcement"]),
    ("family.link.dissolve.ack", &["migration_enforcement"]),
    ("trafficking.referral.response", &["consular", "police_prosecutor"]),
];

fn read<T: DeserializeOwned>(file: &str) -> T {
    serde_json::from_slice(&fs::read(root(file)).unwrap()).unwrap()
}

fn profiles() -> Profiles {
    read("policies/profiles.json")
}

fn matrix() -> Profiles {
    read("gateway/core/tests/data/profiles.json")
}

fn catalogue() -> Catalogue {
    Catalogue::load(tree("schemas")).unwrap()
}

fn descriptors(catalogue: &Catalogue) -> impl Iterator<Item = (&MessageType, &Descriptor)> {
    catalogue.types().map(|name| (name, catalogue.descriptor(name, None).unwrap()))
}

#[test]
fn a_descriptor_grants_no_more_than_its_profile_and_has_a_form_for_every_category_of_it() {
    let profiles = profiles();
    for (name, descriptor) in descriptors(&catalogue()) {
        let profile = profiles.get(name).unwrap_or_else(|| panic!("{name} has no profile"));
        let categories: BTreeSet<_> = descriptor.categories.keys().cloned().collect();
        assert!(descriptor.senders.is_subset(&profile.senders), "{name}");
        assert!(descriptor.recipients.is_subset(&profile.recipients), "{name}");
        assert!(descriptor.bases.is_subset(&profile.bases), "{name}");
        // Equal: a section that policy lets through and no schema knows would leave unread.
        assert_eq!(categories, profile.max_categories, "{name}");
        assert_eq!(
            (descriptor.personal, descriptor.approval),
            (profile.personal, profile.approval),
            "{name}"
        );
        assert_eq!(Some(descriptor.status), profile.status, "{name}");
    }
}

#[test]
fn every_profile_has_a_descriptor() {
    let catalogue = catalogue();
    let lacking: Vec<_> =
        profiles().into_keys().filter(|name| catalogue.descriptor(name, None).is_none()).collect();
    assert_eq!(lacking, []);
}

#[test]
fn an_adopted_profile_is_the_published_one_or_stricter_where_said_so() {
    let profiles = profiles();
    let matrix = matrix();
    assert_eq!(matrix.len(), 34);
    for (name, published) in &matrix {
        let profile = &profiles[name];
        assert_eq!(profile.status, Some(Status::Adopted), "{name}");
        assert_eq!(profile.senders, published.senders, "{name}");
        assert_eq!(profile.recipients, published.recipients, "{name}");
        assert_eq!(profile.bases, published.bases, "{name}");
        assert_eq!((profile.personal, profile.approval), (published.personal, published.approval), "{name}");
        let mut expected = published.max_categories.clone();
        for (_, category) in STRICTER.iter().filter(|(of, _)| *of == name.as_str()) {
            assert!(expected.remove(&category.parse().unwrap()), "{name} {category}");
        }
        assert_eq!(profile.max_categories, expected, "{name}");
    }
    let adopted = profiles.iter().filter(|(_, profile)| profile.status == Some(Status::Adopted));
    assert!(adopted.into_iter().all(|(name, _)| matrix.contains_key(name)));
}

#[test]
fn a_reply_goes_back_the_way_and_carries_at_most_what_was_asked() {
    let catalogue = catalogue();
    let profiles = profiles();
    let ops: Category = "ops.metadata".parse().unwrap();
    for (name, reply) in
        descriptors(&catalogue).filter(|(name, _)| profiles[*name].status == Some(Status::Proposed))
    {
        for asked in &reply.in_reply_to {
            let (profile, request) = (&profiles[name], &profiles[asked]);
            let firewalled: BTreeSet<Role> = FIREWALLED
                .iter()
                .filter(|(of, _)| *of == name.as_str())
                .flat_map(|(_, roles)| roles.iter().map(|role| role.parse().unwrap()))
                .collect();
            assert_eq!(profile.senders, request.recipients, "{name}");
            assert_eq!(profile.recipients, &request.senders - &firewalled, "{name}");
            assert!(profile.bases.is_subset(&request.bases), "{name}");
            let granted_by_its_row = |category: &Category| {
                name.as_str() == "child.family_assessment.response"
                    && category.as_str() == "caregiver.assessment"
            };
            let beyond: Vec<_> = profile
                .max_categories
                .iter()
                .filter(|category| **category != ops && !request.max_categories.contains(*category))
                .filter(|category| !granted_by_its_row(category))
                .collect();
            assert!(beyond.is_empty(), "{name} carries {beyond:?}");
        }
    }
}

#[test]
fn no_protection_data_is_granted_to_migration_enforcement() {
    let enforcement: Role = "migration_enforcement".parse().unwrap();
    let guarded = [
        "bid",
        "caregiver.assessment",
        "child.views",
        "contact",
        "economic",
        "family.contact",
        "protection.concern",
        "protection.detail",
        "psychosocial",
        "trafficking",
    ];
    for (name, profile) in profiles().iter().filter(|(_, profile)| profile.recipients.contains(&enforcement))
    {
        assert!(!["child", "trafficking", "reintegration"].contains(&name.family()), "{name}");
        let granted: Vec<_> =
            guarded.iter().filter(|c| profile.max_categories.contains(&c.parse().unwrap())).collect();
        assert!(granted.is_empty(), "{name} grants {granted:?}");
    }
}

/// A row of the table in PROPOSED.md.
fn row(name: &MessageType, profile: &Profile) -> String {
    let list = |names: Vec<&str>| {
        names.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    };
    format!(
        "`{name}` | {} | {} | {} | {}",
        profile.source.as_deref().unwrap_or_default(),
        list(profile.senders.iter().map(Role::as_str).collect()),
        list(profile.recipients.iter().map(Role::as_str).collect()),
        list(profile.max_categories.iter().map(Category::as_str).collect()),
    )
}

/// The same row as it stands in the file, with each list in order.
fn written(line: &str) -> String {
    let cells: Vec<String> = line
        .trim_matches('|')
        .split('|')
        .map(|cell| {
            cell.trim().split(", ").collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
        })
        .collect();
    cells.join(" | ")
}

#[test]
fn proposed_md_lists_exactly_the_proposed_profiles() {
    let text = fs::read_to_string(root("policies/PROPOSED.md")).unwrap();
    let table = text.split("## ").next().unwrap();
    let listed: BTreeSet<String> =
        table.lines().filter(|line| line.starts_with("| `")).map(written).collect();
    let proposed: BTreeSet<String> = profiles()
        .iter()
        .filter(|(_, profile)| profile.status == Some(Status::Proposed))
        .map(|(name, profile)| row(name, profile))
        .collect();
    assert_eq!(listed, proposed);
    for (name, _) in STRICTER {
        assert!(text.contains(&format!("`{name}`")), "{name} is stricter and not said to be");
    }
}

fn country(code: &str) -> CountryCode {
    code.parse().unwrap()
}

/// A sending of the type from one country to another, on its first basis.
fn sending(name: &MessageType, profile: &Profile, realm: Realm) -> SendFacts {
    let party = |code: &str, roles: &BTreeSet<Role>| Party {
        country: country(code),
        role: roles.iter().next().unwrap().clone(),
    };
    SendFacts {
        realm,
        message: name.clone(),
        purpose: "x".parse().unwrap(),
        sender: party("MX", &profile.senders),
        recipient: party("GT", &profile.recipients),
        subject: Subject::default(),
        basis: LegalBasis { basis: BasisType::NoneRequired, agreement: None, consent: None },
        approvals: BTreeSet::new(),
        host: HostFacts::default(),
        stated: StatedFacts::default(),
        requested: profile.max_categories.clone(),
        released_holds: BTreeSet::new(),
        now: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn a_proposed_profile_permits_nothing_where_people_are_real() {
    let engine = PolicyEngine::load(tree("policies")).unwrap();
    let profiles = profiles();
    let proposed: Vec<_> =
        profiles.iter().filter(|(_, profile)| profile.status == Some(Status::Proposed)).collect();
    for (name, profile) in &proposed {
        let decision = engine.send(&sending(name, profile, Realm::Production));
        assert_eq!(decision.outcome, Outcome::Deny, "{name}");
        assert!(decision.spoke.iter().any(|rule| rule.as_str() == "R-ROL-01"), "{name}");
    }
    let rehearsed = proposed.iter().any(|(name, profile)| {
        engine.send(&sending(name, profile, Realm::Training)).outcome == Outcome::Permit
    });
    assert!(rehearsed, "a proposed profile can be rehearsed");
}

#[test]
fn somebody_is_called_over_every_held_message_of_the_alert_lane_and_over_the_end_of_a_broadcast() {
    let ladders = Ladders::load(&fs::read(root("policies/deadlines.json")).unwrap()).unwrap();
    let catalogue = catalogue();
    let heard = |name: &&MessageType| ladders.held(name).is_some();
    let alerts = catalogue.types().filter(|name| {
        catalogue.descriptor(name, None).is_some_and(|descriptor| descriptor.lane == Lane::Alert)
    });
    let unheard: Vec<_> = alerts.filter(|name| !heard(name)).collect();
    assert!(unheard.is_empty(), "{unheard:?}");
    assert!(heard(&&"missing_child.cancel".parse().unwrap()));
}

#[test]
fn deadlines_are_of_known_types_and_agree_with_the_descriptors() {
    let deadlines: BTreeMap<String, Value> = read("policies/deadlines.json");
    let catalogue = catalogue();
    for (name, terms) in
        deadlines.iter().filter(|(name, _)| !["national", "held", "proven"].contains(&name.as_str()))
    {
        let name: MessageType = name.parse().unwrap();
        let clocks = catalogue.descriptor(&name, None).unwrap_or_else(|| panic!("{name}")).deadlines;
        let minutes = |term: &str| terms.get(term).and_then(Value::as_u64).map(|m| u32::try_from(m).unwrap());
        for (stated, clock) in [
            (minutes("first_action_minutes"), clocks.first_action_minutes),
            (minutes("after_event_minutes"), clocks.within_minutes),
            (minutes("reply_minutes"), clocks.acknowledge_minutes),
        ] {
            assert!(stated.is_none() || stated == clock, "{name}: {stated:?} is not {clock:?}");
        }
    }
}
