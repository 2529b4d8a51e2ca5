//! `puente operation`: a return operation's list out, its reconciliation and its papers back.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Zoned;
use serde_json::Value;

use puente_core::ids::{AgreementId, CountryCode, Digest, OperationId};
use puente_node::home::write_file;

use crate::command::answer::{each, text};
use crate::command::query::with_query;
use crate::command::verdict;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AsAgency, read_json};

/// Operaciones de retorno / return operations.
#[derive(Debug, Subcommand)]
pub enum Operation {
    /// Presenta una lista (CSV, XLSX o JSON), con veredicto por fila / submit a list, with a verdict per row.
    Upload(Upload),
    /// Todo lo enviado y lo respondido / everything sent and answered.
    Show {
        #[command(flatten)]
        agency: AsAgency,
        /// Operación / operation.
        operation: OperationId,
    },
    /// La lista recibida, para papel (HTML) / the list as received, for paper.
    Print {
        #[command(flatten)]
        agency: AsAgency,
        /// Operación / operation.
        operation: OperationId,
        /// Cuántas veces se imprimió antes / how often it was printed before.
        #[arg(long, default_value_t = 0)]
        earlier_prints: u32,
        /// Archivo; la salida si se omite / file; standard output when left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Quién llegó, como hoja de cálculo / who arrived, as a spreadsheet.
    Arrivals {
        #[command(flatten)]
        agency: AsAgency,
        /// Operación / operation.
        operation: OperationId,
        /// CSV en vez de XLSX / CSV instead of XLSX.
        #[arg(long)]
        csv: bool,
        /// Archivo; la salida si se omite / file; standard output when left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Presenta una lista / submit a list.
#[derive(Debug, Args)]
pub struct Upload {
    #[command(flatten)]
    agency: AsAgency,
    /// Lista: `.csv`, `.xlsx` o `.json` / list.
    file: PathBuf,
    /// Operación; nueva si se omite / operation; new when left out.
    #[arg(long)]
    operation: Option<OperationId>,
    /// País de destino / destination country.
    #[arg(long, value_name = "CC")]
    destination: CountryCode,
    /// Acuerdo en que se funda / agreement that it rests on.
    #[arg(long)]
    agreement: AgreementId,
    /// Modo / mode, such as `land` or `air_charter`.
    #[arg(long)]
    mode: String,
    /// Lugar de salida / place of departure.
    #[arg(long)]
    origin: String,
    /// Puerto de entrada / port of entry.
    #[arg(long)]
    port_of_entry: String,
    /// Llegada prevista, con la zona del puerto / expected arrival, in the port's zone (RFC 9557).
    #[arg(long)]
    eta: Zoned,
    /// Vehículo o vuelo / vehicle or flight.
    #[arg(long)]
    vehicle: Option<String>,
    /// Solo pregunta qué saldría / only ask what would leave.
    #[arg(long)]
    dry_run: bool,
}

impl Operation {
    /// Does it.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Upload(upload) => upload.run(output).await,
            Self::Show { agency, operation } => {
                let acting = agency.act(output)?;
                let value = read_json(&acting.get(&format!("/v1/operations/{operation}")).await?)?;
                output.answer(&value, |out| write_messages(out, &value))?;
                Ok(Exit::Done)
            }
            Self::Print { agency, operation, earlier_prints, out } => {
                let path = format!("/v1/operations/{operation}/print");
                let path = with_query(&path, &[("earlier_prints", Some(earlier_prints.to_string()))]);
                fetch(&agency, &path, out.as_deref(), output).await
            }
            Self::Arrivals { agency, operation, csv, out } => {
                let path = format!("/v1/operations/{operation}/arrivals");
                let path = with_query(&path, &[("format", csv.then(|| "csv".to_owned()))]);
                fetch(&agency, &path, out.as_deref(), output).await
            }
        }
    }
}

async fn fetch(
    agency: &AsAgency,
    path: &str,
    out: Option<&Path>,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    let answer = agency.act(output)?.get(path).await?;
    match out {
        Some(file) => write_file(file, &answer.body)?,
        None => output.bytes(&answer.body)?,
    }
    Ok(Exit::Done)
}

fn write_messages(out: &mut dyn std::io::Write, value: &Value) -> std::io::Result<()> {
    for message in each(value, "messages") {
        let row = message.get("row").and_then(Value::as_u64).map(|row| row.to_string()).unwrap_or_default();
        let direction = if text(message, "direction") == "in" { "←" } else { "→" };
        let (kind, state) = (text(message, "type"), text(message, "state"));
        writeln!(out, "{row:>4} {direction} {kind}  {state}  {}", text(message, "message_id"))?;
        for answer in each(message, "answers") {
            writeln!(out, "       {}  {}", text(answer, "type"), text(answer, "status"))?;
        }
    }
    for answer in each(value, "unsolicited") {
        writeln!(out, "     ← {}  {}", text(answer, "type"), text(answer, "status"))?;
    }
    Ok(())
}

impl Upload {
    async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let media_type = media_type(&self.file)?;
        let body = std::fs::read(&self.file)
            .map_err(|error| anyhow::anyhow!("`{}`: {error}", self.file.display()))?;
        let operation = self.operation.unwrap_or_else(|| OperationId(uuid::Uuid::new_v4()));
        let acting = self.agency.act(output)?;
        let path = with_query(
            &format!("/v1/operations/{operation}/manifest"),
            &[
                ("destination", Some(self.destination.to_string())),
                ("agreement", Some(self.agreement.to_string())),
                ("mode", Some(self.mode)),
                ("origin", Some(self.origin)),
                ("port_of_entry", Some(self.port_of_entry)),
                ("eta", Some(self.eta.to_string())),
                ("vehicle", self.vehicle),
                ("dry_run", self.dry_run.then(|| "true".to_owned())),
            ],
        );
        // The same file for the same operation has the same key: sending it again has no double effect.
        let key = Digest::of(&[path.as_bytes(), b"\n", &body].concat()).to_string();
        output.note(&format!("Operación {operation}"), &format!("Operation {operation}"))?;
        let value = read_json(&acting.post(&path, media_type, Some(&key), body).await?)?;
        let verdicts = value.get("verdicts").and_then(Value::as_array).cloned().unwrap_or_default();
        output.answer(&value, |out| {
            verdicts.iter().try_for_each(|each| verdict::write(out, each))?;
            writeln!(out)?;
            verdict::write_counts(out, &verdicts)
        })?;
        Ok(Exit::expect(verdicts.iter().all(verdict::is_taken)))
    }
}

fn media_type(file: &Path) -> anyhow::Result<&'static str> {
    match file.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Ok("text/csv"),
        Some("xlsx") => Ok("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        Some("json") => Ok("application/json"),
        _ => anyhow::bail!("`{}` is not a .csv, .xlsx or .json file", file.display()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_end_of_the_name_says_what_a_list_is() {
        assert_eq!(media_type(Path::new("lista.CSV")).unwrap(), "text/csv");
        assert!(media_type(Path::new("lista.xls")).is_err());
        assert!(media_type(Path::new("lista")).is_err());
    }
}
