//! One call against receivers that behave, refuse, redirect, hang, pretend and move.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use puente_core::delivery::{CallOutcome, CloudEvent, Event, EventKind, WebhookTarget};
use puente_core::envelope::SignatureProfile;
use puente_core::ids::{Digest, Realm};
use puente_core::problem::Kind;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::config::{Listen, Network};
use crate::home::Home;
use crate::keys::pki::{PeerCertificate, to_pem};
use crate::keys::tls::{Alpn, DomesticClients, server_config};
use crate::keys::{KeyFile, KeyUse};
use crate::setup::{self, Init, load};

const NOW_MS: i64 = 1_795_618_800_000;

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(NOW_MS))
}

/// A host whose addresses are another list at every call.
struct Moving(Mutex<Vec<Vec<SocketAddr>>>);

impl Resolve for Moving {
    fn resolve<'a>(&'a self, _host: &'a str, _port: u16) -> Resolved<'a> {
        let next = self.0.lock().unwrap().pop();
        Box::pin(async move { next.ok_or_else(|| std::io::Error::other("no such host")) })
    }
}

/// A receiver on loopback with the certificate of a node's domestic face.
struct Receiving {
    _folder: tempfile::TempDir,
    home: Home,
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Receiving {
    /// Answers every request with these bytes, and then says no more.
    async fn with(answer: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("GT"));
        let any = "127.0.0.1:0".to_owned();
        let request = Init {
            country: "GT".parse().unwrap(),
            realm: Realm::Training,
            profile: SignatureProfile::P256,
            listen: Listen { domestic: any.clone(), federation: any.clone(), operations: any.clone() },
            names: vec!["127.0.0.1".to_owned(), "igm.example".to_owned()],
            gateway_address: any,
            roles: None,
        };
        setup::init(&home, &request, clock().as_ref()).unwrap();
        let own = load::certificates(&home).unwrap();
        // It demands a client certificate, as an agency's system may.
        let clients = Arc::new(AnyClient(
            DomesticClients::new(
                Realm::Training,
                "GT".parse().unwrap(),
                &own.domestic_authorities,
                Arc::new(|_| {}),
            )
            .unwrap(),
        ));
        let tls = server_config(own.domestic_server, clients, load::tls_time(clock()), Alpn::Http1).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (heard, counted) = (Arc::clone(&requests), Arc::clone(&connections));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let (acceptor, heard) = (acceptor.clone(), Arc::clone(&heard));
                tokio::spawn(async move {
                    let Ok(mut tls) = acceptor.accept(stream).await else { return };
                    let mut request = vec![0; 16 * 1024];
                    let mut read = 0;
                    while !whole(&request[..read]) {
                        match tls.read(&mut request[read..]).await {
                            Ok(count) if count > 0 => read += count,
                            _ => return,
                        }
                    }
                    request.truncate(read);
                    heard.lock().unwrap().push(String::from_utf8(request).unwrap());
                    let _ = tls.write_all(answer.as_bytes()).await;
                    let _ = tls.flush().await;
                    std::future::pending::<()>().await;
                });
            }
        });
        Self { _folder: folder, home, address, requests, connections }
    }

    fn authority(&self) -> String {
        let authorities = load::certificates(&self.home).unwrap().domestic_authorities;
        to_pem(authorities.first().unwrap())
    }

    fn pin(&self) -> Digest {
        let pem = std::fs::read(self.home.certificate("domestic-server")).unwrap();
        PeerCertificate::from_der(&CertificateDer::from_pem_slice(&pem).unwrap()).unwrap().spki
    }

    fn target(&self, host: &str) -> WebhookTarget {
        WebhookTarget {
            url: format!("https://{host}:{}/events?of=gt", self.address.port()),
            authority: Some(self.authority()),
            pin: None,
            present_certificate: true,
            kinds: Vec::new(),
            message_types: Vec::new(),
        }
    }

    /// A caller for whom every name resolves to these, one list a call, and then to nothing.
    fn caller(&self, networks: &[&str], addresses: &[&[IpAddr]]) -> Caller {
        let of_call = |list: &&[IpAddr]| list.iter().map(|ip| (*ip, self.address.port()).into()).collect();
        let mut lists: Vec<Vec<SocketAddr>> = addresses.iter().map(of_call).collect();
        lists.reverse();
        let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
        Caller {
            resolver: Box::new(Moving(Mutex::new(lists))),
            networks: networks.iter().map(|text| text.parse::<Network>().unwrap()).collect(),
            certificate: load::certificates(&self.home).unwrap().domestic_server,
            time: load::tls_time(clock()),
            signer: key.http_signer().unwrap(),
            patience: Duration::from_millis(500),
        }
    }

    fn heard(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    body.len() >= length.parse().unwrap()
}

