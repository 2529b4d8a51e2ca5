//! `puente inbox`: what happened for the agency since a cursor.

use clap::Args;
use serde_json::Value;

use crate::command::answer::each;
use crate::command::query::with_query;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AsAgency, read_json};

/// Lo que llegó para la dependencia / what came in for the agency.
#[derive(Debug, Args)]
pub struct Inbox {
    #[command(flatten)]
    agency: AsAgency,
    /// Después de este cursor; 0 desde el principio / after this cursor; 0 from the beginning.
    #[arg(long, default_value_t = 0)]
    after: i64,
    /// Segundos que espera si no hay nada / seconds to wait when there is nothing.
    #[arg(long, default_value_t = 0)]
    wait: u64,
    /// Cuántos a lo más / how many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

impl Inbox {
    /// Shows events, and the cursor to go on from.
    ///
    /// # Errors
    /// When the node is not there or refuses.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let acting = self.agency.act(output)?;
        let path = with_query(
            "/v1/inbox",
            &[
                ("after", Some(self.after.to_string())),
                ("wait", Some(self.wait.to_string())),
                ("limit", Some(self.limit.to_string())),
            ],
        );
        let value = read_json(&acting.get(&path).await?)?;
        output.answer(&value, |out| {
            for entry in each(&value, "events") {
                let text = |path: &str| entry.pointer(path).and_then(Value::as_str).unwrap_or_default();
                let (cursor, kind) = (text("/id"), text("/type"));
                let (about, state) = (text("/data/message_type"), text("/data/state"));
                writeln!(out, "{cursor:>8}  {kind}  {about}  {state}  {}", text("/data/link"))?;
            }
            let next = value.get("next").and_then(Value::as_i64).unwrap_or(self.after);
            writeln!(out, "Siga con / go on with: --after {next}")
        })?;
        Ok(Exit::Done)
    }
}
