//! More prohibitions or fewer permissions never release more, and no facts make the function panic.
//!
//! Not the rules themselves. INVARIANT: compared is what would leave and how far it got, never the rule alone.

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::ids::{CountryCode, MessageType, Role};

/// Conditions a ministry might write; some bite on some cases, some on none.
const CONDITIONS: [&str; 6] = [
    "true",
    "context.recipient.role == Role::\"consular\"",
    "context.subject.kind == Kind::\"child\"",
    "context.basis == Basis::\"consent\"",
    "context.message in Group::\"return\"",
    "!context.yes.isEmpty()",
];

fn known() -> impl Strategy<Value = Known> {
    select(vec![Known::Yes, Known::No, Known::Unknown])
}

fn country() -> impl Strategy<Value = CountryCode> {
    select(vec!["GT", "HN", "MX", "US", "CA"]).prop_map(|code| code.parse().unwrap())
}

fn subject() -> impl Strategy<Value = Subject> {
    let who = (
        select(vec![Kind::Adult, Kind::Child, Kind::None, Kind::Unknown]),
        option::of(any::<u8>()),
        select(vec![Protection::Sought, Protection::Ended, Protection::NoneExpressed, Protection::Unknown]),
    );
    let whence = (option::of(country()), btree_set(country(), 0..2), option::of(country()));
    let flags = btree_map(select(Flag::ALL.to_vec()), known(), 0..12);
    (who, whence, option::of(btree_set(country(), 0..3)), flags).prop_map(
        |((kind, age, protection), (nationality, other_nationalities, residence), risk_countries, flags)| {
            Subject {
                kind,
                age,
                nationality,
                other_nationalities,
                residence,
                risk_countries,
                protection,
                flags,
            }
        },
    )
}

/// A worked case whose person, ends, type and realm are somebody else's.
fn facts() -> impl Strategy<Value = SendFacts> {
    let worked: Vec<_> = worked().into_values().collect();
    let types: Vec<MessageType> = worked.iter().map(|facts| facts.message.clone()).collect();
    let roles: Vec<Role> = worked.iter().map(|facts| facts.recipient.role.clone()).collect();
    (select(worked), subject(), select(types), (country(), select(roles)), any::<bool>()).prop_map(
        |(mut facts, subject, message, (country, role), training)| {
            facts.subject = subject;
            facts.message = message;
            facts.recipient = Party { country, role };
            facts.realm = if training { Realm::Training } else { Realm::Production };
            facts
        },
    )
}

/// What leaves without a person.
fn leaves(decision: &Decision) -> BTreeSet<Category> {
    if decision.outcome.is_permitted() { decision.deliver.clone() } else { BTreeSet::new() }
}

fn forbidding(action: &str, condition: &str) -> PolicyEngine {
    let head = format!("{HEAD}forbid(principal, action == Action::\"{action}\", resource)");
    with_overlay(&format!("{head} when {{ {condition} }};\n")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_further_forbid_never_releases_more(
        action in select(vec!["Pass", "Disclose", "PassUnattended", "PassWhole"]),
        condition in select(CONDITIONS.to_vec()),
        strangers in proptest::collection::vec(facts(), 40),
    ) {
        let (plain, stricter) = (engine(), forbidding(action, condition));
        for facts in worked().into_values().chain(strangers) {
            let (before, after) = (plain.send(&facts), stricter.send(&facts));
            prop_assert!(is_no_more(&after, &before), "{} under {action} when {condition}", facts.message);
        }
    }

    #[test]
    fn whatever_the_facts_a_decision_is_made_by_a_rule_and_delivers_only_what_was_asked(
        strangers in proptest::collection::vec(facts(), 200),
    ) {
        let engine = engine();
        for facts in strangers {
            let decision = engine.send_afresh(&facts);
            prop_assert_ne!(decision.rule.as_str(), "R-ERR");
            prop_assert!(decision.deliver.is_subset(&facts.requested));
            prop_assert!(decision.outcome != Outcome::Deny || decision.deliver.is_empty());
        }
    }

    #[test]
    fn a_feared_set_of_which_less_is_stated_lets_no_more_of_a_personal_message_leave(
        strangers in proptest::collection::vec(facts(), 200),
    ) {
        let engine = engine();
        let is_personal = |facts: &&SendFacts| engine.profile(&facts.message).is_none_or(|p| p.personal);
        for facts in strangers.iter().filter(is_personal) {
            let before = leaves(&engine.send_afresh(facts));
            for (removed, variant) in removal::of_the_feared_set(facts) {
                let after = leaves(&engine.send_afresh(&variant));
                prop_assert!(after.is_subset(&before), "{} without {removed}", facts.message);
            }
        }
    }
}

/// Every category of every profile that a worked case asks for, taken away in turn.
#[test]
fn a_permission_taken_away_never_releases_more() {
    let (engine, files) = (engine(), files());
    let mut asked: BTreeMap<(MessageType, Category), Vec<(String, SendFacts)>> = BTreeMap::new();
    for (id, facts) in worked() {
        for category in &facts.requested {
            let of = (facts.message.clone(), category.clone());
            asked.entry(of).or_default().push((id.clone(), facts.clone()));
        }
    }
    for ((message, category), cases) in asked {
        let mut profiles: serde_json::Value = serde_json::from_slice(&files["profiles.json"]).unwrap();
        let Some(profile) = profiles.get_mut(message.as_str()) else { continue };
        profile["max_categories"].as_array_mut().unwrap().retain(|name| name != category.as_str());
        let mut files = files.clone();
        files.insert("profiles.json".into(), profiles.to_string().into_bytes());
        let narrower = PolicyEngine::load(files).unwrap();
        for (id, facts) in cases {
            let (before, after) = (engine.send(&facts), narrower.send(&facts));
            assert!(is_no_more(&after, &before), "{id} without {category}");
        }
    }
}
