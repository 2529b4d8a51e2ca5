//! Questions about what lies on disk: addresses, file modes, keys, rules, the store.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use puente_core::membership::Adopted;

use crate::config::Config;
use crate::home::{Home, read_tree};
use crate::setup::check::CheckFinding;
use crate::setup::{SetupError, directory, load};
use crate::store::{CommitObserver, OpenError};

/// Mode bits that let the group or the world in.
const OTHERS: u32 = 0o077;

/// Whether each listener has an address, and the one without TLS is not offered to the world.
pub(super) fn listen(config: &Config) -> Vec<CheckFinding> {
    let listen = &config.listen;
    let mut findings = Vec::new();
    for (name, address) in [
        ("domestic", &listen.domestic),
        ("federation", &listen.federation),
        ("operations", &listen.operations),
    ] {
        let code = format!("listen.{name}");
        findings.push(match address.parse::<SocketAddr>() {
            Ok(address) if name == "operations" && !address.ip().is_loopback() => CheckFinding::warning(
                code,
                format!("{address}: salud y métricas van sin TLS; úselo solo en una red de gestión."),
                format!("{address}: health and metrics go without TLS; use it on a management network only."),
            ),
            Ok(address) => {
                CheckFinding::ok(code, format!("Escucha en {address}."), format!("Listens on {address}."))
            }
            Err(error) => {
                CheckFinding::error(code, "La dirección no es `IP:puerto`; corrija `puente.toml`", &error)
            }
        });
    }
    findings
}

/// Whether anybody but the owner can reach a private key.
pub(super) fn modes(home: &Home) -> CheckFinding {
    let code = "keys.mode";
    let open = match open_to_others(home) {
        Ok(open) => open,
        Err(error) => return CheckFinding::error(code, "La carpeta de llaves no se puede leer", &error),
    };
    let Some(path) = open.first() else {
        return CheckFinding::ok(
            code,
            "Solo su dueño puede leer las llaves.",
            "Only their owner can read the keys.",
        );
    };
    let source = std::io::Error::other("others can reach it: set mode 600, folders 700, and replace the key");
    let error = SetupError::File { path: path.clone(), source };
    CheckFinding::error(code, "Otros pueden leer una llave; quíteles el permiso y cámbiela", &error)
}

fn open_to_others(home: &Home) -> Result<Vec<PathBuf>, SetupError> {
    let folder = home.keys();
    let names =
        read_tree(&folder).map_err(SetupError::file(&folder))?.into_iter().map(|(name, _)| folder.join(name));
    let mut open = Vec::new();
    for path in std::iter::once(folder.clone()).chain(names) {
        let mode = std::fs::metadata(&path).map_err(SetupError::file(&path))?.permissions().mode();
        if mode & OTHERS != 0 {
            open.push(path);
        }
    }
    Ok(open)
}

/// Whether every private key loads and is the one that the directory names.
pub(super) fn keys(home: &Home) -> CheckFinding {
    match directory::read(home).and_then(|directory| load::keys(home, &directory)) {
        Ok(keys) => CheckFinding::ok(
            "keys",
            format!(
                "Llaves de mensajes, acuses y {} roles, como las nombra el directorio.",
                keys.openers.len()
            ),
            format!(
                "Keys for messages, receipts and {} roles, as the directory names them.",
                keys.openers.len()
            ),
        ),
        Err(error) => CheckFinding::error("keys", "Una llave falta o no es la del directorio", &error),
    }
}

/// Whether catalogue and policies load and agree, under the adoptions that count.
pub(super) fn rules(home: &Home, adopted: &[Adopted]) -> CheckFinding {
    match load::rules(home, adopted) {
        Ok(rules) => CheckFinding::ok(
            "rules",
            format!("Catálogo {} y políticas {}.", rules.catalogue.digest(), rules.policy.digest()),
            format!("Catalogue {} and policies {}.", rules.catalogue.digest(), rules.policy.digest()),
        ),
        Err(error) => CheckFinding::error("rules", "El catálogo o las políticas no se pueden usar", &error),
    }
}

struct Unobserved;

impl CommitObserver for Unobserved {
    fn committed(&self, _commits: usize, _writes: usize, _micros: u64) {}
}

/// Whether the store opens; one that a node has open is left to it.
pub(super) fn store(home: &Home, config: &Config) -> CheckFinding {
    let (code, path) = ("store", home.store());
    if !path.exists() {
        let (es, en) =
            ("Aún no hay almacén; se crea al arrancar.", "No store yet; the first start makes it.");
        return CheckFinding::ok(code, es, en);
    }
    match load::store(home, config, Arc::new(Unobserved)).map(drop) {
        Ok(()) => CheckFinding::ok(code, "El almacén se abre.", "The store opens."),
        Err(SetupError::Store(OpenError::InUse)) => CheckFinding::ok(
            code,
            "El almacén lo usa un nodo en marcha.",
            "A running node has the store open.",
        ),
        Err(error) => CheckFinding::error(code, "El almacén no se abre", &error),
    }
}
