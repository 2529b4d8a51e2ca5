//! What a minister reads at the end: what happened, in Spanish and English, and where to look further.
//!
//! Not here: counting (`reconcile`). INVARIANT: rows, rules and counts only, never a person.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::Outcome;
use super::stage::Stage;

/// Every row that is not a plain yes or has something to look at, with the reason in both languages.
pub fn rows(out: &mut dyn Write, verdicts: &[Value]) -> io::Result<()> {
    writeln!(out, "Renglones que piden atención / rows that ask for attention:")?;
    for verdict in verdicts {
        let word = text(verdict, "verdict");
        let problems = list(verdict, "problems").iter().chain(list(verdict, "warnings"));
        let findings =
            problems.map(|found| (format!("{} {}", text(found, "code"), text(found, "field")), found));
        let removed = list(verdict, "removed").iter().map(|removal| {
            (format!("- {} {}", text(removal, "category"), text(&removal["rule"], "id")), &removal["rule"])
        });
        let rule = Some(&verdict["rule"]).filter(|_| matches!(word, "held" | "refused"));
        let ruled = rule.map(|rule| (text(rule, "id").to_owned(), rule));
        for (what, reason) in ruled.into_iter().chain(removed).chain(findings) {
            writeln!(out, "  {:>4}  {word:<9}  {what}", verdict["row"])?;
            writeln!(out, "        {}\n        {}", text(reason, "es"), text(reason, "en"))?;
        }
    }
    Ok(())
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// The closing words.
pub fn closing(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let empty = BTreeMap::new();
    let counts = outcome.reconciled.as_ref().map_or(&empty, |reconciled| &reconciled.counts);
    let n = |name: &str| counts.get(name).copied().unwrap_or_default();
    let left = n("accepted") + n("redacted") + n("granted");
    let unread = n("malformed") + n("duplicate");
    writeln!(out, "\nENSAYO con personas inventadas: México devuelve a Guatemala, Tapachula - Tecún Umán.")?;
    writeln!(
        out,
        "  De {} renglones salieron {left}; {} de ellos sin los datos que no deben viajar.",
        n("submitted"),
        n("redacted")
    )?;
    writeln!(
        out,
        "  {} se negaron, {unread} no se podían leer o estaban repetidos, y {} se retuvieron:",
        n("refused"),
        n("held")
    )?;
    writeln!(
        out,
        "  dos personas liberaron {}, una negó {}, y {} caducaron sin decisión.",
        n("granted"),
        n("refused_by_officer"),
        n("lapsed")
    )?;
    writeln!(
        out,
        "  Guatemala acusó {} de {}; llegaron {}, no viajó {}, y vino {} que no estaba en lista.",
        n("acknowledged"),
        n("delivered"),
        n("arrived"),
        n("no_show"),
        n("unlisted")
    )?;
    writeln!(
        out,
        "  Perdidos: {}. Duplicados: {}. Así consta en ambos países tras reiniciar sus nodos.",
        n("lost"),
        n("duplicated")
    )?;
    writeln!(out, "\nTRAINING with invented people: Mexico returns to Guatemala, Tapachula - Tecún Umán.")?;
    writeln!(
        out,
        "  Of {} rows {left} left; {} of them without the data that must not travel.",
        n("submitted"),
        n("redacted")
    )?;
    writeln!(
        out,
        "  {} were refused, {unread} could not be read or were repeated, and {} were held:",
        n("refused"),
        n("held")
    )?;
    writeln!(
        out,
        "  two people released {}, one person refused {}, and {} lapsed undecided.",
        n("granted"),
        n("refused_by_officer"),
        n("lapsed")
    )?;
    writeln!(
        out,
        "  Guatemala acknowledged {} of {}; {} arrived, {} did not travel, and {} came who is on no list.",
        n("acknowledged"),
        n("delivered"),
        n("arrived"),
        n("no_show"),
        n("unlisted")
    )?;
    writeln!(
        out,
        "  Lost: {}. Duplicated: {}. So both countries' gateways say after a restart.",
        n("lost"),
        n("duplicated")
    )?;
    if outcome.failures.is_empty() {
        return writeln!(
            out,
            "\nTodo fue como se esperaba. Everything was as expected. ({} s)",
            outcome.seconds
        );
    }
    writeln!(out, "\nNo fue como se esperaba / not as expected:")?;
    outcome.failures.iter().try_for_each(|failure| writeln!(out, "  {failure}"))
}

/// Where to look further.
pub fn addresses(out: &mut dyn Write, stage: &Stage, outcome: &Outcome) -> io::Result<()> {
    writeln!(out, "\nNodos / gateways:")?;
    for (country, config) in &stage.configs {
        let Some(home) = stage.homes.get(country) else { continue };
        let listen = &config.listen;
        writeln!(
            out,
            "  {country}  API https://{}  metrics http://{}/metrics  store {}",
            listen.domestic,
            listen.operations,
            home.store().display()
        )?;
    }
    let Some(home) = stage.homes.values().nth(2) else { return Ok(()) };
    let message = outcome.facts["amendment"].as_str().unwrap_or("ID");
    writeln!(out, "\nPara mirar más / to look further:")?;
    writeln!(out, "  puente message show {message} --home {}", home.path().display())?;
    writeln!(out, "  puente queue --home {}", home.path().display())?;
    writeln!(out, "  puente peer list --home {}", home.path().display())
}

/// The one line that scripts read; the folder is where the logs are when something was not as expected.
pub fn line(outcome: &Outcome, folder: &Path) -> Value {
    let mut line =
        json!({"expectations_failed": outcome.failures, "seconds": outcome.seconds, "folder": folder});
    let counts = outcome.reconciled.iter().flat_map(|reconciled| &reconciled.counts);
    if let Some(object) = line.as_object_mut() {
        object.extend(counts.map(|(name, count)| ((*name).to_owned(), json!(count))));
    }
    line
}
