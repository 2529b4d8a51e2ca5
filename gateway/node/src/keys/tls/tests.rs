//! Handshakes over memory: who gets in, who does not, and under which code a refusal is counted.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use puente_core::ids::{CountryCode, Realm};
use rustls::{ClientConnection, Connection, ServerConnection};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::*;
use crate::keys::pki::{Authority, AuthorityKind, Issued, Validity};

const NOW: &str = "2031-01-05T12:00:00Z";
const MONTH: u16 = 30;

#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.as_second().try_into().unwrap())))
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn clock() -> Arc<dyn TimeProvider> {
    Arc::new(At(now()))
}

fn months_later(months: i64) -> Arc<dyn TimeProvider> {
    Arc::new(At(now() + jiff::SignedDuration::from_hours(24 * 30 * months + 1)))
}

fn country(code: &str) -> CountryCode {
    code.parse().unwrap()
}

fn authority(realm: Realm, code: &str, kind: AuthorityKind) -> Authority {
    let ten_years = Validity::days(now(), 3650).unwrap();
    Authority::create("Autoridad", realm, country(code), kind, ten_years).unwrap()
}

fn month() -> Validity {
    Validity::days(now(), MONTH).unwrap()
}

fn holder(issued: Issued) -> Arc<CertificateHolder> {
    Arc::new(CertificateHolder::new(vec![issued.certificate], &issued.key).unwrap())
}

fn gateway(authority: &Authority) -> Arc<CertificateHolder> {
    holder(authority.issue_gateway(&["localhost".to_owned()], month()).unwrap())
}

