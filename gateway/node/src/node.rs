//! What one node is made of: identity, keys, rules, membership, store. Built by `run`, shared by both faces.
//!
//! Not here: any behaviour of a face. INVARIANT: rules, membership and register are replaced whole, so that
//! one request never sees half of two versions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Notify, watch};
use uuid::Uuid;

use puente_core::cases::Plan;
use puente_core::catalogue::{Catalogue, Lane};
use puente_core::consent::ApprovedTexts;
use puente_core::delivery::{CommitId, Committed, Write};
use puente_core::duty::Ladders;
use puente_core::envelope::{Randomness, Sign};
use puente_core::ids::{CountryCode, Digest, Realm};
use puente_core::membership::Membership;
use puente_core::policy::{Agreements, PolicyEngine};
use puente_core::problem::{self, Problem};
use puente_core::suspension::Suspensions;

use crate::clock::Clock;
use crate::clocks::Clocks;
use crate::config::Config;
use crate::duty::Rosters;
use crate::keys::{HttpSigner, Openers};
use crate::policy::PolicyKeeper;
use crate::protection::Holds;
use crate::register::Register;
use crate::restriction::{Change, Restrictions};
use crate::serve::Seats;
use crate::store::{Guard, Store, StoreError};
use crate::telemetry::Metrics;

/// A value that is replaced whole while others read it.
pub struct Replaceable<T>(RwLock<Arc<T>>);

