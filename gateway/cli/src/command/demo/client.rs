//! `puente demo-client`: one of the two client processes of the demonstration; `puente demo` starts it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::exit::Exit;

use super::plan::Plan;
use super::{receiver, sender};

/// Which side it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Mexico's migration system.
    Sender,
    /// Guatemala's agencies.
    Receiver,
}

/// Arguments.
#[derive(Debug, Args)]
pub struct DemoClient {
    /// Which side.
    side: Side,
    /// The plan that `puente demo` wrote.
    #[arg(long)]
    plan: PathBuf,
}

impl DemoClient {
    /// Acts; what it does it tells on standard output, one JSON object a line.
    ///
    /// # Errors
    /// When the plan cannot be read, the gateway not be asked, or an answer does not leave.
    pub async fn run(self) -> anyhow::Result<Exit> {
        let plan = Plan::read(&self.plan)?;
        match self.side {
            Side::Sender => sender::run(plan).await?,
            Side::Receiver => receiver::run(plan).await?,
        }
        Ok(Exit::Done)
    }
}
