//! `puente check`: what is wrong with a home and with the way to its peers.

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use puente_node::client::AdminClient;
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::clocks::median_ahead;
use puente_node::setup::{self, CheckFinding, Level};

use crate::command::answer::each;
use crate::exit::Exit;
use crate::output::Output;
use crate::reach::{AtHome, read_json};

/// How far a peer's clock may be from ours before somebody should look, milliseconds (PROTOCOL.md, Time).
const SKEW_MS: i64 = 120_000;

/// Revisa el nodo / check the node.
///
/// Configuration, keys, certificates, rules, membership and clock; peers too, when the node runs. Exit status 1 when
/// something must be mended.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    at: AtHome,
}

impl Check {
    /// Asks everything; ends with 1 when there is an error.
    ///
    /// # Errors
    /// When the answer cannot be written.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let mut findings = setup::check(&self.at.home(), &SystemClock::default());
        findings.extend(peers(&self.at.node()).await);
        let mended = findings.iter().all(|finding| finding.level < Level::Error);
        output.answer(&json!({"ok": mended, "findings": findings}), |out| {
            for CheckFinding { level, code, es, en } in &findings {
                let mark = match level {
                    Level::Ok => "  ok ",
                    Level::Warning => "AVISO",
                    Level::Error => "ERROR",
                };
                writeln!(out, "{mark} {code}\n      {es}\n      {en}")?;
            }
            Ok(())
        })?;
        Ok(Exit::expect(mended))
    }
}

/// Greets every peer through the running node; without one there is nothing to say about peers.
async fn peers(node: &AdminClient) -> Vec<CheckFinding> {
    let Ok(listed) = node.request(Method::GET, "/v1/peers").await else { return Vec::new() };
    let listed: Value = listed.json().unwrap_or_default();
    let countries = each(&listed, "peers");
    let (mut findings, mut ahead) = (Vec::new(), Vec::new());
    for country in countries.filter_map(|peer| peer.get("country").and_then(Value::as_str)) {
        let (finding, skew) = peer(node, country).await;
        findings.push(finding);
        ahead.extend(skew);
    }
    findings.push(own_clock(&ahead));
    findings
}

/// Whether this clock is the one that is wrong, by the word of the others.
fn own_clock(ahead_ms: &[i64]) -> CheckFinding {
    let off = median_ahead(ahead_ms.iter().copied());
    let finding =
        |level, es: String, en: String| CheckFinding { level, code: "clock.median".to_owned(), es, en };
    let seconds = off / 1000;
    if off.abs() > SKEW_MS {
        return finding(
            Level::Error,
            format!(
                "Este reloj difiere {seconds} s de la mediana: no salen mensajes nuevos. Sincronícelo (NTP), sin saltos hacia atrás."
            ),
            format!(
                "This clock is {seconds} s from the median: no new messages leave. Synchronise it (NTP), never stepping back."
            ),
        );
    }
    finding(
        Level::Ok,
        format!("Este reloj está a {seconds} s de la mediana de {} nodos.", ahead_ms.len() + 1),
        format!("This clock is {seconds} s from the median of {} nodes.", ahead_ms.len() + 1),
    )
}

async fn peer(node: &AdminClient, country: &str) -> (CheckFinding, Option<i64>) {
    let finding =
        |level, es: String, en: String| CheckFinding { level, code: format!("peer.{country}"), es, en };
    let greeted = node.request(Method::POST, &format!("/v1/peers/{country}/test")).await;
    let hello = match greeted.map_err(anyhow::Error::from).and_then(|answer| read_json(&answer)) {
        Ok(hello) => hello,
        Err(error) => {
            let silent = finding(
                Level::Warning,
                format!("{country} no responde; lo que espera por él queda en cola: {error}"),
                format!("{country} does not answer; what waits for it stays queued: {error}"),
            );
            return (silent, None);
        }
    };
    let theirs = hello.get("now_ms").and_then(Value::as_i64).unwrap_or_default();
    let skew = theirs.saturating_sub(SystemClock::default().now_ms());
    if skew.abs() > SKEW_MS {
        let seconds = skew / 1000;
        let wrong = finding(
            Level::Warning,
            format!("El reloj de {country} difiere {seconds} s del nuestro; revise ambos."),
            format!("The clock of {country} is {seconds} s from ours; look at both."),
        );
        return (wrong, Some(skew));
    }
    (finding(Level::Ok, format!("{country} responde."), format!("{country} answers.")), Some(skew))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser as _;

    use super::*;
    use crate::output::Format;
    use crate::output::tests::in_memory;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        check: Check,
    }

    #[tokio::test]
    async fn a_home_that_is_none_ends_with_one() {
        let folder = tempfile::tempdir().unwrap();
        let (mut output, answers, _) = in_memory(Format::Json);
        let line = Line::try_parse_from(["check", "--home", folder.path().to_str().unwrap()]).unwrap();
        assert_eq!(line.check.run(&mut output).await.unwrap(), Exit::Refused);
        assert_eq!(answers.json()["findings"][0]["code"], "config");
    }
}
