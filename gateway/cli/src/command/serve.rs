//! `puente serve`: the node, until it is told to end.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use puente_node::clock::SystemClock;
use puente_node::run::{self, Running};

use crate::exit::Exit;
use crate::output::Output;
use crate::reach::AtHome;

/// Pone el nodo en marcha / run the node.
///
/// SIGTERM or SIGINT ends it after what is in progress; SIGHUP reads certificates, policies, agencies and membership
/// again.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    at: AtHome,
    /// Forma de la bitácora, en la salida de errores / form of the log, on standard error.
    #[arg(long, value_enum, default_value_t = Log::Text)]
    log: Log,
    /// Qué se anota / what is logged, as `level` or `target=level,…`.
    #[arg(long, env = "PUENTE_LOG", value_name = "FILTER", default_value = "info")]
    log_filter: String,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Log {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Serve {
    /// Runs until a signal ends it.
    ///
    /// # Errors
    /// When the node does not start.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        self.start_log()?;
        let mut signals = Signals::new()?;
        let running = run::start(&self.at.home(), Arc::new(SystemClock::default())).await?;
        let addresses = running.addresses;
        let value = serde_json::json!({
            "domestic": addresses.domestic, "federation": addresses.federation, "operations": addresses.operations,
        });
        output.answer(&value, |out| {
            writeln!(out, "En marcha / running")?;
            writeln!(out, "  dependencias / agencies   https://{}", addresses.domestic)?;
            writeln!(out, "  federación / federation   https://{}", addresses.federation)?;
            writeln!(out, "  operación / operations    http://{}", addresses.operations)
        })?;
        signals.until_end(&running).await;
        output.note("Terminando lo que está en curso…", "Ending after what is in progress…")?;
        running.shutdown().await;
        Ok(Exit::Done)
    }

    fn start_log(&self) -> anyhow::Result<()> {
        let filter = EnvFilter::builder().parse(&self.log_filter)?;
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        let started = match self.log {
            Log::Text => log.try_init(),
            Log::Json => log.json().try_init(),
        };
        started.map_err(|error| anyhow::anyhow!("log cannot be started: {error}"))
    }
}

/// The signals a node obeys; caught before it starts, so that none is lost.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Resolves at SIGTERM or SIGINT; reloads at each SIGHUP before.
    async fn until_end(&mut self, running: &Running) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => match running.reload() {
                    Ok(()) => tracing::info!("reloaded"),
                    Err(error) => tracing::error!(%error, "not reloaded: what was in force stays"),
                },
            }
        }
    }
}