/// Lets in the country's node, which `DomesticClients` would not take for an agency.
#[derive(Debug)]
struct AnyClient(DomesticClients);

impl rustls::server::danger::ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: rustls_pki_types::UnixTime,
    ) -> Result<rustls::server::danger::ClientCertVerified, rustls::Error> {
        Ok(rustls::server::danger::ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn event() -> CloudEvent {
    let event = Event {
        kind: EventKind::HoldEnded,
        agency: Some("IGM".parse().unwrap()),
        role: "returns_reception".parse().unwrap(),
        message: None,
        approval: None,
        message_type: None,
        state: "ended".to_owned(),
        at_ms: NOW_MS,
    };
    CloudEvent::of(Realm::Training, &"GT".parse().unwrap(), 42, event)
}

fn code(outcome: CallOutcome) -> &'static str {
    let of = |kind: &'static Kind| kind.code;
    match outcome {
        CallOutcome::Taken => "taken",
        CallOutcome::Gone => "gone",
        CallOutcome::Refused(kind) | CallOutcome::Failed(kind) | CallOutcome::Unreached(kind) => of(kind),
    }
}

const LOOPBACK: &[IpAddr] = &[IpAddr::V4(Ipv4Addr::LOCALHOST)];
const OPEN: &[&str] = &["127.0.0.0/8"];

#[tokio::test]
async fn a_signed_event_reaches_a_receiver_that_answers_2xx() {
    let receiving = Receiving::with("HTTP/1.1 204 No Content\r\n\r\n").await;
    let caller = receiving.caller(OPEN, &[LOOPBACK]);
    let outcome = caller.call(&receiving.target("igm.example"), &event(), NOW_MS / 1000).await;
    assert_eq!(outcome, CallOutcome::Taken);
    let request = receiving.requests.lock().unwrap().first().unwrap().clone();
    assert!(request.starts_with("POST /events?of=gt HTTP/1.1\r\n"), "{request}");
    let port = receiving.address.port();
    for line in [
        format!("host: igm.example:{port}\r\n"),
        "content-type: application/cloudevents+json\r\n".to_owned(),
        "content-digest: sha-256=:".to_owned(),
        "signature-input: puente=(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\");"
            .to_owned(),
        "signature: puente=:".to_owned(),
        "\"id\":\"42\"".to_owned(),
    ] {
        assert!(request.contains(&line), "{line} is not in {request}");
    }
}

#[tokio::test]
async fn only_2xx_is_a_delivery_and_no_redirect_is_followed() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\nnever read whole", "taken"),
        ("HTTP/1.1 500 Oops\r\n\r\n", "webhook.refused"),
        ("HTTP/1.1 400 No\r\n\r\n", "webhook.refused"),
        ("HTTP/1.1 410 Gone\r\n\r\n", "gone"),
        ("HTTP/1.1 307 There\r\nlocation: https://169.254.169.254/\r\n\r\n", "webhook.redirected"),
        ("SSH-2.0-OpenSSH\r\n", "webhook.unanswered"),
    ] {
        let receiving = Receiving::with(answer).await;
        let caller = receiving.caller(OPEN, &[LOOPBACK]);
        let outcome = caller.call(&receiving.target("igm.example"), &event(), NOW_MS / 1000).await;
        assert_eq!(code(outcome), expected, "{answer}");
        assert_eq!(receiving.connections.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_is_let_go_in_time() {
    let receiving = Receiving::with("").await;
    let caller = receiving.caller(OPEN, &[LOOPBACK]);
    let outcome = caller.call(&receiving.target("igm.example"), &event(), NOW_MS / 1000).await;
    assert_eq!((code(outcome), receiving.heard()), ("webhook.unanswered", 1));
}

#[tokio::test]
async fn an_answer_whose_head_never_ends_is_not_read_for_ever() {
    let endless: &'static str =
        Box::leak(format!("HTTP/1.1 200 OK\r\nx: {}", "a".repeat(100_000)).into_boxed_str());
    let receiving = Receiving::with(endless).await;
    let caller = receiving.caller(OPEN, &[LOOPBACK]);
    let outcome = caller.call(&receiving.target("igm.example"), &event(), NOW_MS / 1000).await;
    assert_eq!(code(outcome), "webhook.unanswered");
}

#[tokio::test]
async fn a_name_that_turns_to_a_forbidden_address_is_called_no_more() {
    let receiving = Receiving::with("HTTP/1.1 204 No Content\r\n\r\n").await;
    let metadata: IpAddr = "169.254.169.254".parse().unwrap();
    let loopback6: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
    // Loopback is what is listed first, then it is not: the name itself has not changed.
    let listed =
        receiving.caller(OPEN, &[LOOPBACK, &[metadata], &[metadata, LOOPBACK[0]], &[], &[loopback6]]);
    let call = async |caller: &Caller| code(caller.call(&receiving.target("igm.example"), &event(), 0).await);
    assert_eq!(call(&listed).await, "taken");
    assert_eq!(call(&listed).await, "webhook.address");
    assert_eq!(call(&listed).await, "taken");
    assert_eq!(call(&listed).await, "webhook.unreachable");
    assert_eq!(call(&listed).await, "taken");
    let connections = receiving.connections.load(Ordering::SeqCst);
    for networks in [&["0.0.0.0/0", "::/0"][..], &["203.0.113.0/24"], &[]] {
        let caller = receiving.caller(networks, &[LOOPBACK, &[loopback6]]);
        assert_eq!(call(&caller).await, "webhook.address");
        assert_eq!(call(&caller).await, "webhook.address");
    }
    assert_eq!(receiving.connections.load(Ordering::SeqCst), connections, "not even a connection was made");
}

#[tokio::test]
async fn a_receiver_is_known_by_its_authority_its_key_or_both_and_otherwise_told_nothing() {
    let receiving = Receiving::with("HTTP/1.1 204 No Content\r\n\r\n").await;
    let other = Receiving::with("").await;
    let call = async |change: &dyn Fn(&mut WebhookTarget)| {
        let caller = receiving.caller(OPEN, &[LOOPBACK]);
        let mut target = receiving.target("igm.example");
        change(&mut target);
        code(caller.call(&target, &event(), NOW_MS / 1000).await)
    };
    let pin = receiving.pin();
    assert_eq!(call(&|target| target.pin = Some(pin)).await, "taken");
    assert_eq!(call(&|target| (target.authority, target.pin) = (None, Some(pin))).await, "taken");
    let heard = receiving.heard();
    assert_eq!(call(&|target| target.pin = Some(Digest::of(b"another"))).await, "webhook.unreachable");
    assert_eq!(call(&|target| target.authority = Some(other.authority())).await, "webhook.unreachable");
    assert_eq!(call(&|target| target.authority = None).await, "webhook.unreachable");
    let elsewhere = |target: &mut WebhookTarget| target.url = target.url.replace("igm.example", "mx.example");
    assert_eq!(call(&elsewhere).await, "webhook.unreachable");
    assert_eq!(call(&|target| target.present_certificate = false).await, "webhook.unanswered");
    assert_eq!(receiving.heard(), heard);
}
