//! Signing keys of agencies: in the directory that peers verify, never twice, and ended rather than taken off.

use super::*;

/// A file with the public half of a fresh key.
fn public_key(folder: &Path, name: &str) -> (std::path::PathBuf, KeyFile) {
    let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, serde_json::to_vec(&key.public_jwk()).unwrap()).unwrap();
    (path, key)
}

#[test]
fn an_agency_with_a_key_signs_by_itself_in_the_eyes_of_its_peers_even_once_the_key_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["MX", "GT"]);
    let (mx, gt) = (&homes[0].1, &homes[1].1);
    let (agency, country) = (agency_id("igm"), "GT".parse().unwrap());
    agency::add(gt, &agency, &reception(), None, &clock()).unwrap();
    let seen = || {
        directory::copy(gt, mx).unwrap();
        load::membership(mx, &config(mx), None).unwrap().signs_itself(&country, &agency)
    };
    assert!(!seen());
    let (public, key) = public_key(folder.path(), "igm.jwk");
    signing::add(gt, &agency, &public, 30, &clock()).unwrap();
    assert!(seen());
    signing::revoke(gt, &agency, key.key_id(), &clock()).unwrap();
    assert!(seen());
    let now = NOW_MS / 1000;
    let ended = directory::read(gt).unwrap().agencies[0].keys[0].not_after;
    assert_eq!(ended, now);
    // A further certificate changes nothing about the keys.
    agency::add(gt, &agency, &reception(), None, &clock()).unwrap();
    assert!(seen());
}

#[test]
fn a_key_has_one_holder_and_is_a_public_one() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    for agency in ["igm", "rnp"] {
        agency::add(&home, &agency_id(agency), &reception(), None, &clock()).unwrap();
    }
    let (public, _) = public_key(folder.path(), "igm.jwk");
    signing::add(&home, &agency_id("igm"), &public, 30, &clock()).unwrap();
    let version = directory::read(&home).unwrap().version;
    for agency in ["igm", "rnp"] {
        let again = signing::add(&home, &agency_id(agency), &public, 30, &clock());
        assert!(matches!(again, Err(SetupError::KnownKey(_))), "{agency}");
    }
    let message = directory::read(&home).unwrap().keys[0].jwk.clone();
    std::fs::write(&public, serde_json::to_vec(&message).unwrap()).unwrap();
    let gateways = signing::add(&home, &agency_id("rnp"), &public, 30, &clock());
    assert!(matches!(gateways, Err(SetupError::KnownKey(_))), "the gateway's own");
    let private = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
    std::fs::write(&public, private.to_pem().as_bytes()).unwrap();
    let private = signing::add(&home, &agency_id("rnp"), &public, 30, &clock());
    assert!(matches!(private, Err(SetupError::PublicKey(_))));
    let (public, key) = public_key(folder.path(), "other.jwk");
    assert!(matches!(
        signing::add(&home, &agency_id("nobody"), &public, 30, &clock()),
        Err(SetupError::UnknownAgency(_))
    ));
    let unknown = signing::revoke(&home, &agency_id("rnp"), key.key_id(), &clock());
    assert!(matches!(unknown, Err(SetupError::UnknownKey(_, _))));
    assert_eq!(directory::read(&home).unwrap().version, version);
}
