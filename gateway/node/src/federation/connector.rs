//! Connections to peers: HTTP/2 over mTLS, kept while they are young, one per purpose.
//!
//! Not here: what is sent. INVARIANT: a connection to a country ends at a certificate of that country,
//! verified against the membership in force when it was made, and it is not older than the configured age.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use puente_core::catalogue::Lane;
use puente_core::ids::{CountryCode, Digest};
use puente_core::membership::Membership;
use puente_core::problem::{self, Problem};

use crate::config::{Limits, Times};

/// Longest time for one request to a peer.
const REQUEST_SECONDS: u64 = 60;

/// Why a peer did not answer as it should.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    /// No connection, or it broke: the same again later.
    #[error("peer is unreachable: {0}")]
    Unreachable(String),
    /// The answer is not of the protocol.
    #[error("peer answered something else: {0}")]
    Garbage(Problem),
    /// The peer refused the request as a whole.
    #[error("peer refused with status {0}")]
    Status(StatusCode),
}

struct Link {
    sender: SendRequest<Full<Bytes>>,
    made: Instant,
    under: Lists,
}

/// Which lists a connection was made under; with others it is made anew.
type Lists = ((u64, Digest), Option<u64>);

/// The place of one connection: whoever holds the lock makes it, the others wait for it.
type Slot = Arc<Mutex<Option<Link>>>;

/// Builds the TLS configuration for connections to one country.
pub type TlsTo = Arc<dyn Fn(&CountryCode) -> Option<Arc<rustls::ClientConfig>> + Send + Sync>;

/// Finds the membership in force.
pub type MembershipNow = Arc<dyn Fn() -> Arc<Membership> + Send + Sync>;

/// Connections of this node to its peers.
pub struct Connector {
    tls: TlsTo,
    membership: MembershipNow,
    limits: Limits,
    times: Times,
    links: Mutex<BTreeMap<(CountryCode, Option<Lane>), Slot>>,
}

impl Connector {
    /// A connector without connections yet.
    #[must_use]
    pub fn new(tls: TlsTo, membership: MembershipNow, limits: Limits, times: Times) -> Self {
        Self { tls, membership, limits, times, links: Mutex::new(BTreeMap::new()) }
    }

    /// A GET outside any lane.
    ///
    /// # Errors
    /// When the peer cannot be reached or does not answer 200.
    pub async fn get(&self, peer: &CountryCode, path: &str) -> Result<Bytes, LinkError> {
        self.request(peer, None, Method::GET, path, "", Bytes::new()).await
    }

    /// Sends a request on the connection that this peer and lane have to themselves.
    ///
    /// # Errors
    /// When the peer cannot be reached, does not answer in time or within bounds, or answers another
    /// status than 200 or 204.
    pub async fn request(
        &self,
        peer: &CountryCode,
        lane: Option<Lane>,
        method: Method,
        path: &str,
        media: &str,
        body: Bytes,
    ) -> Result<Bytes, LinkError> {
        let slot = Arc::clone(self.links.lock().await.entry((peer.clone(), lane)).or_default());
        let mut sender = self.sender(&slot, peer).await?;
        let request = Request::builder()
            .method(method)
            .uri(format!("https://{}.puente.invalid{path}", peer.lower()))
            .header(http::header::CONTENT_TYPE, media)
            .body(Full::new(body))
            .map_err(|error| LinkError::Unreachable(error.to_string()))?;
        let limit = self.limits.federation_body_bytes;
        let exchange = async {
            let response =
                sender.send_request(request).await.map_err(|e| LinkError::Unreachable(e.to_string()))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), limit).collect().await;
            match (status, body) {
                (StatusCode::OK | StatusCode::NO_CONTENT, Ok(body)) => Ok(body.to_bytes()),
                (StatusCode::OK, Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                    Err(LinkError::Garbage(Problem::new(&problem::PEER_GARBAGE)))
                }
                (StatusCode::OK, Err(error)) => Err(LinkError::Unreachable(error.to_string())),
                (status, _) => Err(LinkError::Status(status)),
            }
        };
        let answer = tokio::time::timeout(Duration::from_secs(REQUEST_SECONDS), exchange)
            .await
            .unwrap_or_else(|_| Err(LinkError::Unreachable("no answer in time".to_owned())));
        if matches!(answer, Err(LinkError::Unreachable(_))) {
            *slot.lock().await = None;
        }
        answer
    }

    async fn sender(
        &self,
        slot: &Mutex<Option<Link>>,
        peer: &CountryCode,
    ) -> Result<SendRequest<Full<Bytes>>, LinkError> {
        let mut link = slot.lock().await;
        let age = Duration::from_secs(self.times.connection_age_seconds);
        let membership = (self.membership)();
        let under = (membership.version(), membership.directory_version(peer));
        let stands =
            |link: &&Link| !link.sender.is_closed() && link.made.elapsed() < age && link.under == under;
        if let Some(link) = link.as_ref().filter(stands) {
            return Ok(link.sender.clone());
        }
        let sender = self.connect(peer).await?;
        *link = Some(Link { sender: sender.clone(), made: Instant::now(), under });
        Ok(sender)
    }

    async fn connect(&self, peer: &CountryCode) -> Result<SendRequest<Full<Bytes>>, LinkError> {
        let unreachable = |error: &dyn std::fmt::Display| LinkError::Unreachable(error.to_string());
        let membership = (self.membership)();
        let gateways = membership.gateways(peer);
        let config = (self.tls)(peer).ok_or_else(|| LinkError::Unreachable("not a member".to_owned()))?;
        // The name is only for SNI; the verifier looks at the country in the certificate.
        let name =
            ServerName::try_from(format!("{}.puente.invalid", peer.lower())).map_err(|e| unreachable(&e))?;
        let mut last = LinkError::Unreachable("its directory names no gateway".to_owned());
        for gateway in gateways {
            let attempt = async {
                let stream = TcpStream::connect(&gateway.address).await.map_err(|e| unreachable(&e))?;
                stream.set_nodelay(true).map_err(|e| unreachable(&e))?;
                let tls = TlsConnector::from(Arc::clone(&config))
                    .connect(name.clone(), stream)
                    .await
                    .map_err(|e| unreachable(&e))?;
                let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .keep_alive_interval(Duration::from_secs(20))
                    .keep_alive_timeout(Duration::from_secs(10))
                    .adaptive_window(true)
                    .handshake(TokioIo::new(tls))
                    .await
                    .map_err(|e| unreachable(&e))?;
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "connection to a peer ended");
                    }
                });
                Ok(sender)
            };
            match tokio::time::timeout(Duration::from_secs(self.times.handshake_seconds), attempt).await {
                Ok(Ok(sender)) => return Ok(sender),
                Ok(Err(error)) => last = error,
                Err(_) => last = LinkError::Unreachable("no handshake in time".to_owned()),
            }
        }
        Err(last)
    }
}
