//! What a command says: one JSON value for a machine, or lines for a person, Spanish first.
//!
//! INVARIANT: standard output carries the answer alone; notes and failures go to standard error.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::exit::Exit;
use crate::reach::RefusedByNode;

/// For whom the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines, Spanish first and English.
    Text,
    /// One JSON value.
    Json,
}

/// Where answers and notes go.
pub struct Output {
    format: Format,
    answers: Box<dyn Write + Send>,
    notes: Box<dyn Write + Send>,
}

impl Output {
    /// To the process's own streams.
    #[must_use]
    pub fn standard(format: Format) -> Self {
        Self { format, answers: Box::new(io::stdout()), notes: Box::new(io::stderr()) }
    }

    /// The answer, as JSON or as `text` writes it.
    ///
    /// # Errors
    /// When the stream is closed or the value is not JSON.
    pub fn answer<T: Serialize>(
        &mut self,
        value: &T,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        match self.format {
            Format::Json => {
                serde_json::to_writer(&mut self.answers, value)?;
                writeln!(self.answers)?;
            }
            Format::Text => text(&mut self.answers)?,
        }
        Ok(self.answers.flush()?)
    }

    /// Bytes as they are: a page, a spreadsheet, a configuration.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.answers.write_all(bytes)?;
        Ok(self.answers.flush()?)
    }

    /// A remark beside the answer, for people only.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn note(&mut self, es: &str, en: &str) -> anyhow::Result<()> {
        if self.format == Format::Text {
            writeln!(self.notes, "{es}\n{en}")?;
        }
        Ok(())
    }

    /// Tells why there is no answer; answers the exit status for it.
    pub fn failure(&mut self, error: &anyhow::Error) -> Exit {
        let refusal = error.downcast_ref::<RefusedByNode>();
        // There is nobody left to tell when these streams are closed; the exit status still says it.
        let _ = match (self.format, refusal) {
            (Format::Json, Some(refusal)) => writeln!(self.answers, "{}", refusal.problem()),
            _ => writeln!(self.notes, "puente: {error:#}"),
        };
        let _ = self.answers.flush();
        Exit::of(error)
    }
}

#[cfg(test)]
pub mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a command wrote.
    #[derive(Clone, Default)]
    pub struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        pub fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        pub fn json(&self) -> serde_json::Value {
            serde_json::from_str(&self.text()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output into memory: itself, the answers, the notes.
    pub fn in_memory(format: Format) -> (Output, Written, Written) {
        let (answers, notes) = (Written::default(), Written::default());
        let output = Output { format, answers: Box::new(answers.clone()), notes: Box::new(notes.clone()) };
        (output, answers, notes)
    }

    #[test]
    fn a_machine_reads_one_line_and_no_remarks() {
        let (mut output, answers, notes) = in_memory(Format::Json);
        output.note("Nota", "Note").unwrap();
        output.answer(&serde_json::json!({"n": 1}), |_| unreachable!()).unwrap();
        assert_eq!((answers.text().as_str(), notes.text().as_str()), ("{\"n\":1}\n", ""));
    }

    #[test]
    fn a_failure_stays_off_the_answers() {
        let (mut output, answers, notes) = in_memory(Format::Text);
        assert_eq!(output.failure(&anyhow::anyhow!("cause").context("step")), Exit::Refused);
        assert_eq!((answers.text().as_str(), notes.text().as_str()), ("", "puente: step: cause\n"));
    }
}
