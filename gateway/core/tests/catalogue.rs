//! The catalogue in `schemas/` as it stands: whole, in step with the policy matrix, and hard to damage.
//!
//! Not here: the rules of one module, which stand beside its code. Loading judges every example, so a
//! schema that admits or refuses too much fails the first test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod tree;

use std::collections::{BTreeMap, BTreeSet};

use puente_core::catalogue::{Catalogue, CatalogueError, LabelSet, Lane};
use puente_core::ids::MessageType;
use serde_json::{Value, json};

use tree::tree;

type Files = BTreeMap<String, Vec<u8>>;

/// An edit of one file and what is then said of it.
type Case = (fn(&mut Value), &'static str);

fn files() -> Files {
    tree("schemas")
}

fn catalogue() -> Catalogue {
    Catalogue::load(files()).unwrap()
}

/// The catalogue with one file edited as JSON, or why it does not load.
fn edited(file: &str, edit: impl FnOnce(&mut Value)) -> Result<Catalogue, CatalogueError> {
    let mut files = files();
    let mut value = files.get(file).map_or(Value::Null, |bytes| serde_json::from_slice(bytes).unwrap());
    edit(&mut value);
    files.insert(file.to_owned(), value.to_string().into_bytes());
    Catalogue::load(files)
}

fn why(result: Result<Catalogue, CatalogueError>) -> String {
    result.unwrap_err().to_string()
}

fn message_type(name: &str) -> MessageType {
    name.parse().unwrap()
}

const MANIFEST: &str = "messages/return.manifest/1/descriptor.json";

#[test]
fn every_type_has_a_valid_and_an_invalid_example() {
    let files = files();
    for name in catalogue().types() {
        for kind in ["valid", "invalid"] {
            let folder = format!("messages/{name}/1/examples/{kind}-");
            assert!(files.keys().any(|path| path.starts_with(&folder)), "{name} has no {kind} example");
        }
    }
}

#[test]
fn every_field_has_a_label_in_both_languages() {
    fn walk(catalogue: &Catalogue, schema: &Value, at: &str) {
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{at}/{name}");
            assert!(catalogue.label(LabelSet::Fields, &path).is_some(), "{path} has no label");
            walk(catalogue, inner, &path);
        }
        if let Some(items) = schema.get("items") {
            walk(catalogue, items, at);
        }
    }
    let catalogue = catalogue();
    for (path, bytes) in files().iter().filter(|(path, _)| path.starts_with("sections/")) {
        let category = path.split('/').nth(1).unwrap();
        walk(&catalogue, &serde_json::from_slice(bytes).unwrap(), category);
    }
}

#[test]
fn a_finding_names_the_field_and_never_the_value() {
    let catalogue = catalogue();
    let descriptor = catalogue.descriptor(&message_type("return.manifest"), None).unwrap();
    let section = json!({
        "given_names": "Tzoc\u{7}", "first_surname": "Ixcoy", "sex": "mujer", "birth_date": "17/03/1994",
        "nationalities": ["Guatemala"], "María Tzoc": 1, "birth_place": {"country": "Quiché"}
    });
    let findings = catalogue.validate(descriptor, &"id.core".parse().unwrap(), &section);
    let told = format!("{findings:?}");
    for value in ["Tzoc", "Ixcoy", "mujer", "1994", "Guatemala", "Quich"] {
        assert!(!told.contains(value), "{value} is told: {told}");
    }
    let places: BTreeSet<_> = findings.iter().map(|finding| finding.pointer.as_str()).collect();
    let expected = ["", "/given_names", "/sex", "/birth_date", "/nationalities/0", "/birth_place/country"]
        .map(|p| format!("/id.core{p}"));
    assert_eq!(places, expected.iter().map(String::as_str).collect());
}

#[test]
fn findings_are_bounded() {
    let catalogue = catalogue();
    let descriptor = catalogue.descriptor(&message_type("return.manifest"), None).unwrap();
    let many: serde_json::Map<_, _> = (0..500).map(|n| (format!("x{n}"), json!(1))).collect();
    let findings = catalogue.validate(descriptor, &"id.core".parse().unwrap(), &Value::Object(many));
    assert_eq!(findings.len(), 16);
}

#[test]
fn a_category_outside_the_type_is_a_finding() {
    let catalogue = catalogue();
    let descriptor = catalogue.descriptor(&message_type("return.notice"), None).unwrap();
    let findings = catalogue.validate(descriptor, &"id.core".parse().unwrap(), &json!({}));
    assert_eq!(
        findings.iter().map(|f| (f.pointer.as_str(), f.keyword)).collect::<Vec<_>>(),
        [("/id.core", "category")]
    );
}

