//! A country's certificate authority: one for the federation face, one for the domestic face.
//!
//! Not here: who asks, and whether a certificate still counts. Invariant: every certificate is of the
//! authority's own realm and country, of P-256, with a random serial and one identity.

use std::time::Duration;

use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};
use puente_core::envelope::SignatureProfile;
use puente_core::ids::{AgencyId, CountryCode, Realm, Role};
use rcgen::string::PrintableString;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::request::SubjectKey;
use super::{AuthorityKind, Identity, PeerCertificate, PkiError};
use crate::keys::{KeyFile, KeyUse};

/// Most names of one server: a node has a few host names and addresses, not a fleet.
pub(super) const MAX_NAMES: usize = 16;

/// How far a validity starts before the instant it is asked from, so that a peer whose clock is behind
/// by the tolerated two minutes accepts a new certificate at once.
const BACKDATE: SignedDuration = SignedDuration::from_mins(5);

/// Random bytes of a serial number (RFC 5280 section 4.1.2.2 allows 20 octets).
const SERIAL_BYTES: usize = 16;

/// From when until when a certificate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Validity {
    /// Starts just before `from` and ends this many days after it.
    ///
    /// # Errors
    /// `Validity` when it is no span that X.509 can state.
    pub fn days(from: Timestamp, days: u16) -> Result<Self, PkiError> {
        let length = SignedDuration::from_hours(24 * i64::from(days));
        let validity = Self {
            not_before: from.checked_sub(BACKDATE).map_err(|_| PkiError::Validity)?,
            not_after: from.checked_add(length).map_err(|_| PkiError::Validity)?,
        };
        if days == 0 || validity.not_before < Timestamp::UNIX_EPOCH {
            return Err(PkiError::Validity);
        }
        Ok(validity)
    }
}

/// A certificate with the key that was made for it.
#[derive(Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its private key.
    pub key: KeyFile,
}

/// A certificate authority with its key.
pub struct Authority {
    kind: AuthorityKind,
    realm: Realm,
    country: CountryCode,
    certificate: CertificateDer<'static>,
    key: KeyFile,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({}, {}, {})", self.kind, self.realm, self.country)
    }
}

impl Authority {
    /// A new authority with a fresh key and a self-signed certificate.
    ///
    /// # Errors
    /// `Key` or `Signing` when key or certificate cannot be made.
    pub fn create(
        common_name: &str,
        realm: Realm,
        country: CountryCode,
        kind: AuthorityKind,
        validity: Validity,
    ) -> Result<Self, PkiError> {
        let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign)?;
        let identity = Identity::Authority { realm, country: country.clone(), kind };
        let mut params = params(&identity, common_name, validity)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key_pair(&key)?).map_err(|_| PkiError::Signing)?;
        Self::load(certificate.into(), key)
    }

    /// An authority from its certificate and key.
    ///
    /// # Errors
    /// `NotAuthority` when the certificate is another's, `WrongKey` when the key is not its own.
    pub fn load(certificate: CertificateDer<'static>, key: KeyFile) -> Result<Self, PkiError> {
        let stated = PeerCertificate::from_der(&certificate)?;
        let Identity::Authority { realm, country, kind } = stated.identity else {
            return Err(PkiError::NotAuthority);
        };
        let pair = key_pair(&key)?;
        if puente_core::ids::Digest::of(&pair.subject_public_key_info()) != stated.spki {
            return Err(PkiError::WrongKey);
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, pair).map_err(|_| PkiError::NotAuthority)?;
        Ok(Self { kind, realm, country, certificate, key, issuer })
    }

    /// The authority's own certificate.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The authority's private key, to be stored.
    #[must_use]
    pub const fn key(&self) -> &KeyFile {
        &self.key
    }

    /// A certificate for the face that the country's own agencies connect to; the node shows it too when it calls them.
    ///
    /// # Errors
    /// `WrongAuthority` unless this is the domestic one; `Names` when none or too many.
    pub fn issue_server(&self, names: &[String], validity: Validity) -> Result<Issued, PkiError> {
        self.only(AuthorityKind::Domestic)?;
        self.issue_node(names, validity)
    }

    /// A certificate for the country's gateway towards other members, as server and as client.
    ///
    /// # Errors
    /// `WrongAuthority` unless this is the federation one; `Names` when none or too many.
    pub fn issue_gateway(&self, names: &[String], validity: Validity) -> Result<Issued, PkiError> {
        self.only(AuthorityKind::Federation)?;
        self.issue_node(names, validity)
    }

    /// A client certificate for an agency's system, with a fresh key.
    ///
    /// # Errors
    /// `WrongAuthority` unless this is the domestic one.
    pub fn issue_client(
        &self,
        agency: &AgencyId,
        role: &Role,
        validity: Validity,
    ) -> Result<Issued, PkiError> {
        let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign)?;
        let subject = SubjectKey::new(key.public()).ok_or(PkiError::Signing)?;
        Ok(Issued { certificate: self.sign_client(&subject, agency, role, validity)?, key })
    }

    /// A client certificate for the key in an agency's own PKCS#10 request.
    ///
    /// # Errors
    /// `Request` or `RequestSignature` when the request is not one, `WrongAuthority` as above.
    pub fn sign_csr(
        &self,
        pem: &[u8],
        agency: &AgencyId,
        role: &Role,
        validity: Validity,
    ) -> Result<CertificateDer<'static>, PkiError> {
        self.sign_client(&SubjectKey::from_request(pem)?, agency, role, validity)
    }

    fn only(&self, kind: AuthorityKind) -> Result<(), PkiError> {
        if self.kind == kind { Ok(()) } else { Err(PkiError::WrongAuthority(self.kind)) }
    }

    /// As server and as client.
    fn issue_node(&self, names: &[String], validity: Validity) -> Result<Issued, PkiError> {
        if names.is_empty() || names.len() > MAX_NAMES {
            return Err(PkiError::Names);
        }
        let identity = Identity::Gateway { realm: self.realm, country: self.country.clone() };
        let mut params = params(&identity, &format!("puente {}", self.country), validity)?;
        let hosts = CertificateParams::new(names).map_err(|_| PkiError::Names)?;
        params.subject_alt_names.extend(hosts.subject_alt_names);
        let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign)?;
        let subject = SubjectKey::new(key.public()).ok_or(PkiError::Signing)?;
        let both = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Ok(Issued { certificate: self.sign(params, both, &subject)?, key })
    }

    fn sign_client(
        &self,
        subject: &SubjectKey,
        agency: &AgencyId,
        role: &Role,
        validity: Validity,
    ) -> Result<CertificateDer<'static>, PkiError> {
        self.only(AuthorityKind::Domestic)?;
        let identity =
            Identity::Agency { realm: self.realm, country: self.country.clone(), agency: agency.clone() };
        let mut params = params(&identity, agency.as_str(), validity)?;
        params.distinguished_name.push(DnType::OrganizationName, agency.as_str());
        params.distinguished_name.push(DnType::OrganizationalUnitName, role.as_str());
        self.sign(params, vec![ExtendedKeyUsagePurpose::ClientAuth], subject)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        usages: Vec<ExtendedKeyUsagePurpose>,
        subject: &SubjectKey,
    ) -> Result<CertificateDer<'static>, PkiError> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages;
        params.use_authority_key_identifier_extension = true;
        params.signed_by(subject, &self.issuer).map(Into::into).map_err(|_| PkiError::Signing)
    }
}

