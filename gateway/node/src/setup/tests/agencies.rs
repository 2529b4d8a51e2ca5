//! Agencies and officers: in, out, and not in again.

use super::*;

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
    let membership = load::membership(mx, &config(mx), None).unwrap();
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
fn an_agency_signs_with_the_key_of_its_certificate_until_that_ends_or_the_agency_is_out() {
    let folder = tempfile::tempdir().unwrap();
    let home = new_home(folder.path(), "GT");
    let agency = agency_id("igm");
    let enrolled = agency::add(&home, &agency, &reception(), None, &clock()).unwrap();
    let key = KeyFile::from_pem(enrolled.key.as_ref().unwrap().as_bytes(), KeyUse::Sign).unwrap();
    let ends_s = certificate_of(&enrolled).not_after.as_second();
    let stands = |agency: &AgencyId, now_s: i64| {
        load::register(&home).unwrap().signing_key(agency, key.key_id(), now_s).is_some()
    };
    assert!(stands(&agency, ends_s - 1));
    assert!(!stands(&agency, ends_s));
    assert!(!stands(&agency_id("other"), ends_s - 1));
    agency::revoke(&home, &agency, &clock()).unwrap();
    assert!(!stands(&agency, ends_s - 1));
}
