//! Liveness: for every message type some request passes, every category of its profile can be disclosed, and some
//! message goes without waiting for people; what cannot is listed with its reason.
//!
//! Not safety. INVARIANT: the list only shrinks by itself: an entry that has become possible fails.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;
use puente_core::policy::{PolicyEngine, ProfileStatus, cases};

use crate::assert_none;
use crate::profile::{Profile, profiles};
use crate::prover::{Answer, Prover, allows_category};
use crate::shipped::{Shipped, set};

/// Categories of a profile that no request discloses, and why they stand there.
const NEVER_DISCLOSED: &[(&str, &str, &str)] = &[(
    "emergency.medical",
    "family.contact",
    "the matrix lists it, and R-VIT-02 carries identification, urgent health, language and logistics only",
)];

/// The types of which no request at all is allowed under a further condition.
fn never_allowed(action: &str, further: &str) -> Vec<String> {
    let shipped = Shipped::load();
    let mut prover = Prover::start(&shipped.schema).expect("cvc5 is installed");
    let (ours, env) = (set(shipped.chapter(action)), shipped.environment(action));
    let mut findings = Vec::new();
    for profile in profiles(&shipped.files) {
        let situation: PolicySet =
            profile.situation(action, further).parse().expect("a profile reads as a policy");
        match prover.never(&ours, &situation, &env) {
            Ok(Answer::Refuted(_)) => {}
            Ok(Answer::Proved) => findings.push(profile.message),
            Err(why) => findings.push(format!("{}: {why}", profile.message)),
        }
    }
    findings
}

#[test]
fn every_message_type_can_pass() {
    assert_none("a type that nobody can send", &never_allowed("Pass", "true"));
}

#[test]
fn every_message_type_can_be_accepted() {
    assert_none("a type that nobody can receive", &never_allowed("Accept", "true"));
}

#[test]
fn every_message_type_can_go_without_waiting_for_people() {
    let whole = "context.left == context.requested && !context.left.isEmpty() &&
  context.message.maxCategories.containsAll(context.left)";
    assert_none("a type that always waits", &never_allowed("PassUnattended", whole));
}

/// A consent and an agreement that cover all of the profile: one witness then shows many categories at once.
const GENEROUS: &str = "(if context has consent && context.consent has categories
   then context.consent.categories.containsAll(context.message.maxCategories) else true) &&
  !(context has agreement && context.agreement has categories)";

fn is_listed(profile: &Profile, category: &str) -> bool {
    NEVER_DISCLOSED.iter().any(|(message, never, _)| *message == profile.message && *never == category)
}

/// Whether our policies disclose a category of a profile, and the request that shows it.
fn disclosing(
    prover: &mut Prover,
    shipped: &Shipped,
    profile: &Profile,
    category: &str,
    further: &str,
) -> Result<Answer, String> {
    let condition = format!("resource == Category::\"{category}\" && {further}");
    let situation: PolicySet =
        profile.situation("Disclose", &condition).parse().expect("a profile reads as a policy");
    prover.never(&set(shipped.chapter("Disclose")), &situation, &shipped.environment("Disclose"))
}

#[test]
fn every_category_of_a_profile_can_be_disclosed() {
    let shipped = Shipped::load();
    let ours = set(shipped.chapter("Disclose"));
    let mut prover = Prover::start(&shipped.schema).expect("cvc5 is installed");
    let mut findings = Vec::new();
    for profile in profiles(&shipped.files) {
        let mut left: Vec<_> = profile.categories.iter().filter(|name| !is_listed(&profile, name)).collect();
        while let Some(category) = left.pop() {
            let generous = disclosing(&mut prover, &shipped, &profile, category, GENEROUS);
            let answer = match generous {
                Ok(Answer::Proved) => disclosing(&mut prover, &shipped, &profile, category, "true"),
                other => other,
            };
            match answer {
                Ok(Answer::Refuted(found)) => left.retain(|name| !allows_category(&ours, &found, name)),
                Ok(Answer::Proved) => findings.push(format!("{} {category}", profile.message)),
                Err(why) => findings.push(format!("{} {category}: {why}", profile.message)),
            }
        }
    }
    assert_none("a category that a profile grants and no request discloses", &findings);
}

#[test]
fn a_category_is_listed_as_never_disclosed_only_while_that_is_so() {
    let shipped = Shipped::load();
    let mut prover = Prover::start(&shipped.schema).expect("cvc5 is installed");
    let profiles = profiles(&shipped.files);
    let findings: Vec<_> = NEVER_DISCLOSED
        .iter()
        .filter(|(message, category, _)| {
            let profile = profiles.iter().find(|profile| profile.message == *message);
            let answer = profile.map(|profile| disclosing(&mut prover, &shipped, profile, category, "true"));
            !matches!(answer, Some(Ok(Answer::Proved)))
        })
        .map(|(message, category, reason)| format!("{message} {category}: {reason}"))
        .collect();
    assert_none("strike it out", &findings);
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
