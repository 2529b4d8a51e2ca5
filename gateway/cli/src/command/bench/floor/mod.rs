//! The floor: the work that one message cannot do without at both ends, in this process, on one thread at a time.
//!
//! Counted: parsing, schema validation, one remembered decision per end, the issuer's signature and its
//! verification, the sealing, every hash of the message's form, the same rows in both stores in groups of a delivery,
//! each made durable, the receipts' hashes and one signed root per delivery, verified once.
//! Not counted: HTTP, TLS, reading the outbox back, the inbox, idempotency, opening (it is no part of the outer
//! step, and the benchmark opens nothing). INVARIANT: nothing of the node's own faces runs here.

mod receiving;
mod sending;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;

use puente_core::delivery::CommitId;
use puente_core::policy::SendFacts;
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::config::Config;
use puente_node::setup::{directory, load};
use puente_node::store::{CommitObserver, SqliteStore};

use super::cpu;
use super::stage::{Stage, StagedNode};
use super::workload::{Kind, Workload};
use receiving::Receiver;
use sending::Sender;

/// Rows that warm caches and stores before the clock starts.
const WARM_UP: usize = 1_024;
/// Messages that share a commit, a delivery and a signed root: what the nodes send at once at most.
const GROUP: usize = 256;
/// Decisions of which the mean cost without memory is taken.
const COLD: usize = 100;

/// Signatures of which the mean cost is taken.
const SIGNED: usize = 1_000;
/// Bytes of the claims that an issuer signs for a row of the workload, about.
const CLAIMS: usize = 1_200;

/// Days before the end at which an agency is told, as by default.
const NOTICE_DAYS: u32 = 14;

/// What the floor came to.
#[derive(Debug, Clone, Copy)]
pub struct Floor {
    /// Processor time of both ends together, microseconds per message.
    pub cpu_us: f64,
    /// A decision that was never asked before, microseconds.
    pub decision_cold_us: f64,
    /// The same question again, microseconds.
    pub decision_warm_us: f64,
    /// The issuer's signature that the decision goes with, microseconds.
    pub sign_us: f64,
}

/// One end with everything it needs.
struct End {
    country: puente_core::ids::CountryCode,
    agency: puente_core::ids::AgencyId,
    rules: puente_node::node::Rules,
    keys: puente_node::node::NodeKeys,
    membership: puente_core::membership::Membership,
    store: SqliteStore,
    clock: SystemClock,
}

struct Unobserved;

impl CommitObserver for Unobserved {
    fn committed(&self, _commits: usize, _writes: usize, _micros: u64) {}
}

impl End {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn load(folder: &Path, node: &StagedNode) -> anyhow::Result<Self> {
        let config = Config::read(&node.home.config())?;
        let beside = |name: &str| folder.join(format!("floor-{name}-{}.db", node.country));
        let (data, subjects) = (beside("store"), beside("subjects"));
        let clock = SystemClock::default();
        Ok(Self {
            country: node.country.clone(),
            agency: node.agency.clone(),
            rules: load::rules(&node.home, &[])?,
            keys: load::keys(&node.home, &directory::read(&node.home)?)?,
            membership: load::membership(&node.home, &config, None)?,
            store: load::store_at(&node.home, &data, &subjects, &config, Arc::new(Unobserved))?,
            clock,
        })
    }
}

/// Works off `messages` rows of this seed in groups of `batch`.
///
/// # Errors
/// When any step fails: the floor must do what the nodes did.
pub async fn measure(stage: &Stage, seed: u64, messages: usize, batch: usize) -> anyhow::Result<Floor> {
    let sender = Sender::new(End::load(&stage.folder, &stage.sender)?)?;
    let receiver = Receiver::new(End::load(&stage.folder, &stage.receiver)?, sender.country().clone())?;
    let mut workload = Workload::seeded(seed, Kind::Rows);
    let mut commits = 0;
    for _ in 0..WARM_UP.div_ceil(batch) {
        group(&sender, &receiver, &[workload.batch(batch)], &mut commits).await?;
    }
    let requests = messages.div_ceil(batch).max(1);
    let bodies: Vec<Vec<u8>> = (0..requests).map(|_| workload.batch(batch)).collect();
    // Every question of the floor has been asked before: it counts remembered decisions only.
    let (decision_cold_us, decision_warm_us) = decisions(&sender, &bodies)?;
    let before = cpu::used(std::process::id())?;
    for bodies in bodies.chunks(GROUP.div_ceil(batch)) {
        group(&sender, &receiver, bodies, &mut commits).await?;
    }
    let used = cpu::used(std::process::id())?.saturating_sub(before);
    Ok(Floor {
        cpu_us: per(used, requests * batch),
        decision_cold_us,
        decision_warm_us,
        sign_us: sign(&sender)?,
    })
}

async fn group(
    sender: &Sender,
    receiver: &Receiver,
    bodies: &[Vec<u8>],
    commits: &mut u64,
) -> anyhow::Result<()> {
    let mut next = || {
        *commits += 1;
        CommitId(*commits)
    };
    let (wires, writes) = sender.release(bodies)?;
    sender.commit(next(), writes).await?;
    let (receipts, writes) = receiver.accept(&wires)?;
    receiver.commit(next(), writes).await?;
    let writes = sender.settle(&receipts)?;
    sender.commit(next(), writes).await
}

/// What a decision costs that was never asked before, and what the same one costs again.
fn decisions(sender: &Sender, bodies: &[Vec<u8>]) -> anyhow::Result<(f64, f64)> {
    let questions = bodies.iter().map(|body| sender.questions(body)).collect::<anyhow::Result<Vec<_>>>()?;
    let questions: Vec<SendFacts> = questions.into_iter().flatten().collect();
    let timed = |questions: &[SendFacts], decide: &dyn Fn(&SendFacts)| {
        let begun = std::time::Instant::now();
        questions.iter().for_each(decide);
        per(begun.elapsed(), questions.len())
    };
    let cold = questions.get(..COLD.min(questions.len())).unwrap_or_default();
    let cold = timed(cold, &|facts| drop(sender.policy().send_afresh(facts)));
    questions.iter().for_each(|facts| drop(sender.policy().send(facts)));
    Ok((cold, timed(&questions, &|facts| drop(sender.policy().send(facts)))))
}

/// What one signature costs over as many bytes as an issuer's claims of the workload have.
fn sign(sender: &Sender) -> anyhow::Result<f64> {
    let claims = [b'x'; CLAIMS];
    sender.sign(&claims)?;
    let begun = std::time::Instant::now();
    for _ in 0..SIGNED {
        sender.sign(&claims)?;
    }
    Ok(per(begun.elapsed(), SIGNED))
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
fn per(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// The id in the header of a compact JWS.
fn key_id(compact: &str) -> anyhow::Result<puente_core::ids::KeyId> {
    #[derive(serde::Deserialize)]
    struct Header {
        kid: puente_core::ids::KeyId,
    }
    let header = compact.split('.').next().and_then(puente_core::envelope::from_base64url);
    let Header { kid } = serde_json::from_slice(&header.context("no header")?)?;
    Ok(kid)
}
