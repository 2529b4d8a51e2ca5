//! The checker: what was expected of every row against what both gateways say.
//!
//! It shares no code with the gateway: JSON in, counts and sentences out. INVARIANT: what is missing is a failure, never
//! passed over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// Counts by name.
    pub counts: BTreeMap<&'static str, usize>,
    /// What was expected and is not so, one sentence each.
    pub failures: Vec<String>,
}

/// Compares.
///
/// `expected` is `{"rows": [{"row", "verdict", "rule", "removed", "cell", "problem", ...}], "counts": {...}}`; of a row
/// only what is stated is compared. `seen` is `{"verdicts", "sender", "cancelled", "approvals", "receivers"}`, each as the
/// API answers it.
pub fn reconcile(expected: &Value, seen: &Value) -> Reconciled {
    let mut books = Books { seen, counts: BTreeMap::new(), failures: Vec::new() };
    books.rows(expected);
    books.first_verdicts(expected);
    books.journeys();
    books.answers();
    books.approvals();
    books.calling_off();
    Reconciled { counts: books.counts, failures: books.failures }
}

struct Books<'s> {
    seen: &'s Value,
    counts: BTreeMap<&'static str, usize>,
    failures: Vec<String>,
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Messages of this direction and type.
fn messages<'v>(
    operation: &'v Value,
    direction: &'v str,
    message_type: &'v str,
) -> impl Iterator<Item = &'v Value> {
    list(operation, "messages").iter().filter(move |message| {
        text(message, "direction") == direction && text(message, "type") == message_type
    })
}

fn accepted(message: &&Value) -> bool {
    text(message, "state") == "accepted"
}

impl Books<'_> {
    fn count(&mut self, name: &'static str, count: usize) -> usize {
        self.counts.insert(name, count);
        count
    }

    fn fail(&mut self, sentence: String) {
        self.failures.push(sentence);
    }

    fn expect(&mut self, what: &str, wanted: usize, found: usize) {
        if wanted != found {
            self.fail(format!("{what}: {found}, expected {wanted}"));
        }
    }

    /// Row by row: the verdict, and why.
    fn rows(&mut self, expected: &Value) {
        let mut told: BTreeMap<u64, &Value> = BTreeMap::new();
        for verdict in list(self.seen, "verdicts") {
            let row = verdict.get("row").and_then(Value::as_u64).unwrap_or_default();
            if told.insert(row, verdict).is_some() {
                self.failures.push(format!("row {row}: two verdicts"));
            }
        }
        for wanted in list(expected, "rows") {
            let row = wanted.get("row").and_then(Value::as_u64).unwrap_or_default();
            match told.remove(&row) {
                Some(verdict) => self.failures.extend(differences(row, wanted, verdict)),
                None => self.failures.push(format!("row {row}: no verdict")),
            }
        }
        self.failures.extend(told.keys().map(|row| format!("row {row}: a verdict that nobody expected")));
    }

    /// How many rows got which verdict.
    fn first_verdicts(&mut self, expected: &Value) {
        let verdicts = list(self.seen, "verdicts");
        self.count("submitted", verdicts.len());
        let none = Map::new();
        let wanted = expected.get("counts").and_then(Value::as_object).unwrap_or(&none);
        for name in ["accepted", "redacted", "held", "refused", "malformed", "duplicate"] {
            let found = verdicts.iter().filter(|verdict| text(verdict, "verdict") == name).count();
            self.count(name, found);
            if let Some(wanted) = wanted.get(name).and_then(Value::as_u64) {
                self.expect(name, usize::try_from(wanted).unwrap_or(usize::MAX), found);
            }
        }
        if let Some(submitted) = expected.get("submitted").and_then(Value::as_u64) {
            self.expect("submitted", usize::try_from(submitted).unwrap_or(usize::MAX), verdicts.len());
        }
    }

    /// Every row that left is over there, once.
    fn journeys(&mut self) {
        let sender = self.seen.get("sender").unwrap_or(&Value::Null);
        let mut left: BTreeSet<&str> = list(self.seen, "verdicts")
            .iter()
            .map(|verdict| text(verdict, "message_id"))
            .filter(|id| !id.is_empty())
            .collect();
        let mut rows = BTreeMap::<u64, usize>::new();
        for message in messages(sender, "out", "return.manifest") {
            left.insert(text(message, "message_id"));
            *rows.entry(message.get("row").and_then(Value::as_u64).unwrap_or_default()).or_default() += 1;
        }
        let delivered = messages(sender, "out", "return.manifest").filter(accepted).count();
        let mut arrived = BTreeMap::<&str, usize>::new();
        let mut told = BTreeMap::<&str, usize>::new();
        for receiver in list(self.seen, "receivers") {
            let operation = receiver.get("operation").unwrap_or(&Value::Null);
            for message in messages(operation, "in", "return.manifest").filter(accepted) {
                *arrived.entry(text(message, "message_id")).or_default() += 1;
            }
            let received = list(receiver, "events").iter().filter(|event| {
                text(event, "type") == "puente.message_received"
                    && text(&event["data"], "message_type") == "return.manifest"
            });
            for event in received {
                *told.entry(text(&event["data"], "message")).or_default() += 1;
            }
        }
        let twice = |times: &&usize| **times > 1;
        let duplicated = rows.values().filter(twice).count()
            + arrived.values().filter(twice).count()
            + told.values().filter(twice).count();
        let lost = left.iter().filter(|id| !arrived.contains_key(*id) || !told.contains_key(*id)).count();
        let strangers = arrived.keys().filter(|id| !left.contains(*id)).count();
        self.count("delivered", delivered);
        self.count("lost", lost);
        self.count("duplicated", duplicated);
        self.expect("rows that left and have a receipt", left.len(), delivered);
        self.expect("rows lost", 0, lost);
        self.expect("rows duplicated", 0, duplicated);
        self.expect("rows over there that nobody sent", 0, strangers);
    }

    /// Every row over there is acknowledged and accounted for.
    fn answers(&mut self) {
        let sender = self.seen.get("sender").unwrap_or(&Value::Null);
        let (mut acknowledged, mut arrived, mut no_show, mut silent) = (0, 0, 0, Vec::new());
        for message in messages(sender, "out", "return.manifest").filter(accepted) {
            let answers = list(message, "answers");
            let is = |answer: &&Value, of_type: &str| text(answer, "type") == of_type;
            let acks = answers.iter().filter(|answer| is(answer, "return.manifest.ack")).count();
            let arrivals: Vec<&str> = answers
                .iter()
                .filter(|answer| is(answer, "return.arrival"))
                .map(|answer| text(answer, "status"))
                .collect();
            acknowledged += usize::from(acks == 1);
            match (acks, arrivals.as_slice()) {
                (1, ["arrived"]) => arrived += 1,
                (1, ["no_show"]) => no_show += 1,
                _ => silent.push(message.get("row").cloned().unwrap_or_default()),
            }
        }
        for row in silent {
            self.fail(format!("row {row}: not acknowledged once and accounted for once"));
        }
        let unlisted =
            list(sender, "unsolicited").iter().filter(|report| text(report, "status") == "unlisted").count();
        let at_reception = list(self.seen, "receivers").first().map_or(0, |reception| {
            let operation = reception.get("operation").unwrap_or(&Value::Null);
            messages(operation, "in", "return.manifest").filter(accepted).count()
        });
        self.count("acknowledged", acknowledged);
        self.count("arrived", arrived);
        self.count("no_show", no_show);
        self.count("unlisted", unlisted);
        self.expect("people who did not travel", at_reception.min(1), no_show);
        self.expect("people who are on no list", at_reception.min(1), unlisted);
        let amended = messages(sender, "out", "return.manifest.amend").filter(accepted).filter(|amendment| {
            list(amendment, "answers")
                .iter()
                .any(|answer| text(answer, "type") == "return.manifest.amend.ack")
        });
        let amended = amended.count();
        self.count("amended", amended);
        self.expect("corrections acknowledged", at_reception.min(1), amended);
    }

    /// Every held row has ended: released by two, refused, or lapsed.
    fn approvals(&mut self) {
        let approvals = list(self.seen, "approvals");
        let in_state = |state: &str| approvals.iter().filter(|held| text(held, "state") == state).count();
        let (granted, refused, lapsed) = (in_state("granted"), in_state("refused"), in_state("lapsed"));
        let held = self.counts.get("held").copied().unwrap_or_default();
        self.count("granted", granted);
        self.count("refused_by_officer", refused);
        self.count("lapsed", lapsed);
        self.expect("held rows that have ended", held, granted + refused + lapsed);
    }

    /// The other operation was cancelled, and Guatemala knows.
    fn calling_off(&mut self) {
        let other = self.seen.get("cancelled").unwrap_or(&Value::Null);
        let cancelled = messages(other, "out", "return.cancel").filter(accepted).filter(|message| {
            list(message, "answers").iter().any(|answer| text(answer, "type") == "return.cancel.ack")
        });
        let cancelled = cancelled.count();
        self.count("cancelled", cancelled);
        self.expect("cancellations acknowledged", 1, cancelled);
    }
}