/// The codes of the refusals that one side counted.
#[derive(Clone, Default)]
struct Counted(Arc<Mutex<Vec<&'static str>>>);

impl Counted {
    fn callback(&self) -> OnRejection {
        let counted = self.0.clone();
        Arc::new(move |kind| counted.lock().unwrap().push(kind.code))
    }

    fn codes(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// A membership of these countries under these authorities.
fn membership(members: &[(&str, &Authority)]) -> Membership {
    let members: Vec<_> =
        members.iter().map(|(code, authority)| (country(code), authority.certificate().to_vec())).collect();
    Arc::new(move |asked| {
        let (_, der) = members.iter().find(|(code, _)| code == asked)?;
        Some(MemberTrust { ca_der: vec![der.clone()], spki_pins: Vec::new() })
    })
}

/// Carries bytes both ways until neither side has more to say; answers the first error.
fn handshake(client: &mut Connection, server: &mut Connection) -> Result<(), rustls::Error> {
    for _ in 0..16 {
        carry(client, server)?;
        carry(server, client)?;
        if !client.wants_write() && !server.wants_write() {
            break;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking(), "the handshake stalled");
    Ok(())
}

fn carry(from: &mut Connection, to: &mut Connection) -> Result<(), rustls::Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        to.read_tls(&mut rest).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}

fn connect(client: ClientConfig, server: ServerConfig) -> (Connection, Connection) {
    let name = ServerName::try_from("localhost").unwrap();
    (
        ClientConnection::new(Arc::new(client), name).unwrap().into(),
        ServerConnection::new(Arc::new(server)).unwrap().into(),
    )
}

/// A federation of MX and GT in which each side may be given another certificate, trust or clock.
struct Federation {
    mx: Authority,
    gt: Authority,
    counted_by_client: Counted,
    counted_by_server: Counted,
}

impl Federation {
    fn new() -> Self {
        Self {
            mx: authority(Realm::Training, "MX", AuthorityKind::Federation),
            gt: authority(Realm::Training, "GT", AuthorityKind::Federation),
            counted_by_client: Counted::default(),
            counted_by_server: Counted::default(),
        }
    }

    fn members(&self) -> Membership {
        membership(&[("MX", &self.mx), ("GT", &self.gt)])
    }

    /// MX connects, expecting GT.
    fn client(&self, own: Arc<CertificateHolder>, at: Arc<dyn TimeProvider>) -> ClientConfig {
        let counted = self.counted_by_client.callback();
        let verifier =
            FederationVerifier::connecting_to(country("GT"), Realm::Training, self.members(), counted);
        client_config(own, Arc::new(verifier), at, Alpn::Http2).unwrap()
    }

    /// GT accepts any member.
    fn server(&self, own: Arc<CertificateHolder>, members: Membership) -> ServerConfig {
        let verifier =
            FederationVerifier::accepting(Realm::Training, members, self.counted_by_server.callback());
        server_config(own, Arc::new(verifier), clock(), Alpn::Http2).unwrap()
    }
}

#[test]
fn two_members_meet_and_know_each_other() {
    let federation = Federation::new();
    let client = federation.client(gateway(&federation.mx), clock());
    let server = federation.server(gateway(&federation.gt), federation.members());
    let (mut client, mut server) = connect(client, server);
    assert_eq!(peer_identity(&server), None);
    handshake(&mut client, &mut server).unwrap();
    assert_eq!(peer_identity(&client).unwrap().identity.to_string(), "urn:puente:training:GT:gateway");
    assert_eq!(peer_identity(&server).unwrap().identity.to_string(), "urn:puente:training:MX:gateway");
    assert_eq!(client.alpn_protocol(), Some(b"h2".as_slice()));
    assert_eq!(client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    let group = client.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
}

#[test]
fn a_second_connection_runs_the_full_handshake() {
    let federation = Federation::new();
    let client = Arc::new(federation.client(gateway(&federation.mx), clock()));
    let server = Arc::new(federation.server(gateway(&federation.gt), federation.members()));
    for _ in 0..2 {
        let name = ServerName::try_from("localhost").unwrap();
        let mut one = ClientConnection::new(client.clone(), name).unwrap().into();
        let mut other = ServerConnection::new(server.clone()).unwrap().into();
        handshake(&mut one, &mut other).unwrap();
        assert_eq!(other.handshake_kind(), Some(rustls::HandshakeKind::Full));
    }
}

#[test]
fn the_connector_refuses_another_member_than_the_expected() {
    let federation = Federation::new();
    let client = federation.client(gateway(&federation.mx), clock());
    let server = federation.server(gateway(&federation.mx), federation.members());
    let (mut client, mut server) = connect(client, server);
    assert!(handshake(&mut client, &mut server).is_err());
    assert_eq!(federation.counted_by_client.codes(), ["country.mismatch"]);
}

#[test]
fn a_member_cannot_vouch_for_another_country() {
    let federation = Federation::new();
    // An authority of the attacker's own, which says MX; the membership holds the true one.
    let forged = authority(Realm::Training, "MX", AuthorityKind::Federation);
    let client = federation.client(gateway(&forged), clock());
    let server = federation.server(gateway(&federation.gt), federation.members());
    let (mut client, mut server) = connect(client, server);
    assert!(handshake(&mut client, &mut server).is_err());
    assert_eq!(federation.counted_by_server.codes(), ["peer.unknown"]);
}

#[test]
fn a_country_outside_the_membership_is_refused() {
    let federation = Federation::new();
    let outsider = authority(Realm::Training, "ZZ", AuthorityKind::Federation);
    let client = federation.client(gateway(&outsider), clock());
    let server = federation.server(gateway(&federation.gt), federation.members());
    let (mut client, mut server) = connect(client, server);
    assert!(handshake(&mut client, &mut server).is_err());
    assert_eq!(federation.counted_by_server.codes(), ["peer.unknown"]);
}

#[test]
fn a_gateway_of_another_realm_is_refused() {
    let federation = Federation::new();
    let production = authority(Realm::Production, "MX", AuthorityKind::Federation);
    let client = federation.client(gateway(&production), clock());
    let members = membership(&[("MX", &production), ("GT", &federation.gt)]);
    let server = federation.server(gateway(&federation.gt), members);
    let (mut client, mut server) = connect(client, server);
    assert!(handshake(&mut client, &mut server).is_err());
    assert_eq!(federation.counted_by_server.codes(), ["realm.mismatch"]);
}

#[test]
fn an_expired_gateway_is_refused_by_its_own_code() {
    let federation = Federation::new();
    let client = federation.client(gateway(&federation.mx), months_later(1));
    let server = federation.server(gateway(&federation.gt), federation.members());
    let (mut client, mut server) = connect(client, server);
    assert!(handshake(&mut client, &mut server).is_err());
    assert_eq!(federation.counted_by_client.codes(), ["peer.certificate_expired"]);
}

#[test]
fn an_agency_cannot_pass_for_a_gateway() {
    let federation = Federation::new();
    let domestic = authority(Realm::Training, "MX", AuthorityKind::Domestic);
    let agency =
        domestic.issue_client(&"inm".parse().unwrap(), &"returns".parse().unwrap(), month()).unwrap();
    let client = federation.client(holder(agency), clock());
    let members = membership(&[("MX", &domestic), ("GT", &federation.gt)]);
    let server = federation.server(gateway(&federation.gt), members);
    let (mut client, mut server) = connect(client, server);
    assert!(handshake(&mut client, &mut server).is_err());
    assert_eq!(federation.counted_by_server.codes(), ["peer.unknown"]);
}

#[test]
fn a_key_outside_the_pins_is_refused_and_a_pinned_one_is_not() {
    let federation = Federation::new();
    let issued = federation.mx.issue_gateway(&["localhost".to_owned()], month()).unwrap();
    let own = PeerCertificate::from_der(&issued.certificate).unwrap().spki;
    let mx = holder(issued);
    for (pin, accepted) in [(own, true), (puente_core::ids::Digest::of(b"another"), false)] {
        let members = federation.members();
        let pinned: Membership =
            Arc::new(move |asked| Some(MemberTrust { spki_pins: vec![pin], ..members(asked)? }));
        let client = federation.client(mx.clone(), clock());
        let server = federation.server(gateway(&federation.gt), pinned);
        let (mut client, mut server) = connect(client, server);
        assert_eq!(handshake(&mut client, &mut server).is_ok(), accepted);
    }
    assert_eq!(federation.counted_by_server.codes(), ["peer.unknown"]);
}

#[test]
fn a_member_that_leaves_is_refused_at_the_next_handshake() {
    let federation = Federation::new();
    let (members, left) = (federation.members(), Arc::new(Mutex::new(false)));
    let asked_left = left.clone();
    let changing: Membership =
        Arc::new(move |asked| if *asked_left.lock().unwrap() { None } else { members(asked) });
    let server = Arc::new(federation.server(gateway(&federation.gt), changing));
    let client = Arc::new(federation.client(gateway(&federation.mx), clock()));
    for accepted in [true, false] {
        let name = ServerName::try_from("localhost").unwrap();
        let mut one = ClientConnection::new(client.clone(), name).unwrap().into();
        let mut other = ServerConnection::new(server.clone()).unwrap().into();
        assert_eq!(handshake(&mut one, &mut other).is_ok(), accepted);
        *left.lock().unwrap() = true;
    }
}

#[test]
fn a_client_that_speaks_tls_1_2_alone_is_refused() {
    let federation = Federation::new();
    let server = federation.server(gateway(&federation.gt), federation.members());
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let refused = server.read_tls(&mut tls12_client_hello().as_slice()).map(|_| server.process_new_packets());
    assert!(matches!(refused, Ok(Err(rustls::Error::PeerIncompatible(_)))));
}

/// RFC 5246 section 7.4.1.2: version 1.2, one suite, P-256, ECDSA with SHA-256, no later version.
fn tls12_client_hello() -> Vec<u8> {
    let extensions = [
        [0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17].as_slice(),
        [0x00, 0x0d, 0x00, 0x04, 0x00, 0x02, 0x04, 0x03].as_slice(),
    ]
    .concat();
    let mut body = vec![0x03, 0x03];
    body.extend([7; 32]);
    body.extend([0x00, 0x00, 0x02, 0xc0, 0x2b, 0x01, 0x00]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let length = u16::try_from(body.len()).unwrap();
    let mut record = vec![0x16, 0x03, 0x01];
    record.extend((length + 4).to_be_bytes());
    record.extend([0x01, 0x00]);
    record.extend(length.to_be_bytes());
    record.extend(body);
    record
}

/// The domestic face of GT, with an agency's client.
struct Domestic {
    authority: Authority,
    clients: Arc<DomesticClients>,
    counted: Counted,
}

impl Domestic {
    fn new() -> Self {
        let authority = authority(Realm::Training, "GT", AuthorityKind::Domestic);
        let counted = Counted::default();
        let trusted = [authority.certificate().clone()];
        let clients = DomesticClients::new(Realm::Training, country("GT"), &trusted, counted.callback());
        Self { authority, clients: Arc::new(clients.unwrap()), counted }
    }

    fn meet(&self, agency: Issued, at: Arc<dyn TimeProvider>) -> Result<PeerCertificate, rustls::Error> {
        let face = self.authority.issue_server(&["localhost".to_owned()], month()).unwrap();
        let server = server_config(holder(face), self.clients.clone(), at, Alpn::Http2OrHttp1).unwrap();
        let trusted = domestic_server(&[self.authority.certificate().clone()]).unwrap();
        let client = client_config(holder(agency), trusted, clock(), Alpn::Http2OrHttp1).unwrap();
        let (mut client, mut server) = connect(client, server);
        handshake(&mut client, &mut server)?;
        Ok(peer_identity(&server).unwrap())
    }
}

fn agency(authority: &Authority) -> Issued {
    authority.issue_client(&"igm".parse().unwrap(), &"returns_reception".parse().unwrap(), month()).unwrap()
}

#[test]
fn an_agency_of_the_country_is_known_by_its_name() {
    let domestic = Domestic::new();
    let peer = domestic.meet(agency(&domestic.authority), clock()).unwrap();
    assert_eq!(peer.identity.to_string(), "urn:puente:training:GT:agency:igm");
}

#[test]
fn an_expired_agency_is_told_apart_from_an_unknown_one() {
    let domestic = Domestic::new();
    assert!(domestic.meet(agency(&domestic.authority), months_later(1)).is_err());
    assert_eq!(domestic.counted.codes(), ["client.expired"]);
}

#[test]
fn an_agency_of_an_unknown_authority_is_refused_until_it_is_trusted() {
    let domestic = Domestic::new();
    let next = authority(Realm::Training, "GT", AuthorityKind::Domestic);
    assert!(domestic.meet(agency(&next), clock()).is_err());
    assert_eq!(domestic.counted.codes(), ["client.unknown"]);
    let both = [domestic.authority.certificate().clone(), next.certificate().clone()];
    domestic.clients.replace(&both).unwrap();
    assert!(domestic.meet(agency(&next), clock()).is_ok());
    assert!(domestic.meet(agency(&domestic.authority), clock()).is_ok());
}

#[test]
fn an_agency_of_another_realm_or_country_is_refused_even_under_a_trusted_authority() {
    let domestic = Domestic::new();
    for (realm, code) in [(Realm::Production, "GT"), (Realm::Training, "MX")] {
        let foreign = authority(realm, code, AuthorityKind::Domestic);
        domestic.clients.replace(&[foreign.certificate().clone()]).unwrap();
        assert!(domestic.meet(agency(&foreign), clock()).is_err());
    }
    assert_eq!(domestic.counted.codes(), ["realm.mismatch", "country.mismatch"]);
}

#[test]
fn an_unreadable_authority_changes_nothing() {
    let domestic = Domestic::new();
    let garbage = CertificateDer::from(b"garbage".to_vec());
    assert!(domestic.clients.replace(&[garbage]).is_err());
    assert!(domestic.clients.replace(&[]).is_err());
    assert!(domestic.meet(agency(&domestic.authority), clock()).is_ok());
}

#[test]
fn a_replaced_certificate_is_presented_at_the_next_handshake() {
    let federation = Federation::new();
    let mx = gateway(&federation.mx);
    let server = Arc::new(federation.server(gateway(&federation.gt), federation.members()));
    let client = Arc::new(federation.client(mx.clone(), clock()));
    let serial = || {
        let name = ServerName::try_from("localhost").unwrap();
        let mut one = ClientConnection::new(client.clone(), name).unwrap().into();
        let mut other = ServerConnection::new(server.clone()).unwrap().into();
        handshake(&mut one, &mut other).unwrap();
        peer_identity(&other).unwrap().serial
    };
    let former = serial();
    let next = federation.mx.issue_gateway(&["localhost".to_owned()], month()).unwrap();
    let other = federation.mx.issue_gateway(&["localhost".to_owned()], month()).unwrap();
    assert!(mx.replace(vec![next.certificate.clone()], &other.key).is_err());
    assert_eq!(serial(), former);
    mx.replace(vec![next.certificate], &next.key).unwrap();
    assert_ne!(serial(), former);
}

#[test]
fn a_browser_reaches_the_screens_without_a_certificate_and_a_key_of_another_is_refused() {
    let authority = authority(Realm::Training, "GT", AuthorityKind::Domestic);
    let issued = authority.issue_server(&["localhost".to_owned()], month()).unwrap();
    let another = authority.issue_server(&["localhost".to_owned()], month()).unwrap();
    let chain = crate::keys::pem::encode("CERTIFICATE", &issued.certificate);
    assert!(ScreensTls::new(chain.as_bytes(), &another.key, clock()).is_err());
    assert!(ScreensTls::new(b"no certificate", &issued.key, clock()).is_err());
    let screens = ScreensTls::new(chain.as_bytes(), &issued.key, clock()).unwrap();
    let trusted = domestic_server(&[authority.certificate().clone()]).unwrap();
    let browser = client_config(Arc::new(Anonymous), trusted, clock(), Alpn::Http1).unwrap();
    let (mut client, mut server) = connect(browser, screens.config().as_ref().clone());
    handshake(&mut client, &mut server).unwrap();
}
