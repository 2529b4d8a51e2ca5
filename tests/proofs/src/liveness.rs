//! Liveness: for every message type some request passes, every category of its profile can be disclosed, and some
//! message goes without waiting for people; what cannot is listed with its reason.
//!
//! Not safety. INVARIANT: the list only shrinks by itself: an entry that has become possible fails.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;
use puente_core::policy::{PolicyEngine, ProfileStatus, cases};

use crate::assert_none;
use crate::profile::{Profile, profiles};
use crate::prover::{Answer, Prover};
use crate::shipped::{Shipped, set};

/// Categories of a profile that no request discloses, and why they stand there.
const NEVER_DISCLOSED: &[(&str, &str, &str)] = &[(
    "emergency.medical",
    "family.contact",
    "the matrix lists it, and R-VIT-02 carries identification, urgent health, language and logistics only",
)];

/// Asks, for each profile and each further condition, whether our policies allow such a request.
fn findings<'s>(
    shipped: &'s Shipped,
    action: &'s str,
    further: impl Fn(&Profile) -> Vec<(String, String)>,
    expected: impl Fn(&Profile, &str) -> bool,
) -> Vec<String> {
    let mut prover = Prover::start(&shipped.schema).expect("cvc5 is installed");
    let (ours, env) = (set(shipped.chapter(action)), shipped.environment(action));
    let mut findings = Vec::new();
    for profile in profiles(&shipped.files) {
        for (what, condition) in further(&profile) {
            let situation: PolicySet =
                profile.situation(action, &condition).parse().expect("a profile reads as a policy");
            let about = format!("{} {what}", profile.message);
            match (prover.never(&ours, &situation, &env), expected(&profile, &what)) {
                (Ok(Answer::Refuted(_)), true) | (Ok(Answer::Proved), false) => {}
                (Ok(Answer::Refuted(_)), false) => {
                    findings.push(format!("{about} is possible: strike it out"))
                }
                (Ok(Answer::Proved), true) => findings.push(format!("{about} is never allowed")),
                (Err(why), _) => findings.push(format!("{about}: {why}")),
            }
        }
    }
    findings
}

fn anything(_: &Profile) -> Vec<(String, String)> {
    vec![("at all".to_owned(), "!context.expired".to_owned())]
}

#[test]
fn every_message_type_can_pass() {
    let wrong = findings(&Shipped::load(), "Pass", anything, |_, _| true);
    assert_none("a type that nobody can send", &wrong);
}

#[test]
fn every_message_type_can_be_accepted() {
    let wrong = findings(&Shipped::load(), "Accept", anything, |_, _| true);
    assert_none("a type that nobody can receive", &wrong);
}

#[test]
fn every_message_type_can_go_without_waiting_for_people() {
    let whole = |_: &Profile| {
        let within = "context.message.maxCategories.containsAll(context.left)";
        let whole = "context.left == context.requested && !context.left.isEmpty()";
        vec![("unattended".to_owned(), format!("{whole} && {within}"))]
    };
    let wrong = findings(&Shipped::load(), "PassUnattended", whole, |_, _| true);
    assert_none("a type that always waits", &wrong);
}

#[test]
fn every_category_of_a_profile_can_be_disclosed_or_is_listed_with_its_reason() {
    let each = |profile: &Profile| {
        let one = |category: &String| (category.clone(), format!("resource == Category::\"{category}\""));
        profile.categories.iter().map(one).collect()
    };
    let possible = |profile: &Profile, category: &str| {
        let listed =
            |(message, never, _): &&(&str, &str, &str)| *message == profile.message && *never == category;
        !NEVER_DISCLOSED.iter().any(|entry| listed(&entry))
    };
    let wrong = findings(&Shipped::load(), "Disclose", each, possible);
    assert_none("a category that a profile grants and no request discloses", &wrong);
}

#[test]
fn every_adopted_type_is_delivered_in_some_worked_case() {
    let files = Shipped::load().files;
    let engine = PolicyEngine::load(files.clone()).expect("the shipped policies load");
    let worked = files.iter().filter(|(path, _)| path.starts_with("cases/"));
    let facts =
        worked.flat_map(|(_, bytes)| cases::facts(bytes).expect("worked cases can be read").into_values());
    let delivered: BTreeSet<_> =
        facts.filter(|facts| engine.send(facts).permit().is_some()).map(|facts| facts.message).collect();
    let is_adopted = |message: &str| {
        let profile = message.parse().ok().and_then(|message| engine.profile(&message));
        profile.is_some_and(|profile| profile.status == ProfileStatus::Adopted)
    };
    let findings: Vec<_> = profiles(&files)
        .into_iter()
        .map(|profile| profile.message)
        .filter(|message| is_adopted(message) && !delivered.iter().any(|one| one.as_str() == message))
        .collect();
    assert_none("no worked case delivers it", &findings);
}
