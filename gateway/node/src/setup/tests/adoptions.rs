//! Proposed profiles that members adopt, and signatures that do not suffice for it.

use puente_core::ids::{Digest, MessageType};
use puente_core::membership::{Adoption, TYP_ADOPTION, sign_document};
use puente_core::policy::ProfileStatus;

use super::*;
use crate::policy::PolicySet;

fn message() -> MessageType {
    "return.departure".parse().unwrap()
}

/// The terms of the profile as shipped.
fn terms(home: &Home) -> Digest {
    load::rules(home, &[]).unwrap().policy.profile(&message()).unwrap().terms(&message()).unwrap()
}

fn adoption(home: &Home) -> Adoption {
    Adoption { realm: Realm::Training, message_type: message(), terms: terms(home) }
}

/// Signs with the directory keys of these homes and lays the document into the policies of the first of all.
fn sign(homes: &[(CountryCode, Home)], signers: &[usize], adoption: &Adoption) {
    let keys = signers.iter().map(|at| {
        let home = &homes.get(*at).unwrap().1;
        credential::load_key(home, credential::DIRECTORY, KeyUse::Sign).unwrap().signer().unwrap()
    });
    let keys: Vec<_> = keys.collect();
    let keys: Vec<&dyn puente_core::envelope::Sign> = keys.iter().map(|key| key as _).collect();
    let document = sign_document(TYP_ADOPTION, adoption, &keys).unwrap();
    lay(&homes.first().unwrap().1, &serde_json::to_vec(&document).unwrap());
}

fn lay(home: &Home, document: &[u8]) {
    let folder = home.policies().join("adoptions");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("return.departure.json"), document).unwrap();
}

/// How the profile stands in the first home, and why an adoption does not count.
fn standing(homes: &[(CountryCode, Home)]) -> (ProfileStatus, Option<MembershipError>) {
    let home = &homes.first().unwrap().1;
    let membership = load::membership(home, &config(home), None).unwrap();
    let set = PolicySet::read(&home.policies()).unwrap();
    let load::Adoptions { adopted, void } = load::adoptions(&set, &membership, &clock());
    let rules = load::rules(home, &adopted).unwrap();
    (rules.policy.profile(&message()).unwrap().status, void.into_iter().next().map(|(_, error)| error))
}

fn three() -> (tempfile::TempDir, Vec<(CountryCode, Home)>) {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["GT", "HN", "MX"]);
    (folder, homes)
}

#[test]
fn one_members_word_adopts_nothing_however_often_it_signs() {
    let (_folder, homes) = three();
    sign(&homes, &[0, 0], &adoption(&homes.first().unwrap().1));
    let few = MembershipError::Threshold { have: 1, need: 2 };
    assert_eq!(standing(&homes), (ProfileStatus::Proposed, Some(few)));
}

#[test]
fn two_members_adopt_a_profile() {
    let (_folder, homes) = three();
    let before = load::rules(&homes.first().unwrap().1, &[]).unwrap().policy.digest();
    sign(&homes, &[0, 2], &adoption(&homes.first().unwrap().1));
    assert_eq!(standing(&homes), (ProfileStatus::Adopted, None));
    let home = &homes.first().unwrap().1;
    let membership = load::membership(home, &config(home), None).unwrap();
    let set = PolicySet::read(&home.policies()).unwrap();
    let adopted = load::rules_of(home, &set, &load::adopted(&set, &membership, &clock())).unwrap();
    assert_ne!(adopted.policy.digest(), before, "nodes that count other adoptions say so");
}

#[test]
fn adopted_terms_are_those_that_were_signed_and_no_others() {
    let (_folder, homes) = three();
    let other = Adoption { terms: Digest::of(b"wider"), ..adoption(&homes.first().unwrap().1) };
    sign(&homes, &[0, 1], &other);
    assert_eq!(standing(&homes), (ProfileStatus::Proposed, None));
}

#[test]
fn an_adoption_of_another_realm_does_not_count() {
    let (_folder, homes) = three();
    let real = Adoption { realm: Realm::Production, ..adoption(&homes.first().unwrap().1) };
    sign(&homes, &[0, 1], &real);
    assert_eq!(standing(&homes), (ProfileStatus::Proposed, Some(MembershipError::Realm(Realm::Production))));
}

#[test]
fn a_members_list_signed_by_two_is_no_adoption() {
    let (_folder, homes) = three();
    let home = &homes.first().unwrap().1;
    lay(home, &std::fs::read(home.membership().join("members.json")).unwrap());
    assert_eq!(standing(&homes).0, ProfileStatus::Proposed);
}

#[test]
fn an_adoption_that_does_not_count_stops_no_node_and_is_told() {
    let (_folder, homes) = three();
    let home = &homes.first().unwrap().1;
    lay(home, b"{}");
    let membership = load::membership(home, &config(home), None).unwrap();
    let set = PolicySet::read(&home.policies()).unwrap();
    load::rules_of(home, &set, &load::adopted(&set, &membership, &clock())).unwrap();
    assert_eq!(level_of(&check(home, &clock()), "adoption"), Level::Warning);
}
