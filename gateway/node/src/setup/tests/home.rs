//! A new home: what it holds, and what it refuses to be.

use super::*;

#[test]
fn a_new_home_loads_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (country, profile) in [("MX", SignatureProfile::P256), ("GT", SignatureProfile::Curve25519)] {
        let home = Home::at(folder.path().join(country));
        let made = init(&home, &request(country, profile), &clock()).unwrap();
        let directory = directory::read(&home).unwrap();
        let keys = load::keys(&home, &directory).unwrap();
        assert_eq!(keys.openers.len(), made.roles.len());
        assert!(directory.keys.iter().all(|key| key.profile == profile));
        load::certificates(&home).unwrap();
        assert!(load::rules(&home, &[]).unwrap().codes.countries.code("México").is_some());
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
