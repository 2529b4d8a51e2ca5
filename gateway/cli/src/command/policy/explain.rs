//! `puente policy explain`: every question of one decision and every rule that spoke.
//!
//! A case is explained here; a recorded decision by the node that holds its facts, which do not leave it.

use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use clap::Args;
use http::Method;
use jiff::Timestamp;
use puente_core::ids::MessageId;
use puente_core::policy::cases;
use puente_node::client::AdminClient;
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::home::Home;
use serde_json::{Value, json};

use super::read_set;
use crate::command::answer::text_at;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::read_json;

/// A case is a few KiB; this is the bound of a file of cases.
const MAX_CASE_BYTES: u64 = 32 * 1024 * 1024;

/// Explica una decisión / explain a decision.
#[derive(Debug, Args)]
pub struct Explain {
    /// Un caso en la forma de la matriz, o `-` / a case in the form of the matrix, or `-`.
    #[arg(long, value_name = "FILE", required_unless_present = "message", conflicts_with = "message")]
    case: Option<PathBuf>,
    /// Cuál caso del archivo / which case of the file.
    #[arg(long, value_name = "ID", requires = "case")]
    id: Option<String>,
    /// Carpeta de políticas; las de este programa si se omite / folder of policies; those of this program when left out.
    #[arg(long, value_name = "DIR", conflicts_with = "message")]
    policies: Option<PathBuf>,
    /// Mensaje cuya decisión está registrada / message whose decision is recorded.
    #[arg(long, value_name = "ID", requires = "home")]
    message: Option<MessageId>,
    /// Carpeta del nodo / folder of the node.
    #[arg(long, env = "PUENTE_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
}

impl Explain {
    /// Does it.
    ///
    /// # Errors
    /// When case, policies or node cannot be read.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let value = match (&self.message, &self.home) {
            (Some(message), Some(home)) => {
                let node = AdminClient::at(&Home::at(home).socket());
                read_json(&node.request(Method::GET, &format!("/v1/policy/explain/{message}")).await?)?
            }
            _ => self.explain_case()?,
        };
        output.answer(&value, |out| write_out(out, &value))?;
        Ok(Exit::Done)
    }

    fn explain_case(&self) -> anyhow::Result<Value> {
        let mut bytes = Vec::new();
        match &self.case {
            Some(path) if path.as_os_str() != "-" => {
                let file = std::fs::File::open(path)
                    .map_err(|error| anyhow::anyhow!("`{}`: {error}", path.display()))?;
                file.take(MAX_CASE_BYTES).read_to_end(&mut bytes)?;
            }
            _ => drop(io::stdin().take(MAX_CASE_BYTES).read_to_end(&mut bytes)?),
        }
        let now = Timestamp::from_millisecond(SystemClock::default().now_ms())?;
        let facts = cases::one(&bytes, self.id.as_deref(), now)?;
        let (engine, _) = read_set(self.policies.as_ref())?.load(&[])?;
        Ok(json!({"explanation": engine.explain_send(&facts)}))
    }
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn write_out(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    if value.get("recorded").is_some() {
        let (outcome, rule) = (text_at(value, "/recorded/outcome"), text_at(value, "/recorded/rule"));
        writeln!(out, "registrado / recorded: {outcome}  {rule}")?;
        if value.get("same_policies").and_then(Value::as_bool) != Some(true) {
            writeln!(out, "  Con otras políticas que las vigentes: lo que sigue es lo que dirían hoy.")?;
            writeln!(
                out,
                "  By other policies than those in force: what follows is what they would say today."
            )?;
        }
    }
    let Some(explanation) = value.get("explanation") else { return Ok(()) };
    writeln!(
        out,
        "{}  {}",
        text_at(explanation, "/decision/outcome"),
        text_at(explanation, "/decision/rule")
    )?;
    for asked in list(explanation, "/questions") {
        let yes = asked.get("allowed").and_then(Value::as_bool).unwrap_or_default();
        let category = asked.get("category").and_then(Value::as_str).unwrap_or_default();
        writeln!(out, "{} {category}: {}", text_at(asked, "/question"), if yes { "sí / yes" } else { "no" })?;
        for voice in list(asked, "/voices") {
            write_voice(out, explanation, voice)?;
        }
    }
    let leaves: Vec<_> = list(explanation, "/decision/deliver").filter_map(Value::as_str).collect();
    writeln!(out, "sale / leaves: {}", if leaves.is_empty() { "-".to_owned() } else { leaves.join(" ") })?;
    let removed = explanation.pointer("/decision/removed").and_then(Value::as_object);
    for (category, rule) in removed.into_iter().flatten() {
        writeln!(out, "retirado / removed: {category}  {}", rule.as_str().unwrap_or("-"))?;
    }
    Ok(())
}

