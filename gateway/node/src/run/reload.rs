//! Rules, membership, register and certificates, read again while the node runs.
//!
//! INVARIANT: what is not valid does not replace what is in force; the operator is told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::home::Home;
use crate::keys::tls::{CertificateHolder, DomesticClients, OnRejection};
use crate::node::Node;
use crate::run::RunError;
use crate::setup::load::{self, Certificates};

/// Seconds in a day.
const DAY_S: i64 = 86_400;

/// What changed last, file by file.
type Print = Vec<(String, Option<SystemTime>, u64)>;

/// Reads a running node's files again.
pub struct Reloader {
    home: Home,
    node: Arc<Node>,
    certificates: Certificates,
    clients: Arc<DomesticClients>,
    print: Mutex<Print>,
}

impl Reloader {
    /// A reloader that holds the certificates now on disk.
    ///
    /// # Errors
    /// When a certificate or key cannot be loaded.
    pub fn new(home: Home, node: Arc<Node>, on_rejection: OnRejection) -> Result<Self, RunError> {
        let print = Mutex::new(fingerprint(&home));
        let certificates = load::certificates(&home)?;
        let authorities = &certificates.domestic_authorities;
        let clients = DomesticClients::new(node.realm(), node.country().clone(), authorities, on_rejection)
            .map_err(|error| RunError::Tls(error.to_string()))?;
        Ok(Self { home, node, certificates, clients: Arc::new(clients), print })
    }

    /// The gateway's certificate, whichever is in force.
    pub fn gateway_certificate(&self) -> Arc<CertificateHolder> {
        Arc::clone(&self.certificates.gateway)
    }

    /// The domestic face's certificate, whichever is in force.
    pub fn domestic_certificate(&self) -> Arc<CertificateHolder> {
        Arc::clone(&self.certificates.domestic_server)
    }

    /// The verifier of agencies' certificates.
    pub fn domestic_clients(&self) -> Arc<DomesticClients> {
        Arc::clone(&self.clients)
    }

    /// Reads everything again; one invalid part does not keep the others from taking effect.
    ///
    /// # Errors
    /// The first thing that was not valid.
    pub fn reload(&self) -> Result<(), RunError> {
        *self.print.lock().unwrap_or_else(PoisonError::into_inner) = fingerprint(&self.home);
        let register = load::register(&self.home).map_err(RunError::from);
        let register = register.map(|register| self.node.register.replace(register));
        let rosters = load::rosters(&self.home).map_err(RunError::from);
        let rosters = rosters.map(|rosters| self.node.rosters.replace(rosters));
        let held = self.node.membership.get();
        let membership = load::membership(&self.home, &self.node.config, Some(&held))
            .map_err(RunError::from)
            .map(|membership| self.node.membership.replace(membership));
        // After the membership: an adoption counts by the members as they are now.
        let standing = self.node.membership.get();
        let rules = self.node.policies.reload(&self.node, &standing).map_err(RunError::from);
        let certificates = self.reload_certificates();
        self.node.look_at_outbox();
        register.and(rosters).and(rules).and(membership).and(certificates)
    }

    fn reload_certificates(&self) -> Result<(), RunError> {
        load::renew_certificates(&self.home, &self.certificates)?;
        let renewed = load::certificates(&self.home)?;
        self.clients.replace(&renewed.domestic_authorities).map_err(|error| RunError::Tls(error.to_string()))
    }

    /// Reloads when a file's name, time or size changed.
    pub fn reload_if_changed(&self) {
        let now = fingerprint(&self.home);
        let changed = *self.print.lock().unwrap_or_else(PoisonError::into_inner) != now;
        if changed {
            match self.reload() {
                Ok(()) => tracing::info!("changed files are in force"),
                Err(error) => tracing::error!(%error, "changed files are not valid: what was in force stays"),
            }
        }
    }

    /// Sets the metrics that say how long the certificates still stand.
    #[expect(clippy::cast_precision_loss, reason = "days are small")]
    pub fn measure_certificates(&self) {
        let now = self.node.clock.now_s();
        for (holder, kind) in
            [(self.gateway_certificate(), "gateway"), (self.domestic_certificate(), "domestic")]
        {
            let Some(end) = holder.not_after() else { continue };
            let left = end.as_second().saturating_sub(now);
            self.node.metrics.certificate(kind, left as f64 / DAY_S as f64);
        }
    }
}

fn fingerprint(home: &Home) -> Print {
    let mut print = Vec::new();
    let mut folders = vec![
        home.agencies(),
        home.rosters(),
        home.policies(),
        home.schemas(),
        home.membership(),
        home.path().join("certificates"),
    ];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => {
                    print.push((
                        entry.path().display().to_string(),
                        metadata.modified().ok(),
                        metadata.len(),
                    ));
                }
                Err(_) => {}
            }
        }
    }
    print.sort();
    print
}
