//! What a consent says, failure stories first.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::envelope::{ConsentExtract, CryptoFailure, Verify, base64url, from_base64url};
use crate::ids::{Digest, Realm};
use crate::policy::{Consent, ConsentStatus, Flag, Known, Scope, Subject};
use crate::problem::Problem;

const TEXT: &[u8] = b"Texto que se mostro";
const NOW: &str = "2026-11-25T15:00:00Z";

/// A key whose signature is its name.
struct NamedKey(&'static str);

impl NamedKey {
    fn sign(&self, typ: &str, claims: &Value) -> String {
        format!(
            "{}.{}.{}",
            base64url(typ.as_bytes()),
            base64url(&serde_json::to_vec(claims).unwrap()),
            self.0
        )
    }
}

impl Verify for NamedKey {
    fn verify(&self, typ: &str, compact: &str) -> Result<Vec<u8>, CryptoFailure> {
        let parts: Vec<&str> = compact.split('.').collect();
        if parts[0] != base64url(typ.as_bytes()) || parts[2] != self.0 {
            return Err(CryptoFailure::Mismatch);
        }
        Ok(from_base64url(parts[1]).unwrap())
    }
}

const KEY: NamedKey = NamedKey("inm");

fn texts() -> ApprovedTexts {
    let list = json!([{"language": "es", "kind": "text", "digest": Digest::of(TEXT), "approved_by": "INM",
                       "approved_on": "2026-01-15", "file": "es.txt"}])
    .to_string();
    ApprovedTexts::load([("consent/texts.json", list.as_bytes()), ("consent/es.txt", TEXT)]).unwrap()
}

fn claims() -> Value {
    json!({
        "schema_version": "iso-27560-2023/puente-1", "realm": "training",
        "record_id": "01940000-0000-7000-8000-00000000c001", "jurisdiction": "MX", "agency": "INM",
        "principal": {"ref": "exp-1", "birth_date": "1994-03-17", "zone": "America/Mexico_City"},
        "storage": ["MX", "GT"], "withdrawal_method": "Por escrito o de palabra en cualquier oficina",
        "shown": {"language": "es", "digest": Digest::of(TEXT)}, "language": "es",
        "read_aloud": true, "understood_check": true,
        "processes": [
            {"purpose": "regularisation", "categories": ["id.core", "doc.civil"], "recipients": ["GT"], "retention_days": 365},
            {"purpose": "skills_recognition", "categories": ["education"], "recipients": ["HN"], "retention_days": 365}],
        "giver": {"kind": "subject", "party": "exp-1"}, "conditional": false, "in_detention": false,
        "evidence": [{"kind": "thumbprint", "hash": Digest::of(b"thumb")}],
        "event": {"state": "given", "occurred_at": "2026-11-20T10:00:00-06:00[America/Mexico_City]", "captured": "paper"},
        "recorded_at": "2026-11-20T17:00:00Z", "valid_until": "2027-11-20T16:00:00Z",
    })
}

fn child(birth_date: &str, giver: &str) -> Value {
    let mut child = claims();
    child["principal"]["birth_date"] = json!(birth_date);
    child["giver"] = json!({"kind": giver, "party": "adult-1", "authority_proof": Digest::of(b"custody")});
    child["assent"] = json!({"answer": "yes", "how": "oral"});
    child
}

fn record(claims: &Value) -> Result<VerifiedRecord, Problem> {
    let now_s = NOW.parse::<Timestamp>().unwrap().as_second();
    let (agency, country) = ("INM".parse().unwrap(), "MX".parse().unwrap());
    verify_record(&KEY.sign(TYP_RECORD, claims), &KEY, &agency, &country, Realm::Training, now_s)
}

fn event(state: &str, after: Digest, more: Value) -> Value {
    let mut event = json!({
        "realm": "training", "record_id": "01940000-0000-7000-8000-00000000c001", "after": after, "state": state,
        "occurred_at": "2026-11-24T09:00:00-06:00[America/Mexico_City]", "captured": "screen",
        "recorded_at": "2026-11-24T15:00:05Z"});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn add(record: &VerifiedRecord, before: &[VerifiedEvent], event: &Value) -> Result<VerifiedEvent, Problem> {
    let now_s = NOW.parse::<Timestamp>().unwrap().as_second();
    verify_event(&KEY.sign(TYP_EVENT, event), &KEY, record, before, now_s)
}

fn judged(claims: &Value, events: &[StatusEvent], at: &str) -> Evaluation {
    let record = record(claims).unwrap();
    evaluate(record.claims(), events, at.parse().unwrap(), &"regularisation".parse().unwrap(), &texts())
}

fn consent(claims: &Value) -> Consent {
    judged(claims, &[], NOW).consent
}

#[test]
fn a_record_signed_by_another_key_or_for_another_agency_is_refused() {
    let now_s = NOW.parse::<Timestamp>().unwrap().as_second();
    let (agency, country) = ("INM".parse().unwrap(), "MX".parse().unwrap());
    let forged = NamedKey("other").sign(TYP_RECORD, &claims());
    let refused = verify_record(&forged, &KEY, &agency, &country, Realm::Training, now_s).unwrap_err();
    assert_eq!(refused.kind.code, "consent.signature");
    for (field, value) in
        [("/agency", json!("DIF")), ("/jurisdiction", json!("GT")), ("/realm", json!("production"))]
    {
        let mut other = claims();
        *other.pointer_mut(field).unwrap() = value;
        assert_eq!(record(&other).unwrap_err().field.as_deref(), Some(field));
    }
}

#[test]
fn a_record_that_names_everything_or_contradicts_itself_is_refused_at_its_field() {
    for (field, at, value) in [
        ("/processes", "/processes/0/categories", json!([])),
        ("/processes", "/processes/0/recipients", json!([])),
        ("/processes", "/processes/1/purpose", json!("regularisation")),
        ("/giver/party", "/giver/party", json!("somebody-else")),
        ("/giver/kind", "/giver/kind", json!("unknown")),
        ("/giver/authority_proof", "/giver", json!({"kind": "guardian", "party": "adult-1"})),
        ("/language", "/language", json!("Spanish!")),
        ("/valid_until", "/valid_until", json!("2126-11-20T16:00:00Z")),
        ("/recorded_at", "/recorded_at", json!("2026-11-19T16:00:00Z")),
        ("/principal/zone", "/principal/zone", json!("Mexico")),
    ] {
        let mut wrong = claims();
        *wrong.pointer_mut(at).unwrap() = value;
        let problem = record(&wrong).unwrap_err();
        assert_eq!((problem.kind.code, problem.field.as_deref()), ("consent.invalid", Some(field)), "{at}");
    }
}

#[test]
fn an_event_cannot_widen_follow_the_end_or_leave_out_its_predecessor() {
    let record = record(&claims()).unwrap();
    let wide = event("narrowed", record.digest(), json!({"categories": ["id.core", "health.urgent"]}));
    assert_eq!(add(&record, &[], &wide).unwrap_err().kind.code, "consent.widens");
    let first =
        add(&record, &[], &event("narrowed", record.digest(), json!({"purposes": ["regularisation"]})))
            .unwrap();
    let past_it = event("withdrawn", record.digest(), json!({}));
    assert_eq!(
        add(&record, std::slice::from_ref(&first), &past_it).unwrap_err().kind.code,
        "consent.conflict"
    );
    let back = event("narrowed", first.digest(), json!({"purposes": ["skills_recognition"]}));
    assert_eq!(add(&record, std::slice::from_ref(&first), &back).unwrap_err().kind.code, "consent.widens");
    let end =
        add(&record, std::slice::from_ref(&first), &event("withdrawn", first.digest(), json!({}))).unwrap();
    let after_end = event("narrowed", end.digest(), json!({"categories": ["id.core"]}));
    assert_eq!(add(&record, &[first, end], &after_end).unwrap_err().kind.code, "consent.ended");
}

#[test]
fn the_process_of_one_purpose_lends_nothing_to_another() {
    let consent = consent(&claims());
    let categories = ["id.core", "doc.civil"].map(|name| name.parse().unwrap());
    assert_eq!(consent.categories, Scope::Only(categories.into()));
    assert_eq!(consent.recipients, Scope::Only(["GT".parse().unwrap()].into()));
}

#[test]
fn a_withdrawal_counts_from_when_the_person_said_it_and_not_before() {
    let verified = record(&claims()).unwrap();
    let withdrawn = add(&verified, &[], &event("withdrawn", verified.digest(), json!({}))).unwrap();
    let events = [withdrawn.claims().clone()];
    assert_eq!(judged(&claims(), &events, "2026-11-24T14:59:59Z").standing, Standing::Given);
    let after = judged(&claims(), &events, "2026-11-24T15:00:00Z");
    assert_eq!((after.standing, after.consent.status), (Standing::Withdrawn, ConsentStatus::Withdrawn));
    assert_eq!(after.consent.categories, Scope::Only([].into()));
    let (purposes, categories) = left(verified.claims(), &events, &"GT".parse().unwrap());
    assert!(purposes.is_empty() && categories.is_empty());
}

#[test]
fn a_narrowing_takes_away_and_leaves_the_rest() {
    let verified = record(&claims()).unwrap();
    let narrowed = add(
        &verified,
        &[],
        &event("narrowed", verified.digest(), json!({"categories": ["id.core", "education"]})),
    )
    .unwrap();
    let events = [narrowed.claims().clone()];
    let after = judged(&claims(), &events, NOW).consent;
    assert_eq!(after.categories, Scope::Only(["id.core".parse().unwrap()].into()));
    let (purposes, categories) = left(verified.claims(), &events, &"GT".parse().unwrap());
    assert_eq!((purposes.len(), categories.len()), (1, 1));
}

#[test]
fn what_one_purpose_keeps_another_does_not_hold() {
    let verified = record(&claims()).unwrap();
    let holds = |country: &str, purpose: &str, category: &str| {
        let (country, purpose) = (country.parse().unwrap(), purpose.parse().unwrap());
        leaves(verified.claims(), &[], &country, &purpose, &[category.parse().unwrap()])
    };
    assert!(holds("GT", "regularisation", "id.core"));
    assert!(!holds("GT", "skills_recognition", "id.core"));
    assert!(!holds("GT", "regularisation", "education"));
    assert!(!holds("HN", "regularisation", "id.core"));
}

#[test]
fn a_refusal_is_a_record_and_permits_nothing() {
    let mut refused = claims();
    refused["event"]["state"] = json!("refused");
    assert_eq!(consent(&refused).status, ConsentStatus::Refused);
}

#[test]
fn a_text_that_was_not_approved_or_is_of_another_language_was_not_understood() {
    let mut other_bytes = claims();
    other_bytes["shown"]["digest"] = json!(Digest::of(b"another text"));
    assert_eq!(consent(&other_bytes).understood, Some(false));
    let mut mam = claims();
    mam["language"] = json!("mam");
    assert_eq!(consent(&mam).understood, Some(false), "Spanish is no answer to somebody who speaks Mam");
    mam["interpreter"] = json!({"language": "quc", "name_ref": "int-7"});
    assert_eq!(consent(&mam).understood, Some(false), "an interpreter of another language is none");
    mam["interpreter"]["language"] = json!("mam");
    assert_eq!(consent(&mam).understood, Some(true));
    let mut regional = claims();
    regional["language"] = json!("es-GT");
    assert_eq!(consent(&regional).understood, Some(true));
    regional["language"] = json!("est");
    assert_eq!(consent(&regional).understood, Some(false), "Estonian only looks like Spanish");
    let mut unchecked = claims();
    unchecked["understood_check"] = json!(false);
    assert_eq!(consent(&unchecked).understood, Some(false));
}

#[test]
fn an_approved_text_whose_bytes_changed_takes_the_list_with_it() {
    let list = json!([{"language": "es", "kind": "text", "digest": Digest::of(TEXT), "approved_by": "INM",
                       "approved_on": "2026-01-15", "file": "es.txt"}])
    .to_string();
    let loaded = ApprovedTexts::load([
        ("consent/texts.json", list.as_bytes()),
        ("consent/es.txt", b"edited".as_slice()),
    ]);
    assert_eq!(loaded.unwrap_err(), TextsError::Changed("es.txt".to_owned()));
}

#[test]
fn an_answer_in_detention_is_free_only_once_somebody_else_has_checked() {
    let mut detained = claims();
    detained["in_detention"] = json!(true);
    assert_eq!(consent(&detained).conditional, None);
    detained["freedom_check"] = json!(Digest::of(b"check"));
    assert_eq!(consent(&detained).conditional, Some(false));
}

#[test]
fn a_guardians_word_ends_at_midnight_of_the_eighteenth_birthday_where_the_person_lives() {
    let child = child("2008-11-25", "guardian");
    let before = judged(&child, &[], "2026-11-25T05:59:59Z");
    let after = judged(&child, &[], "2026-11-25T06:00:00Z");
    let told = |evaluation: &Evaluation| {
        let mut subject = Subject::default();
        evaluation.inform(&mut subject);
        subject.flags[&Flag::CameOfAge]
    };
    assert_eq!((told(&before), before.standing), (Known::No, Standing::Given));
    assert_eq!((told(&after), after.standing), (Known::Yes, Standing::Expired));
    assert_eq!(after.not_after, "2026-11-25T06:00:00Z".parse().unwrap());
}

#[test]
fn a_giver_from_whom_the_data_is_withheld_is_taken_for_the_abuser_whatever_the_submitter_says() {
    let mut abuser = child("2016-05-01", "guardian");
    abuser["withheld_from"] = json!(["adult-1"]);
    let mut subject = Subject::default();
    subject.flags.insert(Flag::GuardianAllegedAbuser, Known::No);
    judged(&abuser, &[], NOW).inform(&mut subject);
    assert_eq!(subject.flags[&Flag::GuardianAllegedAbuser], Known::Yes);
}

#[test]
fn a_childs_no_is_a_no_and_from_twelve_a_yes_is_in_writing() {
    assert_eq!(consent(&child("2017-05-01", "parent")).assent, Some(true));
    assert_eq!(consent(&child("2013-05-01", "parent")).assent, None);
    let mut written = child("2013-05-01", "parent");
    written["assent"]["how"] = json!("written");
    assert_eq!(consent(&written).assent, Some(true));
    written["assent"]["answer"] = json!("no");
    assert_eq!(consent(&written).assent, Some(false));
}

#[test]
fn without_proof_on_file_there_is_no_evidence() {
    let mut nothing = claims();
    nothing["evidence"] = json!([]);
    assert_eq!(consent(&nothing).evidence, Some(false));
}

#[test]
fn an_answer_rests_on_what_the_asking_country_vouched_for_less_what_was_withdrawn_since() {
    let extract = ConsentExtract {
        id: "01940000-0000-7000-8000-00000000c001".parse().unwrap(),
        record: Digest::of(b"record"),
        given_by: "subject".to_owned(),
        purposes: vec!["regularisation".parse().unwrap()],
        categories: vec!["id.core".parse().unwrap(), "doc.civil".parse().unwrap()],
        not_after: 1_827_000_000,
    };
    let mut relied = Relied { country: "MX".parse().unwrap(), extract, left: Vec::new() };
    assert_eq!(vouched(&relied).status, ConsentStatus::Given);
    assert_eq!(vouched(&relied).recipients, Scope::Only(["MX".parse().unwrap()].into()));
    relied.left.push((["regularisation".parse().unwrap()].into(), ["id.core".parse().unwrap()].into()));
    assert_eq!(vouched(&relied).categories, Scope::Only(["id.core".parse().unwrap()].into()));
    relied.left.push(([].into(), [].into()));
    assert_eq!(vouched(&relied).status, ConsentStatus::Withdrawn);
}

#[test]
fn debug_of_a_record_names_nobody() {
    let record = record(&claims()).unwrap();
    let shown = format!("{record:?}");
    assert!(
        !shown.contains("exp-1") && !shown.contains("1994") && !shown.contains(record.compact()),
        "{shown}"
    );
}
