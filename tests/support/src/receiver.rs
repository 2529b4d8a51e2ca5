//! A system that an agency has its events sent to: what it was sent, and what it answers, both in the test's hands.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use puente_node::clock::Clock;
use puente_node::keys::pki::to_pem;
use puente_node::keys::tls::{self, Alpn};
use puente_node::setup::load;
use rustls::server::NoClientAuth;

use crate::Federation;

/// What the receiver answers to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// This status.
    Answers(u16),
    /// A redirect to another path of its own.
    Redirects,
    /// Nothing, ever.
    Hangs,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Called {
    /// Path and query.
    pub path: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// The event.
    pub event: Value,
}

#[derive(Default)]
struct Desk {
    calls: Vec<Called>,
    manners: VecDeque<Manner>,
    usual: Option<Manner>,
}

/// A receiver on loopback, with a certificate under the authority of a country's domestic face.
pub struct Receiver {
    desk: Arc<Mutex<Desk>>,
    address: std::net::SocketAddr,
    authority: String,
    _stop: watch::Sender<bool>,
}

fn open(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn called(
    State(desk): State<Arc<Mutex<Desk>>>,
    uri: http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let manner = {
        let mut desk = open(&desk);
        let event = serde_json::from_slice(&body).unwrap_or_default();
        let path = uri.path_and_query().map_or_else(String::new, ToString::to_string);
        desk.calls.push(Called { path, headers, event });
        let usual = desk.usual.unwrap_or(Manner::Answers(204));
        desk.manners.pop_front().unwrap_or(usual)
    };
    match manner {
        Manner::Answers(status) => StatusCode::from_u16(status).unwrap_or_default().into_response(),
        Manner::Redirects => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere")]).into_response()
        }
        Manner::Hangs => std::future::pending().await,
    }
}

impl Receiver {
    /// Starts one beside a country's node, on a free port or on the one that another had.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn beside(federation: &Federation, country: &str, port: u16) -> Result<Self> {
        let home = federation.member(country)?.home.clone();
        let own = load::certificates(&home)?;
        let clock = Arc::clone(&federation.clock) as Arc<dyn Clock>;
        let authority = own.domestic_authorities.first().map(|own| to_pem(own)).unwrap_or_default();
        let time = load::tls_time(clock);
        let tls = tls::server_config(own.domestic_server, Arc::new(NoClientAuth), time, Alpn::Http1)?;
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Mutex::new(Desk::default()));
        let router = axum::Router::new().fallback(called).with_state(Arc::clone(&desk));
        let (stop, mut stopped) = watch::channel(false);
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(async move {
            // Whatever is in progress ends with the receiver, as with a machine that loses power.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = stopped.changed() => return,
                };
                let Ok((stream, _)) = accepted else { continue };
                let (acceptor, router) = (acceptor.clone(), router.clone());
                connections.spawn(async move {
                    let Ok(tls) = acceptor.accept(stream).await else { return };
                    let service = hyper_util::service::TowerToHyperService::new(router);
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(hyper_util::rt::TokioIo::new(tls), service)
                        .await;
                });
            }
        });
        Ok(Self { desk, address, authority, _stop: stop })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// What an agency posts to `/v1/webhooks` to have every event from the first on sent here.
    #[must_use]
    pub fn form(&self) -> Value {
        json!({"url": format!("https://{}/events", self.address), "authority": self.authority, "after": 0})
    }

    /// Answers the next calls like this, one after another.
    pub fn next(&self, manners: &[Manner]) {
        open(&self.desk).manners = manners.iter().copied().collect();
    }

    /// Answers whatever comes after those like this.
    pub fn usually(&self, manner: Manner) {
        open(&self.desk).usual = Some(manner);
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Called> {
        open(&self.desk).calls.clone()
    }

    /// Cursors of the events that came, in the order of the calls.
    #[must_use]
    pub fn ids(&self) -> Vec<i64> {
        let id = |called: &Called| called.event.get("id")?.as_str()?.parse().ok();
        self.calls().iter().filter_map(id).collect()
    }

    /// The cursors of the calls, once there are so many.
    ///
    /// # Errors
    /// When there are not within 20 seconds.
    pub async fn until(&self, count: usize) -> Result<Vec<i64>> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            let ids = self.ids();
            if ids.len() >= count {
                return Ok(ids);
            }
            if tokio::time::Instant::now() > deadline {
                bail!("{} calls of {count} were made", ids.len());
            }
            pause.tick().await;
        }
    }
}