/// What all our certificates share: country, common name, identity, validity and a random serial.
fn params(identity: &Identity, common_name: &str, validity: Validity) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    let country = PrintableString::try_from(identity.country().as_str()).map_err(|_| PkiError::Signing)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, DnValue::PrintableString(country));
    params.distinguished_name.push(DnType::CommonName, common_name);
    let name = identity.to_string().as_str().try_into().map_err(|_| PkiError::Signing)?;
    params.subject_alt_names = vec![SanType::URI(name)];
    let since_epoch = |instant: Timestamp| {
        u64::try_from(instant.as_second()).map(Duration::from_secs).map_err(|_| PkiError::Validity)
    };
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(validity.not_before)?;
    params.not_after = epoch + since_epoch(validity.not_after)?;
    let mut serial = [0; SERIAL_BYTES];
    rand::fill(&mut serial).map_err(|_| PkiError::Signing)?;
    // A positive number of constant length: the first bit clear, the second set.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn key_pair(key: &KeyFile) -> Result<KeyPair, PkiError> {
    let der = PrivatePkcs8KeyDer::from(key.pkcs8());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ECDSA_P256_SHA256)
        .map_err(|_| PkiError::WrongKey)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn valid() -> Validity {
        Validity::days("2031-01-05T12:00:00Z".parse().unwrap(), 90).unwrap()
    }

    fn authority(kind: AuthorityKind) -> Authority {
        Authority::create("Autoridad GT", Realm::Training, "GT".parse().unwrap(), kind, valid()).unwrap()
    }

    fn names() -> Vec<String> {
        vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
    }

    fn request(subject: &str) -> String {
        let mut params = CertificateParams::new(vec!["attacker.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, subject);
        params.subject_alt_names.push(SanType::URI("urn:puente:production:MX:gateway".try_into().unwrap()));
        params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
    }

    #[test]
    fn a_gateway_certificate_states_realm_country_and_end() {
        let issued = authority(AuthorityKind::Federation).issue_gateway(&names(), valid()).unwrap();
        let read = PeerCertificate::from_der(&issued.certificate).unwrap();
        assert_eq!(read.identity.to_string(), "urn:puente:training:GT:gateway");
        assert_eq!(read.not_after.to_string(), "2031-04-05T12:00:00Z");
        assert_eq!(read.serial.len(), 2 * SERIAL_BYTES);
    }

    #[test]
    fn an_authority_survives_its_files() {
        let made = authority(AuthorityKind::Domestic);
        let key = KeyFile::from_pem(made.key().to_pem().as_bytes(), KeyUse::Sign).unwrap();
        let loaded = Authority::load(made.certificate().clone(), key).unwrap();
        assert!(loaded.issue_server(&names(), valid()).is_ok());
    }

    #[test]
    fn an_authority_with_another_key_is_refused() {
        let made = authority(AuthorityKind::Domestic);
        let other = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
        assert!(matches!(Authority::load(made.certificate().clone(), other), Err(PkiError::WrongKey)));
    }

    #[test]
    fn a_leaf_is_no_authority() {
        let leaf = authority(AuthorityKind::Federation).issue_gateway(&names(), valid()).unwrap();
        assert!(matches!(Authority::load(leaf.certificate, leaf.key), Err(PkiError::NotAuthority)));
    }

    #[test]
    fn each_authority_issues_only_its_own_kind() {
        let (agency, role) = ("igm".parse().unwrap(), "returns_reception".parse().unwrap());
        let federation = authority(AuthorityKind::Federation);
        assert!(matches!(federation.issue_server(&names(), valid()), Err(PkiError::WrongAuthority(_))));
        assert!(matches!(federation.issue_client(&agency, &role, valid()), Err(PkiError::WrongAuthority(_))));
        let domestic = authority(AuthorityKind::Domestic);
        assert!(matches!(domestic.issue_gateway(&names(), valid()), Err(PkiError::WrongAuthority(_))));
    }

    #[test]
    fn a_request_gives_its_key_and_nothing_else() {
        let (agency, role) = ("igm".parse().unwrap(), "returns_reception".parse().unwrap());
        let domestic = authority(AuthorityKind::Domestic);
        let der = domestic.sign_csr(request("minister").as_bytes(), &agency, &role, valid()).unwrap();
        let identity = Identity::from_certificate(&der).unwrap();
        assert_eq!(identity.to_string(), "urn:puente:training:GT:agency:igm");
        assert!(!der.windows(8).any(|window| window == b"minister" || window == b"attacker"));
    }

    #[test]
    fn a_request_that_its_key_did_not_sign_is_refused() {
        use rustls_pki_types::CertificateSigningRequestDer;
        use rustls_pki_types::pem::PemObject;
        let (agency, role) = ("igm".parse().unwrap(), "returns_reception".parse().unwrap());
        let domestic = authority(AuthorityKind::Domestic);
        let der = CertificateSigningRequestDer::from_pem_slice(request("subjectA").as_bytes()).unwrap();
        let mut altered = der.to_vec();
        let at = altered.windows(8).position(|window| window == b"subjectA").unwrap();
        altered[at + 7] = b'B';
        let pem = to_request_pem(&altered);
        let refused = domestic.sign_csr(pem.as_bytes(), &agency, &role, valid());
        assert!(matches!(refused, Err(PkiError::RequestSignature)));
    }

    #[test]
    fn a_request_of_another_curve_or_of_garbage_is_refused() {
        let (agency, role) = ("igm".parse().unwrap(), "returns_reception".parse().unwrap());
        let domestic = authority(AuthorityKind::Domestic);
        let other = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let p384 = CertificateParams::default().serialize_request(&other).unwrap().pem().unwrap();
        for pem in [p384.as_str(), "", "garbage", &to_request_pem(b"garbage"), &"A".repeat(1 << 20)] {
            let refused = domestic.sign_csr(pem.as_bytes(), &agency, &role, valid());
            assert!(matches!(refused, Err(PkiError::Request)));
        }
    }

    #[test]
    fn a_server_without_names_or_with_too_many_is_refused() {
        let domestic = authority(AuthorityKind::Domestic);
        let many = vec!["localhost".to_owned(); MAX_NAMES + 1];
        assert!(matches!(domestic.issue_server(&[], valid()), Err(PkiError::Names)));
        assert!(matches!(domestic.issue_server(&many, valid()), Err(PkiError::Names)));
    }

    #[test]
    fn a_validity_that_never_ends_or_never_starts_is_refused() {
        assert!(Validity::days(Timestamp::MAX, 1).is_err());
        assert!(Validity::days(Timestamp::UNIX_EPOCH, 1).is_err());
        assert!(Validity::days("2031-01-05T12:00:00Z".parse().unwrap(), 0).is_err());
    }

    #[test]
    fn two_certificates_of_one_key_have_different_serials() {
        let (agency, role) = ("igm".parse().unwrap(), "returns_reception".parse().unwrap());
        let domestic = authority(AuthorityKind::Domestic);
        let pem = request("igm");
        let [one, other] = [(); 2].map(|()| {
            let der = domestic.sign_csr(pem.as_bytes(), &agency, &role, valid()).unwrap();
            PeerCertificate::from_der(&der).unwrap()
        });
        assert_ne!(one.serial, other.serial);
        assert_eq!(one.spki, other.spki);
    }

    fn to_request_pem(der: &[u8]) -> String {
        super::super::to_pem(der).replace("CERTIFICATE", "CERTIFICATE REQUEST")
    }
}
