//! A client against a small server that behaves, hangs up, or belongs to somebody else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use puente_core::envelope::SignatureProfile;
use puente_core::ids::Realm;
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::config::Listen;
use crate::home::Home;
use crate::keys::tls::{Alpn, DomesticClients, server_config};
use crate::setup::{self, Init, load};

/// 2031-01-05T12:00:00Z.
const NOW_MS: i64 = 1_925_380_800_000;

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(NOW_MS))
}

fn country_home(folder: &Path, country: &str) -> Home {
    let home = Home::at(folder.join(country));
    let request = Init {
        country: country.parse().unwrap(),
        realm: Realm::Training,
        profile: SignatureProfile::P256,
        listen: Listen::default(),
        names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        gateway_address: "127.0.0.1:1".to_owned(),
        roles: None,
    };
    setup::init(&home, &request, clock().as_ref()).unwrap();
    home
}

fn credential(home: &Home, address: &str) -> AgencyCredential {
    let roles = ["returns_reception".parse().unwrap()];
    let enrolled = setup::agency::add(home, &"igm".parse().unwrap(), &roles, None, clock().as_ref()).unwrap();
    AgencyCredential {
        address: address.to_owned(),
        authority: enrolled.authority.into_bytes(),
        certificate: enrolled.certificate.into_bytes(),
        key: zeroize::Zeroizing::new(enrolled.key.unwrap().as_bytes().to_vec()),
    }
}

/// How the server treats its connections.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Behaves,
    ServesOneRequestPerConnection,
    HangsUpUnanswered,
}

/// Serves on a free port; answers the address and the number of connections so far.
async fn server(home: &Home, manner: Manner) -> (String, Arc<AtomicUsize>) {
    let certificates = load::certificates(home).unwrap();
    let realm = Realm::Training;
    let country = setup::directory::read(home).unwrap().country;
    let clients =
        DomesticClients::new(realm, country, &certificates.domestic_authorities, Arc::new(|_| {})).unwrap();
    let tls = load::tls_time(clock());
    let config = server_config(certificates.domestic_server, Arc::new(clients), tls, Alpn::Http2).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(tls) = acceptor.accept(stream).await else { continue };
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(connection(tls, manner));
        }
    });
    (address, connections)
}

async fn connection(tls: tokio_rustls::server::TlsStream<tokio::net::TcpStream>, manner: Manner) {
    let served = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&served);
    let service = service_fn(move |request: Request<Incoming>| {
        let told = Arc::clone(&told);
        async move {
            if manner == Manner::HangsUpUnanswered {
                told.notify_one();
                std::future::pending::<()>().await;
            }
            let path = request.uri().path().to_owned();
            let key = request.headers().get("idempotency-key").cloned();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            told.notify_one();
            let mut response = Response::new(Full::new(Bytes::from([path.as_bytes(), b" ", &body].concat())));
            response.headers_mut().extend(key.map(|key| (http::header::ETAG, key)));
            Ok::<_, Infallible>(response)
        }
    });
    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(tls), service);
    tokio::pin!(serving);
    if manner == Manner::Behaves {
        let _ = serving.await;
        return;
    }
    tokio::select! {
        _ = serving.as_mut() => return,
        () = served.notified() => {}
    }
    if manner == Manner::ServesOneRequestPerConnection {
        serving.as_mut().graceful_shutdown();
        let _ = serving.await;
    }
}

#[tokio::test]
async fn a_request_goes_out_whole_and_its_answer_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let home = country_home(folder.path(), "GT");
    let (address, _) = server(&home, Manner::Behaves).await;
    let client = AgencyClient::new(&credential(&home, &address), clock()).unwrap();
    let headers = HeaderMap::from_iter([("idempotency-key".parse().unwrap(), "k1".parse().unwrap())]);
    let answer = client.request(Method::POST, "/v1/messages", headers, "{}").await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["etag"], "k1");
    assert_eq!(answer.body.as_ref(), b"/v1/messages {}");
}

