//! The admin socket: HTTP over a Unix socket in the node's home, for its owner only.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as Segment, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::sync::watch;

use puente_core::ids::{CountryCode, MessageId};
use puente_core::problem::{self, Problem};

use crate::admin::{policy, suspension, webhook};
use crate::node::{Node, store_problem};
use crate::serve::{ProblemReply, json_reply};

/// What a route of the socket answers.
pub(super) type Reply = Result<Response, ProblemReply>;
type Asked = std::pin::Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;

/// What the socket can ask of the running node beyond its store.
pub struct Admin {
    /// The node.
    pub node: Arc<Node>,
    /// Greets a peer; what it said, or why it could not be reached.
    pub greet: Box<dyn Fn(CountryCode) -> Asked + Send + Sync>,
    /// Reads rules, membership, register and certificates again.
    pub reload: Box<dyn Fn() -> Result<(), Problem> + Send + Sync>,
}

/// The routes of the admin socket.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/v1/health", get(health))
        .route("/v1/peers", get(peers))
        .route("/v1/peers/{country}/test", post(test_peer))
        .route("/v1/queue", get(queue))
        .route("/v1/messages/{id}", get(message))
        .route("/v1/policy/explain/{message}", get(policy::explain))
        .route("/v1/policy/simulate", post(policy::simulate_page))
        .route("/v1/policy/changes", get(policy::history).post(policy::propose_set))
        .route("/v1/suspensions", get(suspension::list).post(suspension::suspend))
        .route("/v1/suspensions/lift", post(suspension::lift))
        .route("/v1/webhooks", get(webhook::list).post(webhook::register))
        .route("/v1/webhooks/{id}/{act}", post(webhook::act))
        .route("/v1/dead-letters", get(webhook::dead_letters))
        .route("/v1/dead-letters/resend", post(webhook::resend))
        .route("/v1/reload", post(reload))
        .with_state(Arc::new(admin))
}

async fn health(State(admin): State<Arc<Admin>>) -> Response {
    let node = &admin.node;
    let body = json!({"country": node.country(), "realm": node.realm(), "now_ms": node.clock.now_ms()});
    json_reply(StatusCode::OK, &body)
}

async fn peers(State(admin): State<Arc<Admin>>) -> Response {
    let membership = admin.node.membership.get();
    let peers: Vec<Value> = membership
        .countries()
        .filter(|country| *country != admin.node.country())
        .map(|country| {
            json!({"country": country, "gateways": membership.gateways(country),
                   "directory_version": membership.directory_version(country)})
        })
        .collect();
    let (version, digest) = membership.version();
    let rejected: Vec<Value> = membership
        .rejected()
        .iter()
        .map(|(country, error)| json!({"country": country, "error": error.to_string()}))
        .collect();
    let body =
        json!({"members_version": version, "members_digest": digest, "peers": peers, "rejected": rejected});
    json_reply(StatusCode::OK, &body)
}

async fn test_peer(State(admin): State<Arc<Admin>>, Segment(country): Segment<String>) -> Reply {
    let country: CountryCode = country.parse().map_err(|_| Problem::new(&problem::NOT_FOUND))?;
    match (admin.greet)(country).await {
        Ok(hello) => Ok(json_reply(StatusCode::OK, &hello)),
        Err(why) => Err(Problem::new(&problem::PEER_UNREACHABLE).because(why).into()),
    }
}

async fn queue(State(admin): State<Arc<Admin>>) -> Reply {
    let depths = admin.node.store.queue_depth().await.map_err(|error| store_problem(&error))?;
    Ok(json_reply(StatusCode::OK, &json!({"now_ms": admin.node.clock.now_ms(), "queues": depths})))
}

async fn message(State(admin): State<Arc<Admin>>, Segment(id): Segment<String>) -> Reply {
    let not_found = || Problem::new(&problem::NOT_FOUND);
    let id: MessageId = id.parse().map_err(|_| not_found())?;
    let store = &admin.node.store;
    let row = store.message(id).await.map_err(|error| store_problem(&error))?.ok_or_else(not_found)?;
    let history = store.history(id).await.map_err(|error| store_problem(&error))?;
    let decision = store.decision(id).await.map_err(|error| store_problem(&error))?;
    let decision = decision.map(|decision| {
        json!({"decision": decision.decision, "outcome": decision.outcome, "rule": decision.rule,
               "spoke": decision.spoke, "policy": decision.policy})
    });
    Ok(json_reply(StatusCode::OK, &json!({"message": row, "history": history, "decision": decision})))
}

async fn reload(State(admin): State<Arc<Admin>>) -> Reply {
    (admin.reload)()?;
    Ok(json_reply(StatusCode::OK, &json!({"reloaded": true})))
}

/// Makes the socket, for its owner alone; the future serves it until shutdown.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve_socket(
    path: &Path,
    router: Router,
    mut shutdown: watch::Receiver<bool>,
) -> std::io::Result<impl Future<Output = ()> + Send + use<>> {
    use std::os::unix::fs::PermissionsExt as _;
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = shutdown.wait_for(|ended| *ended) => return,
            };
            let Ok((stream, _)) = accepted else { continue };
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}
