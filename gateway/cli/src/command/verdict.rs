//! Verdicts on submissions, row by row, as lines for a person.

use std::io::{self, Write};

use serde_json::Value;

use crate::command::answer::each;

/// Whether a verdict took the submission: accepted, redacted or held.
#[must_use]
pub fn is_taken(verdict: &Value) -> bool {
    matches!(outcome(verdict), "accepted" | "redacted" | "held")
}

fn outcome(verdict: &Value) -> &str {
    verdict.get("verdict").and_then(Value::as_str).unwrap_or_default()
}

fn spanish(outcome: &str) -> &str {
    match outcome {
        "accepted" => "aceptada",
        "redacted" => "aceptada sin",
        "held" => "retenida",
        "refused" => "negada",
        "malformed" => "mal formada",
        "duplicate" => "repetida",
        other => other,
    }
}

/// Writes one verdict.
///
/// # Errors
/// When the stream is closed.
pub fn write(out: &mut dyn Write, verdict: &Value) -> io::Result<()> {
    let row = verdict.get("row").and_then(Value::as_u64).map(|row| format!("{row:>4}  ")).unwrap_or_default();
    let outcome = outcome(verdict);
    let id =
        ["message_id", "approval_id"].into_iter().find_map(|name| verdict.get(name).and_then(Value::as_str));
    writeln!(out, "{row}{} / {outcome}  {}", spanish(outcome), id.unwrap_or_default())?;
    if let Some(rule) = verdict.get("rule") {
        both(out, text(rule, "id"), rule)?;
    }
    for removal in each(verdict, "removed") {
        let category = text(removal, "category");
        both(out, &format!("- {category}"), removal.get("rule").unwrap_or(&Value::Null))?;
    }
    for finding in each(verdict, "problems").chain(each(verdict, "warnings")) {
        both(out, &format!("{} {}", text(finding, "code"), text(finding, "field")), finding)?;
    }
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn both(out: &mut dyn Write, what: &str, reason: &Value) -> io::Result<()> {
    writeln!(out, "      {what}\n        {}\n        {}", text(reason, "es"), text(reason, "en"))
}

/// How many verdicts of each kind there are.
///
/// # Errors
/// When the stream is closed.
pub fn write_counts(out: &mut dyn Write, verdicts: &[Value]) -> io::Result<()> {
    for kind in ["accepted", "redacted", "held", "refused", "malformed", "duplicate"] {
        let count = verdicts.iter().filter(|verdict| outcome(verdict) == kind).count();
        if count > 0 {
            writeln!(out, "{count:>6}  {} / {kind}", spanish(kind))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_verdict_gives_its_rule_in_both_languages() {
        let verdict =
            json!({"row": 7, "verdict": "refused", "rule": {"id": "A-1", "es": "No.", "en": "No!"}});
        let mut out = Vec::new();
        write(&mut out, &verdict).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "   7  negada / refused  \n      A-1\n        No.\n        No!\n");
        assert!(!is_taken(&verdict));
    }
}