#[test]
fn cancellations_and_incidents_overtake_lists_and_an_amendment_keeps_its_place_behind_its_row() {
    let catalogue = catalogue();
    assert_eq!(catalogue.descriptor(&message_type("return.manifest.amend"), None).unwrap().lane, Lane::Bulk);
    for name in ["return.cancel", "return.incident"] {
        assert_eq!(catalogue.descriptor(&message_type(name), None).unwrap().lane, Lane::Control, "{name}");
    }
}

#[test]
fn alerts_go_before_everything_and_what_ends_something_overtakes_lists() {
    let catalogue = catalogue();
    let in_lane = |lane: Lane| -> Vec<_> {
        let opens = |name: &&MessageType| {
            catalogue.descriptor(name, None).is_some_and(|found| found.lane == lane && !found.is_reply())
        };
        catalogue.types().filter(opens).map(ToString::to_string).collect()
    };
    let alerts = [
        "breach.notice",
        "child.alert",
        "emergency.medical",
        "missing_child.broadcast",
        "missing_child.sighting",
    ];
    assert_eq!(in_lane(Lane::Alert), alerts);
    let ended = in_lane(Lane::Control);
    for name in ["child.case.closure", "child.case.transfer.revoke", "missing_child.cancel", "return.cancel"]
    {
        assert!(ended.iter().any(|control| control == name), "{name}");
    }
}

#[test]
fn a_child_alert_is_acknowledged_in_an_hour_and_acted_on_in_three() {
    let catalogue = catalogue();
    let deadlines = catalogue.descriptor(&message_type("child.alert"), None).unwrap().deadlines;
    assert_eq!((deadlines.acknowledge_minutes, deadlines.first_action_minutes), (Some(60), Some(180)));
}

/// The fields that the section of this type admits, by what is not refused as unknown.
fn admits(catalogue: &Catalogue, name: &str, category: &str, field: &str) -> bool {
    let descriptor = catalogue.descriptor(&message_type(name), None).unwrap();
    let findings = catalogue.validate(descriptor, &category.parse().unwrap(), &json!({ field: "x" }));
    !findings.iter().any(|finding| finding.keyword == "additionalProperties")
}

#[test]
fn nothing_that_follows_a_child_home_has_room_for_where_she_lives() {
    let catalogue = catalogue();
    for name in ["child.followup.request", "child.followup.report", "child.case.closure"] {
        let descriptor = catalogue.descriptor(&message_type(name), None).unwrap();
        for category in ["contact", "loc.area", "loc.exact", "family.contact"] {
            assert!(!descriptor.categories.contains_key(&category.parse().unwrap()), "{name} {category}");
        }
        for field in ["address", "place", "area", "school"] {
            assert!(!admits(&catalogue, name, "ops.metadata", field), "{name} {field}");
        }
        assert!(admits(&catalogue, name, "ops.metadata", "next_on"), "{name}");
    }
}

#[test]
fn trafficking_and_refuge_are_no_protection_concerns() {
    let catalogue = catalogue();
    let concerns = catalogue.codes("protection_concerns").unwrap();
    assert_eq!(concerns.iter().count(), 16);
    assert!(["trafficked_smuggled", "refugee"].iter().all(|code| !concerns.contains(code)));
}

#[test]
fn what_no_profile_grants_has_no_form_in_which_it_could_be_written() {
    let files = files();
    for category in ["criminal.record", "ethnicity", "sogi", "belief.opinion", "health.detail", "loc.exact"] {
        let folder = format!("sections/{category}/");
        assert!(!files.keys().any(|path| path.starts_with(&folder)), "{category}");
    }
}

