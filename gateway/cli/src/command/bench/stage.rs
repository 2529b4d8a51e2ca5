//! Two real nodes for a benchmark: homes in a folder of their own, each served by a child process.
//!
//! Not here: any load. INVARIANT: what this made is gone when it is dropped: processes first, then the folder.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{AgencyId, CountryCode, Realm, Role};
use puente_node::clock::SystemClock;
use puente_node::config::Listen;
use puente_node::home::{Home, write_file};
use puente_node::setup::{self, Init};

use super::cpu;

/// The metric of what waits, by lane.
const QUEUE_DEPTH: &str = "puente_queue_depth";

/// Questions to the policies, by how they were answered.
const QUESTIONS: &str = "puente_policy_questions";

/// The sending country, its agency and role.
pub const SENDER: (&str, &str, &str) = ("MX", "inm", "migration_enforcement");
/// The receiving country, its agency and role.
pub const RECEIVER: (&str, &str, &str) = ("GT", "igm", "returns_reception");

/// The protection authorities of both, and their role: one alerts, the other answers.
const AUTHORITIES: ((&str, &str), &str) = (("dif", "pgn"), "child_protection");

/// Where the agency's credential lies in a node's home.
const CLIENT_FOLDER: &str = "client";
/// Where the authority's credential lies in a node's home.
const AUTHORITY_FOLDER: &str = "authority";

/// A node is up within this, or it does not come up.
const STARTING: Duration = Duration::from_secs(30);

/// Questions that policy was asked, since a node began.
#[derive(Debug, Clone, Copy, Default)]
pub struct Questions {
    /// Answered from memory.
    pub remembered: f64,
    /// Worked out.
    pub worked_out: f64,
}

impl Questions {
    /// The share that was remembered of those asked after `before`.
    pub fn hit_rate_since(self, before: Self) -> f64 {
        let (hits, misses) = (self.remembered - before.remembered, self.worked_out - before.worked_out);
        hits / (hits + misses).max(1.0)
    }
}

/// One node: its home, its process, its ports.
pub struct StagedNode {
    /// Its home.
    pub home: Home,
    /// Its country.
    pub country: CountryCode,
    /// Its agency.
    pub agency: AgencyId,
    listen: Listen,
    process: Option<Child>,
}

/// Both nodes.
pub struct Stage {
    /// Where they live.
    pub folder: PathBuf,
    /// The node that sends.
    pub sender: StagedNode,
    /// The node that receives.
    pub receiver: StagedNode,
}

impl Stage {
    /// Sets up both homes in a fresh folder below `parent`, founds their federation and starts them.
    ///
    /// # Errors
    /// When anything cannot be made, or a node does not come up.
    pub async fn set(parent: &Path, profile: SignatureProfile) -> anyhow::Result<Self> {
        let folder = parent.join(format!("puente-bench-{}-{profile:?}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let clock = SystemClock::default();
        let mut stage = Self {
            sender: StagedNode::set_up(&folder, SENDER, AUTHORITIES.0.0, profile)?,
            receiver: StagedNode::set_up(&folder, RECEIVER, AUTHORITIES.0.1, profile)?,
            folder,
        };
        let homes = [&stage.sender, &stage.receiver].map(|node| (node.country.clone(), node.home.clone()));
        setup::federation::found(&homes, Realm::Training, &clock)?;
        for node in [&mut stage.sender, &mut stage.receiver] {
            node.start()?;
        }
        for node in [&mut stage.sender, &mut stage.receiver] {
            node.await_ready().await?;
        }
        Ok(stage)
    }

    /// The folder with the sending agency's credential.
    pub fn credential(&self) -> PathBuf {
        self.sender.home.path().join(CLIENT_FOLDER)
    }

    /// The folder with the credential of the sending country's protection authority.
    pub fn authority_credential(&self) -> PathBuf {
        self.sender.home.path().join(AUTHORITY_FOLDER)
    }

    /// Ends both nodes; their homes stay.
    pub fn stop(&mut self) {
        self.sender.stop();
        self.receiver.stop();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop();
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "could not be removed");
        }
    }
}

