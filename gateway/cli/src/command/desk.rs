//! `puente desk`: an officer's screens, served on the authority's own machine.
//!
//! Not here: the screens (`puente_node::desk`). INVARIANT: the officer's key and whatever is opened stay on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::tz::TimeZone;
use tokio::signal::unix::{SignalKind, signal};

use puente_core::catalogue::Catalogue;
use puente_node::clock::{Clock, SystemClock};
use puente_node::desk::{self, Listening, OwnKeys};
use puente_node::home::read_tree;
use puente_node::keys::tls::ScreensTls;
use puente_node::keys::{KeyFile, KeyUse, openers};
use puente_node::setup::built_in_schemas;
use puente_node::setup::load::tls_time;

use crate::command::statement::acting_officer;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::AsAgency;

/// Pantallas de un funcionario / an officer's screens.
///
/// Sirve en este equipo hasta Ctrl-C; se entra con el código que se muestra aquí / serves on this machine until Ctrl-C; the
/// code shown here lets one in.
#[derive(Debug, Args)]
pub struct Desk {
    #[command(flatten)]
    agency: AsAgency,
    /// Llave del funcionario, `officer-NOMBRE.key` / the officer's key, `officer-NAME.key`.
    #[arg(long, value_name = "FILE")]
    officer: PathBuf,
    /// Llave con que abre la dependencia, si es suya; también las anteriores / the key that the agency opens with, when it
    /// has its own; earlier ones too.
    #[arg(long = "open-key", value_name = "FILE")]
    open_keys: Vec<PathBuf>,
    /// Catálogo con que se comprueba lo que se abre; el de este programa si se omite / the catalogue by which what is opened
    /// is checked; this program's when left out.
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// Zona horaria de la oficina (IANA) / the office's time zone.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Dónde escucha / where it listens.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Nombre con que el navegador llega, fuera de este equipo / the name by which browsers reach it, off this machine.
    #[arg(long = "name", value_name = "HOST", requires = "cert")]
    names: Vec<String>,
    /// Certificado TLS, PEM, para servir en la red de la dependencia / TLS certificate, PEM, to serve on the agency's network.
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    cert: Option<PathBuf>,
    /// Llave del certificado, PEM / the certificate's key, PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    cert_key: Option<PathBuf>,
}

impl Desk {
    /// Serves until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When credential, key or certificate cannot be used, or the address cannot be listened on.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let acting = self.agency.act(output)?;
        let officer = acting_officer(&acting, &self.officer)?;
        let tls = match (&self.cert, &self.cert_key) {
            (Some(cert), Some(key)) => Some(tls(cert, key, &clock)?),
            _ => None,
        };
        let own_keys = own_keys(&self.open_keys, self.schemas.as_deref())?;
        let zone = TimeZone::get(&self.zone)?;
        let desk = desk::Desk::new(acting.into_client(), officer, own_keys, zone, clock);
        let mut open = desk.open(Listening { at: self.listen, names: self.names, tls }).await?;
        let code = open.codes.borrow_and_update().clone();
        output.answer(&serde_json::json!({"address": open.url, "code": code}), |out| {
            writeln!(out, "Escritorio / desk  {}", open.url)?;
            writeln!(out, "Código / code      {code}")
        })?;
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                changed = open.codes.changed() => {
                    changed?;
                    let code = open.codes.borrow_and_update().clone();
                    output.note(&format!("Código nuevo: {code}"), &format!("New code: {code}"))?;
                }
            }
        }
        open.close().await;
        Ok(Exit::Done)
    }
}

fn own_keys(keys: &[PathBuf], schemas: Option<&Path>) -> anyhow::Result<OwnKeys> {
    let keys: Vec<_> = keys.iter().map(|path| KeyFile::load(path, KeyUse::Open)).collect::<Result<_, _>>()?;
    let openers = openers(&keys)?;
    let files = match schemas {
        Some(folder) => read_tree(folder)?,
        None => built_in_schemas(),
    };
    Ok(OwnKeys { openers, catalogue: Catalogue::load(files)? })
}

fn tls(cert: &Path, key: &Path, clock: &Arc<dyn Clock>) -> anyhow::Result<ScreensTls> {
    let pem = std::fs::read(cert).map_err(|error| anyhow::anyhow!("`{}`: {error}", cert.display()))?;
    let key = KeyFile::load(key, KeyUse::Sign)?;
    Ok(ScreensTls::new(&pem, &key, tls_time(Arc::clone(clock)))?)
}
