//! One HTTP/2 connection over mTLS, opened when it is needed and shared by all requests.
//!
//! INVARIANT: a request is sent again on a new connection only when hyper gives it back unsent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::ClientError;

/// How long a connection may take to open, TLS included.
const OPENING: Duration = Duration::from_secs(10);
/// How often an idle connection is asked whether the node is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Bytes in flight per stream and connection: a list of thousands of rows without waiting.
const WINDOW_BYTES: u32 = 4 << 20;

/// Bytes in flight per connection: several such streams.
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;

type Sender = SendRequest<Full<Bytes>>;

/// Where to connect and as whom; the connection that stands.
pub(super) struct Connection {
    address: String,
    name: ServerName<'static>,
    tls: TlsConnector,
    standing: Mutex<Option<Sender>>,
    opening: tokio::sync::Mutex<()>,
}

impl Connection {
    /// To `host:port`, with this TLS.
    ///
    /// # Errors
    /// `Address` when it is not `host:port`.
    pub(super) fn new(address: &str, tls: Arc<rustls::ClientConfig>) -> Result<Self, ClientError> {
        let not_one = || ClientError::Address(address.to_owned());
        let (host, port) = address.rsplit_once(':').ok_or_else(not_one)?;
        port.parse::<u16>().map_err(|_| not_one())?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self {
            address: address.to_owned(),
            name: ServerName::try_from(host).map_err(|_| not_one())?,
            tls: TlsConnector::from(tls),
            standing: Mutex::new(None),
            opening: tokio::sync::Mutex::new(()),
        })
    }

    /// `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Sends a request; once more on a new connection when the standing one had ended before it was sent.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, ClientError> {
        let mut request = request;
        for _ in 0..2 {
            let mut sender = self.sender().await?;
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(mut failed) => {
                    self.forget();
                    let Some(unsent) = failed.take_message() else {
                        return Err(self.unanswered(&failed.into_error()));
                    };
                    request = unsent;
                }
            }
        }
        Err(self.unreachable(&"connection closed at once"))
    }

    async fn sender(&self) -> Result<Sender, ClientError> {
        if let Some(sender) = self.standing() {
            return Ok(sender);
        }
        // One opens, the others wait and find it open.
        let _opening = self.opening.lock().await;
        if let Some(sender) = self.standing() {
            return Ok(sender);
        }
        let opened = tokio::time::timeout(OPENING, self.open()).await;
        let sender = opened.map_err(|_| self.unreachable(&"time ran out"))??;
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender.clone());
        Ok(sender)
    }

    fn standing(&self) -> Option<Sender> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.as_ref().filter(|sender| !sender.is_closed()).cloned()
    }

    fn forget(&self) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn open(&self) -> Result<Sender, ClientError> {
        let stream = TcpStream::connect(&self.address).await.map_err(|error| self.unreachable(&error))?;
        stream.set_nodelay(true).map_err(|error| self.unreachable(&error))?;
        let tls =
            self.tls.connect(self.name.clone(), stream).await.map_err(|error| self.unreachable(&error))?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .handshake(TokioIo::new(tls))
            .await
            .map_err(|error| self.unreachable(&error))?;
        tokio::spawn(async move {
            // Its end is told to every request on it; there is nobody else to tell.
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn unreachable(&self, why: &dyn std::fmt::Display) -> ClientError {
        ClientError::Unreachable { address: self.address.clone(), why: why.to_string() }
    }

    fn unanswered(&self, why: &dyn std::fmt::Display) -> ClientError {
        ClientError::Unanswered { address: self.address.clone(), why: why.to_string() }
    }
}
