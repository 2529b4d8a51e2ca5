//! Keys that agencies hold themselves: in the directory that peers verify, never twice, and ended rather than taken off.

use puente_core::envelope::KeyFactory as _;
use puente_core::problem;

use super::agency_key::HeldFor;
use super::*;
use crate::keys::openers;

/// A file with the public half of a fresh key of this use.
fn public_key(folder: &Path, name: &str, usage: KeyUse) -> (std::path::PathBuf, KeyFile) {
    let key = KeyFile::generate(SignatureProfile::P256, usage).unwrap();
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
    let (public, key) = public_key(folder.path(), "igm.jwk", KeyUse::Sign);
    agency_key::add(gt, &agency, &HeldFor::Signing, &public, 30, &clock()).unwrap();
    assert!(seen());
    agency_key::revoke(gt, &agency, key.key_id(), &clock()).unwrap();
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
    let (public, _) = public_key(folder.path(), "igm.jwk", KeyUse::Sign);
    agency_key::add(&home, &agency_id("igm"), &HeldFor::Signing, &public, 30, &clock()).unwrap();
    let version = directory::read(&home).unwrap().version;
    for agency in ["igm", "rnp"] {
        let again = agency_key::add(&home, &agency_id(agency), &HeldFor::Signing, &public, 30, &clock());
        assert!(matches!(again, Err(SetupError::KnownKey(_))), "{agency}");
    }
    let message = directory::read(&home).unwrap().keys[0].jwk.clone();
    std::fs::write(&public, serde_json::to_vec(&message).unwrap()).unwrap();
    let gateways = agency_key::add(&home, &agency_id("rnp"), &HeldFor::Signing, &public, 30, &clock());
    assert!(matches!(gateways, Err(SetupError::KnownKey(_))), "the gateway's own");
    let private = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
    std::fs::write(&public, private.to_pem().as_bytes()).unwrap();
    let private = agency_key::add(&home, &agency_id("rnp"), &HeldFor::Signing, &public, 30, &clock());
    assert!(matches!(private, Err(SetupError::PublicKey(_, KeyUse::Sign))));
    let (public, key) = public_key(folder.path(), "other.jwk", KeyUse::Sign);
    assert!(matches!(
        agency_key::add(&home, &agency_id("nobody"), &HeldFor::Signing, &public, 30, &clock()),
        Err(SetupError::UnknownAgency(_))
    ));
    let unknown = agency_key::revoke(&home, &agency_id("rnp"), key.key_id(), &clock());
    assert!(matches!(unknown, Err(SetupError::UnknownKey(_, _))));
    assert_eq!(directory::read(&home).unwrap().version, version);
}

/// Guatemala's reception with these agencies, as Mexico sees it.
struct Reception {
    _folder: tempfile::TempDir,
    mx: Home,
    gt: Home,
}

impl Reception {
    fn of(agencies: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let homes = federation(folder.path(), &["MX", "GT"]);
        let (mx, gt) = (homes[0].1.clone(), homes[1].1.clone());
        for agency in agencies {
            agency::add(&gt, &agency_id(agency), &reception(), None, &clock()).unwrap();
        }
        Self { _folder: folder, mx, gt }
    }

    /// A key of its own for an agency, begun at this instant, for so many days.
    fn own_key(&self, agency: &str, days: u16, clock: &ManualClock) -> KeyFile {
        let (public, key) = public_key(self.gt.path(), "own.jwk", KeyUse::Open);
        let held_for = HeldFor::Opening(reception()[0].clone());
        agency_key::add(&self.gt, &agency_id(agency), &held_for, &public, days, clock).unwrap();
        key
    }

    /// The id of the key to which Mexico seals, or the code of why it does not.
    fn seals_to(&self, agency: Option<&str>, now_s: i64) -> Result<String, &'static str> {
        directory::copy(&self.gt, &self.mx).unwrap();
        let membership = load::membership(&self.mx, &config(&self.mx), None).unwrap();
        assert!(membership.rejected().is_empty());
        let (country, agency) = ("GT".parse().unwrap(), agency.map(agency_id));
        let sealer = membership.sealer(&country, &reception()[0], agency.as_ref(), now_s);
        sealer.map(|key| key.key_id().to_string()).map_err(|problem| problem.kind.code)
    }

    fn gateways_key(&self) -> String {
        let keys = load::keys(&self.gt, &directory::read(&self.gt).unwrap()).unwrap();
        let role = credential::load_key(&self.gt, &credential::seal_name(&reception()[0]), KeyUse::Open);
        let kid = role.unwrap().key_id().clone();
        assert!(keys.openers.contains_key(&kid));
        kid.to_string()
    }
}

#[test]
fn what_is_for_an_agency_with_a_key_of_its_own_is_sealed_to_that_and_its_gateway_loads_without_it() {
    let reception = Reception::of(&["igm"]);
    let now = NOW_MS / 1000;
    assert_eq!(reception.seals_to(None, now), Ok(reception.gateways_key()));
    let key = reception.own_key("igm", 30, &clock());
    for named in [None, Some("igm")] {
        assert_eq!(reception.seals_to(named, now), Ok(key.key_id().to_string()), "{named:?}");
    }
    let keys = load::keys(&reception.gt, &directory::read(&reception.gt).unwrap()).unwrap();
    assert!(!keys.openers.contains_key(key.key_id()));
    let findings = check(&reception.gt, &clock());
    assert_eq!(level_of(&findings, "seal.igm.returns_reception"), Level::Ok);
}