/// What differs between a row's expectation and its verdict.
fn differences(row: u64, wanted: &Value, verdict: &Value) -> Vec<String> {
    let problem = list(verdict, "problems").first().unwrap_or(&Value::Null);
    let warnings = list(verdict, "warnings");
    let mut removed: Vec<&str> =
        list(verdict, "removed").iter().map(|removal| text(removal, "category")).collect();
    removed.sort_unstable();
    let alike: Vec<u64> = warnings
        .iter()
        .filter(|warning| text(warning, "code") == "row.possible_duplicate")
        .filter_map(|warning| text(warning, "field").parse().ok())
        .collect();
    let told = [
        ("verdict", verdict.get("verdict").cloned().unwrap_or_default()),
        ("rule", verdict.pointer("/rule/id").cloned().unwrap_or_default()),
        ("removed", json!(removed)),
        ("cell", problem.get("field").cloned().unwrap_or_default()),
        ("problem", problem.get("code").cloned().unwrap_or_default()),
        ("possible_duplicate_of", alike.first().map_or(Value::Null, |earlier| json!(earlier))),
        ("warning", warning_about(warnings, text(wanted, "warning"))),
    ];
    told.into_iter()
        .filter_map(|(name, found)| {
            // Whoever says nothing of a possible duplicate expects none.
            let stated = wanted.get(name).or((name == "possible_duplicate_of").then_some(&Value::Null))?;
            (*stated != found).then(|| format!("row {row}: {name} is {found}, expected {stated}"))
        })
        .collect()
}

fn warning_about(warnings: &[Value], code: &str) -> Value {
    let found = warnings.iter().any(|warning| text(warning, "code") == code);
    if found { json!(code) } else { Value::Null }
}

#[cfg(test)]
mod tests;
