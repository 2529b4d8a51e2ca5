//! One call of a webhook: resolve, check the address, connect, prove who calls, post, look at the status.
//!
//! Not here: what comes of it (`puente_core::delivery`). INVARIANT: every call resolves anew and connects to an address that
//! was checked, never to a name; it follows no redirect, reads no body of the answer, and ends in time.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::client::ResolvesClientCert;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use puente_core::delivery::{CLOUD_EVENT_MEDIA, CallOutcome, CloudEvent, WebhookTarget};
use puente_core::problem;

use crate::config::{Network, may_call};
use crate::keys::HttpSigner;
use crate::keys::tls::{Alpn, Anonymous, Receiver, client_config};
use crate::webhook::Endpoint;

/// Bytes of the answer's head that are read at most; of its body none is.
const HEAD_BYTES: usize = 16 * 1024;

/// What a name resolves to.
pub type Resolved<'a> = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// Finds the addresses of a host; another one in tests.
pub trait Resolve: Send + Sync {
    /// The addresses that this host has now.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolved<'a>;
}

/// The resolver of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolved<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Makes calls.
pub struct Caller {
    /// Finds addresses.
    pub resolver: Box<dyn Resolve>,
    /// The networks that may be called.
    pub networks: Vec<Network>,
    /// The certificate that is shown where the webhook asks for it.
    pub certificate: Arc<dyn ResolvesClientCert>,
    /// The instant by which certificates are judged.
    pub time: Arc<dyn TimeProvider>,
    /// Signs what is posted.
    pub signer: HttpSigner,
    /// How long connecting may take, and how long the answer.
    pub patience: Duration,
}

type Connection = tokio_rustls::client::TlsStream<TcpStream>;

const UNREACHABLE: CallOutcome = CallOutcome::Unreached(&problem::WEBHOOK_UNREACHABLE);
const UNANSWERED: CallOutcome = CallOutcome::Failed(&problem::WEBHOOK_UNANSWERED);

impl Caller {
    /// Posts the event to the target at this instant (seconds since the epoch).
    pub async fn call(&self, target: &WebhookTarget, event: &CloudEvent, now_s: i64) -> CallOutcome {
        let Ok(body) = serde_json::to_vec(event) else { return UNREACHABLE };
        self.post(target, CLOUD_EVENT_MEDIA, body.into(), now_s).await
    }

    /// Posts a body of this media type to the target at this instant (seconds since the epoch).
    pub async fn post(
        &self,
        target: &WebhookTarget,
        media: &'static str,
        body: Bytes,
        now_s: i64,
    ) -> CallOutcome {
        let Some(endpoint) = Endpoint::parse(&target.url) else { return UNREACHABLE };
        let Some(request) = self.request(&endpoint, media, body, now_s) else { return UNREACHABLE };
        let connection = match timeout(self.patience, self.connect(target, &endpoint)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(outcome)) => return outcome,
            Err(_) => return UNREACHABLE,
        };
        match timeout(self.patience, exchange(connection, request)).await {
            Ok(Some(status)) => judge(status),
            // The receiver may have it: it is told again, under the same id.
            Ok(None) | Err(_) => UNANSWERED,
        }
    }

    /// Whether the target can be connected to now.
    pub async fn reaches(&self, target: &WebhookTarget) -> bool {
        let Some(endpoint) = Endpoint::parse(&target.url) else { return false };
        matches!(timeout(self.patience, self.connect(target, &endpoint)).await, Ok(Ok(_)))
    }

    fn request(
        &self,
        endpoint: &Endpoint,
        media: &'static str,
        body: Bytes,
        now_s: i64,
    ) -> Option<Request<Full<Bytes>>> {
        let host = endpoint.uri().authority()?.as_str();
        let mut request = Request::post(endpoint.uri().clone())
            .header(header::HOST, HeaderValue::from_str(host).ok()?)
            .header(header::CONTENT_TYPE, media)
            .header(header::CONNECTION, "close")
            .body(body)
            .ok()?;
        self.signer.sign(&mut request, now_s).ok()?;
        // Signed with the whole address; on the wire stands its path (RFC 9112 section 3.2.1).
        *request.uri_mut() = endpoint.uri().path_and_query()?.as_str().parse().ok()?;
        Some(request.map(Full::new))
    }

    async fn connect(&self, target: &WebhookTarget, endpoint: &Endpoint) -> Result<Connection, CallOutcome> {
        let receiver = Receiver::new(target.authority.as_deref(), target.pin).map_err(|_| UNREACHABLE)?;
        let own: Arc<dyn ResolvesClientCert> =
            if target.present_certificate { Arc::clone(&self.certificate) } else { Arc::new(Anonymous) };
        let tls = client_config(own, Arc::new(receiver), Arc::clone(&self.time), Alpn::Http1)
            .map_err(|_| UNREACHABLE)?;
        let name = ServerName::try_from(endpoint.host().to_owned()).map_err(|_| UNREACHABLE)?;
        let found = self.resolver.resolve(endpoint.host(), endpoint.port()).await.map_err(|_| UNREACHABLE)?;
        let allowed = found.iter().find(|at| may_call(&self.networks, at.ip()));
        let address = match allowed {
            Some(address) => *address,
            None if found.is_empty() => return Err(UNREACHABLE),
            None => return Err(CallOutcome::Unreached(&problem::WEBHOOK_ADDRESS)),
        };
        let stream = TcpStream::connect(address).await.map_err(|_| UNREACHABLE)?;
        stream.set_nodelay(true).map_err(|_| UNREACHABLE)?;
        TlsConnector::from(Arc::new(tls)).connect(name, stream).await.map_err(|_| UNREACHABLE)
    }
}

/// The status of the answer; its body is left unread, and the connection ends with this.
async fn exchange(connection: Connection, request: Request<Full<Bytes>>) -> Option<StatusCode> {
    let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(connection));
    let (mut sender, connection) = handshake.await.ok()?;
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    sender.send_request(request).await.ok().map(|answer| answer.status())
}

/// What a status says: only 2xx is a delivery.
fn judge(status: StatusCode) -> CallOutcome {
    if status.is_success() {
        CallOutcome::Taken
    } else if status == StatusCode::GONE {
        CallOutcome::Gone
    } else if status.is_redirection() {
        CallOutcome::Refused(&problem::WEBHOOK_REDIRECTED)
    } else if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
        CallOutcome::Failed(&problem::WEBHOOK_REFUSED)
    } else {
        CallOutcome::Refused(&problem::WEBHOOK_REFUSED)
    }
}
