//! What a drill found: who was called as what, by which channel, and after how many minutes.
//!
//! INVARIANT: a person is named by the name of the duty roster, never by an address; the names of the JSON object stay.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::command::answer::{each, text};

const MINUTE_MS: f64 = 60_000.0;

/// One call of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Called {
    side: String,
    #[serde(rename = "as")]
    wake: String,
    contact: String,
    channel: String,
    why: String,
    /// From the alert to the rung.
    called_minutes: f64,
    /// From the alert until the channel took the notice; `None` when it did not.
    taken_minutes: Option<f64>,
    state: String,
    attempts: u64,
}

/// The figures of one drill. Minutes count from the alert, on the clock of the side that is named.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    alert_id: String,
    to: String,
    state: String,
    answered_minutes: Option<f64>,
    acted_minutes: Option<f64>,
    term_minutes: f64,
    silences: Vec<String>,
    calls: Vec<Called>,
}

#[expect(clippy::cast_precision_loss, reason = "spans of a drill are hours, in milliseconds")]
fn minutes(opened_ms: i64, value: &Value, name: &str) -> Option<f64> {
    let at = value.get(name).and_then(Value::as_i64)?;
    Some(at.saturating_sub(opened_ms) as f64 / MINUTE_MS)
}

impl Report {
    /// The report on an alert as its sides show it, the sender's first; `None` when it tells no hours.
    pub fn of(sides: &[Value]) -> Option<Self> {
        let here = sides.first()?;
        let opened_ms = here.get("opened_ms").and_then(Value::as_i64)?;
        let mut calls: Vec<Called> = sides.iter().flat_map(calls_of).collect();
        calls.sort_by(|one, other| one.called_minutes.total_cmp(&other.called_minutes));
        Some(Self {
            alert_id: text(here, "alert_id").to_owned(),
            to: text(here, "peer").to_owned(),
            state: text(here, "state").to_owned(),
            answered_minutes: minutes(opened_ms, here, "answered_ms"),
            acted_minutes: minutes(opened_ms, here, "acted_ms"),
            term_minutes: minutes(opened_ms, here, "answer_by_ms")?,
            silences: each(here, "told").filter_map(Value::as_str).map(str::to_owned).collect(),
            calls,
        })
    }

    /// Whether an officer answered, and in time.
    pub fn is_answered(&self) -> bool {
        self.answered_minutes.is_some_and(|minutes| minutes <= self.term_minutes)
    }

    /// Whether a channel has yet to take a notice.
    pub fn has_calls_under_way(&self) -> bool {
        self.calls.iter().any(|call| call.state == "waits")
    }

    /// A page, Spanish and English.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, to: &mut dyn Write) -> io::Result<()> {
        let shown =
            |minutes: Option<f64>| minutes.map_or_else(|| "-".to_owned(), |minutes| format!("{minutes:.1}"));
        writeln!(to, "SIMULACRO / DRILL  {}  → {}  {}", self.alert_id, self.to, self.state)?;
        writeln!(
            to,
            "respondida, actuada, plazo / answered, acted, term (min): {}  {}  {:.0}",
            shown(self.answered_minutes),
            shown(self.acted_minutes),
            self.term_minutes
        )?;
        if !self.silences.is_empty() {
            writeln!(to, "silencios / silences: {}", self.silences.join(", "))?;
        }
        writeln!(to, "min llamada / called, min aviso tomado / notice taken, quién / who")?;
        for call in &self.calls {
            writeln!(
                to,
                "{:>6.1}  {:>6}  {}  {}  {}  {}  {}  {} ({})",
                call.called_minutes,
                shown(call.taken_minutes),
                call.side,
                call.wake,
                call.contact,
                call.channel,
                call.why,
                call.state,
                call.attempts
            )?;
        }
        Ok(())
    }
}

fn calls_of(side: &Value) -> Vec<Called> {
    let opened_ms = side.get("opened_ms").and_then(Value::as_i64).unwrap_or_default();
    let called = |call: &Value| {
        let said = |name: &str| text(call, name).to_owned();
        Some(Called {
            side: text(side, "side").to_owned(),
            wake: said("as"),
            contact: said("contact"),
            channel: said("channel"),
            why: said("why"),
            called_minutes: minutes(opened_ms, call, "made_ms")?,
            taken_minutes: minutes(opened_ms, call, "at_ms").filter(|_| text(call, "state") == "handed"),
            state: said("state"),
            attempts: call.get("attempts").and_then(Value::as_u64).unwrap_or_default(),
        })
    };
    each(side, "calls").filter_map(called).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn side(side: &str, opened_ms: i64, calls: &Value) -> Value {
        json!({"alert_id": "a", "peer": "GT", "side": side, "state": "answered", "opened_ms": opened_ms,
               "answer_by_ms": opened_ms + 3_600_000, "answered_ms": opened_ms + 1_500_000, "acted_ms": null,
               "told": [], "calls": calls})
    }

    fn call(wake: &str, made_ms: i64, at_ms: i64, state: &str) -> Value {
        json!({"as": wake, "contact": "guardia", "channel": "mail", "why": "answer", "made_ms": made_ms,
               "at_ms": at_ms, "state": state, "attempts": 2})
    }

    #[test]
    fn minutes_count_from_the_alert_on_each_sides_own_clock_in_the_order_of_the_rungs() {
        let here = side("sender", 0, &json!([call("supervisor", 2_400_000, 2_400_000, "waits")]));
        let there = side("receiver", 6_000, &json!([call("officer", 6_000, 66_000, "handed")]));
        let report = Report::of(&[here, there]).unwrap();
        assert_eq!((report.answered_minutes, report.is_answered()), (Some(25.0), true));
        let rungs: Vec<_> = report
            .calls
            .iter()
            .map(|call| (call.wake.as_str(), call.called_minutes, call.taken_minutes))
            .collect();
        assert_eq!(rungs, [("officer", 0.0, Some(1.0)), ("supervisor", 40.0, None)]);
        assert!(report.has_calls_under_way());
    }

    #[test]
    fn an_answer_after_the_term_is_not_in_time() {
        let mut late = side("sender", 0, &json!([]));
        late["answered_ms"] = json!(3_600_001);
        assert!(!Report::of(&[late]).unwrap().is_answered());
        assert_eq!(Report::of(&[]), None);
    }
}