fn write_voice(out: &mut dyn Write, explanation: &Value, voice: &Value) -> io::Result<()> {
    let rule = text_at(voice, "/rule");
    let effect = match voice.get("effect") {
        Some(Value::String(plain)) => plain.clone(),
        Some(other) => format!("obliged {}", text_at(other, "/obliged")),
        None => String::new(),
    };
    let rank = voice.get("rank").and_then(Value::as_u64).unwrap_or_default();
    let (stage, policy) = (text_at(voice, "/stage"), text_at(voice, "/policy"));
    writeln!(out, "  {rule}  {stage} {rank}  {policy}  {effect}")?;
    let Some(reasons) = explanation.get("rules").and_then(|rules| rules.get(rule)) else { return Ok(()) };
    let grounding: Vec<_> = list(reasons, "/grounding").filter_map(Value::as_str).collect();
    writeln!(
        out,
        "    {}\n    {} [{}]",
        text_at(reasons, "/es"),
        text_at(reasons, "/en"),
        grounding.join(" ")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::path::Path;

    use super::*;
    use crate::output::Format;
    use crate::output::tests::in_memory;

    fn matrix() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/cases/matrix.json")
    }

    async fn explained(id: &str, format: Format) -> String {
        let (mut output, answers, _) = in_memory(format);
        let case = Some(matrix());
        let explain = Explain { case, id: Some(id.to_owned()), policies: None, message: None, home: None };
        assert_eq!(explain.run(&mut output).await.unwrap(), Exit::Done);
        answers.text()
    }

    fn cases() -> Vec<Value> {
        let matrix: Value = serde_json::from_slice(&std::fs::read(matrix()).unwrap()).unwrap();
        matrix["cases"].as_array().unwrap().clone()
    }

    #[tokio::test]
    async fn what_is_explained_is_what_is_decided_and_its_rule_is_among_those_that_spoke() {
        for case in cases().iter().take(20) {
            let id = case["id"].as_str().unwrap();
            let value: Value = serde_json::from_str(&explained(id, Format::Json).await).unwrap();
            let explanation = &value["explanation"];
            assert_eq!(explanation["decision"]["outcome"], case["expected"]["decision"], "{id}");
            let rule = text_at(explanation, "/decision/rule");
            assert!(explanation["rules"].get(rule).is_some(), "{id} {rule}");
            assert!(explanation["rules"][rule]["es"].is_string(), "{id}");
        }
    }

    #[tokio::test]
    async fn a_removed_category_is_told_with_the_rule_that_took_it() {
        let redacted =
            cases().into_iter().find(|case| case["expected"]["decision"] == "permit_redacted").unwrap();
        let removed = redacted["expected"]["remove"][0].as_str().unwrap();
        let text = explained(redacted["id"].as_str().unwrap(), Format::Text).await;
        assert!(text.contains(&format!("retirado / removed: {removed}  R-")), "{text}");
        assert!(text.contains(&format!("Disclose {removed}: no")), "{text}");
    }

    #[tokio::test]
    async fn a_case_that_is_not_there_is_an_error() {
        let (mut output, _, _) = in_memory(Format::Text);
        let explain = Explain {
            case: Some(matrix()),
            id: Some("PM-999".to_owned()),
            policies: None,
            message: None,
            home: None,
        };
        assert!(explain.run(&mut output).await.is_err());
    }
}
