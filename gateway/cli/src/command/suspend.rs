//! `puente suspend` and `puente lift`: the kill switch per member, purpose and category.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use http::Method;
use puente_core::ids::{Category, CountryCode, Purpose};
use puente_core::suspension::Target;
use serde_json::{Value, json};

use crate::command::answer::text;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AtHome, read_json};

/// Suspende de inmediato, con la cola guardada / suspend at once, the queue being kept.
#[derive(Debug, Args)]
pub struct Suspend {
    #[command(flatten)]
    at: AtHome,
    /// Motivo, como código / reason, as a code.
    #[arg(long, global = true, default_value = "operator")]
    reason: String,
    #[command(subcommand)]
    what: What,
}

/// Levanta una suspensión; lo guardado sale en su orden / lift a suspension; what was kept goes out in its order.
#[derive(Debug, Args)]
pub struct Lift {
    #[command(flatten)]
    at: AtHome,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Un miembro / a member.
    Peer {
        /// País / country.
        country: CountryCode,
    },
    /// Una finalidad / a purpose.
    Purpose {
        /// Código / code.
        purpose: Purpose,
    },
    /// Una categoría de datos: los mensajes que la llevan / a data category: the messages that carry it.
    Category {
        /// Código / code.
        category: Category,
    },
}

impl From<What> for Target {
    fn from(what: What) -> Self {
        match what {
            What::Peer { country } => Self::Peer(country),
            What::Purpose { purpose } => Self::Purpose(purpose),
            What::Category { category } => Self::Category(category),
        }
    }
}

impl Suspend {
    /// Does it.
    ///
    /// # Errors
    /// When no node runs, or it refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let target = Target::from(self.what);
        let body = serde_json::to_vec(&json!({"target": target, "reason": self.reason}))?;
        let value = read_json(&self.at.node().post("/v1/suspensions", body).await?)?;
        output.answer(&value, |out| {
            writeln!(out, "{target}: suspendido; la cola se guarda, bajas y supresiones siguen.")?;
            writeln!(out, "{target}: suspended; the queue is kept, withdrawals and erasures still flow.")
        })?;
        Ok(Exit::Done)
    }
}

impl Lift {
    /// Does it.
    ///
    /// # Errors
    /// When no node runs, or nothing is suspended.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let target = Target::from(self.what);
        let body = serde_json::to_vec(&json!({"target": target}))?;
        let value = read_json(&self.at.node().post("/v1/suspensions/lift", body).await?)?;
        output.answer(&value, |out| {
            writeln!(out, "{target}: levantado; lo guardado sale en su orden.")?;
            writeln!(out, "{target}: lifted; what was kept goes out in its order.")
        })?;
        Ok(Exit::Done)
    }
}

/// The suspensions of a node: those in force, then those that were lifted.
///
/// # Errors
/// When no node runs, or it refuses.
pub async fn suspensions(at: &AtHome) -> anyhow::Result<Value> {
    let value = read_json(&at.node().request(Method::GET, "/v1/suspensions").await?)?;
    Ok(value.get("suspensions").cloned().unwrap_or_default())
}

/// Writes those that are in force.
///
/// # Errors
/// When the stream is closed.
pub fn write_in_force(out: &mut dyn Write, suspensions: &Value) -> io::Result<()> {
    for row in suspensions.as_array().into_iter().flatten() {
        if row.get("lifted_ms").is_some_and(Value::is_null) {
            writeln!(out, "  SUSPENDIDO / SUSPENDED  {}  {}", text(row, "target"), text(row, "reason"))?;
        }
    }
    Ok(())
}
