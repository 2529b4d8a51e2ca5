//! What the decision function promises, against the published policies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::ids::{Category, Realm};

mod monotone;
mod removal;

pub(crate) const MATRIX: &[u8] = include_bytes!("../../../../policies/cases/matrix.json");
/// Worked by hand from the matrix's text: what its cases leave open.
const BEYOND: &[u8] = include_bytes!("../../../../policies/cases/beyond.json");

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

pub(crate) fn engine() -> PolicyEngine {
    PolicyEngine::load(files()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_worked_case_is_decided_as_published() {
    let engine = engine();
    let mut reports = cases::run(&engine, MATRIX).unwrap();
    assert_eq!(reports.len(), 78);
    reports.extend(cases::run(&engine, BEYOND).unwrap());
    let failed: Vec<_> = reports.iter().filter(|report| !report.passed).collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), reports.len());
}

/// The facts of every worked case, listed and beyond.
fn worked() -> BTreeMap<String, SendFacts> {
    let mut facts = cases::facts(MATRIX).unwrap();
    facts.extend(cases::facts(BEYOND).unwrap());
    facts
}

/// What would leave, and how far it got: refused, held for people, or gone.
fn released(decision: &Decision) -> (u8, BTreeSet<Category>) {
    let reached = match decision.outcome {
        Outcome::Deny => 0,
        Outcome::NeedsApproval => 1,
        Outcome::Permit | Outcome::PermitRedacted => 2,
    };
    (reached, decision.deliver.clone())
}

/// Whether one decision releases no more than another: it goes no further, and with nothing else.
fn is_no_more(after: &Decision, before: &Decision) -> bool {
    let ((reached, deliver), (reached_before, deliver_before)) = (released(after), released(before));
    // What a refusal would have delivered is nothing; what a hold would deliver is what people are asked about.
    reached <= reached_before && deliver.is_subset(&deliver_before)
}

fn case(id: &str) -> SendFacts {
    cases::facts(MATRIX).unwrap().remove(id).unwrap()
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
