//! What the decision function promises, against the published policies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::ids::{Category, Realm};

const MATRIX: &[u8] = include_bytes!("../../../../policies/cases/matrix.json");

pub(super) fn files() -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, dir: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, into);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                into.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut found = BTreeMap::new();
    walk(&root, &root, &mut found);
    found
}

fn engine() -> PolicyEngine {
    PolicyEngine::load(files()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_worked_case_is_decided_as_published() {
    let reports = cases::run(&engine(), MATRIX).unwrap();
    let failed: Vec<_> = reports.iter().filter(|report| !report.passed).collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), reports.len());
    assert_eq!(reports.len(), 78);
}

fn case(id: &str) -> SendFacts {
    cases::facts(MATRIX).unwrap().remove(id).unwrap()
}

/// What leaves without a person.
fn released(decision: &Decision) -> BTreeSet<Category> {
    if decision.outcome.is_permitted() { decision.deliver.clone() } else { BTreeSet::new() }
}

/// The same facts with one stated fact no longer stated, in every way there is.
fn with_one_fact_removed(facts: &SendFacts) -> Vec<(String, SendFacts)> {
    let mut variants = Vec::new();
    let mut vary = |name: &str, change: &dyn Fn(&mut SendFacts)| {
        let mut variant = facts.clone();
        change(&mut variant);
        variants.push((name.to_owned(), variant));
    };
    for flag in Flag::ALL {
        vary(flag.code(), &|f| f.subject.flags.retain(|known, _| known != flag));
    }
    vary("kind", &|f| f.subject.kind = Kind::Unknown);
    vary("age", &|f| f.subject.age = None);
    vary("nationality", &|f| f.subject.nationality = None);
    vary("risk_countries", &|f| f.subject.risk_countries = None);
    vary("protection", &|f| f.subject.protection = Protection::Unknown);
    vary("approvals", &|f| f.approvals.clear());
    vary("agreement", &|f| f.basis.agreement = None);
    vary("basis", &|f| f.basis.basis = BasisType::None);
    vary("mandatory_notification", &|f| f.stated.mandatory_notification = Known::Unknown);
    vary("identity_proven", &|f| f.stated.identity_proven = Known::Unknown);
    vary("originator_authorises", &|f| f.stated.originator_authorises = Known::Unknown);
    vary("court_order", &|f| f.stated.court_order = Known::Unknown);
    vary("adequacy_equivalent", &|f| f.stated.adequacy_equivalent = Known::Unknown);
    vary("sender_requires_adequacy", &|f| f.stated.sender_requires_adequacy = Known::Unknown);
    vary("legal_hold", &|f| f.stated.legal_hold = Known::Unknown);
    vary("planned_local_hour", &|f| f.stated.planned_local_hour = None);
    let mut consent = |name: &str, change: &dyn Fn(&mut Consent)| {
        vary(name, &|f| {
            if let Some(consent) = f.basis.consent.as_mut() {
                change(consent);
            }
        });
    };
    consent("status", &|c| c.status = ConsentStatus::Unknown);
    consent("expires_at", &|c| c.expires_at = None);
    consent("purposes", &|c| c.purposes = Scope::Unstated);
    consent("recipients", &|c| c.recipients = Scope::Unstated);
    consent("categories", &|c| c.categories = Scope::Unstated);
    consent("given_by", &|c| c.given_by = GivenBy::Unknown);
    consent("assent", &|c| c.assent = None);
    consent("understood", &|c| c.understood = None);
    consent("conditional", &|c| c.conditional = None);
    consent("blanket", &|c| c.blanket = None);
    consent("evidence", &|c| c.evidence = None);
    variants
}

#[test]
fn a_fact_no_longer_stated_never_releases_more() {
    let engine = engine();
    for (id, facts) in cases::facts(MATRIX).unwrap() {
        let before = released(&engine.send(&facts));
        for (removed, variant) in with_one_fact_removed(&facts) {
            let after = released(&engine.send(&variant));
            assert!(after.is_subset(&before), "{id} without {removed}: {after:?} exceeds {before:?}");
        }
    }
}

fn with_overlay(policy: &str) -> Result<PolicyEngine, PolicyError> {
    let mut files = files();
    files.insert("national/overlay.cedar".into(), policy.as_bytes().to_vec());
    PolicyEngine::load(files)
}

const HEAD: &str = "@id(\"n1\") @rule(\"R-ROL-01\") @stage(\"1-absolute\") @rank(\"160\") @ends(\"send\")\n";

#[test]
fn a_national_permit_is_refused_and_named_by_file_and_line() {
    let permit = format!("// ours\n{HEAD}permit(principal, action == Action::\"Pass\", resource);\n");
    let error = with_overlay(&permit).unwrap_err();
    assert!(
        matches!(&error, PolicyError::File { file, line: 2, .. } if file == "national/overlay.cedar"),
        "{error}"
    );
}

