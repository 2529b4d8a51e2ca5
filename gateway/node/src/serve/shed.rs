//! Shedding load before memory grows: beyond a bound a request is answered 503 with Retry-After at once.
//!
//! Two bounds: for the face, and for one client within it, so that none takes every place from the others. INVARIANT: a
//! request that is shed has done nothing, so that its sender may repeat it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use puente_core::problem::{self, Problem};

use crate::keys::pki::{Identity, PeerCertificate};
use crate::serve::{Listening, ProblemReply};
use crate::telemetry::{Face, Metrics};

/// A client may have one of so many parts of the face's places.
const PARTS: usize = 4;

/// Clients whose counts are kept; more than a country has agencies or a federation members.
const MAX_CLIENTS: usize = 4_096;

#[derive(Clone)]
struct Bound {
    places: Arc<Semaphore>,
    /// Places of each client; whoever has none in use is forgotten when there are too many.
    clients: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
    each: usize,
    face: Face,
    metrics: Arc<Metrics>,
}

/// The place that a request has; one that only waits for something to happen gives it back.
#[derive(Clone)]
pub struct Place(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Place {
    /// Lets another request of the face have it. The client's own place stays taken.
    pub fn leave(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// The router with at most the configured number of requests in progress.
pub fn bounded(router: Router, listening: &Listening) -> Router {
    let places = listening.limits.concurrent_requests;
    let bound = Bound {
        places: Arc::new(Semaphore::new(places)),
        clients: Arc::default(),
        each: places.div_ceil(PARTS),
        face: listening.face,
        metrics: Arc::clone(&listening.metrics),
    };
    router.layer(from_fn_with_state(bound, shed))
}

impl Bound {
    fn of_client(&self, identity: &Identity) -> Option<OwnedSemaphorePermit> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MAX_CLIENTS {
            clients.retain(|_, places| places.available_permits() < self.each);
        }
        let places =
            clients.entry(identity.to_string()).or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        Arc::clone(places).try_acquire_owned().ok()
    }
}

async fn shed(State(bound): State<Bound>, mut request: Request, next: Next) -> Response {
    let own = request.extensions().get::<PeerCertificate>().map(|of| bound.of_client(&of.identity));
    let place = Arc::clone(&bound.places).try_acquire_owned().ok();
    let (None | Some(Some(_)), Some(place)) = (&own, place) else {
        bound.metrics.rejected(bound.face, problem::OVERLOADED.code);
        return ProblemReply(Problem::new(&problem::OVERLOADED)).into_response();
    };
    let place = Place(Arc::new(Mutex::new(Some(place))));
    request.extensions_mut().insert(place.clone());
    let response = next.run(request).await;
    place.leave();
    response
}
