//! `puente init`: a new node's home.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use puente_core::envelope::SignatureProfile;
use puente_core::ids::{CountryCode, Realm, Role};
use puente_node::clock::SystemClock;
use puente_node::config::{Config, Listen, reference};
use puente_node::home::Home;
use puente_node::setup;

use crate::exit::Exit;
use crate::output::Output;

/// The country of the reference configuration.
const REFERENCE_COUNTRY: &str = "MX";

/// Prepara un nodo / set a node up.
///
/// Makes keys, both certificate authorities, certificates, the configuration, and copies of the catalogue and the
/// policies. Nothing that exists is touched.
#[derive(Debug, Args)]
pub struct Init {
    /// Carpeta nueva del nodo / new folder of the node.
    #[arg(long, env = "PUENTE_HOME", value_name = "DIR", required_unless_present = "print_reference")]
    home: Option<PathBuf>,
    /// País / country (ISO 3166-1 alpha-2).
    #[arg(long, value_name = "CC", required_unless_present = "print_reference")]
    country: Option<CountryCode>,
    /// Ámbito / realm: production, training, conformance.
    #[arg(long, required_unless_present = "print_reference")]
    realm: Option<Realm>,
    /// Algoritmos de las llaves / algorithms of the keys.
    #[arg(long, value_enum, default_value_t = Profile::P256)]
    profile: Profile,
    /// Nombre o IP de este equipo para los certificados; repetible / name or IP of this machine for the certificates; may be repeated.
    #[arg(long = "name", value_name = "NAME", required_unless_present = "print_reference")]
    names: Vec<String>,
    /// Dirección pública de la cara de federación / public address of the federation face, `host:port`.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "print_reference")]
    gateway: Option<String>,
    /// Dónde escucha a las dependencias / where it listens to agencies.
    #[arg(long, value_name = "ADDRESS", default_value_t = Listen::default().domestic)]
    listen_domestic: String,
    /// Dónde escucha a los demás miembros / where it listens to other members.
    #[arg(long, value_name = "ADDRESS", default_value_t = Listen::default().federation)]
    listen_federation: String,
    /// Dónde da salud y métricas / where it gives health and metrics.
    #[arg(long, value_name = "ADDRESS", default_value_t = Listen::default().operations)]
    listen_operations: String,
    /// Rol con llave propia; repetible; todos si se omite / role with its own key; may be repeated; all when left out.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
    /// Imprime la configuración de referencia y termina / print the reference configuration and end.
    #[arg(long)]
    print_reference: bool,
}

/// Which pair of algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// ES256 y ECDH en P-256 / ES256 and ECDH on P-256.
    P256,
    /// Ed25519 y X25519 / Ed25519 and X25519.
    #[value(name = "25519")]
    Curve25519,
}

impl Init {
    /// Makes the home, or prints the reference.
    ///
    /// # Errors
    /// When something lies there already or cannot be made.
    pub fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        if self.print_reference {
            let config = Config::new(REFERENCE_COUNTRY.parse()?, Realm::Training);
            output.bytes(reference(&config)?.as_bytes())?;
            return Ok(Exit::Done);
        }
        let (Some(folder), Some(country), Some(realm), Some(gateway_address)) =
            (self.home, self.country, self.realm, self.gateway)
        else {
            anyhow::bail!("--home, --country, --realm and --gateway are required");
        };
        let request = setup::Init {
            country: country.clone(),
            realm,
            profile: match self.profile {
                Profile::P256 => SignatureProfile::P256,
                Profile::Curve25519 => SignatureProfile::Curve25519,
            },
            listen: Listen {
                domestic: self.listen_domestic,
                federation: self.listen_federation,
                operations: self.listen_operations,
            },
            names: self.names,
            gateway_address,
            roles: (!self.roles.is_empty()).then(|| self.roles.into_iter().collect()),
        };
        let home = Home::at(&folder);
        let made = setup::init(&home, &request, &SystemClock::default())?;
        let value = json!({
            "home": folder, "country": country, "realm": realm, "config": home.config(),
            "authority": made.authority, "directory_key": made.directory_key, "roles": made.roles,
        });
        output.answer(&value, |out| {
            writeln!(out, "Nodo de {country} ({realm}) en {}", folder.display())?;
            writeln!(out, "Node of {country} ({realm}) in {}", folder.display())?;
            writeln!(out, "\nPara la lista de miembros / for the members list:")?;
            writeln!(out, "  certificate authority  {}", made.authority)?;
            writeln!(out, "  directory key          {}", made.directory_key)?;
            writeln!(
                out,
                "\nRespalde `keys/` fuera de este equipo; sin ella nada de lo guardado se puede leer."
            )?;
            writeln!(
                out,
                "Back `keys/` up outside this machine; without it nothing that is stored can be read."
            )
        })?;
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser as _;

    use super::*;
    use crate::output::Format;
    use crate::output::tests::in_memory;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        init: Init,
    }

    #[test]
    fn a_home_is_made_from_the_line_and_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("mx");
        let line = || {
            Line::try_parse_from([
                "init",
                "--home",
                home.to_str().unwrap(),
                "--country",
                "MX",
                "--realm",
                "training",
                "--name",
                "localhost",
                "--gateway",
                "localhost:9443",
                "--role",
                "returns_reception",
            ])
            .unwrap()
            .init
        };
        let (mut output, answers, _) = in_memory(Format::Json);
        assert_eq!(line().run(&mut output).unwrap(), Exit::Done);
        assert_eq!(answers.json()["roles"], serde_json::json!(["returns_reception"]));
        assert!(line().run(&mut output).is_err());
    }

    #[test]
    fn the_reference_needs_nothing_else() {
        let (mut output, answers, _) = in_memory(Format::Text);
        let init = Line::try_parse_from(["init", "--print-reference"]).unwrap().init;
        init.run(&mut output).unwrap();
        assert!(Config::parse(&answers.text()).is_ok());
        assert!(Line::try_parse_from(["init", "--country", "MX"]).is_err());
    }
}
