//! `puente desk`: an officer's screens on the authority's own machine. It opens, shows, signs and submits; the node only carries.
//!
//! Not here: the node. INVARIANT: nothing that was opened is written anywhere, and nobody can be searched for.

mod alert;
mod approvals;
mod arrival;
mod clock;
mod door;
mod guard;
mod inbox;
mod labels;
mod listen;
mod login;
mod opening;
mod operations;
mod page;
mod reach;
mod reception;
mod still;
mod words;

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tokio::sync::watch;

use puente_core::approval::Captured;

use crate::client::{AgencyClient, Decided, Officer};
use crate::clock::Clock;
use crate::keys::SystemRandom;

use arrival::Arrivals;
use door::{Door, Visit};
use guard::Address;
use labels::Labels;
use reach::Trouble;

pub use opening::OwnKeys;

pub use listen::{DeskError, Listening, Opened};

/// What a desk works with.
pub struct Desk {
    client: AgencyClient,
    officer: Officer,
    own_keys: OwnKeys,
    zone: TimeZone,
    clock: Arc<dyn Clock>,
    labels: RwLock<Option<Arc<Labels>>>,
    arrivals: Arrivals,
}

impl Desk {
    /// The desk of this officer, who reaches the node as their agency does; hours are those of the office's zone.
    #[must_use]
    pub fn new(
        client: AgencyClient,
        officer: Officer,
        own_keys: OwnKeys,
        zone: TimeZone,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            client,
            officer,
            own_keys,
            zone,
            clock,
            labels: RwLock::new(None),
            arrivals: Arrivals::default(),
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn now(&self) -> Zoned {
        let now = Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
        now.to_zoned(self.zone.clone())
    }

    /// What an officer decides at this screen, now.
    fn at_screen(&self) -> Decided {
        Decided { at: self.now(), captured: Captured::Screen }
    }

    /// What everything is called, as the node last said; asked for once, and again at each look at the inbox.
    async fn labels(&self) -> Result<Arc<Labels>, Trouble> {
        let known = self.labels.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(labels) => Ok(labels),
            None => self.read_labels().await,
        }
    }

    async fn read_labels(&self) -> Result<Arc<Labels>, Trouble> {
        let answer = self.get("/v1/catalogue/labels").await?;
        let labels = Arc::new(serde_json::from_value(answer).map_err(|_| Trouble::Unreadable)?);
        *self.labels.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&labels));
        Ok(labels)
    }
}

/// A desk behind its door, at its address.
struct Room {
    desk: Desk,
    door: Door,
    address: Address,
    port: u16,
}

impl Room {
    fn new(desk: Desk, address: Address, port: u16) -> (Arc<Self>, watch::Receiver<String>) {
        let (door, codes) = Door::new(Arc::new(SystemRandom), Arc::clone(&desk.clock));
        (Arc::new(Self { desk, door, address, port }), codes)
    }
}

fn router(room: &Arc<Room>) -> Router {
    Router::new()
        .route("/", get(async |_: Visit| axum::response::Redirect::to("/alerts")))
        .route("/login", get(login::ask).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/alerts", get(inbox::list))
        .route(page::PULSE, get(inbox::pulse))
        .route("/alerts/{id}", get(alert::show))
        .route("/alerts/{id}/take", post(alert::take))
        .route("/alerts/{id}/act", post(alert::act))
        .route("/alerts/{id}/telephone", post(alert::telephone))
        .route("/approvals", get(approvals::list))
        .route("/approvals/{id}", get(approvals::show))
        .route("/approvals/{id}/state", post(approvals::state))
        .route("/approvals/{id}/give", post(approvals::give))
        .route("/operations", get(operations::list))
        .route("/operations/{id}", get(reception::show))
        .route("/operations/{id}/arrival", post(arrival::press))
        .route("/operations/{id}/unlisted", post(arrival::unlisted))
        .merge(still::router())
        .fallback(still::nowhere)
        .method_not_allowed_fallback(still::nowhere)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(room), guard::guard))
        .with_state(Arc::clone(room))
}
