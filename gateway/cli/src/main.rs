//! `puente`: the node, its tools and its demonstration.
//!
//! Not here: what a command does (`command`). INVARIANT: the exit status says how it went (`exit`), and what a
//! machine may read stands alone on standard output (`output`).

mod command;
mod exit;
mod output;
mod reach;

use std::process::ExitCode;

use clap::Parser;

use command::Command;
use output::{Format, Output};

/// Puente: mensajes firmados y con base legal entre once países, sobre personas que retornan.
///
/// Signed messages with a legal basis between eleven countries, about returning people. Exit status: 0 done, 1 refused or
/// not as expected, 2 wrong usage, 3 the node is not reachable.
#[derive(Debug, Parser)]
#[command(name = "puente", version, propagate_version = true)]
struct Cli {
    /// Para personas o para máquinas / for people or for machines.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::standard(cli.format);
    match cli.command.run(&mut output).await {
        Ok(exit) => exit.into(),
        Err(error) => output.failure(&error).into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
