//! Homes in temporary folders, under a clock that stands still: what is set up loads, and nothing else does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{AgencyId, CountryCode, OfficerId, Realm, Role};
use puente_core::membership::{KeyUse as DirectoryUse, MembershipError, SignedDocument};

use super::lock::EditLock;
use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::config::{Config, Listen};
use crate::home::{Home, write_file};
use crate::keys::pki::{Identity, PeerCertificate};
use crate::keys::{KeyFile, KeyUse};
use crate::register::{NotAdmitted, State};

/// 2031-01-05T12:00:00Z.
const NOW_MS: i64 = 1_925_380_800_000;
const DAY_MS: i64 = 86_400_000;

fn clock() -> ManualClock {
    ManualClock::at(NOW_MS)
}

fn request(country: &str, profile: SignatureProfile) -> Init {
    Init {
        country: country.parse().unwrap(),
        realm: Realm::Training,
        profile,
        listen: Listen::default(),
        names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        gateway_address: "127.0.0.1:9443".to_owned(),
        roles: None,
    }
}

fn new_home(folder: &Path, country: &str) -> Home {
    let home = Home::at(folder.join(country));
    init(&home, &request(country, SignatureProfile::P256), &clock()).unwrap();
    home
}

fn federation(folder: &Path, countries: &[&str]) -> Vec<(CountryCode, Home)> {
    let homes: Vec<_> =
        countries.iter().map(|country| (country.parse().unwrap(), new_home(folder, country))).collect();
    super::federation::found(&homes, Realm::Training, &clock()).unwrap();
    homes
}

fn config(home: &Home) -> Config {
    Config::read(&home.config()).unwrap()
}

fn agency_id(text: &str) -> AgencyId {
    text.parse().unwrap()
}

fn reception() -> Vec<Role> {
    vec!["returns_reception".parse().unwrap()]
}

fn level_of(findings: &[CheckFinding], code: &str) -> Level {
    findings
        .iter()
        .find(|finding| finding.code == code)
        .unwrap_or_else(|| panic!("no finding `{code}`"))
        .level
}

#[test]
fn a_new_home_loads_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (country, profile) in [("MX", SignatureProfile::P256), ("GT", SignatureProfile::Curve25519)] {
        let home = Home::at(folder.path().join(country));
        let made = init(&home, &request(country, profile), &clock()).unwrap();
        let directory = directory::read(&home).unwrap();
        let keys = load::keys(&home, &directory).unwrap();
        assert_eq!(keys.openers.len(), made.roles.len());
        assert!(keys.own_seals.contains_key(&reception()[0]));
        assert!(directory.keys.iter().all(|key| key.profile == profile));
        load::certificates(&home).unwrap();
        load::store_key(&home).unwrap();
        assert!(load::rules(&home).unwrap().codes.countries.code("México").is_some());
    }
}

#[test]
fn private_files_are_readable_by_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.keys()), 0o700);
    for entry in std::fs::read_dir(home.keys()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_home_is_set_up_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    let before = std::fs::read(home.key("message")).unwrap();
    let again = init(&home, &request("MX", SignatureProfile::P256), &clock());
    assert!(matches!(again, Err(SetupError::Occupied(_))));
    std::fs::remove_file(home.config()).unwrap();
    let unfinished = init(&home, &request("MX", SignatureProfile::P256), &clock());
    assert!(matches!(unfinished, Err(SetupError::Occupied(_))));
    assert_eq!(std::fs::read(home.key("message")).unwrap(), before);
}

#[test]
fn a_key_that_the_directory_does_not_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    let directory = directory::read(&home).unwrap();
    for (name, usage) in [("message", KeyUse::Sign), ("seal-returns_reception", KeyUse::Open)] {
        let before = std::fs::read(home.key(name)).unwrap();
        KeyFile::generate(SignatureProfile::P256, usage).unwrap().store(&home.key(name)).unwrap();
        assert!(
            matches!(load::keys(&home, &directory), Err(SetupError::OtherKey(path)) if path == home.key(name))
        );
        crate::keys::write_private(&home.key(name), &before).unwrap();
    }
    assert!(load::keys(&home, &directory).is_ok());
}

