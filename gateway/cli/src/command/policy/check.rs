//! `puente policy check`: every defect of a set with its place and remedy, then its worked cases.

use std::path::PathBuf;

use clap::Args;
use puente_core::consent::ApprovedTexts;
use puente_core::policy::{Defect, PolicyEngine, cases, defects};
use puente_node::home::Home;
use puente_node::policy::PolicySet;
use serde_json::json;

use super::read_set;
use crate::exit::Exit;
use crate::output::Output;

/// How to mend the list of texts.
const TEXTS: (&str, &str) = (
    "Corrija la lista, o apruebe de nuevo el texto que cambió.",
    "Mend the list, or approve the changed text again.",
);
/// What to do about a worked case that came out otherwise.
const CASE: (&str, &str) = (
    "Corrija la regla, o el caso si la matriz cambió.",
    "Mend the rule, or the case when the matrix has changed.",
);

/// Revisa un conjunto / check a set.
#[derive(Debug, Args)]
pub struct Check {
    /// Carpeta de políticas; las de este programa si se omite / folder of policies; those of this program when left out.
    #[arg(long, value_name = "DIR", conflicts_with = "home")]
    policies: Option<PathBuf>,
    /// Carpeta de un nodo: sus políticas / folder of a node: its policies.
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

/// What the worked cases of a set came to.
#[derive(Default)]
struct Cases {
    passed: usize,
    failed: usize,
    defects: Vec<Defect>,
}

impl Check {
    /// Does it; ends with 1 on any defect.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let folder = self.policies.or_else(|| self.home.map(|home| Home::at(home).policies()));
        let set = read_set(folder.as_ref())?;
        let mut found = defects(&set.bytes());
        found.extend(texts(&set));
        // The cases of a set that does not load would all fail, and say nothing.
        let mut worked = Cases::default();
        let loaded = if found.is_empty() { set.load(&[]).ok() } else { None };
        if let Some((engine, _)) = &loaded {
            worked = work(&set, engine);
            found.append(&mut worked.defects);
        }
        let policy = loaded.as_ref().map(|(engine, _)| engine.digest());
        let value = json!({
            "set": set.digest(), "policy": policy, "defects": found,
            "cases": {"passed": worked.passed, "failed": worked.failed},
        });
        output.answer(&value, |out| {
            for defect in &found {
                writeln!(out, "{}:{}  {}", defect.file, defect.line, defect.what)?;
                writeln!(out, "    {}\n    {}", defect.es, defect.en)?;
            }
            writeln!(out, "conjunto / set {}", set.digest())?;
            writeln!(out, "{} passed, {} failed", worked.passed, worked.failed)?;
            writeln!(out, "{} defects", found.len())
        })?;
        Ok(Exit::expect(found.is_empty()))
    }
}

/// What keeps the list of texts for consent from being used.
fn texts(set: &PolicySet) -> Option<Defect> {
    let files = set.files().iter().map(|(path, text)| (path.as_str(), text.as_bytes()));
    let wrong = ApprovedTexts::load(files).err()?;
    let file = "consent/texts.json".to_owned();
    Some(Defect { file, line: 1, what: wrong.to_string(), es: TEXTS.0, en: TEXTS.1 })
}

fn work(set: &PolicySet, engine: &PolicyEngine) -> Cases {
    let mut worked = Cases::default();
    for (file, text) in set.cases() {
        let defect = |line, what| Defect { file: file.to_owned(), line, what, es: CASE.0, en: CASE.1 };
        match cases::run(engine, text.as_bytes()) {
            Err(error) => worked.defects.push(defect(1, error.to_string())),
            Ok(reports) => {
                for report in reports {
                    if report.passed {
                        worked.passed += 1;
                        continue;
                    }
                    worked.failed += 1;
                    let opening = format!("\"{}\"", report.id);
                    let line = text.lines().position(|line| line.contains(&opening)).map_or(1, |at| at + 1);
                    let what = format!("case {}: {}", report.id, report.differences.join("; "));
                    worked.defects.push(defect(line, what));
                }
            }
        }
    }
    worked
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::path::Path;

    use super::*;
    use crate::command::policy::tests::changed;
    use crate::output::Format;
    use crate::output::tests::in_memory;

    fn run(policies: Option<&Path>, format: Format) -> (Exit, String) {
        let (mut output, answers, _) = in_memory(format);
        let check = Check { policies: policies.map(Path::to_owned), home: None };
        (check.run(&mut output).unwrap(), answers.text())
    }

    #[test]
    fn the_policies_of_this_program_have_no_defect_and_pass_their_cases() {
        let (exit, text) = run(None, Format::Text);
        assert!(text.ends_with(" failed\n0 defects\n"), "{text}");
        assert_eq!(exit, Exit::Done);
    }

    #[test]
    fn a_text_for_consent_that_is_not_the_approved_one_is_a_defect() {
        let folder = changed(|files| {
            files.insert("consent/es.txt".to_owned(), "otro texto".to_owned());
        });
        let (exit, text) = run(Some(folder.path()), Format::Json);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["defects"][0]["file"], "consent/texts.json", "{text}");
        assert_eq!(exit, Exit::Refused);
    }

    #[test]
    fn a_defect_is_told_with_file_line_and_remedy() {
        let folder = changed(|files| {
            let text = files["rules/firewall.cedar"].replacen("@rank(\"70\")", "@rank(\"71\")", 1);
            files.insert("rules/firewall.cedar".to_owned(), text);
        });
        let (exit, text) = run(Some(folder.path()), Format::Json);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["defects"][0]["file"], "rules/firewall.cedar");
        assert_eq!(value["defects"][0]["line"], 3);
        assert!(value["defects"][0]["es"].as_str().is_some_and(|es| es.starts_with("Corrija")));
        assert_eq!(exit, Exit::Refused);
    }

    #[test]
    fn a_rule_that_no_longer_bites_fails_its_case_on_the_line_of_the_case() {
        let folder = changed(|files| {
            let text =
                files["rules/minimise.cedar"].replacen("context.minCell < 5", "context.minCell < 2", 1);
            files.insert("rules/minimise.cedar".to_owned(), text);
        });
        let (exit, text) = run(Some(folder.path()), Format::Text);
        assert!(text.contains("cases/matrix.json:"), "{text}");
        assert!(text.contains("R-STA-01"), "{text}");
        assert_eq!(exit, Exit::Refused);
    }
}
