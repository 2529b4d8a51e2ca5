//! Composition root: the only place that builds a whole node. Home and clock are parameters.
//!
//! Not here: any behaviour. INVARIANT: shutdown stops taking in first, lets what is in progress end, and
//! closes the store last.

mod housekeeping;
mod reload;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::time_provider::TimeProvider;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use puente_core::envelope::Randomness;
use puente_core::ids::ApprovalId;
use puente_core::problem::{self, Problem};

use crate::admin::{self, Admin, operations_router, serve_socket};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::duty::{Ways, WaysError};
use crate::federation::{Connector, greet, run_couriers, watch_clocks};
use crate::home::Home;
use crate::keys::SystemRandom;
use crate::keys::tls::{self, Alpn, CertificateHolder, FederationVerifier, MemberTrust, OnRejection};
use crate::node::Node;
use crate::policy::{InForceError, PolicyKeeper, Trust};
use crate::serve::{Listening, serve};
use crate::setup::{SetupError, directory, load};
use crate::store::{CommitObserver, OpenError, Store, StoreError};
use crate::subjects::settle_erasures;
use crate::suspension;
use crate::telemetry::{Face, Metrics};
use crate::webhook::{Caller, SystemResolver, run_webhooks};

use reload::Reloader;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Keys, certificates, rules or membership.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The policies of the home are not those in force.
    #[error(transparent)]
    Policies(#[from] InForceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The protection holds cannot be read back: a node that does not know them may send nothing.
    #[error("protection holds cannot be read: {0}")]
    Holds(#[from] crate::protection::HoldsError),
    /// An erasure that was begun cannot be ended.
    #[error("erasures cannot be settled: {0}")]
    Erasures(Problem),
    /// The store, once it is open.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// A channel by which people are called.
    #[error(transparent)]
    Ways(#[from] WaysError),
    /// TLS.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A listener.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address of the configuration.
        address: String,
        /// Cause.
        source: std::io::Error,
    },
    /// Metrics.
    #[error("metrics cannot be registered")]
    Metrics,
}

impl RunError {
    /// What the operator is told of it.
    fn problem(&self) -> Problem {
        let kind = match self {
            Self::Policies(InForceError::NotActivated { .. }) => &problem::POLICY_NOT_ACTIVATED,
            _ => &problem::INTERNAL,
        };
        Problem::new(kind).because(self.to_string())
    }
}

/// Where the listeners really are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// Domestic face.
    pub domestic: SocketAddr,
    /// Federation face.
    pub federation: SocketAddr,
    /// Operations.
    pub operations: SocketAddr,
}