#[test]
fn a_second_version_is_added_beside_the_first_and_negotiated() {
    let mut files = files();
    for (path, bytes) in files.clone() {
        if let Some(rest) = path.strip_prefix("messages/return.cancel/1/") {
            let text = String::from_utf8(bytes).unwrap();
            let text = text
                .replace("\"version\": 1", "\"version\": 2")
                .replace("return.cancel:1:", "return.cancel:2:");
            files.insert(format!("messages/return.cancel/2/{rest}"), text.into_bytes());
        }
    }
    let catalogue = Catalogue::load(files).unwrap();
    let cancel = message_type("return.cancel");
    assert_eq!(catalogue.versions(&cancel).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(catalogue.descriptor(&cancel, None).unwrap().version, 2);
    assert_eq!(catalogue.negotiate(&cancel, &[3, 1]), Some(1));
    assert_eq!(catalogue.negotiate(&cancel, &[1, 2, 3]), Some(2));
    assert_eq!(catalogue.negotiate(&cancel, &[3]), None);
    assert_eq!(catalogue.negotiate(&message_type("return.nothing"), &[1]), None);
}

#[test]
fn the_digest_changes_with_any_byte_and_not_with_the_order_of_files_or_prose() {
    let whole = catalogue().digest();
    let mut reversed: Vec<_> = files().into_iter().rev().collect();
    reversed.push(("messages/NOTES.md".to_owned(), b"prose".to_vec()));
    assert_eq!(Catalogue::load(reversed).unwrap().digest(), whole);
    let other = edited(MANIFEST, |descriptor| descriptor["retention_days"] = json!(30)).unwrap();
    assert_ne!(other.digest(), whole);
}

#[test]
fn an_inconsistent_descriptor_names_its_file_and_what_is_wrong() {
    let cases: [Case; 8] = [
        (|d| d["colour"] = json!(1), "unknown field"),
        (|d| d["version"] = json!(2), "not those of its folder"),
        (|d| d["senders"] = json!(["nobody"]), "role `nobody` has no label"),
        (|d| d["purposes"] = json!(["spying"]), "purpose `spying` has no label"),
        (|d| d["categories"]["sogi"] = json!({"required": false}), "category `sogi` has no section 1"),
        (|d| d["replies"] = json!(["return.cancel"]), "reply `return.cancel` does not say"),
        (|d| d["attachments"] = json!(["doc.civil"]), "which the type does not carry"),
        (|d| d["retention_days"] = json!(0), "retention_days"),
    ];
    for (edit, expected) in cases {
        let told = why(edited(MANIFEST, edit));
        assert!(told.starts_with(&format!("`{MANIFEST}`")) && told.contains(expected), "{told}");
    }
}

#[test]
fn a_section_that_is_open_unbounded_or_reaches_outside_is_refused() {
    const CORE: &str = "sections/id.core/1.json";
    let cases: [Case; 6] = [
        (|s| s["additionalProperties"] = json!(true), "is open"),
        (|s| s["properties"]["sex"] = json!({"type": "string"}), "no maxLength"),
        (
            |s| s["properties"]["sex"] = json!({"$ref": "https://example.org/sex.json"}),
            "leaves the catalogue",
        ),
        (|s| s["properties"]["sex"] = json!({"$ref": "urn:puente:section:absent:1"}), "absent"),
        (|s| s["properties"]["sex"]["format"] = json!("code:absent"), "absent"),
        (|s| s["$id"] = json!("urn:puente:section:id.core:2"), "its `$id` is not"),
    ];
    for (edit, expected) in cases {
        let told = why(edited(CORE, edit));
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_valid_example_that_fails_and_an_invalid_one_that_passes_do_not_load() {
    let valid = "messages/return.manifest/1/examples/valid-full.json";
    let told = why(edited(valid, |example| example["sections"]["id.core"]["sex"] = json!("?")));
    assert!(told.contains("found at `/id.core/sex` and not expected"), "{told}");
    let invalid = "messages/return.manifest/1/examples/invalid-sex-as-word.json";
    let told = why(edited(invalid, |example| example["sections"]["id.core"]["sex"] = json!("F")));
    assert!(told.contains("expected at `/id.core/sex` and not found"), "{told}");
}

#[test]
fn files_outside_the_layout_or_its_bounds_are_refused() {
    for name in [
        "stray.json",
        "messages/return.manifest/01/descriptor.json",
        "../schemas/codes/x.json",
        "codes/x.yaml",
    ] {
        let with = files().into_iter().chain([(name.to_owned(), b"{}".to_vec())]);
        assert_eq!(Catalogue::load(with).unwrap_err(), CatalogueError::Layout { file: name.to_owned() });
    }
    let huge = ("codes/huge.json".to_owned(), vec![b' '; 300 * 1024]);
    let told = Catalogue::load(files().into_iter().chain([huge])).unwrap_err();
    assert_eq!(told, CatalogueError::Bounds { file: "codes/huge.json".to_owned() });
    let twice = files().into_iter().chain([(MANIFEST.to_owned(), b"{}".to_vec())]);
    assert_eq!(Catalogue::load(twice).unwrap_err(), CatalogueError::Layout { file: MANIFEST.to_owned() });
}

#[test]
fn countries_are_found_by_two_and_by_three_letters() {
    let catalogue = catalogue();
    let countries = catalogue.codes("countries").unwrap();
    assert_eq!(countries.get("GT").unwrap().es, "Guatemala");
    for (alpha2, alpha3) in [
        ("BZ", "BLZ"),
        ("CA", "CAN"),
        ("CR", "CRI"),
        ("DO", "DOM"),
        ("SV", "SLV"),
        ("GT", "GTM"),
        ("HN", "HND"),
        ("MX", "MEX"),
        ("NI", "NIC"),
        ("PA", "PAN"),
        ("US", "USA"),
    ] {
        assert_eq!(countries.by_alpha3(alpha3).unwrap().code, alpha2);
    }
    assert!(["XXA", "XXB", "XXC", "XXX"].iter().all(|code| countries.contains(code)));
    assert_eq!(countries.iter().count(), 249 + 4);
}

#[test]
fn no_reason_code_reveals_a_claim_for_protection() {
    assert!(!catalogue().codes("reasons").unwrap().contains("asylum"));
}
