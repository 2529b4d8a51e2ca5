//! `puente queue`: what the running node still has to deliver.

use clap::Args;
use http::Method;
use serde_json::Value;

use crate::command::answer::{each, text};
use crate::command::suspend::{suspensions, write_in_force};
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AtHome, read_json};

/// Lo que espera ser entregado / what waits to be delivered.
#[derive(Debug, Args)]
pub struct Queue {
    #[command(flatten)]
    at: AtHome,
}

impl Queue {
    /// Shows every queue by peer and lane.
    ///
    /// # Errors
    /// When no node runs, or it refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let mut value = read_json(&self.at.node().request(Method::GET, "/v1/queue").await?)?;
        let suspensions = suspensions(&self.at).await?;
        if let Some(answer) = value.as_object_mut() {
            answer.insert("suspensions".to_owned(), suspensions.clone());
        }
        output.answer(&value, |out| {
            write_in_force(out, &suspensions)?;
            let now_ms = value.get("now_ms").and_then(Value::as_i64).unwrap_or_default();
            let queues: Vec<_> = each(&value, "queues").collect();
            if queues.is_empty() {
                return writeln!(out, "Nada espera.\nNothing waits.");
            }
            for queue in queues {
                let count = queue.get("waiting").and_then(Value::as_u64).unwrap_or_default();
                let oldest = queue.get("oldest_ms").and_then(Value::as_i64);
                let age = oldest.map_or(0, |oldest| now_ms.saturating_sub(oldest) / 1000);
                writeln!(out, "  {}  {:8} {count:>6}  {age} s", text(queue, "peer"), text(queue, "lane"))?;
            }
            Ok(())
        })?;
        Ok(Exit::Done)
    }
}