/// A node that runs.
pub struct Running {
    /// Where it listens.
    pub addresses: Addresses,
    node: Arc<Node>,
    connector: Arc<Connector>,
    reloader: Arc<Reloader>,
    closing: oneshot::Receiver<()>,
    shutdown: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), RunError> {
    let failed = |source| RunError::Listen { address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn counting(metrics: &Arc<Metrics>, face: Face) -> OnRejection {
    let metrics = Arc::clone(metrics);
    Arc::new(move |kind| metrics.rejected(face, kind.code))
}

/// Builds the parts and puts them together, without listeners.
async fn build(home: &Home, clock: &Arc<dyn Clock>) -> Result<(Arc<Node>, oneshot::Receiver<()>), RunError> {
    let config = Config::read(&home.config())?;
    let metrics = Metrics::new().map_err(|_| RunError::Metrics)?;
    metrics.started(clock.now_s());
    let observer: Arc<dyn CommitObserver> = Arc::clone(&metrics) as Arc<dyn CommitObserver>;
    let mut store = load::store(home, &config, observer)?;
    let closing = store.closing();
    let store: Arc<dyn Store> = Arc::new(store);
    let membership = load::membership(home, &config, None)?;
    let random = Arc::new(SystemRandom);
    let first_start = (founding_id(clock.as_ref(), random.as_ref()), clock.now_ms());
    let (policies, set) = PolicyKeeper::establish(home, store.as_ref(), first_start, random.as_ref()).await?;
    let rules = policies
        .rules_of(&set, &Trust { membership: &membership, realm: config.realm, clock: clock.as_ref() })?;
    let node = Node::new(
        config,
        Arc::clone(clock),
        random,
        store,
        load::keys(home, &directory::read(home)?)?,
        rules,
        membership,
        load::register(home)?,
        load::rosters(home)?,
        metrics,
        policies,
    );
    Ok((Arc::new(node), closing))
}

/// Names the activation of a node's first start.
fn founding_id(clock: &dyn Clock, random: &dyn Randomness) -> ApprovalId {
    let mut bytes = [0_u8; 10];
    random.fill(&mut bytes);
    let millis = u64::try_from(clock.now_ms()).unwrap_or(0);
    ApprovalId(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
}

/// Starts a node from its home.
///
/// # Errors
/// When anything it needs is missing, wrong or in use; the error says what.
pub async fn start(home: &Home, clock: Arc<dyn Clock>) -> Result<Running, RunError> {
    let (node, closing) = build(home, &clock).await?;
    // INVARIANT: nothing is served before every erasure is done that this store, or the copy it came from, has missed.
    settle_erasures(&node).await.map_err(RunError::Erasures)?;
    suspension::take_up(&node).await?;
    crate::restriction::load(&node).await?;
    // Before anything is taken in or sent: without its holds a node knows nobody to protect.
    crate::protection::load(&node).await?;
    let ways = Ways::new(&node.config.duty)?;
    let (shutdown, ended) = watch::channel(false);
    let time = load::tls_time(Arc::clone(&clock));
    let reloader = {
        let on_rejection = counting(&node.metrics, Face::Domestic);
        Arc::new(Reloader::new(home.clone(), Arc::clone(&node), on_rejection)?)
    };
    let mut tasks = JoinSet::new();

    let tls_error = |error: tls::TlsError| RunError::Tls(error.to_string());
    let clients = reloader.domestic_clients();
    let domestic_tls = tls::server_config(
        reloader.domestic_certificate(),
        clients as Arc<_>,
        Arc::clone(&time),
        Alpn::Http2OrHttp1,
    )
    .map_err(tls_error)?;
    let trust = trust(&node);
    let members = FederationVerifier::accepting(
        node.realm(),
        Arc::clone(&trust),
        counting(&node.metrics, Face::Federation),
    );
    let federation_tls =
        tls::server_config(reloader.gateway_certificate(), Arc::new(members), Arc::clone(&time), Alpn::Http2)
            .map_err(tls_error)?;

    let config = &node.config;
    let (domestic, domestic_at) = listen(&config.listen.domestic).await?;
    let (federation, federation_at) = listen(&config.listen.federation).await?;
    let (operations, operations_at) = listen(&config.listen.operations).await?;
    let listening = |face, tls| Listening {
        face,
        tls: Arc::new(tls),
        limits: config.limits.clone(),
        times: config.times.clone(),
        metrics: Arc::clone(&node.metrics),
        shutdown: ended.clone(),
    };
    tasks.spawn(serve(domestic, crate::domestic::router(&node), listening(Face::Domestic, domestic_tls)));
    tasks.spawn(serve(
        federation,
        crate::federation::router(&node),
        listening(Face::Federation, federation_tls),
    ));
    tasks.spawn(serve_operations(operations, operations_router(&node), ended.clone()));

    let caller = webhook_caller(&node, &reloader, Arc::clone(&time));
    tasks.spawn(run_webhooks(Arc::clone(&node), Arc::new(caller), ended.clone()));
    let connector = Arc::new(connector(&node, &reloader, trust, time));
    tasks.spawn(run_couriers(Arc::clone(&node), Arc::clone(&connector), ended.clone()));
    tasks.spawn(watch_clocks(Arc::clone(&node), Arc::clone(&connector), ended.clone()));
    tasks.spawn(housekeeping::run(Arc::clone(&node), Arc::clone(&reloader), ended.clone()));
    let ways = Arc::new(ways.calling(duty_caller(&node, &reloader, load::tls_time(Arc::clone(&clock)))));
    tasks.spawn(housekeeping::call(Arc::clone(&node), ways, ended.clone()));
    tasks.spawn(housekeeping::settle(Arc::clone(&node), Arc::clone(&connector), ended.clone()));
    let socket = admin::admin_router(admin(&node, &connector, &reloader));
    let socket = serve_socket(&home.socket(), socket, ended)
        .map_err(|source| RunError::Listen { address: home.socket().display().to_string(), source })?;
    // Waited for like the others: it holds the node, and with it the store that another start wants.
    tasks.spawn(socket);
    let addresses = Addresses { domestic: domestic_at, federation: federation_at, operations: operations_at };
    Ok(Running { addresses, node, connector, reloader, closing, shutdown, tasks })
}

fn trust(node: &Arc<Node>) -> tls::Membership {
    // Weak: it lives in the TLS state of connections, which end some time after the node; the store must not wait for
    // them to be closed. Without a node nobody is trusted.
    let node = Arc::downgrade(node);
    Arc::new(move |country| {
        let node = node.upgrade()?;
        let membership = node.membership.get();
        let authorities = membership.authorities(country, node.clock.now_s())?;
        Some(MemberTrust { ca_der: authorities.to_vec(), spki_pins: membership.pins(country)? })
    })
}

fn connector(
    node: &Arc<Node>,
    reloader: &Arc<Reloader>,
    trust: tls::Membership,
    time: Arc<dyn TimeProvider>,
) -> Connector {
    let (of_tls, of_members) = (Arc::clone(node), Arc::clone(node));
    let certificate = reloader.gateway_certificate();
    Connector::new(
        Arc::new(move |country| {
            let verifier = FederationVerifier::connecting_to(
                country.clone(),
                of_tls.realm(),
                Arc::clone(&trust),
                counting(&of_tls.metrics, Face::Federation),
            );
            let config = tls::client_config(
                Arc::<CertificateHolder>::clone(&certificate),
                Arc::new(verifier),
                Arc::clone(&time),
                Alpn::Http2,
            );
            config.ok().map(Arc::new)
        }),
        Arc::new(move || of_members.membership.get()),
        node.config.limits.clone(),
        node.config.times.clone(),
    )
}

fn webhook_caller(node: &Arc<Node>, reloader: &Arc<Reloader>, time: Arc<dyn TimeProvider>) -> Caller {
    let settings = &node.config.webhooks;
    Caller {
        resolver: Box::new(SystemResolver),
        networks: settings.networks.clone(),
        certificate: reloader.domestic_certificate(),
        time,
        signer: node.keys.calls.clone(),
        patience: Duration::from_secs(settings.answer_seconds),
    }
}

/// Who posts to the hook of the duty: as the caller of webhooks, into the networks of the hook.
fn duty_caller(node: &Arc<Node>, reloader: &Arc<Reloader>, time: Arc<dyn TimeProvider>) -> Caller {
    Caller { networks: node.config.duty.hook_networks.clone(), ..webhook_caller(node, reloader, time) }
}

fn admin(node: &Arc<Node>, connector: &Arc<Connector>, reloader: &Arc<Reloader>) -> Admin {
    let (of_greeting, connector, reloader) = (Arc::clone(node), Arc::clone(connector), Arc::clone(reloader));
    Admin {
        node: Arc::clone(node),
        greet: Box::new(move |country| {
            let (node, connector) = (Arc::clone(&of_greeting), Arc::clone(&connector));
            Box::pin(async move {
                let hello = greet(&node, &connector, &country).await.map_err(|error| error.to_string())?;
                serde_json::to_value(hello).map_err(|error| error.to_string())
            })
        }),
        reload: Box::new(move || reloader.reload().map_err(|error| error.problem())),
    }
}

async fn serve_operations(listener: TcpListener, router: axum::Router, mut shutdown: watch::Receiver<bool>) {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = shutdown.wait_for(|ended| *ended) => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let _ = tokio::time::timeout(
                Duration::from_secs(60),
                builder.serve_connection(TokioIo::new(stream), service),
            )
            .await;
        });
    }
}

impl Running {
    /// The node itself, for tests and the demonstration.
    #[must_use]
    pub const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The node's connections to its peers, for tests that speak the federation's protocol themselves.
    #[must_use]
    pub const fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    /// Reads rules, membership, register and certificates again.
    ///
    /// # Errors
    /// When one of them is not valid; then the old ones stay in force.
    pub fn reload(&self) -> Result<(), RunError> {
        self.reloader.reload()
    }

    /// Stops taking in, lets what is in progress end, closes the store: answers once its files are let go.
    pub async fn shutdown(mut self) {
        self.shutdown.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        let drain = Duration::from_secs(self.node.config.times.drain_seconds);
        let Self { node, connector, reloader, closing, .. } = self;
        drop((node, connector, reloader));
        // A request that its connection has left behind still holds the store until it ends.
        if tokio::time::timeout(drain, closing).await.is_err() {
            tracing::warn!("the store is still in use after shutdown");
        }
    }
}
