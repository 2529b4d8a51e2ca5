//! A founded federation, its directories, and what does not verify.

use super::*;

#[test]
fn members_of_a_federation_know_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT", "HN", "SV", "US"]);
    let now = clock().now_s();
    for (_, home) in &homes {
        let membership = load::membership(home, &config(home), None).unwrap();
        assert_eq!(membership.countries().count(), 5);
        assert!(membership.rejected().is_empty());
        for (other, their_home) in &homes {
            let directory = directory::read(their_home).unwrap();
            let keys = load::keys(their_home, &directory).unwrap();
            assert!(membership.verifier(other, DirectoryUse::Message, keys.message.key_id(), now).is_some());
            assert!(membership.verifier(other, DirectoryUse::Receipt, keys.receipt.key_id(), now).is_some());
            let sealer = membership.sealer(other, &reception()[0], None, now).unwrap();
            assert!(keys.openers.contains_key(sealer.key_id()));
            assert_eq!(membership.authorities(other, now).unwrap().len(), 1);
            assert_eq!(membership.pins(other).unwrap().len(), 1);
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
    assert!(load::membership(home, &config(home), None).is_ok());
    document.signatures.truncate(2);
    write_file(&path, &serde_json::to_vec(&document).unwrap()).unwrap();
    let refused = load::membership(home, &config(home), None);
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
    let held = load::membership(mx, &config(mx), None).unwrap();
    write_file(&directory::signed_path(mx, &country), &old).unwrap();
    let offered = load::membership(mx, &config(mx), Some(&held)).unwrap();
    let expected = MembershipError::Rollback { what: "directory", offered: 1, held: 2 };
    assert_eq!(offered.rejected(), [(country, expected)]);
}
