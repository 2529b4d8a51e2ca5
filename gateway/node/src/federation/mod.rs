//! The federation face: the other members' gateways, over mTLS pinned to the membership.
//!
//! `deliver`, `settle`, `status`, `hello` and `chunks` answer; `courier` and `expiry` act. Not here: the
//! domestic side. INVARIANT: what is answered about a message was durable before, and a refusal tells the
//! other side nothing of its reason beyond the neutral code.

mod again;
mod chunks;
mod clocks;
mod connector;
mod courier;
mod deliver;
mod expiry;
mod hello;
mod lapsed;
mod notices;
mod peer;
mod replaced;
mod settle;
mod status;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};

use puente_core::problem::{self, Problem};

use crate::node::Node;
use crate::serve::ProblemReply;

pub use clocks::watch_clocks;
pub use connector::{Connector, LinkError};
pub use courier::run_couriers;
pub use expiry::settle_expired;
pub use hello::{Hello, greet};

/// The routes of the federation face.
pub fn router(node: &Arc<Node>) -> Router {
    Router::new()
        .route("/federation/v1/messages", post(deliver::deliver))
        .route("/federation/v1/receipts", post(settle::take_receipts))
        .route("/federation/v1/status", post(status::answer))
        .route("/federation/v1/hello", get(hello::hello))
        .route("/federation/v1/chunks/{root}/{index}", put(chunks::put_chunk))
        .fallback(async || ProblemReply(Problem::new(&problem::NOT_FOUND)))
        .method_not_allowed_fallback(async || ProblemReply(Problem::new(&problem::METHOD_NOT_ALLOWED)))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(node), peer::admit))
        .with_state(Arc::clone(node))
}
