//! `puente policy test`: worked cases against the rules, without a node.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use puente_core::policy::cases;

use super::read_set;
use crate::exit::Exit;
use crate::output::Output;

/// Decide casos / decide cases.
#[derive(Debug, Args)]
pub struct Test {
    /// Casos en la forma de la matriz / cases in the form of the matrix.
    #[arg(long, value_name = "FILE")]
    cases: PathBuf,
    /// Carpeta de políticas; las de este programa si se omite / folder of policies; those of this program when left out.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
}

impl Test {
    /// Does it; ends with 1 when a case did not come out as expected.
    ///
    /// # Errors
    /// When policies or cases cannot be read.
    pub fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let unreadable = |error: std::io::Error| anyhow::anyhow!("`{}`: {error}", self.cases.display());
        let (engine, _) = read_set(self.policies.as_ref())?.load(&[])?;
        let reports = cases::run(&engine, &std::fs::read(&self.cases).map_err(unreadable)?)?;
        let failed: Vec<_> = reports.iter().filter(|report| !report.passed).collect();
        let passed = reports.len() - failed.len();
        let shown: Vec<_> = reports
            .iter()
            .map(
                |report| json!({"id": report.id, "passed": report.passed, "differences": report.differences}),
            )
            .collect();
        let value = json!({
            "policy": engine.digest(), "passed": passed, "failed": failed.len(), "cases": shown,
        });
        output.answer(&value, |out| {
            for report in &failed {
                for difference in &report.differences {
                    writeln!(out, "{}  {difference}", report.id)?;
                }
            }
            writeln!(out, "{passed} passed, {} failed", failed.len())
        })?;
        // A file without cases has shown nothing.
        Ok(Exit::expect(failed.is_empty() && passed > 0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;
    use crate::output::Format;
    use crate::output::tests::in_memory;

    fn run(cases: &Path, format: Format) -> (Exit, String) {
        let (mut output, answers, _) = in_memory(format);
        let test = Test { cases: cases.to_owned(), policies: None };
        (test.run(&mut output).unwrap(), answers.text())
    }

    fn matrix() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/cases/matrix.json")
    }

    #[test]
    fn the_matrix_comes_out_as_expected() {
        let (exit, text) = run(&matrix(), Format::Text);
        assert!(text.trim_end().ends_with(" passed, 0 failed"), "{text}");
        assert_eq!(exit, Exit::Done);
    }

    #[test]
    fn a_case_that_comes_out_otherwise_is_told_with_what_came() {
        let folder = tempfile::tempdir().unwrap();
        let altered = folder.path().join("cases.json");
        let mut matrix: serde_json::Value =
            serde_json::from_slice(&std::fs::read(matrix()).unwrap()).unwrap();
        let first = matrix.pointer_mut("/cases/0/expected/decision").unwrap();
        assert_eq!(*first, "permit");
        *first = json!("deny");
        std::fs::write(&altered, matrix.to_string()).unwrap();
        let (exit, text) = run(&altered, Format::Text);
        assert!(text.contains("decision: expected deny, got permit"), "{text}");
        assert!(text.trim_end().ends_with(" passed, 1 failed"), "{text}");
        assert_eq!(exit, Exit::Refused);
    }

    #[test]
    fn no_cases_are_no_success() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("cases.json");
        std::fs::write(&empty, r#"{"reference_time": "2026-03-02T15:00:00Z", "cases": []}"#).unwrap();
        assert_eq!(run(&empty, Format::Json).0, Exit::Refused);
    }
}