#[test]
fn the_keys_of_two_uses_are_not_exchanged() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    let (message, receipt) = (home.key("message"), home.key("receipt"));
    let aside = home.key("aside");
    std::fs::rename(&message, &aside).unwrap();
    std::fs::rename(&receipt, &message).unwrap();
    std::fs::rename(&aside, &receipt).unwrap();
    assert!(matches!(load::keys(&home, &directory::read(&home).unwrap()), Err(SetupError::OtherKey(_))));
}

#[test]
fn members_of_a_federation_know_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT", "HN", "SV", "US"]);
    let now = clock().now_s();
    for (_, home) in &homes {
        let membership = load::membership(home, &config(home), &clock(), None).unwrap();
        assert_eq!(membership.countries().count(), 5);
        assert!(membership.rejected().is_empty());
        for (other, their_home) in &homes {
            let directory = directory::read(their_home).unwrap();
            let keys = load::keys(their_home, &directory).unwrap();
            assert!(membership.verifier(other, DirectoryUse::Message, keys.message.key_id(), now).is_some());
            assert!(membership.verifier(other, DirectoryUse::Receipt, keys.receipt.key_id(), now).is_some());
            let sealer = membership.sealer(other, &reception()[0], now).unwrap();
            assert!(keys.openers.contains_key(sealer.key_id()));
            assert_eq!(membership.authorities(other, now).unwrap().len(), 1);
            assert_eq!(membership.pins(other).len(), 1);
        }
    }
}

#[test]
fn a_minority_of_the_members_founds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT", "HN", "SV", "US"]);
    let home = &homes[0].1;
    let path = home.membership().join("members.json");
    let mut document: SignedDocument = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    document.signatures.truncate(3);
    write_file(&path, &serde_json::to_vec(&document).unwrap()).unwrap();
    assert!(load::membership(home, &config(home), &clock(), None).is_ok());
    document.signatures.truncate(2);
    write_file(&path, &serde_json::to_vec(&document).unwrap()).unwrap();
    let refused = load::membership(home, &config(home), &clock(), None);
    let threshold = MembershipError::Threshold { have: 2, need: 3 };
    assert!(matches!(refused, Err(SetupError::Membership(error)) if error == threshold));
}

#[test]
fn a_federation_is_founded_once_from_homes_of_its_realm() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT"]);
    let found = |homes: &[(CountryCode, Home)], realm| super::federation::found(homes, realm, &clock());
    assert!(matches!(found(&homes, Realm::Training), Err(SetupError::Founded(_))));
    assert!(matches!(found(&[], Realm::Training), Err(SetupError::Members)));
    let twice = vec![homes[0].clone(), homes[0].clone()];
    assert!(matches!(found(&twice, Realm::Training), Err(SetupError::Members)));
    let fresh = vec![("HN".parse().unwrap(), new_home(folder.path(), "HN"))];
    assert!(matches!(found(&fresh, Realm::Production), Err(SetupError::Realm { .. })));
    let misnamed = vec![("SV".parse().unwrap(), fresh[0].1.clone())];
    assert!(matches!(found(&misnamed, Realm::Training), Err(SetupError::Country { .. })));
}

#[test]
fn an_added_agency_is_admitted_and_can_be_addressed() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT"]);
    let (mx, gt) = (&homes[0].1, &homes[1].1);
    let agency = agency_id("igm");
    let enrolled = agency::add(gt, &agency, &reception(), None, &clock()).unwrap();
    assert!(enrolled.key.is_some());
    assert_eq!(enrolled.address, "127.0.0.1:8443");

    let certificate = certificate_of(&enrolled);
    assert_eq!(certificate.identity.to_string(), "urn:puente:training:GT:agency:igm");
    let register = load::register(gt).unwrap();
    assert_eq!(register.admit(&agency, &certificate.spki).unwrap().roles, reception());

    directory::copy(gt, mx).unwrap();
    let membership = load::membership(mx, &config(mx), &clock(), None).unwrap();
    let country = "GT".parse().unwrap();
    assert_eq!(membership.directory_version(&country), Some(2));
    assert!(membership.answers(&country, &reception()[0], Some(&agency)));
}