#[tokio::test]
async fn many_requests_share_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let home = country_home(folder.path(), "GT");
    let (address, connections) = server(&home, Manner::Behaves).await;
    let client = AgencyClient::new(&credential(&home, &address), clock()).unwrap();
    let asking = (0..100).map(|number| {
        let client = client.clone();
        tokio::spawn(async move { client.get(&format!("/{number}")).await.unwrap().body })
    });
    for (number, answer) in asking.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(answer.await.unwrap(), format!("/{number} "));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_the_node_closed_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let home = country_home(folder.path(), "GT");
    let (address, connections) = server(&home, Manner::ServesOneRequestPerConnection).await;
    let client = AgencyClient::new(&credential(&home, &address), clock()).unwrap();
    for _ in 0..3 {
        assert_eq!(client.get("/").await.unwrap().status, 200);
    }
    assert!(connections.load(Ordering::SeqCst) > 1);
}

#[tokio::test]
async fn a_request_that_may_have_had_its_effect_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let home = country_home(folder.path(), "GT");
    let (address, connections) = server(&home, Manner::HangsUpUnanswered).await;
    let client = AgencyClient::new(&credential(&home, &address), clock()).unwrap();
    let refused = client.request(Method::POST, "/", HeaderMap::new(), "{}").await;
    assert!(matches!(refused, Err(ClientError::Unanswered { .. })));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_node_that_is_not_there_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let home = country_home(folder.path(), "GT");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = AgencyClient::new(&credential(&home, &address), clock()).unwrap();
    assert!(client.get("/").await.unwrap_err().is_unreachable());
}

#[tokio::test]
async fn a_node_of_another_country_is_not_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let (gt, mx) = (country_home(folder.path(), "GT"), country_home(folder.path(), "MX"));
    let (address, _) = server(&mx, Manner::Behaves).await;
    let client = AgencyClient::new(&credential(&gt, &address), clock()).unwrap();
    assert!(client.get("/").await.unwrap_err().is_unreachable());
}

#[tokio::test]
async fn a_credential_is_read_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let home = country_home(folder.path(), "GT");
    let made = credential(&home, "127.0.0.1:8443");
    let out = folder.path().join("igm");
    std::fs::create_dir(&out).unwrap();
    assert!(matches!(AgencyCredential::read(&out), Err(ClientError::Credential { .. })));
    std::fs::write(out.join("address"), "127.0.0.1:8443\n").unwrap();
    std::fs::write(out.join("ca.pem"), &made.authority).unwrap();
    std::fs::write(out.join("client.pem"), &made.certificate).unwrap();
    crate::keys::write_private(&out.join("client.key"), &made.key).unwrap();
    let read = AgencyCredential::read(&out).unwrap();
    assert_eq!(read.address, made.address);
    assert_eq!(read.identity().unwrap().to_string(), "urn:puente:training:GT:agency:igm");
    assert!(AgencyClient::new(&read, clock()).is_ok());
}

#[tokio::test]
async fn an_address_without_a_port_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let home = country_home(folder.path(), "GT");
    for address in ["localhost", "localhost:", ":", "localhost:https", "local host:443"] {
        let made = AgencyClient::new(&credential(&home, address), clock());
        assert!(matches!(made, Err(ClientError::Address(_))), "{address}");
    }
}

#[tokio::test]
async fn the_operator_asks_over_the_socket_of_the_home() {
    let folder = tempfile::tempdir().unwrap();
    let socket = Home::at(folder.path()).socket();
    let client = AdminClient::at(&socket);
    assert!(client.request(Method::GET, "/v1/health").await.unwrap_err().is_unreachable());
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(async |request: Request<Incoming>| {
            let body = format!("{{\"asked\": \"{} {}\"}}", request.method(), request.uri());
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(body))))
        });
        let _ =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    });
    let answer = client.request(Method::POST, "/v1/reload").await.unwrap();
    let body: serde_json::Value = answer.json().unwrap();
    assert_eq!(body["asked"], "POST /v1/reload");
}
