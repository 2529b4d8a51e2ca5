//! Shedding load before memory grows: beyond the bound a request is answered 503 with Retry-After at once.
//!
//! INVARIANT: a request that is shed has done nothing, so that its sender may repeat it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;

use puente_core::problem::{self, Problem};

use crate::serve::{Listening, ProblemReply};
use crate::telemetry::{Face, Metrics};

#[derive(Clone)]
struct Bound {
    places: Arc<Semaphore>,
    face: Face,
    metrics: Arc<Metrics>,
}

/// The router with at most the configured number of requests in progress.
pub fn bounded(router: Router, listening: &Listening) -> Router {
    let bound = Bound {
        places: Arc::new(Semaphore::new(listening.limits.concurrent_requests)),
        face: listening.face,
        metrics: Arc::clone(&listening.metrics),
    };
    router.layer(from_fn_with_state(bound, shed))
}

async fn shed(State(bound): State<Bound>, request: Request, next: Next) -> Response {
    let Ok(_place) = bound.places.try_acquire() else {
        bound.metrics.rejected(bound.face, problem::OVERLOADED.code);
        return ProblemReply(Problem::new(&problem::OVERLOADED)).into_response();
    };
    next.run(request).await
}
