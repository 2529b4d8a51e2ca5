//! What a client process tells the demonstration: one JSON object per line of its standard output.
//!
//! Not here: who prints it for people. INVARIANT: a line names rows, counts and codes, never a person.

use std::io::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// What it does now.
    Step {
        /// In Spanish.
        es: String,
        /// In English.
        en: String,
    },
    /// It has ended: what it did, and what was not as it should be.
    Report {
        /// Facts by name.
        facts: Value,
        /// One sentence each.
        failures: Vec<String>,
    },
}

impl Entry {
    /// Says it.
    pub fn tell(&self) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        let mut out = std::io::stdout().lock();
        out.write_all(&line)?;
        Ok(out.flush()?)
    }

    /// A step.
    pub fn step(es: &str, en: &str) -> Self {
        Self::Step { es: es.to_owned(), en: en.to_owned() }
    }
}