#[test]
fn with_its_last_key_ended_nothing_is_sealed_to_an_agency_and_never_to_its_gateway_in_its_place() {
    let reception = Reception::of(&["igm"]);
    let key = reception.own_key("igm", 30, &clock());
    agency_key::revoke(&reception.gt, &agency_id("igm"), key.key_id(), &clock()).unwrap();
    for named in [None, Some("igm")] {
        assert_eq!(reception.seals_to(named, NOW_MS / 1000), Err(problem::SEAL_NO_KEY.code), "{named:?}");
    }
    let findings = check(&reception.gt, &clock());
    assert_eq!(level_of(&findings, "seal.igm.returns_reception"), Level::Warning);
    // Another certificate, and the key is still hers.
    agency::add(&reception.gt, &agency_id("igm"), &super::reception(), None, &clock()).unwrap();
    assert_eq!(reception.seals_to(None, NOW_MS / 1000), Err(problem::SEAL_NO_KEY.code));
}

#[test]
fn where_several_hold_a_role_and_one_a_key_of_its_own_the_agency_has_to_be_named() {
    let reception = Reception::of(&["igm", "rnp"]);
    let now = NOW_MS / 1000;
    assert_eq!(reception.seals_to(None, now), Ok(reception.gateways_key()));
    let key = reception.own_key("igm", 30, &clock());
    assert_eq!(reception.seals_to(None, now), Err(problem::SEAL_AGENCY_NEEDED.code));
    assert_eq!(reception.seals_to(Some("igm"), now), Ok(key.key_id().to_string()));
    assert_eq!(reception.seals_to(Some("rnp"), now), Ok(reception.gateways_key()));
    // Revoked, it is addressed by nobody, and the other has the role alone.
    agency::revoke(&reception.gt, &agency_id("igm"), &clock()).unwrap();
    assert_eq!(reception.seals_to(None, now), Ok(reception.gateways_key()));
    let register = load::register(&reception.gt).unwrap();
    assert_eq!(register.opens_itself(key.key_id()).map(|(agency, _)| agency), Some(&agency_id("igm")));
}

#[test]
fn of_two_keys_that_overlap_the_later_is_sealed_to_and_both_open_on_the_agencys_machine() {
    let reception = Reception::of(&["igm"]);
    let old = reception.own_key("igm", 30, &clock());
    let later = ManualClock::at(NOW_MS + 20 * DAY_MS);
    let new = reception.own_key("igm", 30, &later);
    assert_eq!(reception.seals_to(None, later.now_s()), Ok(new.key_id().to_string()));
    // A sender who has not heard of the new one yet seals to the old, which stands until it ends.
    assert_eq!(reception.seals_to(None, NOW_MS / 1000), Ok(old.key_id().to_string()));
    let machine = tempfile::tempdir().unwrap();
    let files = ["sealing-1.key", "sealing-2.key"].map(|name| machine.path().join(name));
    for (file, key) in files.iter().zip([&old, &new]) {
        key.store(file).unwrap();
    }
    let kept = files.map(|file| KeyFile::load(&file, KeyUse::Open).unwrap());
    let openers = openers(&kept).unwrap();
    for key in [&old, &new] {
        let sealer = crate::keys::Jose.sealer(key.key_id(), &key.public_jwk()).unwrap();
        let sealed = sealer.seal(&serde_json::json!({}), b"a child").unwrap();
        assert_eq!(*openers[key.key_id()].open(&sealed).unwrap().1, b"a child");
    }
}

#[test]
fn a_key_to_seal_to_is_taken_for_a_role_that_the_agency_holds_and_for_nothing_else() {
    let reception = Reception::of(&["igm"]);
    let (public, _) = public_key(reception.gt.path(), "own.jwk", KeyUse::Open);
    let add = |held_for: &HeldFor| {
        agency_key::add(&reception.gt, &agency_id("igm"), held_for, &public, 30, &clock())
    };
    let other = HeldFor::Opening("child_protection".parse().unwrap());
    assert!(matches!(add(&other), Err(SetupError::RoleNotHeld(_, _))));
    add(&HeldFor::Opening(super::reception()[0].clone())).unwrap();
    assert!(matches!(add(&HeldFor::Signing), Err(SetupError::KnownKey(_))));
}

#[test]
fn a_directory_with_a_key_of_an_agency_outside_its_role_is_not_believed() {
    let reception = Reception::of(&["igm"]);
    reception.own_key("igm", 30, &clock());
    let country: CountryCode = "GT".parse().unwrap();
    let held = load::membership(&reception.mx, &config(&reception.mx), None).unwrap();
    type Change = fn(&mut puente_core::membership::Directory);
    let changes: [(Change, &str); 3] = [
        (
            |directory| directory.agencies[0].roles = vec!["consular".parse().unwrap()],
            "sealing key of an agency that does not hold its role",
        ),
        (
            |directory| directory.keys[0].agency = Some(directory.agencies[0].agency.clone()),
            "agency of a key that does not seal",
        ),
        (|directory| directory.keys.push(directory.keys.last().unwrap().clone()), "sealing key listed twice"),
    ];
    let whole = directory::read(&reception.gt).unwrap();
    for (change, expected) in changes {
        let mut directory = whole.clone();
        change(&mut directory);
        super::directory::sign(&reception.gt, &directory).unwrap();
        super::directory::copy(&reception.gt, &reception.mx).unwrap();
        let offered = load::membership(&reception.mx, &config(&reception.mx), Some(&held)).unwrap();
        assert_eq!(offered.rejected(), [(country.clone(), MembershipError::Form(expected))]);
    }
}
