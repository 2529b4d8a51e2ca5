//! Where a desk listens: on loopback, or with TLS on the agency's network.
//!
//! Not here: what it answers. INVARIANT: off loopback nothing is served without TLS, and every connection ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::keys::tls::ScreensTls;

use super::guard::Address;
use super::{Desk, Room, router};

/// Connections at a time: a few screens, each with the handful that a browser opens.
const CONNECTIONS: usize = 64;
/// How long a handshake, or the head of a request, may take.
const OPENING: Duration = Duration::from_secs(10);
/// A connection ends after this time, in use or not.
const AGE: Duration = Duration::from_secs(600);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;
/// What is in progress at the end has this long.
const DRAIN: Duration = Duration::from_secs(5);

/// How a desk is reached.
pub struct Listening {
    /// The address.
    pub at: SocketAddr,
    /// The names that a browser may use; the address itself and `localhost` on loopback.
    pub names: Vec<String>,
    /// TLS; without it only loopback is served.
    pub tls: Option<ScreensTls>,
}

impl Listening {
    /// What a browser may call it, the first being what is announced.
    fn hosts(&self) -> Result<Vec<String>, DeskError> {
        let ip = self.at.ip();
        let mut hosts = self.names.clone();
        if ip.is_loopback() {
            let ip = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
            hosts.extend([ip, "localhost".to_owned()]);
        } else if self.tls.is_none() {
            return Err(DeskError::NotLoopback(self.at));
        }
        if hosts.is_empty() { Err(DeskError::Unnamed) } else { Ok(hosts) }
    }
}

/// Why a desk is not opened.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The address is not loopback and there is no TLS.
    #[error("`{0}` is not loopback: a desk on a network needs a certificate and its key")]
    NotLoopback(SocketAddr),
    /// The address is not loopback and no name is given.
    #[error("a desk on a network needs the name by which browsers reach it")]
    Unnamed,
    /// The address cannot be listened on.
    #[error("`{at}` cannot be listened on: {source}")]
    Listen {
        /// The address.
        at: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A desk that is open; it closes when this is dropped.
pub struct Opened {
    /// The address for a browser.
    pub url: String,
    /// The code that lets in, and each that follows it.
    pub codes: watch::Receiver<String>,
    end: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

impl Opened {
    /// Closes it after what is in progress.
    pub async fn close(self) {
        self.end.send_replace(true);
        // It ends by itself, or was never more than the process it ran in.
        let _ = self.serving.await;
    }
}

impl Desk {
    /// Opens the desk.
    ///
    /// # Errors
    /// `NotLoopback` and `Unnamed` for a network address without TLS or name, `Listen` when the system refuses.
    pub async fn open(self, listening: Listening) -> Result<Opened, DeskError> {
        let names = listening.hosts()?;
        let Listening { at, tls, .. } = listening;
        let failed = |source| DeskError::Listen { at, source };
        let listener = TcpListener::bind(at).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let address = Address::of(&names, port, tls.is_some());
        let url = address.url();
        let (room, codes) = Room::new(self, address, port);
        let (end, ended) = watch::channel(false);
        let tls = tls.map(|tls| TlsAcceptor::from(tls.config()));
        let serving = tokio::spawn(accept(listener, router(&room), tls, ended));
        Ok(Opened { url, codes, end, serving })
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    ended: watch::Receiver<bool>,
) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    let mut tasks = JoinSet::new();
    let mut end = ended.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // An error says that whoever opened the desk is gone.
            _ = end.wait_for(|ended| *ended) => break,
        };
        while tasks.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors or the like: let the ones that are open end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else { continue };
        let (router, tls, ended) = (router.clone(), tls.clone(), ended.clone());
        tasks.spawn(async move {
            let _seat = seat;
            connection(stream, router, tls, ended).await;
        });
    }
    let _ = tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await;
}

async fn connection(
    stream: TcpStream,
    router: Router,
    tls: Option<TlsAcceptor>,
    ended: watch::Receiver<bool>,
) {
    match tls {
        None => exchange(stream, router, ended).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(OPENING, tls.accept(stream)).await {
                exchange(stream, router, ended).await;
            }
        }
    }
}

async fn exchange<S>(stream: S, router: Router, mut ended: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(OPENING)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        () = tokio::time::sleep(AGE) => {}
        _ = ended.wait_for(|ended| *ended) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(DRAIN, serving).await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn listening(at: &str) -> Listening {
        Listening { at: at.parse().unwrap(), names: Vec::new(), tls: None }
    }

    #[test]
    fn without_a_certificate_only_this_machine_is_served() {
        assert_eq!(listening("127.0.0.1:0").hosts().unwrap(), ["127.0.0.1", "localhost"]);
        assert_eq!(listening("[::1]:0").hosts().unwrap(), ["[::1]", "localhost"]);
        for network in ["0.0.0.0:8445", "10.0.0.5:8445", "[::]:8445"] {
            assert!(matches!(listening(network).hosts(), Err(DeskError::NotLoopback(_))), "{network}");
        }
    }
}