fn certificate_of(enrolled: &agency::Enrolled) -> PeerCertificate {
    use rustls_pki_types::pem::PemObject as _;
    let der = rustls_pki_types::CertificateDer::from_pem_slice(enrolled.certificate.as_bytes()).unwrap();
    PeerCertificate::from_der(&der).unwrap()
}

#[test]
fn an_agency_with_its_own_request_keeps_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["attacker.example".to_owned()]).unwrap();
    let csr = params.serialize_request(&key).unwrap().pem().unwrap();
    let agency = agency_id("igm");
    let enrolled = agency::add(&home, &agency, &reception(), Some(csr.as_bytes()), &clock()).unwrap();
    assert!(enrolled.key.is_none());
    let identity = certificate_of(&enrolled).identity;
    assert!(matches!(identity, Identity::Agency { agency: stated, .. } if stated == agency));
    let garbage = agency::add(&home, &agency_id("other"), &reception(), Some(b"garbage"), &clock());
    assert!(matches!(garbage, Err(SetupError::Pki(_))));
    assert_eq!(agency::list(&home).unwrap().len(), 1);
}

#[test]
fn a_role_that_no_profile_names_is_refused_and_registers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    let misspelt = vec!["returns_recepcion".parse().unwrap()];
    let refused = agency::add(&home, &agency_id("igm"), &misspelt, None, &clock());
    assert!(matches!(refused, Err(SetupError::UnknownRole(role)) if role == misspelt[0]));
    assert!(matches!(agency::add(&home, &agency_id("igm"), &[], None, &clock()), Err(SetupError::Roles)));
    assert!(agency::list(&home).unwrap().is_empty());
    assert_eq!(directory::read(&home).unwrap().version, 1);
}

#[test]
fn a_further_certificate_leaves_the_former_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    let agency = agency_id("igm");
    let first = agency::add(&home, &agency, &reception(), None, &clock()).unwrap();
    let second = agency::add(&home, &agency, &reception(), None, &clock()).unwrap();
    let register = load::register(&home).unwrap();
    for enrolled in [first, second] {
        assert!(register.admit(&agency, &certificate_of(&enrolled).spki).is_ok());
    }
}

#[test]
fn a_revoked_agency_is_out_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    let agency = agency_id("igm");
    let enrolled = agency::add(&home, &agency, &reception(), None, &clock()).unwrap();
    agency::revoke(&home, &agency, &clock()).unwrap();
    let register = load::register(&home).unwrap();
    assert_eq!(register.admit(&agency, &certificate_of(&enrolled).spki), Err(NotAdmitted::Revoked));
    assert!(directory::read(&home).unwrap().agencies.is_empty());
    let again = agency::add(&home, &agency, &reception(), None, &clock());
    assert!(matches!(again, Err(SetupError::RevokedAgency(_))));
    let unknown = agency::revoke(&home, &agency_id("nobody"), &clock());
    assert!(matches!(unknown, Err(SetupError::UnknownAgency(_))));
}

#[test]
fn an_officer_stands_until_revoked_and_the_id_is_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    let agency = agency_id("igm");
    let (name, person) = ("ana".parse::<OfficerId>().unwrap(), "p-17".parse().unwrap());
    let early = officer::add(&home, &agency, &name, &person);
    assert!(matches!(early, Err(SetupError::UnknownAgency(_))));
    agency::add(&home, &agency, &reception(), None, &clock()).unwrap();

    let pem = officer::add(&home, &agency, &name, &person).unwrap();
    let signer = KeyFile::from_pem(pem.as_bytes(), KeyUse::Sign).unwrap().signer().unwrap();
    let said = puente_core::envelope::Sign::sign(&signer, "t", b"yes").unwrap();
    let register = load::register(&home).unwrap();
    let registered = register.officer(&agency, &name).unwrap();
    assert!(registered.active);
    assert_eq!(registered.key.verify("t", &said).unwrap(), b"yes");

    officer::revoke(&home, &agency, &name).unwrap();
    assert!(!load::register(&home).unwrap().officer_stands(&agency, &name));
    let again = officer::add(&home, &agency, &name, &person);
    assert!(matches!(again, Err(SetupError::KnownOfficer(_))));
    let unknown = officer::revoke(&home, &agency, &"eva".parse().unwrap());
    assert!(matches!(unknown, Err(SetupError::UnknownOfficer(..))));
}