#[test]
fn a_policy_that_does_not_validate_strictly_is_refused() {
    let typo = format!(
        "{HEAD}forbid(principal, action == Action::\"Pass\", resource) when {{ context.sendr == 1 }};\n"
    );
    assert!(matches!(with_overlay(&typo), Err(PolicyError::File { line: 1, .. })));
}

#[test]
fn an_evaluation_error_refuses() {
    let overflow = format!(
        "{HEAD}forbid(principal, action == Action::\"Pass\", resource) when {{\n  \
         context has minCell && context.minCell + 9223372036854775807 < 0\n}};\n"
    );
    let decision = with_overlay(&overflow).unwrap().send(&case("PM-113"));
    assert_eq!((decision.outcome, decision.rule.as_str()), (Outcome::Deny, "R-ERR"));
}

#[test]
fn a_message_type_without_a_profile_is_denied() {
    let mut facts = case("PM-001");
    facts.message = "weather.report".parse().unwrap();
    let decision = engine().send(&facts);
    assert_eq!((decision.outcome, decision.rule.as_str()), (Outcome::Deny, "R-ROL-01"));
}

#[test]
fn a_proposed_profile_permits_nothing_in_production() {
    let engine = engine();
    let mut facts = case("PM-001");
    facts.message = "return.handover".parse().unwrap();
    facts.requested = BTreeSet::from(["id.core".parse().unwrap()]);
    assert_eq!(engine.send(&facts).outcome, Outcome::Deny);
    facts.realm = Realm::Training;
    assert_eq!(engine.send(&facts).outcome, Outcome::Permit);
}

#[test]
fn two_officers_release_a_third_country_hold_but_no_missing_screening() {
    let engine = engine();
    let mut facts = case("PM-009");
    facts.released_holds = BTreeSet::from(["R-TCN-01".parse().unwrap()]);
    assert_eq!(engine.send(&facts).outcome, Outcome::Permit);
    let mut facts = case("PM-115");
    facts.released_holds = BTreeSet::from(["R-ASY-06".parse().unwrap()]);
    assert_eq!(engine.send(&facts).rule.as_str(), "R-ASY-06");
}

#[test]
fn no_release_lifts_an_absolute_prohibition() {
    let mut facts = case("PM-006");
    facts.released_holds = BTreeSet::from(["R-ASY-01".parse().unwrap()]);
    assert_eq!(engine().send(&facts).outcome, Outcome::Deny);
}

#[test]
fn a_return_row_without_an_age_waits_for_people() {
    let mut facts = case("PM-001");
    facts.subject.age = None;
    let decision = engine().send(&facts);
    assert_eq!((decision.outcome, decision.rule.as_str()), (Outcome::NeedsApproval, "R-CHD-02"));
}

#[test]
fn a_second_nationality_belongs_to_the_feared_set() {
    let mut facts = case("PM-061");
    facts.subject.other_nationalities.insert("CA".parse().unwrap());
    assert_eq!(engine().send(&facts).rule.as_str(), "R-ASY-01");
}

#[test]
fn the_cache_answers_a_question_asked_before_and_notices_an_expiry() {
    let engine = engine();
    let mut facts = case("PM-077");
    let first = engine.send(&facts);
    assert_eq!(first, engine.send(&facts));
    assert_eq!(engine.cache_counts(), CacheCounts { hits: 1, misses: 1 });
    assert_eq!(first, engine.send_afresh(&facts));
    facts.now = first.lapses_at.unwrap();
    assert_eq!(engine.send(&facts).rule.as_str(), "R-CON-02");
}

