//! `puente policy diff`: what differs between two sets, and which worked cases they decide otherwise.
//!
//! Recorded decisions are another command's (`simulate`): their facts do not leave the node.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use puente_core::policy::{Changes, Decision, SendFacts, Shift, cases, difference, shift};
use puente_node::policy::PolicySet;
use serde_json::{Value, json};

use super::read_set;
use crate::exit::Exit;
use crate::output::Output;

/// Compara dos conjuntos / compare two sets.
#[derive(Debug, Args)]
pub struct Diff {
    /// El conjunto anterior / the old set.
    old: PathBuf,
    /// El conjunto nuevo / the new set.
    new: PathBuf,
}

/// One worked case that two sets decide otherwise.
struct Moved {
    case: String,
    shift: Shift,
    old: Decision,
    new: Decision,
}

impl Diff {
    /// Does it; ends with 1 when a worked case releases more.
    ///
    /// # Errors
    /// When a set cannot be read or does not load.
    pub fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let (old_set, new_set) = (read_set(Some(&self.old))?, read_set(Some(&self.new))?);
        let (old, new) = (old_set.load(&[])?, new_set.load(&[])?);
        let changes = difference((&old.0, &old.1), (&new.0, &new.1));
        let mut moved = Vec::new();
        for (case, facts) in worked(&[&old_set, &new_set])? {
            let (before, after) = (old.0.send(&facts), new.0.send(&facts));
            if let Some(shift) = shift(&before, &after) {
                moved.push(Moved { case, shift, old: before, new: after });
            }
        }
        moved.sort_by(|a, b| (a.shift, &a.case).cmp(&(b.shift, &b.case)));
        let shown: Vec<Value> = moved.iter().map(Moved::value).collect();
        let value = json!({
            "old": old_set.digest(), "new": new_set.digest(), "changes": changes, "cases": shown,
        });
        output.answer(&value, |out| {
            let parts = [
                ("reglas / rules", &changes.rules),
                ("políticas / policies", &changes.policies),
                ("perfiles / profiles", &changes.profiles),
                ("acuerdos / agreements", &changes.agreements),
            ];
            parts.into_iter().try_for_each(|(name, changes)| write_changes(out, name, changes))?;
            moved.iter().try_for_each(|moved| moved.write(out))?;
            let more = moved.iter().filter(|moved| moved.shift == Shift::ReleasesMore).count();
            writeln!(out, "{} casos cambian; {more} dejan salir más", moved.len())?;
            writeln!(out, "{} cases change; {more} release more", moved.len())
        })?;
        Ok(Exit::expect(moved.iter().all(|moved| moved.shift != Shift::ReleasesMore)))
    }
}

/// The facts of the worked cases of these sets, the last set's where several have a case.
fn worked(sets: &[&PolicySet]) -> anyhow::Result<BTreeMap<String, SendFacts>> {
    let mut all = BTreeMap::new();
    for (file, text) in sets.iter().flat_map(|set| set.cases()) {
        let facts = cases::facts(text.as_bytes()).map_err(|error| anyhow::anyhow!("`{file}`: {error}"))?;
        all.extend(facts);
    }
    Ok(all)
}

impl Moved {
    fn value(&self) -> Value {
        let side = |decision: &Decision| {
            json!({"outcome": decision.outcome, "rule": decision.rule, "deliver": decision.deliver,
                   "obligations": decision.obligations})
        };
        json!({"case": self.case, "shift": self.shift, "old": side(&self.old), "new": side(&self.new)})
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mark = match self.shift {
            Shift::ReleasesMore => "!! SALE MÁS / RELEASES MORE",
            Shift::ReleasesLess => "sale menos / releases less",
            Shift::Otherwise => "lo mismo, de otro modo / the same, otherwise",
        };
        let (old, new) = (&self.old, &self.new);
        writeln!(
            out,
            "{}  {mark}: {} {} → {} {}",
            self.case,
            old.outcome.as_str(),
            old.rule,
            new.outcome.as_str(),
            new.rule
        )?;
        for category in new.deliver.difference(&old.deliver) {
            writeln!(out, "    + {category}")?;
        }
        for category in old.deliver.difference(&new.deliver) {
            writeln!(out, "    - {category}")?;
        }
        Ok(())
    }
}

fn write_changes(out: &mut dyn Write, name: &str, changes: &Changes) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "{name}")?;
    for (sign, names) in [("+", &changes.added), ("-", &changes.removed), ("~", &changes.changed)] {
        names.iter().try_for_each(|name| writeln!(out, "  {sign} {name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::command::policy::tests::changed;
    use crate::output::Format;
    use crate::output::tests::in_memory;

    fn diff(old: &tempfile::TempDir, new: &tempfile::TempDir) -> (Exit, Value) {
        let (mut output, answers, _) = in_memory(Format::Json);
        let diff = Diff { old: old.path().to_owned(), new: new.path().to_owned() };
        (diff.run(&mut output).unwrap(), answers.json())
    }

    #[test]
    fn a_lost_prohibition_is_the_red_line_and_its_return_is_not() {
        let whole = changed(|_| {});
        let lost = changed(|files| {
            let text =
                files["rules/minimise.cedar"].replacen("context.minCell < 5", "context.minCell < 0", 1);
            files.insert("rules/minimise.cedar".to_owned(), text);
        });
        let (exit, told) = diff(&whole, &lost);
        assert_eq!(told["changes"]["policies"]["changed"], json!(["R-STA-01.whole"]));
        assert_eq!((exit, &told["cases"][0]["shift"]), (Exit::Refused, &json!("releases_more")));
        let (exit, told) = diff(&lost, &whole);
        assert_eq!((exit, &told["cases"][0]["shift"]), (Exit::Done, &json!("releases_less")));
    }

    #[test]
    fn a_removed_agreement_and_a_changed_profile_are_named() {
        let (old, new) = (
            changed(|_| {}),
            changed(|files| {
                files.remove("agreements/MX-GT.json").unwrap();
                let text =
                    files["profiles.json"].replacen("\"retention_days\": 365", "\"retention_days\": 30", 1);
                files.insert("profiles.json".to_owned(), text);
            }),
        );
        let (_, told) = diff(&old, &new);
        assert_eq!(told["changes"]["agreements"]["removed"], json!(["MX-GT"]));
        assert_eq!(told["changes"]["profiles"]["changed"], json!(["return.notice"]));
    }
}