#[test]
fn whoever_edits_a_home_is_alone_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    let alone = EditLock::take(&home).unwrap();
    let refused = agency::add(&home, &agency_id("igm"), &reception(), None, &clock());
    assert!(matches!(refused, Err(SetupError::Busy(_))));
    drop(alone);
    assert!(agency::add(&home, &agency_id("igm"), &reception(), None, &clock()).is_ok());
}

#[test]
fn each_publication_is_another_version() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    let later = ManualClock::at(NOW_MS + DAY_MS);
    let signed = directory::publish(&home, &load::register(&home).unwrap(), &later).unwrap();
    let moved = directory::move_gateway(&home, "gw.example:443", &later).unwrap();
    assert_ne!(signed, moved);
    let directory = directory::read(&home).unwrap();
    assert_eq!(directory.version, 3);
    assert_eq!(directory.gateways[0].address, "gw.example:443");
    assert_eq!(std::fs::read(directory::signed_path(&home, &directory.country)).unwrap(), moved);
}

#[test]
fn an_older_directory_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT"]);
    let (mx, gt) = (&homes[0].1, &homes[1].1);
    let country = "GT".parse().unwrap();
    let old = std::fs::read(directory::signed_path(gt, &country)).unwrap();
    agency::add(gt, &agency_id("igm"), &reception(), None, &clock()).unwrap();
    directory::copy(gt, mx).unwrap();
    let held = load::membership(mx, &config(mx), &clock(), None).unwrap();
    write_file(&directory::signed_path(mx, &country), &old).unwrap();
    let offered = load::membership(mx, &config(mx), &clock(), Some(&held)).unwrap();
    let expected = MembershipError::Rollback { what: "directory", offered: 1, held: 2 };
    assert_eq!(offered.rejected(), [(country, expected)]);
}

#[test]
fn a_founded_home_has_nothing_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT"]);
    agency::add(&homes[0].1, &agency_id("inm"), &reception(), None, &clock()).unwrap();
    let findings = check(&homes[0].1, &clock());
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
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
    assert_eq!(level_of(&late, "membership"), Level::Error);
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
    use crate::store::{CommitObserver, SqliteStore, StoreOwner};
    struct Unobserved;
    impl CommitObserver for Unobserved {
        fn committed(&self, _: usize, _: usize, _: u64) {}
    }
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    std::fs::create_dir_all(home.store().parent().unwrap()).unwrap();
    let open = |country: &str| {
        let owner = StoreOwner { country: country.parse().unwrap(), realm: Realm::Training };
        SqliteStore::open(
            &home.store(),
            &owner,
            &load::store_key(&home).unwrap(),
            std::sync::Arc::new(Unobserved),
        )
    };
    let running = open("MX").unwrap();
    assert_eq!(level_of(&check(&home, &clock()), "store"), Level::Ok);
    drop(running);
    assert_eq!(level_of(&check(&home, &clock()), "store"), Level::Ok);
    std::fs::remove_dir_all(home.store().parent().unwrap()).unwrap();
    std::fs::create_dir_all(home.store().parent().unwrap()).unwrap();
    drop(open("GT").unwrap());
    assert_eq!(level_of(&check(&home, &clock()), "store"), Level::Error);
}

#[test]
fn a_renewed_certificate_is_presented_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "MX");
    let current = load::certificates(&home).unwrap();
    let before = current.domestic_server.not_after();
    let authority = credential::load_authority(&home, credential::DOMESTIC_AUTHORITY).unwrap();
    let later = ManualClock::at(NOW_MS + 100 * DAY_MS);
    let renewed =
        authority.issue_server(&["localhost".to_owned()], instant::validity(&later, 397).unwrap()).unwrap();
    std::fs::remove_file(home.key("domestic-server")).unwrap();
    credential::store_issued(&home, credential::DOMESTIC_SERVER, &renewed).unwrap();
    load::renew_certificates(&home, &current).unwrap();
    assert!(current.domestic_server.not_after() > before);
    std::fs::copy(home.key("gateway"), home.key("domestic-server")).unwrap();
    assert!(matches!(load::renew_certificates(&home, &current), Err(SetupError::Certificate { .. })));
    assert!(agency::list(&home).unwrap().iter().all(|file| file.state == State::Active));
}