impl StagedNode {
    fn set_up(
        folder: &Path,
        who: (&str, &str, &str),
        authority: &str,
        profile: SignatureProfile,
    ) -> anyhow::Result<Self> {
        let (country, agency, role) = who;
        let (country, agency): (CountryCode, AgencyId) = (country.parse()?, agency.parse()?);
        let role: Role = role.parse()?;
        let clock = SystemClock::default();
        let home = Home::at(folder.join(country.as_str()));
        let listen = free_listen()?;
        let request = Init {
            country: country.clone(),
            realm: Realm::Training,
            profile,
            listen: listen.clone(),
            names: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
            gateway_address: listen.federation.clone(),
            roles: None,
        };
        setup::init(&home, &request, &clock)?;
        enrol(&home, &agency, &role, CLIENT_FOLDER)?;
        enrol(&home, &authority.parse()?, &AUTHORITIES.1.parse()?, AUTHORITY_FOLDER)?;
        Ok(Self { home, country, agency, listen, process: None })
    }

    /// Starts its process.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = std::fs::File::create(self.home.path().join("node.log"))?;
        let node = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--home")
            .arg(self.home.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("a node could not be started")?;
        self.process = Some(node);
        Ok(())
    }

    /// Waits until it serves.
    ///
    /// # Errors
    /// When it ends, or does not serve in time.
    pub async fn await_ready(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < STARTING {
            if let Some(status) = self.process.as_mut().and_then(|process| process.try_wait().transpose()) {
                let log = std::fs::read_to_string(self.home.path().join("node.log")).unwrap_or_default();
                bail!("the node of {} ended ({}): {log}", self.country, status?);
            }
            if self.ask("/readyz").is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the node of {} was not ready after {} s", self.country, STARTING.as_secs())
    }

    /// Processor time that the node has used.
    ///
    /// # Errors
    /// When it does not run.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::used(self.process.as_ref().context("the node does not run")?.id())
    }

    /// Messages that wait in one lane of its queue.
    ///
    /// # Errors
    /// When its metrics cannot be read.
    pub fn waiting(&self, lane: &str) -> anyhow::Result<f64> {
        let name = format!("{QUEUE_DEPTH}{{lane=\"{lane}\"}} ");
        let text = self.ask("/metrics")?;
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.and_then(|value| value.parse().ok()).with_context(|| format!("no metric `{}`", name.trim()))
    }

    /// What its policy engine was asked so far.
    ///
    /// # Errors
    /// When its metrics cannot be read.
    pub fn questions(&self) -> anyhow::Result<Questions> {
        let text = self.ask("/metrics")?;
        let count = |answer: &str| {
            let name = format!("{QUESTIONS}{{answer=\"{answer}\"}} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&name));
            line.and_then(|value| value.parse().ok()).with_context(|| format!("no metric `{}`", name.trim()))
        };
        Ok(Questions { remembered: count("remembered")?, worked_out: count("worked_out")? })
    }

    /// The body of a GET on the operations listener.
    fn ask(&self, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(&self.listen.operations)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
            _ => bail!("`{path}` was not answered 200"),
        }
    }

    /// Ends its process as a crash would; its home stays.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // What is durable is all there is; nothing has to drain.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn enrol(home: &Home, agency: &AgencyId, role: &Role, folder: &str) -> anyhow::Result<()> {
    let enrolled =
        setup::agency::add(home, agency, std::slice::from_ref(role), None, &SystemClock::default())?;
    let client = home.path().join(folder);
    let key = enrolled.key.as_ref().context("no key was made for the agency")?;
    for (name, text) in [
        ("address", enrolled.address.as_str()),
        ("ca.pem", enrolled.authority.as_str()),
        ("client.pem", enrolled.certificate.as_str()),
    ] {
        write_file(&client.join(name), text.as_bytes())?;
    }
    puente_node::keys::write_private(&client.join("client.key"), key.as_bytes())?;
    Ok(())
}

/// Three ports that nobody used a moment ago; the directory must name one before the node runs.
fn free_listen() -> anyhow::Result<Listen> {
    let taken: Vec<TcpListener> =
        (0..3).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<std::io::Result<_>>()?;
    let mut ports = taken.iter().map(|listener| listener.local_addr().map(|at| at.to_string()));
    let mut next = || ports.next().context("too few ports")?.map_err(anyhow::Error::from);
    Ok(Listen { domestic: next()?, federation: next()?, operations: next()? })
}
