//! `puente policy sign`: this country's signature on an agreement, with its directory key.

use std::path::PathBuf;

use clap::Args;
use puente_node::home::{Home, write_file};
use puente_node::setup::agreement;
use serde_json::json;

use crate::exit::Exit;
use crate::output::Output;

/// Firma un acuerdo / sign an agreement.
#[derive(Debug, Args)]
pub struct Sign {
    /// El acuerdo, llano o ya firmado por otra parte; queda firmado ahí / the agreement, plain or signed by another party; it is signed in place.
    agreement: PathBuf,
    /// Carpeta del nodo que guarda la llave del directorio / folder of the node that holds the directory key.
    #[arg(long, env = "PUENTE_HOME", value_name = "DIR")]
    home: PathBuf,
}

impl Sign {
    /// Does it.
    ///
    /// # Errors
    /// When the file is no agreement, or the key cannot sign.
    pub fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let path = self.agreement.display().to_string();
        let bytes = std::fs::read(&self.agreement).map_err(|error| anyhow::anyhow!("`{path}`: {error}"))?;
        let document = agreement::sign(&Home::at(&self.home), &bytes)?;
        write_file(&self.agreement, &serde_json::to_vec(&document)?)?;
        let count = document.signatures.len();
        output.answer(&json!({"agreement": path, "signatures": count}), |out| {
            writeln!(out, "{path}: {count} firmas; obliga cuando firman todas las partes.")?;
            writeln!(out, "{path}: {count} signatures; it binds once every party has signed.")
        })?;
        Ok(Exit::Done)
    }
}