impl<T> Replaceable<T> {
    /// Starts with this value.
    pub fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    /// The value in force.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in force.
    pub fn replace(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

/// Catalogue, policies and agreements that belong together.
pub struct Rules {
    /// Message types and schemas.
    pub catalogue: Catalogue,
    /// Digest of the whole set of policies, agreements included.
    pub set: Digest,
    /// The decision function.
    pub policy: PolicyEngine,
    /// Agreements between states.
    pub agreements: Agreements,
    /// The terms of children's cases.
    pub plan: Plan,
    /// Texts that may be shown to somebody who is asked for consent.
    pub texts: ApprovedTexts,
    /// The terms of alerts that somebody has to answer.
    pub ladders: Ladders,
    /// Words of lists and their codes.
    pub codes: Arc<crate::lists::codes::Codes>,
}

impl Rules {
    /// Digest of all that is in force beside stated facts: what was decided under the same stands.
    #[must_use]
    pub fn ground(&self, membership: &Membership, restrictions: &Restrictions) -> Digest {
        let (version, list) = membership.version();
        let mut bytes = [self.set.0, self.policy.digest().0, list.0].concat();
        bytes.extend(restrictions.digest().map(|digest| digest.0).into_iter().flatten());
        bytes.extend_from_slice(&version.to_be_bytes());
        for country in membership.countries() {
            bytes.extend_from_slice(country.as_str().as_bytes());
            let directory = membership.directory_version(country).unwrap_or_default();
            bytes.extend_from_slice(&directory.to_be_bytes());
        }
        Digest::of(&bytes)
    }
}

/// The node's private keys.
pub struct NodeKeys {
    /// Signs messages.
    pub message: Box<dyn Sign>,
    /// Signs receipts.
    pub receipt: Box<dyn Sign>,
    /// Signs the calls of webhooks, with the key for messages.
    pub calls: HttpSigner,
    /// Opens what is sealed to a role, where no agency holds the key itself.
    pub openers: Openers,
    /// Makes pairwise pseudonyms.
    pub pairwise: aws_lc_rs::hmac::Key,
    /// Makes the tags by which the keys of subjects are found.
    pub subjects: aws_lc_rs::hmac::Key,
}

/// One node.
pub struct Node {
    /// Settings.
    pub config: Config,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Randomness>,
    /// Keeps everything.
    pub store: Arc<dyn Store>,
    /// Private keys.
    pub keys: NodeKeys,
    /// Catalogue, policies, agreements.
    pub rules: Replaceable<Rules>,
    /// The federation.
    pub membership: Replaceable<Membership>,
    /// The country's agencies.
    pub register: Replaceable<Register>,
    /// Who is on duty in the country's agencies.
    pub rosters: Replaceable<Rosters>,
    /// Protection holds, as outgoing rows are compared with them.
    pub holds: Holds,
    /// Counters and histograms.
    pub metrics: Arc<Metrics>,
    /// Which set of policies is in force.
    pub policies: PolicyKeeper,
    /// How far this clock is from those of its peers.
    pub clocks: Clocks,
    /// Of whom nothing goes without people.
    pub restrictions: Restrictions,
    /// What is suspended.
    pub suspensions: Replaceable<Suspensions>,
    /// Held by whoever changes how the node is operated: one such change at a time.
    pub operating: tokio::sync::Mutex<()>,
    /// Streams of events that are open.
    pub streams: Seats,
    commits: AtomicU64,
    outbox: Notify,
    events: watch::Sender<u64>,
}

impl Node {
    /// Puts the parts together.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "the composition root hands over every part once")]
    pub fn new(
        config: Config,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Randomness>,
        store: Arc<dyn Store>,
        keys: NodeKeys,
        rules: Rules,
        membership: Membership,
        register: Register,
        rosters: Rosters,
        metrics: Arc<Metrics>,
        policies: PolicyKeeper,
    ) -> Self {
        let holds = Holds::new(&keys.pairwise, clock.now_ms());
        Self {
            streams: Seats::new(config.limits.event_streams),
            holds,
            config,
            clock,
            random,
            store,
            keys,
            rules: Replaceable::new(rules),
            membership: Replaceable::new(membership),
            register: Replaceable::new(register),
            rosters: Replaceable::new(rosters),
            metrics,
            policies,
            clocks: Clocks::default(),
            restrictions: Restrictions::default(),
            suspensions: Replaceable::new(Suspensions::default()),
            operating: tokio::sync::Mutex::new(()),
            commits: AtomicU64::new(1),
            outbox: Notify::new(),
            events: watch::Sender::new(0),
        }
    }

    /// This country.
    #[must_use]
    pub const fn country(&self) -> &CountryCode {
        &self.config.country
    }

    /// This realm.
    #[must_use]
    pub const fn realm(&self) -> Realm {
        self.config.realm
    }

    /// A fresh UUIDv7 (RFC 9562 section 5.7) of this instant.
    #[must_use]
    pub fn fresh_id(&self) -> Uuid {
        let mut random = [0_u8; 10];
        self.random.fill(&mut random);
        let millis = u64::try_from(self.clock.now_ms()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// A random number, for jitter.
    #[must_use]
    pub fn fresh_random(&self) -> u64 {
        let mut bytes = [0_u8; 8];
        self.random.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// The pseudonym of a subject toward one peer: another one toward every other.
    #[must_use]
    pub fn pairwise(&self, peer: &CountryCode, subject: &str) -> String {
        let tag = aws_lc_rs::hmac::sign(&self.keys.pairwise, format!("{peer}\n{subject}").as_bytes());
        puente_core::envelope::base64url(tag.as_ref().get(..16).unwrap_or_default())
    }

    /// Makes writes durable; the token proves it.
    ///
    /// # Errors
    /// As the store says; nothing was written then.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<Committed, StoreError> {
        let told = writes.iter().any(|write| matches!(write, Write::Event(_)));
        let queued = writes.iter().any(|write| match write {
            Write::Outbound(_) => true,
            Write::Receipt(receipt) => receipt.to_send,
            _ => false,
        });
        let restricted = Change::of(&writes);
        let id = CommitId(self.commits.fetch_add(1, Ordering::Relaxed));
        let token = self.store.commit(id, writes).await?;
        self.restrictions.take_up(&restricted);
        if told {
            self.events.send_modify(|count| *count = count.wrapping_add(1));
        }
        if queued {
            self.outbox.notify_waiters();
        }
        Ok(token)
    }

    /// Resolves when something may have entered the outbox.
    pub fn outbox_changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.outbox.notified()
    }

    /// Tells whoever waits on the outbox to look again.
    pub fn look_at_outbox(&self) {
        self.outbox.notify_waiters();
    }

    /// A receiver that changes with every event for the domestic side.
    #[must_use]
    pub fn watch_events(&self) -> watch::Receiver<u64> {
        self.events.subscribe()
    }
}

/// The lanes, most urgent first.
pub const LANES: [Lane; 3] = [Lane::Alert, Lane::Control, Lane::Bulk];

/// What a store's failure means to the one who asked.
#[must_use]
pub fn store_problem(error: &StoreError) -> Problem {
    tracing::warn!(error = %error, "store");
    match error {
        StoreError::Overloaded => Problem::new(&problem::OVERLOADED),
        StoreError::Conflict { what: Guard::Spoken, .. } => Problem::new(&problem::OFFICER_NOT_DISTINCT),
        StoreError::Conflict { what: Guard::NotOpen, .. } => Problem::new(&problem::APPROVAL_CLOSED),
        StoreError::Conflict { what: Guard::Overtaken | Guard::Changed, .. } => {
            Problem::new(&problem::APPROVAL_OVERTAKEN)
        }
        StoreError::Erased => Problem::new(&problem::ERASED),
        // A caller that can do better about a guard has done so: the same again would fail again.
        StoreError::Conflict { .. } | StoreError::Damaged(_) => Problem::new(&problem::INTERNAL),
        StoreError::Unavailable(_) | StoreError::Closed => Problem::new(&problem::STORE_UNAVAILABLE),
    }
}