#[test]
fn a_subject_is_read_strictly_and_shows_nothing() {
    let json =
        r#"{"kind":"adult","age":30,"nationality":"GT","risk_countries":["SV"],"flags":{"refugee":"yes"}}"#;
    let subject: Subject = serde_json::from_str(json).unwrap();
    assert_eq!(subject.protection, Protection::Unknown);
    assert_eq!(format!("{subject:?}"), "[subject]");
    assert!(serde_json::from_str::<Subject>(r#"{"kind":"adult","name":"x"}"#).is_err());
    assert!(serde_json::from_str::<Subject>(r#"{"flags":{"refugee_":"yes"}}"#).is_err());
}

fn received() -> ReceiveFacts {
    let sent = case("PM-001");
    ReceiveFacts {
        realm: Realm::Production,
        message: sent.message,
        purpose: sent.purpose,
        sender: sent.sender,
        recipient: sent.recipient,
        labels: sent.requested,
        basis: BasisType::LegalObligation,
        agreement: sent.basis.agreement,
        consent: None,
        consent_withdrawn: false,
        peer_status: PeerStatus::Active,
        message_expired: false,
        originator: None,
        originator_authorises: Known::Unknown,
        retention_days: 365,
        now: sent.now,
    }
}

fn refusal(change: impl FnOnce(&mut ReceiveFacts)) -> String {
    let mut facts = received();
    change(&mut facts);
    let decision = engine().receive(&facts);
    assert!(decision.outcome == Outcome::Deny && decision.deliver.is_empty(), "{:?}", decision.outcome);
    decision.rule.to_string()
}

#[test]
fn the_receiver_accepts_an_ordinary_row() {
    let decision = engine().receive(&received());
    assert_eq!((decision.outcome, decision.rule.as_str()), (Outcome::Permit, "R-OK"));
}

#[test]
fn the_receiver_refuses_labels_beyond_the_profile() {
    assert_eq!(refusal(|f| f.labels.extend(["sogi".parse().unwrap()])), "R-MIN-01");
}

#[test]
fn the_receiver_refuses_a_suspended_peer() {
    assert_eq!(refusal(|f| f.peer_status = PeerStatus::Suspended), "R-PEER-01");
}

#[test]
fn the_receiver_refuses_a_lapsed_agreement() {
    assert_eq!(refusal(|f| f.agreement.as_mut().unwrap().standing = Standing::Lapsed), "R-LEG-01");
}

#[test]
fn the_receiver_refuses_a_withdrawn_consent_and_too_long_a_retention() {
    let withdrawn = |f: &mut ReceiveFacts| {
        f.basis = BasisType::Consent;
        f.consent_withdrawn = true;
    };
    assert_eq!(refusal(withdrawn), "R-CON-03");
    assert_eq!(refusal(|f| f.retention_days = 366), "R-RET-01");
}

#[test]
fn an_agreement_stands_for_its_parties_types_and_dates_only() {
    let agreements = Agreements::load(files()).unwrap();
    let status = |id: &str, from: &str, to: &str, message: &str| {
        let now = "2026-03-02T15:00:00Z".parse().unwrap();
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        agreements.status(&id.parse().unwrap(), &from, &to, &message.parse().unwrap(), now)
    };
    assert_eq!(status("MX-GT", "MX", "GT", "return.manifest"), Standing::InForce);
    assert_eq!(status("MX-GT", "MX", "HN", "return.manifest"), Standing::Absent);
    assert_eq!(status("MX-GT", "MX", "GT", "child.alert"), Standing::Absent);
    assert_eq!(status("MOU-2006", "MX", "GT", "return.manifest"), Standing::Lapsed);
}

/// Conditions a ministry might write; some bite on some cases, some on none.
const CONDITIONS: [&str; 6] = [
    "true",
    "context.recipient.role == Role::\"consular\"",
    "context.subject.kind == Kind::\"child\"",
    "context.basis == Basis::\"consent\"",
    "context.message in Group::\"return\"",
    "!context.yes.isEmpty()",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn a_further_forbid_never_releases_more(action in 0_usize..4, condition in 0_usize..6) {
        let action = ["Pass", "Disclose", "PassUnattended", "PassWhole"][action];
        let condition = CONDITIONS[condition];
        let overlay =
            format!("{HEAD}forbid(principal, action == Action::\"{action}\", resource) when {{ {condition} }};\n");
        let (plain, stricter) = (engine(), with_overlay(&overlay).unwrap());
        for (id, facts) in cases::facts(MATRIX).unwrap() {
            let (before, after) = (released(&plain.send(&facts)), released(&stricter.send(&facts)));
            proptest::prop_assert!(after.is_subset(&before), "{id} under {action} when {condition}");
        }
    }

    #[test]
    fn a_permission_taken_away_never_releases_more(index in 0_usize..78, drop in 0_usize..8) {
        let engine = engine();
        let (id, facts) = cases::facts(MATRIX).unwrap().into_iter().nth(index).unwrap();
        let Some(category) = facts.requested.iter().nth(drop % facts.requested.len()).cloned() else { return Ok(()) };
        let mut files = files();
        let mut profiles: serde_json::Value = serde_json::from_slice(&files["profiles.json"]).unwrap();
        if let Some(profile) = profiles.get_mut(facts.message.as_str()) {
            profile["max_categories"].as_array_mut().unwrap().retain(|name| name != category.as_str());
        }
        files.insert("profiles.json".into(), profiles.to_string().into_bytes());
        let narrower = PolicyEngine::load(files).unwrap();
        let (before, after) = (released(&engine.send(&facts)), released(&narrower.send(&facts)));
        proptest::prop_assert!(after.is_subset(&before), "{id} without {category}");
    }
}
