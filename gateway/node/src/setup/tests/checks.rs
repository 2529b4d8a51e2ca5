//! What `check` says of homes in order and out of order.

use super::*;

#[test]
fn a_founded_home_has_nothing_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT"]);
    agency::add(&homes[0].1, &agency_id("inm"), &reception(), None, &clock()).unwrap();
    let findings = check(&homes[0].1, &clock());
    // Whom to call over an alert is the operator's to say, and nobody has said it yet.
    let (duty, others): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| finding.code.starts_with("duty"));
    assert!(others.iter().all(|finding| finding.level == Level::Ok), "{others:#?}");
    assert_eq!(duty.len(), 2, "{duty:#?}");
    assert!(duty.iter().all(|finding| finding.level == Level::Warning), "{duty:#?}");
}

#[test]
fn a_home_outside_any_federation_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let findings = check(&new_home(folder.path(), "MX"), &clock());
    assert_eq!(level_of(&findings, "membership"), Level::Warning);
    assert!(findings.iter().all(|finding| finding.level < Level::Error), "{findings:#?}");
}

#[test]
fn what_ends_soon_is_a_warning_and_what_ended_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT"]);
    let home = &homes[0].1;
    agency::add(home, &agency_id("inm"), &reception(), None, &clock()).unwrap();
    let soon = check(home, &ManualClock::at(NOW_MS + 370 * DAY_MS));
    for code in ["certificate.gateway", "certificate.domestic-server", "agency.inm", "membership.members"] {
        assert_eq!(level_of(&soon, code), Level::Warning, "{code}");
    }
    assert_eq!(level_of(&soon, "certificate.federation-ca"), Level::Ok);
    assert_eq!(level_of(&soon, "membership.directory"), Level::Error);
    let late = check(home, &ManualClock::at(NOW_MS + 400 * DAY_MS));
    assert_eq!(level_of(&late, "certificate.gateway"), Level::Error);
    assert_eq!(level_of(&late, "membership.members"), Level::Error);
}

#[test]
fn a_clock_before_the_home_was_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    assert_eq!(level_of(&check(&home, &ManualClock::at(NOW_MS - DAY_MS)), "clock"), Level::Error);
    assert_eq!(level_of(&check(&home, &ManualClock::at(0)), "clock"), Level::Error);
}

#[test]
fn a_key_open_to_others_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    std::fs::set_permissions(home.key("message"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let findings = check(&home, &clock());
    assert_eq!(level_of(&findings, "keys.mode"), Level::Error);
    assert_eq!(level_of(&findings, "keys"), Level::Error);
    assert_eq!(level_of(&findings, "rules"), Level::Ok);
}

#[test]
fn a_rule_file_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    std::fs::write(home.policies().join("rules").join("firewall.cedar"), "permit everything").unwrap();
    let findings = check(&home, &clock());
    let rules = findings.iter().find(|finding| finding.code == "rules").unwrap();
    assert_eq!(rules.level, Level::Error);
    assert!(rules.en.contains("rules/firewall.cedar"), "{}", rules.en);
}

#[test]
fn an_unusable_configuration_is_the_only_finding() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    std::fs::write(home.config(), "country = \"Mexico\"").unwrap();
    let findings = check(&home, &clock());
    assert_eq!(findings.len(), 1);
    assert_eq!(level_of(&findings, "config"), Level::Error);
}

#[test]
fn operations_offered_to_the_world_are_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("MX"));
    let mut request = request("MX", SignatureProfile::P256);
    request.listen.operations = "0.0.0.0:9090".to_owned();
    request.listen.federation = "gateway".to_owned();
    init(&home, &request, &clock()).unwrap();
    let findings = check(&home, &clock());
    assert_eq!(level_of(&findings, "listen.operations"), Level::Warning);
    assert_eq!(level_of(&findings, "listen.federation"), Level::Error);
}

#[test]
fn a_store_that_a_node_has_open_is_left_to_it() {
    use crate::config::Config;
    use crate::store::CommitObserver;
    struct Unobserved;
    impl CommitObserver for Unobserved {
        fn committed(&self, _: usize, _: usize, _: u64) {}
    }
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    let open = |country: &str| {
        let config = Config::new(country.parse().unwrap(), Realm::Training);
        load::store(&home, &config, std::sync::Arc::new(Unobserved))
    };
    let running = open("MX").unwrap();
    assert_eq!(level_of(&check(&home, &clock()), "store"), Level::Ok);
    drop(running);
    assert_eq!(level_of(&check(&home, &clock()), "store"), Level::Ok);
    for file in [home.store(), home.subjects()] {
        std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }
    drop(open("GT").unwrap());
    assert_eq!(level_of(&check(&home, &clock()), "store"), Level::Error);
}
