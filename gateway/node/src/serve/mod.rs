//! The accept loop of a face: mTLS, bounds, graceful end. Not here: what a face answers.
//!
//! INVARIANT: a request reaches a router only with the verified certificate of its connection, and every
//! connection ends: by its own close, by idleness, by age or by shutdown.

mod body;
mod ending;
mod query;
mod reply;
mod seats;
mod shed;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::config::{Limits, Times};
use crate::keys::pki::PeerCertificate;
use crate::keys::tls::peer_identity;
use crate::telemetry::{Face, Metrics};

pub use body::{other_form, read_body, read_json, read_value};
pub use ending::Ending;
pub use query::{Ask, asked};
pub use reply::{ProblemCode, ProblemReply, json_reply};
pub use seats::{Seat, Seats};
pub use shed::Place;

/// Bytes of request headers on one connection; ours need a few hundred.
const HEADER_BYTES: usize = 16 * 1024;

/// Streams of one HTTP/2 connection.
const STREAMS: u32 = 64;

/// What a listener needs beside its socket.
#[derive(Clone)]
pub struct Listening {
    /// Which face, for metrics.
    pub face: Face,
    /// TLS as this face asks it.
    pub tls: Arc<rustls::ServerConfig>,
    /// Bounds.
    pub limits: Limits,
    /// Durations.
    pub times: Times,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Turns true when the node ends.
    pub shutdown: watch::Receiver<bool>,
}

/// Serves a router until shutdown, then waits for what is in progress.
pub async fn serve(listener: TcpListener, router: Router, listening: Listening) {
    let connections = Arc::new(Semaphore::new(listening.limits.connections));
    let acceptor = TlsAcceptor::from(Arc::clone(&listening.tls));
    let router = shed::bounded(router, &listening);
    let mut shutdown = listening.shutdown.clone();
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = shutdown.wait_for(|ended| *ended) => break,
        };
        while tasks.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors or the like: let the ones that are open end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else {
            listening.metrics.rejected(listening.face, "connections");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (acceptor, router, listening) = (acceptor.clone(), router.clone(), listening.clone());
        tasks.spawn(async move {
            let _permit = permit;
            connection(stream, acceptor, router, listening).await;
        });
    }
    let drain = Duration::from_secs(listening.times.drain_seconds);
    let _ = tokio::time::timeout(drain, async { while tasks.join_next().await.is_some() {} }).await;
}

async fn connection(
    stream: tokio::net::TcpStream,
    acceptor: TlsAcceptor,
    router: Router,
    listening: Listening,
) {
    let handshake = Duration::from_secs(listening.times.handshake_seconds);
    let tls = match tokio::time::timeout(handshake, acceptor.accept(stream)).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(error)) => {
            listening.metrics.rejected(listening.face, "tls.handshake");
            tracing::debug!(face = listening.face.as_str(), %error, "handshake refused");
            return;
        }
        Err(_) => return listening.metrics.rejected(listening.face, "tls.timeout"),
    };
    let Some(certificate) = peer_identity(tls.get_ref().1) else {
        return listening.metrics.rejected(listening.face, "tls.identity");
    };
    let (end, ending) = Ending::pair();
    let service = TowerToHyperService::new(router.map_request(
        move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert::<PeerCertificate>(certificate.clone());
            request.extensions_mut().insert::<Ending>(ending.clone());
            request
        },
    ));
    let builder = builder(&listening.times);
    let serving = builder.serve_connection(TokioIo::new(tls), service);
    tokio::pin!(serving);
    let mut shutdown = listening.shutdown.clone();
    let age = tokio::time::sleep(Duration::from_secs(listening.times.connection_age_seconds));
    tokio::pin!(age);
    let mut ending = false;
    loop {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = &mut age, if !ending => {}
            _ = shutdown.wait_for(|ended| *ended), if !ending => {}
        }
        ending = true;
        end.send_replace(true);
        serving.as_mut().graceful_shutdown();
    }
}

fn builder(times: &Times) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let idle = Duration::from_secs(times.idle_seconds);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(HEADER_BYTES * 4)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(idle)
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
        .adaptive_window(true);
    builder
}
